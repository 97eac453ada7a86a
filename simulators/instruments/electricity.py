"""Electricity meters. Every value is meter side: what the secondary circuits of the transformers bring."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulators.instruments.fitted import MICRO, Fitted, Quantity, fitted_at
from simulators.instruments.instrument import identity_text
from simulators.noise import hashed_fraction, ripple
from simulators.plant.rate import Rate

_DEMAND_US = 900_000_000
_SHARES_PERMILLE = {"l1": 336, "l2": 329, "l3": 335}
_ROOT_3 = math.sqrt(3.0)


@dataclass(frozen=True, slots=True)
class _Moment:
    """The circuit at one instant, secondary side."""

    fitted: Fitted
    power_w: float
    reactive_var: float
    apparent_va: float
    factor: float
    line_v: float
    current_a: float
    frequency_hz: float


class ElectricityMeter:
    """Measures a rate in watts through its transformers.

    ``line_v`` is the nominal primary line voltage; ``power_factor`` at load; ``supply`` gives the bus voltage as a
    share of nominal and the frequency at an instant.
    """

    def __init__(
        self,
        name: str,
        rate: Rate,
        stays: Sequence[Fitted],
        *,
        line_v: float = 400.0,
        power_factor: float = 0.88,
        supply: Callable[[int], tuple[float, float]] = lambda _at_us: (1.0, 50.0),
    ) -> None:
        self.name = name
        self.rate = rate
        self._stays = tuple(stays)
        self._at_opening = {stay.from_us: _total_from(rate, stay.from_us) for stay in stays}
        self._line_v = line_v
        self._factor = power_factor
        self._tangent_permille = round(1_000 * math.tan(math.acos(power_factor)))
        self._supply = supply
        self._salt = int(hashed_fraction("electricity", name) * 2**32)
        self._last: tuple[int, _Moment] | None = None
        self._readers = _readers()

    def fitted(self, at_us: int) -> Fitted:
        """The meter there at an instant."""
        return fitted_at(self._stays, at_us)

    def true_micro(self, measurand: str, at_us: int) -> int | None:
        """True primary energy since the plant's first day in millionths of a kWh."""
        return self.rate.total(at_us) * 5 // 18 if measurand == "active_energy_import" else None

    def energy_micro(self, at_us: int) -> int:
        """The active import index in millionths of a kWh, meter side, errors included, without any limit of digits."""
        fitted = fitted_at(self._stays, at_us)
        joules = _total_from(self.rate, at_us) - self._at_opening[fitted.from_us]
        ratio = fitted.ratio
        seen = joules * 5 * (MICRO + fitted.error_ppm) * ratio.denominator // (18 * MICRO * ratio.numerator)
        return fitted.opening_micro + seen

    def moment(self, at_us: int) -> _Moment:
        """The circuit at an instant."""
        if self._last is not None and self._last[0] == at_us:
            return self._last[1]
        fitted = fitted_at(self._stays, at_us)
        ratio = float(fitted.ratio)
        load = max(0.0, self.rate.at(at_us)) * (1.0 + 0.004 * ripple(self._salt, at_us // 1_000_000))
        share, hertz = self._supply(at_us)
        line_v = self._line_v * share * fitted.pt[1] / fitted.pt[0]
        power = load * (1.0 + fitted.error_ppm / MICRO) / ratio
        apparent = power / self._factor
        moment = _Moment(
            fitted=fitted,
            power_w=power,
            reactive_var=power * self._tangent_permille / 1_000.0,
            apparent_va=apparent,
            factor=self._factor if power > 0.0 else 1.0,
            line_v=line_v,
            current_a=apparent / (_ROOT_3 * line_v),
            frequency_hz=hertz,
        )
        self._last = (at_us, moment)
        return moment

    def quantity(self, measurand: str, at_us: int) -> Quantity:
        """What the meter shows for a measurand; None for one it does not have."""
        if measurand == "active_energy_import":
            return self.energy_micro(at_us)
        reader = self._readers.get(measurand)
        return reader(self, at_us) if reader else identity_text(self.fitted(at_us), measurand)

    def demand_w(self, at_us: int) -> float:
        """Mean power of the last 15 minutes, meter side."""
        earlier = max(at_us - _DEMAND_US, self.fitted(at_us).from_us)
        if earlier >= at_us:
            return 0.0
        return (self.energy_micro(at_us) - self.energy_micro(earlier)) * 3.6 / (at_us - earlier) * MICRO

    def reactive_micro(self, at_us: int) -> int:
        """The reactive import index in millionths of a kvarh."""
        return self.energy_micro(at_us) * self._tangent_permille // 1_000

    def apparent_micro(self, at_us: int) -> int:
        """The apparent index in millionths of a kVAh."""
        return int(self.energy_micro(at_us) * MICRO // round(self._factor * MICRO))


def _total_from(rate: Rate, at_us: int) -> int:
    """The rate's total; 0 for any time before the plant's first day, where an older meter's index is its opening."""
    try:
        return rate.total(at_us)
    except ValueError:
        return 0


Reader = Callable[[ElectricityMeter, int], Quantity]


def _per_phase(phase: str) -> dict[str, Reader]:
    permille = _SHARES_PERMILLE[phase]
    share = permille / 1_000.0
    leg = {"l1": 1.002, "l2": 0.997, "l3": 1.001}[phase]
    return {
        f"active_energy_import_{phase}": lambda m, t: m.energy_micro(t) * permille // 1_000,
        f"active_power_{phase}": lambda m, t: m.moment(t).power_w * share / 1_000.0,
        f"reactive_power_{phase}": lambda m, t: m.moment(t).reactive_var * share / 1_000.0,
        f"apparent_power_{phase}": lambda m, t: m.moment(t).apparent_va * share / 1_000.0,
        f"power_factor_{phase}": lambda m, t: m.moment(t).factor,
        f"voltage_{phase}": lambda m, t: m.moment(t).line_v / _ROOT_3 * leg,
        f"current_{phase}": lambda m, t: m.moment(t).current_a * share * 3.0 / leg,
    }


def _readers() -> dict[str, Reader]:
    readers: dict[str, Reader] = {
        "active_energy_export": lambda _m, _t: 0,
        "active_energy_total": lambda m, t: m.energy_micro(t),
        "reactive_energy_import": lambda m, t: m.reactive_micro(t),
        "reactive_energy_export": lambda _m, _t: 0,
        "reactive_energy_total": lambda m, t: m.reactive_micro(t),
        "apparent_energy_total": lambda m, t: m.apparent_micro(t),
        "active_power": lambda m, t: m.moment(t).power_w / 1_000.0,
        "reactive_power": lambda m, t: m.moment(t).reactive_var / 1_000.0,
        "apparent_power": lambda m, t: m.moment(t).apparent_va / 1_000.0,
        "power_factor": lambda m, t: m.moment(t).factor,
        "frequency": lambda m, t: m.moment(t).frequency_hz,
        "voltage": lambda m, t: m.moment(t).line_v / _ROOT_3,
        "current": lambda m, t: m.moment(t).current_a,
        "current_neutral": lambda m, t: m.moment(t).current_a * 0.01,
        "voltage_l12": lambda m, t: m.moment(t).line_v * 1.0005,
        "voltage_l23": lambda m, t: m.moment(t).line_v * 0.9985,
        "voltage_l31": lambda m, t: m.moment(t).line_v * 1.001,
        "active_power_demand": lambda m, t: m.demand_w(t) / 1_000.0,
        "active_power_demand_max": lambda m, t: m.demand_w(t) / 1_000.0,
        "thd_voltage": lambda _m, _t: 2.1,
        "thd_current": lambda _m, _t: 4.3,
        "ct_ratio": lambda m, t: m.fitted(t).shown_ct[0] / m.fitted(t).shown_ct[1],
        "ct_primary": lambda m, t: float(m.fitted(t).shown_ct[0]),
        "ct_secondary": lambda m, t: float(m.fitted(t).shown_ct[1]),
        "pt_ratio": lambda m, t: m.fitted(t).pt[0] / m.fitted(t).pt[1],
        "pt_primary": lambda m, t: float(m.fitted(t).pt[0]),
        "pt_secondary": lambda m, t: float(m.fitted(t).pt[1]),
        "operating_hours": lambda _m, t: t // 3_600,
        "device_status": lambda _m, _t: 0.0,
    }
    for phase in _SHARES_PERMILLE:
        readers |= _per_phase(phase)
    return readers
