"""Faults in what a meter shows: a wrapper around an honest instrument."""

from collections.abc import Callable, Mapping, Sequence

from simulators.faults.fault import Fault, of_device
from simulators.instruments.fitted import MICRO, Fitted, Quantity
from simulators.instruments.instrument import Instrument

_DAY_US = 86_400 * MICRO
_HONEST = object()
_FOLLOWS_CURRENT = ("active_power", "reactive_power", "apparent_power", "current")


class FaultyInstrument:
    """Shows what ``honest`` shows, spoilt by the value faults of its device.

    ``others`` are the plant's instruments by device, for a series made identical to another's. What the meter truly
    measured stays with ``honest``: ``true_micro`` is never spoilt.
    """

    def __init__(
        self, device: str, honest: Instrument, faults: Sequence[Fault], others: Mapping[str, Instrument] | None = None
    ) -> None:
        self.honest = honest
        self._faults = of_device(faults, device, "value")
        self._others = others or {}

    def fitted(self, at_us: int) -> Fitted:
        """The physical meter, as it truly is."""
        return self.honest.fitted(at_us)

    def true_micro(self, measurand: str, at_us: int) -> int | None:
        """The truth, whatever is shown."""
        return self.honest.true_micro(measurand, at_us)

    def device_time_us(self, at_us: int) -> int:
        """What the device's own clock says."""
        steps = (each.number("seconds") for each in self._faults if each.kind == "clock_step" and each.active(at_us))
        return at_us + int(sum(steps) * MICRO)

    def labels(self, at_us: int) -> list[str]:
        """The kinds acting at an instant."""
        return [each.kind for each in self._faults if each.active(at_us)]

    def quantity(self, measurand: str, at_us: int) -> Quantity:
        """What is shown: every acting fault in the order of their starts."""
        value = self.honest.quantity(measurand, at_us)
        for fault in self._faults:
            if fault.kind == "rollover" and isinstance(value, int):
                value += self._lift(fault, measurand)
            elif fault.active(at_us):
                value = self._spoilt(fault, measurand, at_us, value)
        return value

    def _lift(self, fault: Fault, measurand: str) -> int:
        """What must be added all along for the index to be at its modulus when the fault begins."""
        at_start = self.honest.quantity(measurand, fault.from_us)
        assert isinstance(at_start, int)
        return int(fault.number("modulus") * MICRO) - at_start

    def _spoilt(self, fault: Fault, measurand: str, at_us: int, value: Quantity) -> Quantity:
        replaced = self._replaced(fault, measurand, at_us)
        if replaced is not _HONEST:
            return replaced  # type: ignore[return-value]  # a quantity, once it is not the mark
        if isinstance(value, int):
            return self._counter(fault, measurand, at_us, value)
        return _moment(fault, measurand, at_us, value) if isinstance(value, float) else value

    def _replaced(self, fault: Fault, measurand: str, at_us: int) -> object:
        """What stands instead of any value, whatever it was; the mark where the fault does no such thing."""
        instead: object = _HONEST
        if fault.kind == "sentinel":
            instead = None
        elif fault.kind == "identical":
            instead = self._others[fault.text("other")].quantity(measurand, at_us)
        elif fault.kind == "stuck":
            instead = self.honest.quantity(measurand, fault.from_us)
        elif fault.kind == "replay":
            instead = self._replayed(fault, measurand, at_us)
        elif fault.kind == "range_changed" and measurand == "ct_ratio":
            instead = fault.number("ct_ratio")
        elif fault.kind == "exchange" and measurand == "serial_number":
            instead = fault.text("serial")
        return instead

    def _replayed(self, fault: Fault, measurand: str, at_us: int) -> Quantity:
        """The index goes on from where it is as it went ``lag_s`` before; everything else is what it was then."""
        lag_us = int(fault.number("lag_s") * MICRO)
        then = self.honest.quantity(measurand, at_us - lag_us)
        if not isinstance(then, int):
            return then
        start, start_then = (self.honest.quantity(measurand, fault.from_us - by_us) for by_us in (0, lag_us))
        assert isinstance(start, int)
        assert isinstance(start_then, int)
        return start + then - start_then

    def _counter(self, fault: Fault, measurand: str, at_us: int, value: int) -> int:
        start = self.honest.quantity(measurand, fault.from_us)
        assert isinstance(start, int)
        change = _COUNTERS.get(fault.kind)
        return change(fault, start, value, at_us) if change else value


def _after_drift(fault: Fault, start: int, value: int, at_us: int) -> int:
    """The error grows from nothing, so its mean over the time since is half of what it is now."""
    return start + int((value - start) * (1.0 + _drift(fault, at_us) / 2.0))


_COUNTERS: dict[str, Callable[[Fault, int, int, int], int]] = {
    "zero": lambda _fault, _start, _value, _at_us: 0,
    "jitter_back": lambda fault, _start, value, _at_us: value - int(fault.number("step") * MICRO),
    "reset": lambda _fault, start, value, _at_us: value - start,
    "exchange": lambda fault, start, value, _at_us: int(fault.number("index") * MICRO) + value - start,
    "ct_change": lambda fault, start, value, _at_us: start + int((value - start) * fault.number("factor")),
    "drift": _after_drift,
}
"""What becomes of an index, from the fault, the index at its start, the honest index now, and the time."""


def _drift(fault: Fault, at_us: int) -> float:
    return fault.number("percent_a_day") / 100.0 * (at_us - fault.from_us) / _DAY_US


def _moment(fault: Fault, measurand: str, at_us: int, value: float) -> float:
    if not measurand.startswith(_FOLLOWS_CURRENT):
        return value
    if fault.kind == "ct_change":
        return value * fault.number("factor")
    return value * (1.0 + _drift(fault, at_us)) if fault.kind == "drift" else value
