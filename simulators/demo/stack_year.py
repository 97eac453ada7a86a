"""A year of the works' stack and of its fuel and clinker scales, hour by hour, from the works' own physics.

Truth: clinker and coal of the works' rates; the coal's carbon and the meal's carbonate become CO2; the gas is what the
coal's burning leaves of the air, the CO2 of both, and false air that wanders. Readings: an analyser, a velocity probe
and two scales, each with an error and a scatter of its own, and what is planted from a day on. No code of the gateway.
"""

from dataclasses import dataclass
from functools import cache

from simulators.noise import ripple
from simulators.plant.cement import PROCESS_CO2_PERMILLE_OF_CLINKER, STACK_AREA_M2, CementWorks
from simulators.plant.rate import day_start_us

HOURS_A_DAY = 24
HOUR_US = 3_600_000_000
GRAMS_A_TONNE = 1_000_000
COAL_CARBON = 0.5864
"""Carbon burnt of a tonne of coal."""
CO2_OF_CARBON = 44.0095 / 12.011
MOLAR_M3_KMOL = 22.41397
AIR_OXYGEN = 0.2095
COAL_HYDROGEN = 0.036
"""Hydrogen that takes oxygen and leaves water, of a tonne of coal."""


@dataclass(frozen=True, slots=True)
class Planted:
    """An error that is there from a day of the year on: relative, 0.05 = 5 % too much."""

    what: str  # concentration, velocity, coal, clinker, carbon
    size: float
    from_day: int


@dataclass(frozen=True, slots=True)
class YearHour:
    """One hour: readings of the instruments, and the truth beside them (``true_co2_t``, ``true_coal_t``)."""

    start_us: int
    co2_percent: float
    o2_percent: float
    moisture_percent: float
    temperature_c: float
    pressure_kpa: float
    velocity_m_s: float
    coal_t: float
    clinker_t: float
    coal_carbon: float  # what the laboratory says, t carbon burnt a t
    running: bool
    true_co2_t: float
    true_coal_t: float
    true_clinker_t: float


@cache
def _rates(seed: int, first_day: int, days: int) -> tuple[tuple[int, int, int], ...]:
    """(start, clinker g, coal g) of every hour; the works' materials do not depend on anything planted."""
    works = CementWorks(seed, first_day)
    clinker, coal = works.rates["clinker"], works.rates["kiln-coal"]
    found = []
    start_us = day_start_us(first_day)
    made, burnt = clinker.total(start_us), coal.total(start_us)
    for hour in range(days * HOURS_A_DAY):
        end_us = start_us + (hour + 1) * HOUR_US
        after_made, after_burnt = clinker.total(end_us), coal.total(end_us)
        found.append((end_us - HOUR_US, after_made - made, after_burnt - burnt))
        made, burnt = after_made, after_burnt
    return tuple(found)


def stack_year(seed: int, first_day: int, days: int, planted: tuple[Planted, ...] = ()) -> list[YearHour]:
    """The hours of ``days`` local days from ``first_day`` on."""
    found = []
    for index, (start_us, made, burnt) in enumerate(_rates(seed, first_day, days)):
        there = {each.what: each.size for each in planted if index >= each.from_day * HOURS_A_DAY}
        found.append(_hour(seed, index, start_us, made / GRAMS_A_TONNE, burnt / GRAMS_A_TONNE, there))
    return found


def _hour(  # noqa: PLR0917  # the one caller's shape
    seed: int, index: int, start_us: int, clinker_t: float, coal_t: float, planted: dict[str, float]
) -> YearHour:
    # coal differs from delivery to delivery, two per cent either way, and a little by the hour
    carbon = COAL_CARBON * (1 + 0.01 * ripple(seed + 11, index // (14 * HOURS_A_DAY)))
    burnt_co2 = coal_t * carbon * CO2_OF_CARBON
    process_co2 = clinker_t * PROCESS_CO2_PERMILLE_OF_CLINKER / 1_000
    co2_t = burnt_co2 + process_co2
    co2_m3 = co2_t * 1_000 / 44.0095 * MOLAR_M3_KMOL
    oxygen_m3 = coal_t * 1_000 * (carbon / 12.011 + COAL_HYDROGEN / 4.032) * MOLAR_M3_KMOL
    nitrogen_m3 = oxygen_m3 * (1 - AIR_OXYGEN) / AIR_OXYGEN
    undiluted_m3 = co2_m3 + nitrogen_m3
    ratio = 0.95 + 0.15 * ripple(seed + 12, index // 6) + 0.05 * ripple(seed + 13, index)
    air_m3 = ratio * undiluted_m3 if co2_t else 120_000.0
    dry_m3 = undiluted_m3 + air_m3
    moisture = 0.078 + 0.006 * ripple(seed + 14, index // 4)
    temperature = 104.0 + 5.0 * ripple(seed + 15, index // 3)
    pressure = -0.35 + 0.05 * ripple(seed + 16, index)
    actual_m3_s = dry_m3 / 3_600 / (1 - moisture) * (273.15 + temperature) / 273.15 * 101.325 / (101.325 + pressure)
    return YearHour(
        start_us=start_us,
        co2_percent=100 * co2_m3 / dry_m3 * _reads(seed, 21, index, 0.004, planted.get("concentration", 0.0)),
        o2_percent=100 * AIR_OXYGEN * air_m3 / dry_m3 * _reads(seed, 22, index, 0.003, 0.0),
        moisture_percent=100 * moisture * _reads(seed, 23, index, 0.02, 0.0),
        temperature_c=temperature + 0.3 * ripple(seed + 24, index),
        pressure_kpa=pressure + 0.01 * ripple(seed + 25, index),
        velocity_m_s=actual_m3_s / STACK_AREA_M2 * _reads(seed, 26, index, 0.01, planted.get("velocity", 0.0)),
        coal_t=coal_t * _reads(seed, 27, index, 0.004, planted.get("coal", 0.0)),
        clinker_t=clinker_t * _reads(seed, 28, index, 0.004, planted.get("clinker", 0.0)),
        coal_carbon=carbon * _reads(seed, 29, index // HOURS_A_DAY, 0.004, planted.get("carbon", 0.0)),
        running=coal_t > 0,
        true_co2_t=co2_t,
        true_coal_t=coal_t,
        true_clinker_t=clinker_t,
    )


def _reads(seed: int, instrument: int, index: int, scatter: float, planted: float) -> float:
    """One instrument's factor: an error of its own within a third of a per cent, scatter, and what is planted."""
    own = 0.003 * ripple(seed + 100 + instrument, 0)
    return (1 + own) * (1 + scatter * ripple(seed + instrument, index)) * (1 + planted)
