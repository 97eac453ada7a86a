"""Hours of a stack: gas law, validity by pack, gaps, availability. Expected numbers come by other means."""

from fractions import Fraction
from statistics import fmean, pstdev

import pytest

from config.stack_plan import shipped_packs
from gateway.cems.comparison import StackUncertainties, stack_estimate
from gateway.cems.control import OutOfControl
from gateway.cems.gas import GasState, StackGeometry, co2_from_oxygen, co2_mass, standard_flow, undiluted_share
from gateway.cems.hours import HourState, ParameterHour, StackHour, availability_percent, stack_hours
from gateway.cems.pack import NO_LIMITS, CemsPack

HOUR_US = 3_600_000_000
EU = CemsPack.of(shipped_packs()["eu-2018-2066"].document())
US = CemsPack.of(shipped_packs()["us-40cfr75"].document())
STACK = StackGeometry(area=10.0, density=2.0)
STILL = {"velocity": 10.0, "temperature": 0.0, "pressure": 0.0, "moisture": 0.0, "oxygen": 10.475}


def _readings(
    co2: list[float | None], *, count: int = 10, expected: int = 10, quadrants: int | None = None
) -> dict[str, dict[int, ParameterHour]]:
    """In the standard state, 10 m/s through 10 m² are 360 000 m³/h; 1 % of them at 2 kg/m³ are 7 200 kg."""
    found: dict[str, dict[int, ParameterHour]] = {name: {} for name in ("co2", *STILL)}
    for hour, value in enumerate(co2):
        for name, mean in (("co2", value), *STILL.items()):
            if mean is not None:
                found[name][hour * HOUR_US] = ParameterHour(
                    mean=mean, count=count, expected=expected, quadrants=quadrants
                )
    return found


def _hours(co2: list[float | None], pack: CemsPack = EU, **changed: object) -> list[StackHour]:
    readings = changed.pop("readings", None) or _readings(co2)
    starts = [hour * HOUR_US for hour in range(len(co2))]
    return stack_hours(starts, readings, stack=STACK, pack=pack, **changed)  # type: ignore[arg-type]


def test_the_gas_law() -> None:
    """At 100 °C and 101.325 kPa − 1.325 kPa gauge, 8 % moisture: 360 000 · 273.15/373.15 · 100/101.325 · 0.92 m³/h."""
    gas = GasState(co2=15, velocity=10, temperature=100, pressure=-1.325, moisture=8, oxygen=9)
    flow = 360_000 * 273.15 / 373.15 * 100 / 101.325 * 0.92
    assert standard_flow(gas, STACK) == pytest.approx(flow)
    assert co2_mass(gas, STACK) == pytest.approx(0.15 * flow * 2)
    assert standard_flow(gas, StackGeometry(area=10, dry=False)) == pytest.approx(flow / 0.92)
    assert undiluted_share(gas) == pytest.approx(1 - 9 / 20.95)
    assert undiluted_share(GasState(co2=0, velocity=1, temperature=0, pressure=0, moisture=0, oxygen=20.9)) is None


def test_co2_from_oxygen_by_f14a() -> None:
    """100 · (1800/9780) · (20.9 − 6)/20.9 = 13.1212 %."""
    assert co2_from_oxygen(6, 1_800, 9_780) == pytest.approx(13.1212, abs=1e-4)


def test_a_valid_hour_has_its_mass() -> None:
    (hour,) = _hours([10.0])
    assert (hour.state, hour.mass) == (HourState.VALID, Fraction(72_000))


def test_the_mass_of_a_time_is_the_sum_of_its_hours_products() -> None:
    """10 % of 360 000 m³/h and 20 % of three times as much: (36 000 + 216 000) m³ at 2 kg/m³, and not the mean of the
    concentrations times that of the flows, which would be 432 000 kg.
    """
    readings = _readings([10.0, 20.0])
    readings["velocity"][HOUR_US] = ParameterHour(mean=30.0, count=10, expected=10)
    hours = _hours([10.0, 20.0], readings=readings)
    assert sum(each.mass or 0 for each in hours) == 504_000
    u = StackUncertainties(co2=0.0, velocity=0.0, area=0.0, moisture=0.0, temperature=0.0, pressure=0.0)
    assert stack_estimate(hours, "s", u, {}).value == 504


@pytest.mark.parametrize(("count", "state"), [(8, HourState.VALID), (7, HourState.SUBSTITUTED)])
def test_eu_an_hour_needs_four_fifths_of_its_points(count: int, state: HourState) -> None:
    readings = _readings([10.0, 10.0, 10.0])
    readings["co2"][HOUR_US] = ParameterHour(mean=99.0, count=count, expected=10)
    hours = _hours([10.0] * 3, readings=readings)
    assert hours[1].state is state


@pytest.mark.parametrize(("quadrants", "state"), [(4, HourState.VALID), (3, HourState.SUBSTITUTED)])
def test_us_an_hour_needs_a_point_in_every_quarter(quadrants: int, state: HourState) -> None:
    readings = _readings([10.0] * 3, quadrants=4)
    readings["co2"][HOUR_US] = ParameterHour(mean=10.0, count=10, expected=10, quadrants=quadrants)
    assert _hours([10.0] * 3, US, readings=readings)[1].state is state


