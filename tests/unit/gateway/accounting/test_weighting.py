"""Laboratory means weighted by consumption and channel means by what flowed, against arithmetic done here by hand."""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.accounting.account import Account, account
from gateway.accounting.budget import class_u
from gateway.accounting.channels import ChannelMean
from gateway.accounting.comparison import compare
from gateway.accounting.consumption import Consumption
from gateway.accounting.inputs import Inputs
from gateway.accounting.laboratory import LaboratoryRecord
from gateway.accounting.metered import Amount
from gateway.accounting.results import result, result_draft
from gateway.accounting.weighting import shared_out
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, Period, parse_iso
from gateway.journal.entry import Draft
from gateway.settlement.row import Method
from tests.unit.gateway.accounting.conftest import COAL, PLAN, World

JANUARY, FEBRUARY, MARCH, APRIL = (parse_iso(f"2027-{month:02}-01T00:00:00+08:00") for month in range(1, 5))
MONTHS = (Period(JANUARY, FEBRUARY), Period(FEBRUARY, MARCH), Period(MARCH, APRIL))
QUARTER = Period(JANUARY, APRIL)
OF_NCV = Fraction("0.026") * Fraction("0.98") * 44 / 12  # tCO2 a GJ: carbon and oxidation of the plan
NCV = "coal-lab:ncv"


def report(number: str, ncv: str, day: int, days: int = 1, **more: Any) -> Draft:
    start = JANUARY + day * US_PER_DAY
    values = {"ncv": [ncv, "GJ/t"]}
    document = {"number": number, "point": "coal-lab", "from_us": start, "to_us": start + days * US_PER_DAY} | more
    body = {"action": "laboratory.recorded", "actor": "l", "object": {**document, "values": values}, "reason": ""}
    return Draft("laboratory", "o/point/coal-lab", start, {**body, "withdrawn": 0})


def burn(world: World, day: int, tonnes: int, **row: Any) -> None:
    """So much coal on one day, in its first quarter hour; registers step by whole tonnes."""
    world.settle({"coal-kiln": tonnes * 1000}, JANUARY + day * US_PER_DAY, 1, **row)


def coal(made: Account) -> Fraction:
    found = made.lines["carbon/source/coal"].figure.value
    assert found is not None
    return found


def reasons(made: Account) -> set[str]:
    return {
        each for each in made.lines["carbon/source/coal"].figure.reasons if each.startswith(("unweighted", "unread"))
    }


def ncv_of(made: Account) -> Fraction:
    found = made.workings["coal"].parameters["ncv"].estimate
    assert found is not None
    return found.value


def test_months_are_weighted_by_what_was_burnt_in_them(world: World) -> None:
    burn(world, 3, 100)
    burn(world, 40, 300)
    world.write(report("1", "20", 0, 31))
    world.write(report("2", "24", 31, 28))
    made = account(world.inputs(Period(JANUARY, MARCH)))
    assert ncv_of(made) == 23  # (100 · 20 + 300 · 24) / 400; the plain mean is 22
    assert coal(made) == (100 * 20 + 300 * 24) * OF_NCV
    assert made.lines["tce/coal-kiln"].figure.value == 400 * Fraction("0.7143")  # a coefficient, no laboratory
    assert reasons(made) == set()
    (how,) = made.means.values()
    assert (how.line, how.weighted, how.unit) == ("carbon/source/coal", True, "t")
    assert [(each.weight, each.mean.value) for each in how.months if each.mean] == [(100, 20), (300, 24)]
    # stock and standard coal by the same value
    plan = copy.deepcopy(PLAN)
    plan["standard_coal"] = {"coal": COAL["ncv"]}
    world.plan(plan)
    made = account(world.inputs(Period(JANUARY, MARCH)))
    assert made.lines["tce/coal-kiln"].figure.value == Fraction(9200) / Fraction("29.3076")
    assert ("tce/coal-kiln", "coal-lab", "ncv") in made.means


def test_samples_of_a_month_are_weighted_by_what_was_burnt_on_their_days(world: World) -> None:
    burn(world, 0, 10)
    burn(world, 4, 30)
    burn(world, 5, 30)
    burn(world, 9, 7)  # no sample stands for it
    world.write(report("1", "18", 0))
    world.write(report("2", "22", 4, 2))  # two days
    world.write(report("3", "26", 5))  # shares the second of them
    made = account(world.inputs(MONTHS[0]))
    mean = (Fraction(18) * 10 + 22 * (30 + 15) + 26 * 15) / 70
    assert ncv_of(made) == mean
    assert coal(made) == 77 * mean * OF_NCV
    assert [each.mean.weighting for each in next(iter(made.means.values())).months if each.mean] == ["metered"]
    # the reports' own tonnes go before
    for number, tonnes in (("1", "1"), ("2", "2"), ("3", "1")):
        values = {"1": "18", "2": "22", "3": "26"}
        day, days = {"1": (0, 1), "2": (4, 2), "3": (5, 1)}[number]
        world.write(report(number, values[number], day, days, weight_t=tonnes))
    made = account(world.inputs(MONTHS[0]))
    assert ncv_of(made) == Fraction(18 + 44 + 26, 4)
    assert [each.mean.weighting for each in next(iter(made.means.values())).months if each.mean] == ["stated"]


