"""A whole account against arithmetic done here by hand, in fractions, and against its own parts."""

import copy
import math
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.accounting.account import account
from gateway.accounting.budget import budget, class_u
from gateway.accounting.metered import amounts
from gateway.accounting.results import figure_document
from gateway.domain.errors import UnknownObjectError
from gateway.domain.figure import Figure
from gateway.domain.time import SETTLEMENT_WINDOW_US, Period, parse_iso
from tests.unit.gateway.accounting.by_hand import (
    BOUGHT_MWH,
    CLINKER_CO2,
    CLINKER_T,
    COAL_CO2,
    COAL_T,
    SOLD_MWH,
    value,
)
from tests.unit.gateway.accounting.conftest import DAY, GRID, OWN, PLAN, POINTS, START, ZONE, World


def test_every_line_by_hand(world: World) -> None:
    made = account(world.inputs())
    assert value(made, "carbon/source/coal") == COAL_CO2
    assert value(made, "carbon/source/clinker") == CLINKER_CO2
    grid = Fraction("0.5306")
    assert value(made, "carbon/clinker/total") == COAL_CO2 + CLINKER_CO2
    assert value(made, "carbon/enterprise/direct") == COAL_CO2 + CLINKER_CO2
    assert value(made, "carbon/enterprise/indirect") == (BOUGHT_MWH - SOLD_MWH) * grid
    assert value(made, "carbon/enterprise/total") == COAL_CO2 + CLINKER_CO2 + (BOUGHT_MWH - SOLD_MWH) * grid
    electricity = (BOUGHT_MWH - SOLD_MWH) * 1000 * Fraction("0.1229") / 1000
    coal = COAL_T * Fraction("0.7143")
    assert value(made, "tce/kind/electricity") == electricity
    assert value(made, "tce/total") == electricity + coal
    assert value(made, "energy/net") == 96 * Fraction("45")
    assert value(made, "tce/process/burning") == 96 * Fraction(600) * Fraction("0.1229") / 1000  # the fan is under it
    assert value(made, "intensity/clinker/tce/total") == (electricity + coal) * 1000 / CLINKER_T
    assert "tce/clinker" not in made.lines


def test_uncertainty_by_hand(world: World) -> None:
    made = account(world.inputs())
    coal = made.lines["carbon/source/coal"].figure
    relative = math.sqrt(class_u(0.5) ** 2 + 0.015**2 + 0.02**2 + 0.005**2)
    quantisation = math.sqrt(1 / 6) / 192  # one tonne of resolution on 192
    assert coal.u == pytest.approx(float(COAL_CO2) * math.hypot(relative, quantisation), rel=1e-9)
    indirect = made.lines["carbon/enterprise/indirect"]
    rows = {
        row.effect.id.split("@")[0]: row
        for row in budget(indirect.quantity.estimate, made.effects).contributions
        if row.effect
    }
    net = float((BOUGHT_MWH - SOLD_MWH) * Fraction("0.5306"))
    assert rows[f"factor:{GRID}"].contribution == pytest.approx(0.05 * net, rel=1e-12)  # one factor, both ways
    assert rows["meter:m-sold"].sensitivity < 0


def test_what_is_lacking_makes_the_line_unknown_and_says_why(world: World) -> None:
    plan = copy.deepcopy(PLAN)
    plan["sources"][0]["parameters"]["oxidation"] = {"factor": "fuel/nobody/coal/oxidation"}
    world.plan(plan)
    made = account(world.inputs())
    figure = made.lines["carbon/enterprise/total"].figure
    assert figure.value is None
    assert any("fuel/nobody/coal/oxidation" in reason for reason in figure.reasons)
    assert value(made, "carbon/source/clinker") == CLINKER_CO2


def test_a_volume_becomes_mass_by_a_stated_density_only(world: World) -> None:
    plan = copy.deepcopy(PLAN)
    plan["gas_states"] = {"coal": "m3@20C"}  # a wrong state never passes for another
    world.plan(plan)
    figure = account(world.inputs()).lines["carbon/source/coal"].figure
    assert figure.value is None
    assert any(reason.startswith("not_convertible") for reason in figure.reasons)


def test_missing_windows_are_said_and_never_zero(world: World) -> None:
    world.settle({"coal-kiln": None}, START, 4, revision=1)
    figure = account(world.inputs()).lines["energy/coal-kiln"].figure
    assert figure.value == 92 * 2
    assert "missing_windows:coal-kiln:4" in figure.reasons