def test_eu_a_missing_concentration_is_the_mean_plus_two_deviations() -> None:
    values = [9.0, 10.0, 11.0, None, 12.0]
    hours = _hours(values)
    known = [each for each in values if each is not None]
    expected = fmean(known) + 2 * pstdev(known)
    assert hours[3].state is HourState.SUBSTITUTED
    assert hours[3].co2 == pytest.approx(expected, abs=1e-4)
    assert hours[3].mass is not None
    assert float(hours[3].mass) == pytest.approx(7_200 * expected, rel=1e-4)
    assert "substituted:co2" in hours[3].reasons


def test_eu_a_missing_flow_stays_missing_and_says_why() -> None:
    readings = _readings([10.0] * 4)
    del readings["velocity"][2 * HOUR_US]
    hours = _hours([10.0] * 4, readings=readings)
    assert (hours[2].state, hours[2].mass) == (HourState.MISSING, None)
    assert {"missing:velocity", "no_rule:flow"} <= set(hours[2].reasons)


def test_us_a_short_gap_of_a_good_monitor_is_the_mean_of_its_neighbours() -> None:
    hours = _hours([10.0] * 60 + [8.0, None, None, 12.0] + [10.0] * 5, US, readings=None)
    assert [each.co2 for each in hours[61:63]] == [10.0, 10.0]


def test_us_a_poor_monitor_gets_the_greatest_possible_value() -> None:
    """Half of the hours missing: availability below 80 %, so the maximum potential concentration."""
    values: list[float | None] = [10.0, None] * 20
    assert _hours(values, US, highest_co2=30.0)[-1].co2 == 30.0
    refused = _hours(values, US)[-1]
    assert (refused.co2, refused.state) == (None, HourState.MISSING)


def test_out_of_control_hours_do_not_count() -> None:
    window = OutOfControl(parameter="co2", type="span", from_us=HOUR_US, to_us=2 * HOUR_US, opened=1, closed=2)
    hours = _hours([10.0, 50.0, 10.0], windows=[window])
    assert [each.state for each in hours] == [HourState.VALID, HourState.SUBSTITUTED, HourState.VALID]
    assert "out_of_control:co2" in hours[1].reasons
    assert hours[1].co2 == 10.0  # of the two valid hours alone


def test_while_the_plant_stands_nothing_is_filled() -> None:
    hours = _hours([10.0, None, 10.0], running={0: True, HOUR_US: False, 2 * HOUR_US: True})
    assert (hours[1].state, hours[1].mass) == (HourState.STOPPED, None)


def test_without_a_rule_hours_are_not_judged_but_known() -> None:
    hours = _hours([10.0, None], NO_LIMITS)
    assert [each.state for each in hours] == [HourState.UNJUDGED, HourState.MISSING]
    assert hours[0].usable
    assert not hours[1].usable


def test_oxygen_takes_nothing_from_the_mass() -> None:
    readings = _readings([10.0])
    readings["oxygen"] = {}
    (hour,) = _hours([10.0], readings=readings)
    assert (hour.state, hour.undiluted) == (HourState.VALID, None)
    (whole,) = _hours([10.0])
    assert whole.undiluted == pytest.approx(180_000)


@pytest.mark.parametrize(
    ("name", "mean"),
    [
        ("temperature", -273.15),
        ("temperature", -400.0),
        ("pressure", -101.325),
        ("pressure", -300.0),
        ("moisture", 130.0),
        ("co2", -2.0),
        ("co2", 140.0),
    ],
)
@pytest.mark.parametrize("pack", [EU, NO_LIMITS])
def test_what_no_gas_can_be_does_not_count(name: str, mean: float, pack: CemsPack) -> None:
    """A broken sensor, or pascal taken for kilopascal: neither a division by zero nor a mass below zero."""
    readings = _readings([10.0] * 3)
    readings[name][HOUR_US] = ParameterHour(mean=mean, count=10, expected=10)
    hours = _hours([10.0] * 3, pack, readings=readings)
    assert f"impossible:{name}" in hours[1].reasons
    assert hours[1].state in {HourState.INVALID, HourState.SUBSTITUTED}
    assert all(each.mass is None or each.mass > 0 for each in hours)
    assert hours[0].mass == hours[2].mass == Fraction(72_000)


def test_while_the_oxygen_analyser_is_out_of_control_it_says_nothing() -> None:
    windows = [OutOfControl(parameter="o2", type="span", from_us=0, to_us=HOUR_US, opened=1, closed=2)]
    hours = _hours([10.0] * 2, windows=windows)
    assert [each.undiluted for each in hours] == [None, pytest.approx(180_000)]
    assert [each.state for each in hours] == [HourState.VALID] * 2


def test_availability_is_of_the_running_hours() -> None:
    running = {hour * HOUR_US: hour >= 2 for hour in range(10)}
    hours = _hours([None, None, 10.0, 10.0, 10.0, None, 10.0, 10.0, 10.0, 10.0], NO_LIMITS, running=running)
    assert availability_percent(hours, "co2", 10 * HOUR_US) == pytest.approx(100 * 7 / 8)


def test_there_is_a_limit() -> None:
    with pytest.raises(ValueError, match="hours"):
        stack_hours([0] * 20_001, {}, stack=STACK, pack=EU)
