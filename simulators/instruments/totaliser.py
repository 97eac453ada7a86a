"""Scales and flow meters: an index that grows with what passes, and the flow of the moment."""

from collections.abc import Sequence

from simulators.instruments.electricity import _total_from
from simulators.instruments.fitted import MICRO, Fitted, Quantity, fitted_at
from simulators.instruments.instrument import identity_text
from simulators.noise import hashed_fraction, ripple
from simulators.plant.rate import Rate


class Totaliser:
    """Measures a rate of grams, millilitres or microlitres a second.

    ``units_a_unit`` is how many of the rate's units make one unit of the index (1 000 000 g a tonne, 1 000 000 µL a
    litre); the flow is shown per hour.
    """

    def __init__(
        self, name: str, rate: Rate, stays: Sequence[Fitted], *, total: str, flow: str | None, units_a_unit: int
    ) -> None:
        self.name = name
        self.rate = rate
        self._stays = tuple(stays)
        self._at_opening = {stay.from_us: _total_from(rate, stay.from_us) for stay in stays}
        self._total = total
        self._flow = flow
        self._units_a_unit = units_a_unit
        self._salt = int(hashed_fraction("totaliser", name) * 2**32)

    def fitted(self, at_us: int) -> Fitted:
        """The instrument there at an instant."""
        return fitted_at(self._stays, at_us)

    def true_micro(self, measurand: str, at_us: int) -> int | None:
        """The true total since the plant's first day in millionths of the index's unit."""
        return self.rate.total(at_us) * MICRO // self._units_a_unit if measurand == self._total else None

    def quantity(self, measurand: str, at_us: int) -> Quantity:
        """Index or flow; None for what it does not measure."""
        fitted = fitted_at(self._stays, at_us)
        if measurand == self._total:
            passed = _total_from(self.rate, at_us) - self._at_opening[fitted.from_us]
            return fitted.opening_micro + passed * (MICRO + fitted.error_ppm) // self._units_a_unit
        if measurand == self._flow:
            noise = 1.0 + 0.006 * ripple(self._salt, at_us // 1_000_000)
            return self.rate.at(at_us) * noise * (1.0 + fitted.error_ppm / MICRO) * 3_600.0 / self._units_a_unit
        if measurand == "device_status":
            return 0.0
        if measurand == "temperature":
            return 22.0 + 6.0 * ripple(self._salt, at_us // 3_600_000_000)
        return identity_text(fitted, measurand)
