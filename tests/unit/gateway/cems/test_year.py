"""The demo works' year: both sides agree within U where nothing is planted; each planted bias is named."""

from datetime import date
from fractions import Fraction
from functools import cache

import pytest

from config.stack_plan import shipped_packs
from gateway.accounting.crosschecks import Agreement
from gateway.accounting.estimate import Effect, Estimate
from gateway.cems.comparison import FuelHours, StackUncertainties, compared
from gateway.cems.decomposition import Decomposition
from gateway.cems.gas import StackGeometry
from gateway.cems.hours import ParameterHour, StackHour, stack_hours
from gateway.cems.pack import CemsPack
from gateway.cems.relations import Wander, explained, observed
from simulators.demo.stack_year import Planted, YearHour, stack_year
from tests.campaign import share

HOUR_US = 3_600_000_000
DAYS = 365
MONTH_H = 720
FROM_DAY = 180
FIRST_DAY = (date(2025, 1, 1) - date(1970, 1, 1)).days
PACK = CemsPack.of(shipped_packs()["eu-2018-2066"].document())
U = StackUncertainties(
    co2=0.01, velocity=0.015, area=0.005, moisture=0.3, temperature=1, pressure=0.1, scatter=0.01, substitution=0.1
)
PRIORS = {
    "concentration": 0.005,
    "flow": 0.0075,
    "amount:coal": 0.0015,
    "amount:clinker": 0.0015,
    "carbon:coal": 0.005,
    "carbon:clinker": 0.005,
}
CARBON_TO_CO2 = 44.0095 / 12.011


class Sides:
    """Both sides of a year, as the gateway has them: hourly means of the stack, monthly accounts shared out by hour."""

    def __init__(self, seed: int, planted: tuple[Planted, ...]) -> None:
        self.year = stack_year(seed, FIRST_DAY, DAYS, planted)
        self.hours = _stack(self.year)
        self.amounts = {each.start_us: {"coal": each.coal_t, "clinker": each.clinker_t} for each in self.year}
        self.fuel = _fuel(self.year)

    def step(self, first: int, last: int):  # type: ignore[no-untyped-def]  # the product's own value
        edges = [self.year[first].start_us, self.year[last - 1].start_us + HOUR_US]
        return compared(self.hours[first:last], self.fuel, edges, stack="kiln", u=U)[0]

    def causes(self, first: int = (FROM_DAY + 60) * 24) -> Decomposition:
        """The last months against the first quarter."""
        now = observed(self.hours[first:], self.fuel, self.amounts)
        before = observed(self.hours[: 90 * 24], self.fuel, self.amounts)
        weeks = [observed(self.hours[week * 168 : (week + 1) * 168], self.fuel, self.amounts) for week in range(12)]
        difference = float(self.step(first, len(self.year)).difference or 0)
        return explained(now, before, wander=Wander(), priors=PRIORS, difference=difference, blocks=weeks)


@cache
def _sides(seed: int, *planted: Planted) -> Sides:
    return Sides(seed, planted)


def _stack(year: list[YearHour]) -> list[StackHour]:
    fields = {
        "co2": "co2_percent",
        "velocity": "velocity_m_s",
        "temperature": "temperature_c",
        "pressure": "pressure_kpa",
        "moisture": "moisture_percent",
        "oxygen": "o2_percent",
    }
    readings = {
        name: {each.start_us: ParameterHour(mean=getattr(each, field), count=60, expected=60) for each in year}
        for name, field in fields.items()
    }
    running = {each.start_us: each.running for each in year}
    starts = [each.start_us for each in year]
    return stack_hours(starts, readings, stack=StackGeometry(area=15.9), pack=PACK, running=running)