def test_where_a_weight_is_missing_samples_count_alike_and_that_is_said(world: World) -> None:
    burn(world, 40, 300)  # nothing is known of January
    world.write(report("1", "20", 0, 31))
    world.write(report("2", "24", 31, 28))
    made = account(world.inputs(Period(JANUARY, MARCH)))
    assert ncv_of(made) == 22
    assert reasons(made) == {f"unweighted:{NCV}"}
    assert not next(iter(made.means.values())).weighted
    # within a month: no counter on the sample's day
    world.write(report("3", "26", 33))
    within = account(world.inputs(MONTHS[1]))
    assert ncv_of(within) == 25
    assert reasons(within) == {f"unweighted_samples:{NCV}:1"}


def test_a_month_without_a_sample_takes_the_weighted_mean_of_the_others(world: World) -> None:
    for day, tonnes in ((3, 100), (40, 300), (65, 50)):
        burn(world, day, tonnes)
    world.write(report("1", "20", 0, 31))
    world.write(report("2", "24", 31, 28))
    made = account(world.inputs(QUARTER))
    assert coal(made) == 450 * 23 * OF_NCV
    assert f"unsampled:{NCV}:1" in made.lines["carbon/source/coal"].figure.reasons
    assert [each.mean is None for each in next(iter(made.means.values())).months] == [False, False, True]


def test_one_meters_error_cancels_in_the_weights(world: World) -> None:
    burn(world, 3, 100)
    burn(world, 40, 300)
    world.write(report("1", "20", 0, 31))
    world.write(report("2", "24", 31, 28))
    made = account(world.inputs(Period(JANUARY, MARCH)))
    ncv = made.workings["coal"].parameters["ncv"].estimate
    assert ncv is not None
    assert set(ncv.sensitivities) == {f"laboratory:{NCV}"}
    assert ncv.sensitivities[f"laboratory:{NCV}"] == 23
    # the register's step at both ends of each month, on what its mean differs from the whole
    step = (1 + 9) / 400**2 / 6  # (20 - 23)² + (24 - 23)² = 10
    assert float(ncv.variance) == pytest.approx(step, rel=1e-12)
    figure = made.lines["carbon/source/coal"].figure
    relative = math.sqrt(class_u(0.5) ** 2 + 0.006**2 + 0.02**2 + 0.005**2 + step / 23**2 + 1 / 6 / 400**2)
    assert figure.u == pytest.approx(float(coal(made)) * relative, rel=1e-9)


def test_what_was_substituted_in_a_month_errs_by_that_months_value(world: World) -> None:
    plan = copy.deepcopy(PLAN)
    plan["substitution_u_percent"] = "10"
    world.plan(plan)
    burn(world, 3, 100)
    burn(world, 40, 300, method="substituted")
    world.write(report("1", "20", 0, 31))
    world.write(report("2", "24", 31, 28))
    made = account(world.inputs(Period(JANUARY, MARCH)))
    estimate = made.lines["carbon/source/coal"].quantity.estimate
    assert estimate is not None
    assert estimate.sensitivities["substitution:coal-kiln"] == 300 * 24 * OF_NCV  # not 300 · 23


def test_an_instrument_that_began_anew_weighs_with_two_errors(world: World) -> None:
    document = {"instrument": "m-coal-kiln", "performed_on": "2027-02-01", "kind": "verification"}
    world.object("certificate", "c-1", {**document, "as_found_result": "fail"})
    burn(world, 3, 100)
    burn(world, 40, 300)
    world.write(report("1", "20", 0, 31))
    world.write(report("2", "24", 31, 28))
    made = account(world.inputs(Period(JANUARY, MARCH)))
    estimate = made.lines["carbon/source/coal"].quantity.estimate
    assert estimate is not None
    meters = {name: each for name, each in estimate.sensitivities.items() if name.startswith("meter:")}
    assert sorted(meters.values()) == [100 * 20 * OF_NCV, 300 * 24 * OF_NCV]


