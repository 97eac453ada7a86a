"""A meter whose values are described measurand by measurand."""

from collections.abc import Mapping

from config.catalogues import measurands
from simulators.described.format import CounterForm, SignalForm, ValueForm
from simulators.described.signals import Constant, Ramp, Signal, Steps, Wave
from simulators.described.works import Works
from simulators.instruments.fitted import MICRO, Fitted, Quantity
from simulators.instruments.instrument import identity_text

_SECONDS_PER = {"hour": 3_600.0, "second": 1.0}


class DescribedMeter:
    """Shows constants, texts, moving values and counters that follow them, from ``start_us`` on."""

    def __init__(self, device: str, values: Mapping[str, ValueForm], start_us: int, works: Works | None = None) -> None:
        self.name = device
        self._start_us = start_us
        self._texts = {name: each for name, each in values.items() if isinstance(each, str)}
        self._counters: dict[str, CounterForm] = {}
        self._signals: dict[str, Signal] = {}
        for name, each in values.items():
            if isinstance(each, SignalForm) and each.counter is not None:
                self._counters[name] = each.counter
            elif not isinstance(each, str):
                self._signals[name] = signal_of(each, works)
        for name, counter in self._counters.items():
            if counter.follows not in self._signals:
                raise ValueError(f"{device}: {name} follows {counter.follows!r}, which has no described value")
        self._fitted = Fitted(serial=self._texts.get("serial_number", device), from_us=start_us)

    def fitted(self, _at_us: int) -> Fitted:
        """The meter."""
        return self._fitted

    def quantity(self, measurand: str, at_us: int) -> Quantity:
        """What is described, in the form cumulative and instantaneous quantities have."""
        at_s = max(0, at_us - self._start_us) / MICRO
        counter = self._counters.get(measurand)
        if counter is not None:
            grown = self._signals[counter.follows].integral(at_s) / _SECONDS_PER[counter.per]
            return int((counter.start + grown) * MICRO)
        signal = self._signals.get(measurand)
        if signal is not None:
            value = signal.value(at_s)
            return int(value * MICRO) if _cumulative(measurand) else value
        return self._texts.get(measurand) or identity_text(self._fitted, measurand)

    def true_micro(self, measurand: str, at_us: int) -> int | None:
        """The described index is the truth."""
        value = self.quantity(measurand, at_us)
        return value if isinstance(value, int) else None


def signal_of(form: ValueForm, works: Works | None = None) -> Signal:
    """The signal of a value's description; ValueError when it names what the works has not."""
    if isinstance(form, (int, float)):
        return Constant(float(form))
    assert isinstance(form, SignalForm)
    if form.ramp is not None:
        return Ramp(float(form.ramp.start), float(form.ramp.to), float(form.ramp.over_s), again=form.ramp.again)
    if form.wave is not None:
        wave = form.wave
        return Wave(float(wave.mean), float(wave.amplitude), float(wave.period_s), float(wave.phase_s))
    if form.works is not None:
        if works is None:
            raise ValueError(f"there is no works to take {form.works!r} from")
        return works.signal(form.works)
    assert form.steps is not None
    return Steps([float(level) for level in form.steps.levels], float(form.steps.each_s))


def _cumulative(measurand: str) -> bool:
    known = measurands().get(measurand)
    return known is not None and known.kind == "cumulative"
