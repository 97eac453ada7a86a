"""Values taken from the physical model: the flows of a cement works, its fuel and what leaves its stack."""

from dataclasses import fields

from simulators.plant.cement import CementWorks, StackGas
from simulators.plant.rate import Rate, local_day

_PER_HOUR = {"W": 1e-3, "g/s": 3_600e-6, "mL/s": 3_600e-6, "uL/s": 3_600e-6}
"""From a rate's unit a second to the unit an hour that measurands use: kW, t/h, m³/h, L/h."""
GAS = tuple(each.name for each in fields(StackGas))


class Works:
    """One works, from a day before the start on; a function of its seed alone."""

    def __init__(self, seed: int, start_us: int) -> None:
        self._start_us = start_us
        self._works = CementWorks(seed, local_day(start_us) - 1)

    def signal(self, name: str) -> "RateSignal | GasSignal":
        """A rate by its name, or a property of the stack gas; ValueError names what there is."""
        if name in GAS:
            return GasSignal(self._works, name, self._start_us)
        rate = self._works.rates.get(name)
        if rate is None:
            known = ", ".join(sorted([*self._works.rates, *GAS]))
            raise ValueError(f"the works has no {name!r}; it has {known}")
        return RateSignal(rate, self._start_us)


class RateSignal:
    """A flow of the works, in the unit an hour that its measurand uses."""

    def __init__(self, rate: Rate, start_us: int) -> None:
        self._rate = rate
        self._start_us = start_us
        self._scale = _PER_HOUR[rate.unit_a_second]
        self._before = rate.total(start_us)

    def value(self, at_s: float) -> float:
        """The flow at a time."""
        return self._rate.at(self._start_us + round(at_s * 1e6)) * self._scale

    def integral(self, at_s: float) -> float:
        """The exact total since the start, in value · seconds."""
        return (self._rate.total(self._start_us + round(at_s * 1e6)) - self._before) * self._scale


class GasSignal:
    """A property of the stack gas, of which nobody keeps a total."""

    def __init__(self, works: CementWorks, name: str, start_us: int) -> None:
        self._works = works
        self._name = name
        self._start_us = start_us

    def value(self, at_s: float) -> float:
        """The property at a time."""
        return float(getattr(self._works.stack_gas(self._start_us + round(at_s * 1e6)), self._name))

    def integral(self, at_s: float) -> float:
        """None is kept."""
        raise ValueError(f"no counter can follow {self._name} at {at_s} s: it is no flow")
