"""The works adds up: totals are the exact integrals of their rates, parents are their children and their loss."""

from fractions import Fraction

import pytest

from simulators.plant.cement import CementWorks
from simulators.plant.rate import DAY_US, Node, Rate, day_start_us, local_day

FIRST = 20_700
WORKS = CementWorks(5, FIRST)
CELL = Fraction(300)


def integral(rate: Rate, at_us: int) -> Fraction:
    """Trapezoids from the first day on, with fractions, from the knots alone."""
    total = Fraction(0)
    knots = [knot for day in range(FIRST, local_day(at_us) + 2) for knot in rate.knots(day)]
    seconds = Fraction(at_us - day_start_us(FIRST), 1_000_000)
    whole = int(seconds // CELL)
    for k in range(whole):
        total += Fraction(knots[k] + knots[k + 1], 2) * CELL
    rest = seconds - whole * CELL
    slope = Fraction(knots[whole + 1] - knots[whole]) / CELL
    return total + knots[whole] * rest + slope * rest * rest / 2


@pytest.mark.parametrize("name", ["intake", "raw-mill", "kiln-coal", "lighting", "whr-net"])
@pytest.mark.parametrize("after_us", [0, 1, 299_999_999, 300_000_000, DAY_US - 1, DAY_US, 2 * DAY_US + 12_345_678_901])
def test_a_total_is_the_integral_of_its_rate(name: str, after_us: int) -> None:
    at_us = day_start_us(FIRST) + after_us
    exact = integral(WORKS.rates[name], at_us)
    assert 0 <= exact - WORKS.rates[name].total(at_us) < 2


def test_parents_deliver_what_children_take_and_their_loss() -> None:
    for rate in WORKS.rates.values():
        if not isinstance(rate, Node):
            continue
        for day in (FIRST, FIRST + 9):
            for k in range(0, 288, 7):
                load = sum(child.knots(day)[k] for child in rate.children)
                load -= sum(generator.knots(day)[k] for generator in rate.generators)
                assert rate.knots(day)[k] == load + rate.loss_w(load), rate.name
                assert rate.loss_w(load) >= 0


def test_waste_heat_power_is_gross_less_own_use() -> None:
    at_us = day_start_us(FIRST + 6)
    gross, own, net = (WORKS.rates[f"whr-{name}"].total(at_us) for name in ("gross", "own", "net"))
    assert gross - own == net > 0


def test_the_same_seed_is_the_same_plant_in_any_order() -> None:
    moments = [day_start_us(FIRST) + k * 7_777_777_777 for k in range(60)]
    forward = CementWorks(5, FIRST)
    backward = CementWorks(5, FIRST)
    there = [forward.rates["intake"].total(at_us) for at_us in moments]
    back = [backward.rates["intake"].total(at_us) for at_us in reversed(moments)]
    assert there == list(reversed(back))
    assert there == sorted(there)
    assert CementWorks(6, FIRST).rates["intake"].total(moments[-1]) != there[-1]


def test_the_works_buys_electricity_even_when_the_kiln_stands() -> None:
    stopped = [day for day in range(FIRST, FIRST + 40) if 0 in WORKS.rates["clinker"].knots(day)]
    assert stopped, "the kiln stops once in 33 days"
    assert all(min(WORKS.rates["bus-1"].knots(day)) > 0 for day in range(FIRST, FIRST + 40))


def test_when_finds_the_first_instant_of_a_total() -> None:
    rate = WORKS.rates["roller-press"]
    start_us, end_us = day_start_us(FIRST), day_start_us(FIRST + 2)
    wanted = rate.total(end_us) // 2
    at_us = rate.when(wanted, start_us, end_us)
    assert rate.total(at_us) >= wanted > rate.total(at_us - 1)


def test_the_stack_gives_off_what_clinker_and_coal_do() -> None:
    at_us = day_start_us(FIRST + 3) + DAY_US // 2
    gas = WORKS.stack_gas(at_us)
    clinker, coal = WORKS.rates["clinker"].at(at_us), WORKS.rates["kiln-coal"].at(at_us)
    wet = gas.velocity_m_s * 15.9
    dry_nm3 = wet * 273.15 / (273.15 + gas.temperature_c) * (1 - gas.moisture_percent / 100)
    co2_kg_s = dry_nm3 * gas.co2_percent / 100 * 1.977
    assert co2_kg_s == pytest.approx((clinker * 0.530 + coal * 2.29) / 1_000, rel=1e-4)
    assert 10 < gas.velocity_m_s < 20


def test_a_time_before_the_plant_is_refused() -> None:
    with pytest.raises(ValueError, match="before the plant's first day"):
        WORKS.rates["intake"].total(day_start_us(FIRST) - 1)