def test_known_at_gives_the_same_digits(world: World) -> None:
    burn(world, 3, 100)
    burn(world, 40, 300)
    burn(world, 41, 10)
    world.write(report("1", "20", 0, 31))
    world.write(report("2", "24", 31, 28))
    world.write(report("3", "25", 41))
    then = world.seq
    first = account(world.inputs(QUARTER))
    again = account(world.inputs(QUARTER, known_seq=then))
    assert first.inputs.digest() == again.inputs.digest()
    assert {name: each.figure for name, each in first.lines.items()} == {
        name: each.figure for name, each in again.lines.items()
    }
    burn(world, 3, 999, revision=1)
    world.write(report("1", "11", 0, 31))
    assert account(world.inputs(QUARTER, known_seq=then)).inputs.digest() == first.inputs.digest()
    assert account(world.inputs(QUARTER)).inputs.digest() != first.inputs.digest()


WHOLE = st.integers(1, 10**6).map(lambda each: Fraction(each, 1000))
BY_LABORATORY = {
    **COAL,
    "carbon": {"laboratory": "coal-lab", "property": "carbon_per_energy", "default": "fuel/own/coal/carbon"},
}


def amount(value: Fraction) -> Amount:
    return Amount(
        point="coal-kiln", unit="t", value=value, by_method={Method.MEASURED: value}, installations={0: value}
    )


def sample(month: int, place: int, ncv: Fraction, carbon: Fraction, weight: Fraction | None) -> LaboratoryRecord:
    start = MONTHS[month].start_us + place * US_PER_DAY
    return LaboratoryRecord(
        seq=1,
        recorded_us=start,
        number=f"{month}-{place}",
        point="coal-lab",
        period=Period(start, start + US_PER_DAY),
        chain={},
        values={"ncv": (ncv, "GJ/t"), "carbon_per_energy": (carbon, "tC/GJ")},
        weight_t=weight,
    )


def of_months(base: Inputs, tonnes: Sequence[Fraction], records: tuple[LaboratoryRecord, ...], *which: int) -> Account:
    """The account of some months in a row, with nothing but coal in it."""
    monthly = [{"coal-kiln": amount(tonnes[each])} for each in which]
    months = tuple(MONTHS[each] for each in which)
    return account(
        replace(
            base,
            period=Period(months[0].start_us, months[-1].end_us),
            months=months,
            amounts={"coal-kiln": amount(sum((tonnes[each] for each in which), Fraction(0)))},
            consumption=Consumption(monthly=tuple(monthly) if len(which) > 1 else ()),
            laboratory=records,
        )
    )


@pytest.fixture
def base(world: World) -> Inputs:
    """Coal alone, of which the laboratory tests both heat and carbon."""
    plan = copy.deepcopy(PLAN)
    plan["sources"] = [{**plan["sources"][0], "parameters": BY_LABORATORY}]
    plan["standard_coal"] = {"coal": COAL["ncv"]}
    found = world.inputs()
    return replace(found, plan=type(found.plan).of(plan, 1), points={"coal-kiln": found.points["coal-kiln"]})


SAMPLES = st.lists(st.tuples(WHOLE, WHOLE, WHOLE), min_size=1, max_size=3)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tonnes=st.lists(WHOLE, min_size=3, max_size=3), tested=st.lists(SAMPLES, min_size=3, max_size=3))
def test_months_add_up_to_the_quarter_at_every_grouping(
    base: Inputs, tonnes: list[Fraction], tested: list[list[tuple[Fraction, Fraction, Fraction]]]
) -> None:
    records = tuple(
        sample(month, place, *values) for month, found in enumerate(tested) for place, values in enumerate(found)
    )
    single = [of_months(base, tonnes, records, each) for each in range(3)]
    for group in ((0, 1), (1, 2), (0, 1, 2)):
        together = of_months(base, tonnes, records, *group)
        assert coal(together) == sum(coal(single[each]) for each in group)
        standard = together.lines["tce/coal-kiln"].figure.value
        assert standard == sum(single[each].lines["tce/coal-kiln"].figure.value or 0 for each in group)
        # by hand, from the samples
        heat = Fraction(0)
        for month in group:
            whole = sum(weight for _, _, weight in tested[month])
            ncv = sum(each * weight for each, _, weight in tested[month]) / whole
            carbon = sum(each * weight for _, each, weight in tested[month]) / whole
            heat += tonnes[month] * ncv * carbon
        assert coal(together) == heat * Fraction("0.98") * 44 / 12


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(each=WHOLE, values=st.lists(WHOLE, min_size=3, max_size=3))
def test_equal_weights_give_the_plain_mean(base: Inputs, each: Fraction, values: list[Fraction]) -> None:
    records = tuple(sample(month, 0, ncv, Fraction(1), None) for month, ncv in enumerate(values))
    made = of_months(base, [each] * 3, records, 0, 1, 2)
    assert ncv_of(made) == sum(values) / 3


