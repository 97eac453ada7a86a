"""What an instrument makes of the truth: its error, the drift of that error, and a clock that goes wrong."""

from simulators.instruments.fitted import MICRO, Fitted, Quantity
from simulators.instruments.instrument import Instrument

_YEAR_S = 365.25 * 86_400
UNMEASURED = frozenset({"ct_ratio", "pt_ratio", "ct_primary", "ct_secondary", "pt_primary", "pt_secondary"})
"""Settings a meter shows and does not measure."""


class MeasuringInstrument:
    """Shows the truth times 1 + error, the error growing by ``drift_percent_a_year``, from ``start_us`` on.

    An index sums up what was registered: its drift is half of what the moment's is. Nothing is changed about texts and
    settings. ``clock_ppm`` is how much too fast the device's own clock goes, ``clock_offset_s`` how far it is ahead.
    """

    def __init__(
        self,
        true: Instrument,
        start_us: int,
        *,
        error_percent: float = 0.0,
        drift_percent_a_year: float = 0.0,
        clock_ppm: float = 0.0,
        clock_offset_s: float = 0.0,
    ) -> None:
        self.true = true
        self._start_us = start_us
        self._error = error_percent / 100.0
        self._drift_a_s = drift_percent_a_year / 100.0 / _YEAR_S
        self._clock_ppm = clock_ppm
        self._clock_offset_us = int(clock_offset_s * MICRO)

    def fitted(self, at_us: int) -> Fitted:
        """The meter."""
        return self.true.fitted(at_us)

    def true_micro(self, measurand: str, at_us: int) -> int | None:
        """The truth, without the error."""
        return self.true.true_micro(measurand, at_us)

    def clock_us(self, at_us: int) -> int:
        """What the device's own clock says."""
        return at_us + self._clock_offset_us + int((at_us - self._start_us) * self._clock_ppm / MICRO)

    def quantity(self, measurand: str, at_us: int) -> Quantity:
        """What is measured."""
        value = self.true.quantity(measurand, at_us)
        if measurand in UNMEASURED or not isinstance(value, int | float):
            return value
        drift = self._drift_a_s * (at_us - self._start_us) / MICRO
        if isinstance(value, int):
            start = self.true.quantity(measurand, self._start_us)
            assert isinstance(start, int)
            return start + int((value - start) * (1.0 + self._error + drift / 2.0))
        return value * (1.0 + self._error + drift)