def _fuel(year: list[YearHour]) -> FuelHours:
    estimates: dict[tuple[str, int], Estimate] = {}
    shares: dict[int, dict[str, tuple[int, Fraction]]] = {}
    for month in range(0, len(year), MONTH_H):
        part = year[month : month + MONTH_H]
        number = month // MONTH_H
        coal, clinker = sum(each.coal_t for each in part), sum(each.clinker_t for each in part)
        carbon = sum(each.coal_carbon for each in part) / len(part)
        burnt = Fraction(round(coal * carbon * CARBON_TO_CO2 * 1_000), 1_000)
        process = Fraction(round(clinker * 0.53 * 1_000), 1_000)
        estimates["coal", number] = Estimate(burnt, {"scale-1": burnt, "laboratory": burnt})
        estimates["clinker", number] = Estimate(process, {"scale-2": process, "factor": process})
        for each in part:
            shares[each.start_us] = {
                "coal": (number, Fraction(round(each.coal_t / coal * 10**9), 10**9)),
                "clinker": (number, Fraction(round(each.clinker_t / clinker * 10**9), 10**9)),
            }
    sizes = {"scale-1": 0.003, "scale-2": 0.003, "laboratory": 0.01, "factor": 0.01}
    effects = {name: Effect(id=name, kind="meter", label=name, u=u) for name, u in sizes.items()}
    return FuelHours(estimates=estimates, shares=shares, effects=effects)


@pytest.mark.parametrize("seed", range(1, 1 + share(10, 2)))
def test_where_nothing_is_planted_stack_and_fuel_agree_and_nothing_is_named(seed: int) -> None:
    sides = _sides(seed)
    year = sides.step(0, len(sides.year))
    assert year.agreement is Agreement.AGREES
    months = [sides.step(start, start + MONTH_H) for start in range(0, DAYS * 24 - MONTH_H, MONTH_H)]
    assert {each.agreement for each in months} == {Agreement.AGREES}
    assert year.compared == year.hours > 7_000
    found = sides.causes()
    assert found.agrees
    assert found.causes == found.alike == ()


@pytest.mark.parametrize("seed", range(1, 1 + share(5, 1)))
def test_the_truth_lies_within_u_of_both_sides(seed: int) -> None:
    sides = _sides(seed)
    year = sides.step(0, len(sides.year))
    true = sum(each.true_co2_t for each in sides.year if each.running)
    for figure in (year.stack, year.fuel):
        assert figure.value is not None
        assert figure.u is not None
        assert abs(float(figure.value) - true) < 2 * figure.u


PLANTED = {
    "concentration": ("concentration", 0.06),
    "belt scale, coal": ("amount:coal", 0.08),
    "belt scale, clinker": ("amount:clinker", 0.06),
    "velocity": ("flow", 0.06),
    "carbon content": ("carbon:coal", 0.06),
}
WHAT = {
    "concentration": "concentration",
    "amount:coal": "coal",
    "amount:clinker": "clinker",
    "flow": "velocity",
    "carbon:coal": "carbon",
}


@pytest.mark.parametrize("sign", [1, -1] if share(1, 0) else [1])
@pytest.mark.parametrize("name", PLANTED)
def test_each_planted_bias_is_named_with_its_size_and_its_tonnes(name: str, sign: int) -> None:
    cause, size = PLANTED[name]
    sides = _sides(1, Planted(WHAT[cause], sign * size, FROM_DAY))
    found = sides.causes()
    assert [each.name for each in found.causes] == [cause]
    named = found.causes[0]
    assert named.error == pytest.approx(sign * size, abs=2 * named.u)
    # what is left of the difference is what the honest year has too
    first = (FROM_DAY + 60) * 24
    honest = float(_sides(1).step(first, DAYS * 24).difference or 0)
    planted = float(sides.step(first, DAYS * 24).difference or 0)
    assert named.contribution == pytest.approx(planted - honest, rel=0.1)


def test_a_bias_of_the_analyser_puts_its_months_beyond_u() -> None:
    sides = _sides(1, Planted("concentration", 0.06, FROM_DAY))
    assert sides.step(0, MONTH_H).agreement is Agreement.AGREES
    assert sides.step((FROM_DAY + 60) * 24, DAYS * 24).agreement is Agreement.DIFFERS


def test_two_biases_at_once_are_both_named() -> None:
    planted = (Planted("concentration", 0.06, FROM_DAY), Planted("coal", 0.08, FROM_DAY + 60))
    assert {each.name for each in _sides(1, *planted).causes().causes} == {"concentration", "amount:coal"}


def test_without_oxygen_nothing_is_claimed() -> None:
    """The relations need it: without it there is no decomposition, and no cause."""
    sides = _sides(1)
    blind = [
        StackHour(start_us=each.start_us, state=each.state, co2=each.co2, flow=each.flow, mass=each.mass)
        for each in sides.hours
    ]
    now = observed(blind[6_000:], sides.fuel, sides.amounts)
    found = explained(now, now, wander=Wander(), priors=PRIORS, difference=0.0)
    assert found.relations == found.causes == ()