def test_rollups_intervals_and_recorded_moments_give_the_same_digits(world: World) -> None:
    settlement = world.settlement()
    ways = [{}, {"from_intervals": True}, {"known_seq": world.seq}]
    found = [amounts(settlement, world.registry, "o", DAY, zone=ZONE, **way) for way in ways]
    settlement.close()
    assert found[0] == found[1] == found[2]
    assert all(each.value for each in found[0].values())
    then = world.seq
    first = account(world.inputs(known_seq=then))
    world.settle({"intake": 5_000_000}, START, 8, revision=1)
    world.object(
        "factor_set",
        "own",
        {**OWN, "factors": [[*OWN["factors"][0][:1], "30", *OWN["factors"][0][2:]], *OWN["factors"][1:]]},
    )
    again = account(world.inputs(known_seq=then))
    documents = [{name: figure_document(line.figure) for name, line in made.lines.items()} for made in (first, again)]
    assert documents[0] == documents[1]
    assert first.inputs.digest() == again.inputs.digest()
    assert account(world.inputs()).inputs.digest() != again.inputs.digest()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-01-01T00:00", "2026-03-01T00:00"),  # months
        ("2026-01-30T00:00", "2026-03-02T00:00"),  # days, a month, a day
        ("2026-01-31T22:15", "2026-03-01T06:30"),  # and what is left of days
        ("2026-02-10T03:00", "2026-02-10T09:45"),
    ],
)
def test_any_period_is_cut_into_rollups_without_a_change_of_digits(world: World, start: str, end: str) -> None:
    for place, day in enumerate(("2026-01-30", "2026-01-31", "2026-02-10", "2026-02-28", "2026-03-01")):
        values = {point: facts[6] + 7 * place for point, facts in POINTS.items()}
        world.settle(values, parse_iso(f"{day}T00:00:00+08:00"), 96)
    period = Period(parse_iso(f"{start}:00+08:00"), parse_iso(f"{end}:00+08:00"))
    settlement = world.settlement()
    ways = [{}, {"from_intervals": True}]
    found = [amounts(settlement, world.registry, "o", period, zone=ZONE, **way) for way in ways]
    settlement.close()
    assert found[0]["kiln"].windows > 20
    assert found[0] == found[1]


def test_a_points_energy_as_known_then_is_that_of_its_windows_then(world: World) -> None:
    """Two hours revised, the second with another method, and one hour that came late; ends cut within an hour."""
    then = world.seq
    quarter = SETTLEMENT_WINDOW_US
    world.settle({"intake": 5_000_000}, START + 6 * quarter, 3, revision=1)
    world.settle({"intake": None}, START + 40 * quarter, 1, revision=1)
    world.settle({"intake": 1_000_000}, START + 96 * quarter, 4)
    period = Period(START + 2 * quarter, START + 99 * quarter)
    settlement = world.settlement()
    before = settlement.energy("o", "intake", period, then)
    now = settlement.energy("o", "intake", period)
    again = settlement.energy("o", "intake", period, world.seq)
    settlement.close()
    assert (before.value, before.windows, before.missing) == (94 * 1000, 94, 0)
    assert (now.value, now.windows, now.missing) == ((93 - 3 + 3) * 1000 + 3 * 5000, 97, 1)
    assert again == now


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(sorted(POINTS)), st.integers(0, 10**7), min_size=3))
def test_totals_equal_the_sum_of_their_parts_at_every_grouping(world: World, values: dict[str, int]) -> None:
    world.settle(dict(values), START, 2, revision=1)
    made = account(world.inputs())
    for name, line in made.lines.items():
        if line.parts:
            signs = {
                part: -1 if part in {"energy/sold", "tce/sold", "carbon/source/sold"} else 1 for part in line.parts
            }
            assert line.figure.value == sum(value(made, part) * signs[part] for part in line.parts), name
    days = [
        Period(DAY.start_us, DAY.start_us + 12 * 3_600_000_000),
        Period(DAY.start_us + 12 * 3_600_000_000, DAY.end_us),
    ]
    halves = [account(world.inputs(each)) for each in days]
    for line in ("carbon/enterprise/total", "tce/total", "energy/net"):
        assert value(made, line) == sum(value(half, line) for half in halves)


def test_a_figure_says_how_its_value_is_known(world: World) -> None:
    world.settle({"intake": 1_000_000}, START, 24, revision=1, method="substituted")
    figure: Figure = account(world.inputs()).lines["energy/intake"].figure
    assert figure.methods == {"measured": Fraction(3, 4), "substituted": Fraction(1, 4)}
    assert figure.u is None
    assert "no_uncertainty:substitution:intake" in figure.reasons
    world.plan({**PLAN, "substitution_u_percent": "10"})
    figure = account(world.inputs()).lines["energy/intake"].figure
    expected = math.hypot(96_000 * class_u(0.5), 24_000 * 0.1)
    assert figure.u == pytest.approx(expected, rel=1e-6)


def test_a_plan_put_on_record_without_a_check_brings_no_account_down(world: World) -> None:
    plan = copy.deepcopy(PLAN)
    plan["virtual_points"][0]["formula"] = "gross - - own"
    plan["sources"][2]["amount"] = "intake +"
    world.plan(plan)
    made = account(world.inputs())
    for line in ("energy/net", "carbon/source/bought", "carbon/enterprise/total"):
        assert made.lines[line].figure.value is None
        assert any(each.startswith("no_formula:") for each in made.lines[line].figure.reasons), line
    assert value(made, "carbon/source/coal") == COAL_CO2
    world.plan({**PLAN, "sources": [{"id": "coal"}]})
    with pytest.raises(UnknownObjectError, match="cannot be read"):
        world.inputs()
