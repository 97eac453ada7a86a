"""The demo works with its meters, from a seed and a birth time."""

from dataclasses import dataclass

from simulators.demo import faults
from simulators.demo.analyser import analyser_gas
from simulators.demo.faults import Calendar
from simulators.demo.places import FITTED, Place
from simulators.instruments.analyser import StackAnalyser
from simulators.instruments.electricity import ElectricityMeter
from simulators.instruments.fitted import MICRO, Fitted
from simulators.instruments.instrument import Instrument
from simulators.instruments.totaliser import Totaliser
from simulators.noise import hashed_fraction
from simulators.plant.cement import CementWorks
from simulators.plant.rate import day_start_us

ROLLOVER_DIGITS_MICRO = 10**6 * MICRO
"""The roller press meter counts to 999 999.99 kWh."""

_TOTALS = {
    "coal-scale": ("belt_mass", "belt_flow"),
    "clinker-scale": ("product_mass", "belt_flow"),
    "diesel-meter": ("diesel_volume", None),
    "water-intake": ("water_volume", "water_flow"),
}
"""Index and flow of each totaliser; a million of the rate's grams, microlitres or millilitres make one unit."""


@dataclass(frozen=True, slots=True)
class DemoPlant:
    """The works, its dates, and the instrument behind each device."""

    seed: int
    calendar: Calendar
    works: CementWorks
    instruments: dict[str, Instrument]

    def silent(self, device: str, at_us: int) -> bool:
        """Whether a device does not answer at an instant."""
        return device == faults.SILENT_DEVICE and self.calendar.compressor_silent(at_us)


def build_plant(seed: int, calendar: Calendar) -> DemoPlant:
    """The whole plant; nothing is computed before it is asked."""
    works = CementWorks(seed, calendar.first_day)
    instruments: dict[str, Instrument] = {}
    for place in FITTED:
        stays = _stays(seed, calendar, works, place)
        if place.electric:
            instruments[place.device] = ElectricityMeter(
                place.device,
                works.rates[place.rate],
                stays,
                line_v=place.line_v,
                power_factor=place.power_factor,
                supply=lambda at_us: (works.voltage_share(at_us), works.frequency_hz(at_us)),
            )
        elif place.device in _TOTALS:
            total, flow = _TOTALS[place.device]
            rate = works.rates[place.rate]
            instruments[place.device] = Totaliser(place.device, rate, stays, total=total, flow=flow, units_a_unit=MICRO)
        elif place.kind == "gas_analyser":
            seen = analyser_gas(works.stack_gas, calendar)
            instruments[place.device] = StackAnalyser(place.device, seen, stays[0])
    return DemoPlant(seed, calendar, works, instruments)


def true_serial(seed: int, device: str, generation: int = 0) -> str:
    """The number on a meter's plate: nine digits, year of manufacture first."""
    year = 2018 + int(2 * hashed_fraction(seed, "made", device)) if not generation else 2026
    return f"{year}{10_000 + int(89_999 * hashed_fraction(seed, 'serial', device, generation)):05d}"


def error_ppm(seed: int, place: Place, generation: int = 0) -> int:
    """The error of a meter in service: somewhere inside six tenths of its class."""
    limit_ppm = float(place.fitted_class.rstrip("S")) * 10_000 if place.fitted_class else 0.0
    return round(limit_ppm * 0.6 * (2.0 * hashed_fraction(seed, "error", place.device, generation) - 1.0))


def _stays(seed: int, calendar: Calendar, works: CementWorks, place: Place) -> tuple[Fitted, ...]:
    start_us = day_start_us(calendar.first_day)
    first = Fitted(
        serial=true_serial(seed, place.device),
        from_us=start_us,
        opening_micro=place.index * MICRO + int(MICRO * hashed_fraction(seed, "index", place.device)),
        error_ppm=error_ppm(seed, place),
        ct=place.ct,
        pt=place.pt,
    )
    if place.device == faults.ROLLOVER_DEVICE:
        return (_rolling_over(first, calendar, works, place),)
    if place.device == faults.EXCHANGED_DEVICE:
        return (_until(first, calendar.exchange_us), _successor(seed, calendar, place))
    return (first,)


def _rolling_over(first: Fitted, calendar: Calendar, works: CementWorks, place: Place) -> Fitted:
    """The opening index that makes the register pass its last digit at the planted moment."""
    joules = works.rates[place.rate].total(calendar.rollover_us)
    ratio = first.ratio
    seen = joules * 5 * (MICRO + first.error_ppm) * ratio.denominator // (18 * MICRO * ratio.numerator)
    return _with(first, opening_micro=ROLLOVER_DIGITS_MICRO - seen)


def _until(first: Fitted, at_us: int) -> Fitted:
    return _with(first, to_us=at_us)


def _successor(seed: int, calendar: Calendar, place: Place) -> Fitted:
    return Fitted(
        serial=true_serial(seed, place.device, 1),
        from_us=calendar.exchange_us,
        opening_micro=1_370_000,
        error_ppm=error_ppm(seed, place, 1),
        ct=place.ct,
        pt=place.pt,
        firmware="3.02",
    )


def _with(fitted: Fitted, *, opening_micro: int | None = None, to_us: int | None = None) -> Fitted:
    return Fitted(
        serial=fitted.serial,
        from_us=fitted.from_us,
        to_us=to_us,
        opening_micro=fitted.opening_micro if opening_micro is None else opening_micro,
        error_ppm=fitted.error_ppm,
        ct=fitted.ct,
        pt=fitted.pt,
        firmware=fitted.firmware,
    )