@given(
    st.dictionaries(st.integers(0, 9), st.integers(0, 50).map(Fraction), min_size=1),
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), min_size=1, max_size=5),
)
def test_no_day_counts_twice_and_none_that_is_not_known(
    days: dict[int, Fraction], spans: list[tuple[int, int]]
) -> None:
    known: Mapping[int, Fraction | None] = {day * US_PER_DAY: days.get(day) for day in range(10)}
    asked = [Period(first * US_PER_DAY, (first + length) * US_PER_DAY) for first, length in spans]
    found = shared_out(known, asked, Period(0, 10 * US_PER_DAY))
    stood = {day for first, length in spans for day in range(first, min(first + length, 10))}
    if stood <= days.keys() and any(days[day] for day in stood):
        assert found is not None
        assert sum(found) == sum(days[day] for day in stood)
    else:
        assert found is None


def hot_water(world: World) -> None:
    plan = copy.deepcopy(PLAN)
    stated = {"value": "0.11", "unit": "tCO2/GJ", "reason": "contract"}
    parameters = {"factor": stated, "temperature": {"metered": "kiln", "measurand": "temperature", "u_percent": "1"}}
    plan["sources"] = [{"id": "coal", "name": "h", "kind": "heat_in", "amount": "coal-kiln", "parameters": parameters}]
    world.plan(plan)


def test_a_channel_is_weighted_by_what_flowed_in_its_hours(world: World) -> None:
    hot_water(world)
    for hour, tonnes in ((0, 30), (1, 10), (2, 5)):
        world.settle({"coal-kiln": tonnes * 1000}, JANUARY + hour * US_PER_HOUR, 1)
    inputs = world.inputs(Period(JANUARY, JANUARY + US_PER_DAY))
    read = {JANUARY: (Fraction(160), 2), JANUARY + US_PER_HOUR: (Fraction(120), 1)}  # means 80 and 120
    mean = ChannelMean(Fraction(280, 3), "degC", 3, 1, read)
    made = account(replace(inputs, channels={("kiln", "temperature"): mean}))
    flowed = Fraction(30 * 80 + 10 * 120, 40)
    assert flowed == 90
    # the sum of the hours' products, and the hour that was not read by their mean
    products = 30 * (80 - 20) + 10 * (120 - 20) + 5 * (flowed - 20)
    assert coal(made) == products * Fraction("4.1868") / 1000 * Fraction("0.11")
    assert reasons(made) == {"unread_hours:kiln:temperature:1"}
    then = world.inputs(Period(JANUARY, JANUARY + US_PER_DAY), known_seq=world.seq)
    assert then.consumption == inputs.consumption


def test_a_channel_without_a_flow_is_averaged_over_its_readings_and_that_is_said(world: World) -> None:
    hot_water(world)
    world.settle({"coal-kiln": 30_000}, JANUARY, 1)
    inputs = world.inputs(Period(JANUARY, JANUARY + US_PER_DAY))
    mean = ChannelMean(Fraction(80), "degC", 3, 1, {JANUARY + 5 * US_PER_HOUR: (Fraction(240), 3)})
    made = account(replace(inputs, channels={("kiln", "temperature"): mean}))
    assert coal(made) == 30 * (80 - 20) * Fraction("4.1868") / 1000 * Fraction("0.11")
    assert reasons(made) == {"unweighted:kiln:temperature"}


def test_a_result_of_the_first_edition_gives_its_digits_again_and_the_rules_explain_the_rest(world: World) -> None:
    """The first edition knew no weights: neither in its figures nor in the digest of its inputs."""
    burn(world, 3, 100)
    burn(world, 40, 300)
    world.write(report("1", "20", 0, 31))
    world.write(report("2", "24", 31, 28))
    inputs = world.inputs(Period(JANUARY, MARCH))
    former = inputs.under("1")
    made = account(former)
    assert coal(made) == 400 * 22 * OF_NCV
    draft = result_draft(made, "quarter", 1, known_seq=world.seq, at_us=JANUARY, actor="a", reason="")
    recorded = {**draft.body, "rules": ["energy@1", "carbon@1"]}
    world.write(Draft(draft.kind, draft.subject, draft.at_us, recorded))
    version = result(world.registry, "o", "quarter")
    again = version.inputs_again(inputs)
    assert again is not None
    assert coal(account(again)) == coal(made)
    assert replace(version, rules=("energy@2", "carbon@2")).inputs_again(inputs) is None, "it was not weighted"
    (found,) = compare(again, inputs, ("carbon/source/coal",))
    assert [(step.cause, step.change) for step in found.steps] == [("rules", 400 * (23 - 22) * OF_NCV)]
