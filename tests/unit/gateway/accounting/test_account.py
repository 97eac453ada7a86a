"""A whole account against arithmetic done here by hand, in fractions, and against its own parts."""

import copy
import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.accounting.account import Account, account
from gateway.accounting.budget import budget, class_u
from gateway.accounting.channels import ChannelMean
from gateway.accounting.checks import costs, invoice_checks, stock_checks
from gateway.accounting.closure import Closure
from gateway.accounting.comparison import compare
from gateway.accounting.crosschecks import Agreement
from gateway.accounting.metered import amounts
from gateway.accounting.network import balances
from gateway.accounting.quantities import Quantities
from gateway.accounting.results import ResultStateError, figure_document, result, result_draft, results, step_draft
from gateway.domain.errors import UnknownObjectError
from gateway.domain.figure import Figure
from gateway.domain.time import Period, parse_iso
from gateway.journal.entry import Draft
from tests.unit.gateway.accounting.conftest import DAY, GRID, OWN, PLAN, POINTS, START, ZONE, World

COAL_T, CLINKER_T, BOUGHT_MWH, SOLD_MWH = Fraction(192), Fraction(1344), Fraction(96), Fraction("9.6")
COAL_CO2 = COAL_T * 25 * Fraction("0.026") * Fraction("0.98") * 44 / 12
CLINKER_CO2 = CLINKER_T * (Fraction("0.65") * 44 / 56 + Fraction("0.015") * 44 / 40)


def value(made: Account, line: str) -> Fraction:
    found = made.lines[line].figure.value
    assert found is not None, made.lines[line].figure.reasons
    return found


def laboratory(number: str, ncv: str, unit: str = "GJ/t", point: str = "coal-lab", at: int = START) -> Draft:
    document = {"number": number, "point": point, "from_us": at, "to_us": at + 1, "values": {"ncv": [ncv, unit]}}
    body = {"action": "laboratory.recorded", "actor": "l", "object": document, "reason": "", "withdrawn": 0}
    return Draft("laboratory", f"o/point/{point}", START, body)


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


def test_laboratory_takes_the_place_of_the_default(world: World) -> None:
    before = account(world.inputs())
    assert before.exposure["fuel/own/coal/ncv"] == COAL_CO2
    world.write(laboratory("L1", "5500", "kcal/kg"))
    world.write(laboratory("L2", "24", at=START + 3_600_000_000))
    made = account(world.inputs())
    ncv = (Fraction(5500) * Fraction("4.1868") / 1000 + 24) / 2
    assert value(made, "carbon/source/coal") == COAL_CO2 * ncv / 25
    assert "fuel/own/coal/ncv" not in made.exposure
    assert made.lines["carbon/source/coal"].figure.evidence


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


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_one_changed_factor_changes_exactly_the_results_that_name_it(world: World, data: st.DataObject) -> None:
    inputs = world.inputs()
    before = account(inputs)
    named = sorted(
        {each for line in before.lines.values() for each in line.figure.factors if "@" in each and "stated" not in each}
    )
    version = data.draw(st.sampled_from(named))
    changed = inputs.factors.get(version.split("@")[0])
    moved = type(changed)(
        **{**{name: getattr(changed, name) for name in changed.__slots__}, "value": changed.value * 2}
    )
    book = type(inputs.factors)(
        [moved if each.id == moved.id else each for each in inputs.factors],
        inputs.factors.packs,
        inputs.factors.energy_kinds,
    )
    fields = {name: getattr(inputs, name) for name in inputs.__slots__} | {"factors": book}
    after = account(type(inputs)(**fields))
    for name, line in before.lines.items():
        same = line.figure.value == after.lines[name].figure.value
        assert same == (version not in line.figure.factors), (name, version)


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


def test_versions_states_and_what_explains_a_change(world: World) -> None:
    first = world.inputs(known_seq=world.seq)
    world.write(result_draft(account(first), "2026", 1, known_seq=world.seq, at_us=START, actor="a", reason=""))
    body = result(world.registry, "o", "2026")
    assert (body.state, body.version, body.inputs) == ("draft", 1, first.digest())
    with pytest.raises(ResultStateError):
        step_draft(body, "o", "verified", at_us=START, actor="r", reason="")
    for action, actor in (("submitted", "b"), ("verified", "r"), ("frozen", "a")):
        found = result(world.registry, "o", "2026")
        if action == "verified":
            for own in ("a", "b"):
                with pytest.raises(ResultStateError, match="somebody else"):
                    step_draft(found, "o", action, at_us=START, actor=own, reason="")
        world.write(step_draft(found, "o", action, at_us=START, actor=actor, reason="why"))
        assert result(world.registry, "o", "2026").state == action
    acts = result(world.registry, "o", "2026").acts
    assert [(each.action, each.actor) for each in acts] == [
        ("computed", "a"),
        ("submitted", "b"),
        ("verified", "r"),
        ("frozen", "a"),
    ]
    assert result(world.registry, "o", "2026", known_seq=acts[1].seq).state == "submitted"
    with pytest.raises(ResultStateError):
        step_draft(result(world.registry, "o", "2026"), "o", "returned", at_us=START, actor="a", reason="")
    world.settle({"coal-kiln": 4_000}, START, 1, revision=1)
    world.write(laboratory("L1", "24"))
    changed = copy.deepcopy(OWN)
    changed["factors"][1][1] = "0.027"
    world.object("factor_set", "own", changed)
    second = world.inputs(known_seq=world.seq)
    world.write(result_draft(account(second), "2026", 2, known_seq=world.seq, at_us=START, actor="a", reason=""))
    assert [(each.version, each.state) for each in results(world.registry, "o")] == [(1, "frozen"), (2, "draft")]
    (found,) = compare(first, second, ("carbon/enterprise/total",))
    assert found.before is not None
    assert found.after is not None
    causes = {step.cause: step.change for step in found.steps}
    assert set(causes) == {"data", "laboratory", "factor:fuel/own/coal/carbon"}
    assert sum(causes.values()) == found.after - found.before
    assert causes["data"] == COAL_CO2 * 2 / 192
    assert causes["laboratory"] == -COAL_CO2 * 194 / 192 / 25


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


def test_every_node_of_the_network_is_judged(world: World) -> None:
    found = dict(balances(Quantities(world.inputs())))
    assert set(found) == {"intake", "kiln", "gross"}
    assert found["intake"].remainder == 96 * 100
    assert found["intake"].unmetered_permille == 100
    limit = 2 * 96 * math.hypot(1000 * class_u(0.5), 600 * class_u(1), 300 * class_u(1))
    assert float(found["intake"].limit or 0) == pytest.approx(limit, rel=1e-4)
    assert found["intake"].closure is Closure.UNMETERED  # nobody said that everything under it is metered
    world.plan({**PLAN, "balances": [{"point": "intake", "losses_percent": "2"}]})
    whole = dict(balances(Quantities(world.inputs())))
    assert whole["intake"].closure is Closure.EXCEEDED
    world.plan({**PLAN, "balances": [{"point": "intake", "losses_percent": "10"}]})
    assert dict(balances(Quantities(world.inputs())))["intake"].closure is Closure.BALANCED
    world.settle({"kiln": None}, START, 20, revision=1, coverage=0)
    thin = dict(balances(Quantities(world.inputs())))
    assert thin["intake"].closure is Closure.UNDECIDED
    assert thin["intake"].reasons == ("coverage",)


def test_a_calibration_without_a_class_shares_its_standard(world: World) -> None:
    for point in ("gross", "own"):
        world.object("instrument", f"m-{point}", {"accuracy_class": "", "kind": "electricity_meter"})
        certificate = {"kind": "calibration", "instrument": f"m-{point}", "performed_on": "2025-06-01"}
        certificate |= {"error_percent": "0.3", "uncertainty_percent": "0.2", "coverage_factor": "2", "standards": "S1"}
        world.object("certificate", f"C-{point}", certificate)
    made = account(world.inputs())
    net = made.lines["energy/net"]
    gross, own = 96 * 50, 96 * 5
    meters = math.hypot(gross, own) * 0.003 / math.sqrt(3)
    standard = (gross - own) * 0.001  # the same standard in both: it cancels in part
    quantisation = math.sqrt(2 / 6)
    assert net.figure.u == pytest.approx(math.sqrt(meters**2 + standard**2 + quantisation**2), rel=1e-9)


def test_invoices_stock_and_cost(world: World) -> None:
    plan = copy.deepcopy(PLAN)
    plan["stocks"] = [{"id": "coal", "point": "yard", "bought": "coal-kiln", "used": "coal-kiln", "unit": "t"}]
    slots = [
        {"name": "valley", "from": "00:00", "to": "08:00", "price": "0.3"},
        {"name": "peak", "from": "08:00", "to": "24:00", "price": "1"},
    ]
    plan["tariffs"] = [{"id": "grid", "currency": "CNY", "points": ["intake"], "slots": slots}]
    world.plan(plan)
    for at, amount in ((DAY.start_us, "100"), (DAY.end_us, "150")):
        document = {"point": "yard", "at_us": at, "amount": amount, "unit": "t"}
        body = {"action": "stock.surveyed", "actor": "a", "object": document, "reason": "", "withdrawn": 0}
        world.write(Draft("stock", "o/point/yard", START, body))
    world.store.begin()
    invoice = {"number": "I1", "from": DAY.start_us, "to": DAY.end_us, "amount": "96.1", "unit": "MWh"}
    world.seq += 1
    body = {"object": invoice, "actor": "a", "withdrawn": 0}
    world.store.entered.apply(world.seq, "invoice", "o", "intake", body)
    world.store.commit(world.seq)
    inputs, settlement = world.inputs(), world.settlement()
    (found,) = invoice_checks(inputs, world.registry, settlement, ZONE)
    assert (found.check.metered, found.check.other) == (96_000, 96_100)
    assert found.check.agreement is Agreement.AGREES
    (stock,) = stock_checks(inputs, world.registry, Quantities(inputs))
    assert (stock.check.metered, stock.check.other) == (0, -50)
    assert stock.check.agreement is Agreement.DIFFERS  # fifty tonnes lie there that nobody bought
    made = account(inputs)
    assert value(made, "tce/total") - value(made, "tce/consumed") == value(made, "tce/stock/coal") > 0
    assert made.lines["tce/consumed"].figure.u is None, "nobody says how well stock is surveyed"
    plan["stocks"][0]["u"] = "30"
    world.plan(plan)
    surveyed = world.inputs()
    laid = Quantities(surveyed).laid_in_stock(surveyed.plan.stocks[0])
    assert laid.figure({}).u == pytest.approx(30 * math.sqrt(2))
    (stock,) = stock_checks(surveyed, world.registry, Quantities(surveyed))
    assert stock.check.agreement is Agreement.AGREES
    later = Period(DAY.start_us + 3 * 86_400_000_000, DAY.end_us + 3 * 86_400_000_000)
    lost = account(world.inputs(later)).lines["tce/consumed"].figure
    assert lost.value is None
    assert "no_survey:coal" in lost.reasons
    world.plan(plan)
    ((key, (currency, spent)),) = costs(inputs, world.registry, settlement, ZONE).items()
    settlement.close()
    assert (key, currency) == (("grid", "intake"), "CNY")
    assert spent.total == 32_000 * Fraction("0.3") + 64_000


def heat_plan(parameters: dict[str, object], pack: str = "generic-1") -> dict[str, object]:
    source = {"id": "heat", "name": "heat", "kind": "heat_in", "amount": "coal-kiln", "parameters": parameters}
    return {**PLAN, "pack": pack, "sources": [source], "products": [], "virtual_points": []}


def stated(value: str, unit: str, u_percent: str | None = "1") -> dict[str, object]:
    given = {"value": value, "unit": unit, "reason": f"stated {value}"}
    return given if u_percent is None else {**given, "u_percent": u_percent}


def test_steam_by_state_and_hot_water(world: World) -> None:
    """The point's 192 t are taken for steam and for water; the pack says what is deducted."""
    factor = stated("0.11", "tCO2/GJ", None)
    world.plan(heat_plan({"factor": factor, "enthalpy": stated("2800", "kJ/kg")}))
    assert value(account(world.inputs()), "carbon/source/heat") == Fraction(192 * 2800, 1000) * Fraction("0.11")
    world.plan(heat_plan({"factor": factor, "enthalpy": stated("2800", "kJ/kg")}, "cets-cement-2024"))
    less = Fraction(192) * (2800 - Fraction("83.74")) / 1000 * Fraction("0.11")
    assert value(account(world.inputs()), "carbon/source/heat") == less
    state = {"factor": factor, "pressure": stated("30", "bar"), "temperature": stated("500", "K", "0.5")}
    world.plan(heat_plan(state))
    made = account(world.inputs())
    assert float(value(made, "carbon/source/heat")) == pytest.approx(192 * 975.542239 / 1000 * 0.11, rel=1e-6)
    assert any(name.startswith("stated:stated 500") for name in made.effects)
    assert made.workings["heat"].parameters["pressure"].unit == "MPa"
    world.plan(heat_plan({"factor": factor, "temperature": stated("90", "degC")}))
    water = Fraction(192) * 70 * Fraction("4.1868") / 1000 * Fraction("0.11")
    assert value(account(world.inputs()), "carbon/source/heat") == water
    world.plan(heat_plan({"factor": factor, "temperature": {"metered": "kiln", "measurand": "temperature"}}))
    lost = account(world.inputs()).lines["carbon/source/heat"].figure
    assert lost.value is None
    assert any(each.startswith("no_reading:kiln") for each in lost.reasons)


def recalibrated(world: World, day: str, **said: str) -> Account:
    """Three days of one class-1 meter with a certificate of the middle one."""
    world.settle({"kiln": 600_000}, START + 86_400_000_000, 192)
    certificate = {"kind": "verification", "instrument": "m-kiln", "performed_on": day, **said}
    world.object("certificate", "again", certificate)
    return account(world.inputs(Period(START, START + 3 * 86_400_000_000)))


def test_an_adjustment_within_the_period_splits_the_effect(world: World) -> None:
    made = recalibrated(world, "2026-01-02", as_found_result="fail")
    estimate = made.lines["energy/kiln"].quantity.estimate
    assert estimate is not None
    daily = Fraction(96 * 600)
    assert estimate.sensitivities == {"meter:m-kiln": daily, "meter:m-kiln@2026-01-02": 2 * daily}
    assert estimate.value == 3 * daily
    assert made.lines["energy/kiln"].figure.u == pytest.approx(
        math.hypot(class_u(1) * float(daily), class_u(1) * 2 * float(daily), math.sqrt(1 / 6)), rel=1e-9
    )


def test_a_verification_that_changed_nothing_splits_nothing(world: World) -> None:
    made = recalibrated(world, "2026-01-02", as_found_result="pass")
    estimate = made.lines["energy/kiln"].quantity.estimate
    assert estimate is not None
    assert estimate.sensitivities == {"meter:m-kiln": Fraction(3 * 96 * 600)}


def test_a_calibration_anew_brings_its_own_error_and_standard(world: World) -> None:
    world.object("instrument", "m-kiln", {"accuracy_class": "", "kind": "electricity_meter"})
    before = {"kind": "calibration", "instrument": "m-kiln", "performed_on": "2025-06-01", "standards": "S-1"}
    world.object("certificate", "old", {**before, "error_percent": "0.6", "uncertainty_percent": "0.2"})
    said = {"standards": "S-2", "error_percent": "-0.3", "uncertainty_percent": "0.1"}
    made = recalibrated(world, "2026-01-03", **{**said, "kind": "calibration"})
    estimate = made.lines["energy/kiln"].quantity.estimate
    assert estimate is not None
    daily = Fraction(96 * 600)
    assert dict(estimate.sensitivities) == {
        "meter:m-kiln@2025-06-01": 2 * daily,
        "standard:S-1": 2 * daily,
        "meter:m-kiln@2026-01-03": daily,
        "standard:S-2": daily,
    }
    assert made.effects["meter:m-kiln@2026-01-03"].u == pytest.approx(0.003 / math.sqrt(3))
    assert made.effects["standard:S-1"].u == pytest.approx(0.001)


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


def test_the_inputs_name_the_weight_of_each_sample(world: World) -> None:
    world.write(laboratory("L1", "24"))
    plain = world.inputs().digest()
    heavy = laboratory("L1", "24")
    heavy.body["object"]["weight_t"] = "7"
    world.write(heavy)
    assert world.inputs().digest() != plain


def test_a_change_of_a_channel_is_explained_too(world: World) -> None:
    metered = {"metered": "kiln", "measurand": "temperature"}
    world.plan(heat_plan({"factor": stated("0.11", "tCO2/GJ"), "temperature": metered}))
    old, new = (
        replace(world.inputs(), channels={("kiln", "temperature"): ChannelMean(Fraction(mean), "degC", 5, 1)})
        for mean in (80, 90)
    )
    (found,) = compare(old, new, ("carbon/enterprise/total",))
    assert found.after == Fraction(192) * 70 * Fraction("4.1868") / 1000 * Fraction("0.11")
    assert [step.cause for step in found.steps] == ["data"]


def test_a_source_counts_in_the_boundaries_it_names(world: World) -> None:
    plan = copy.deepcopy(PLAN)
    plan["sources"][0]["boundaries"] = ["enterprise"]
    world.plan(plan)
    made = account(world.inputs())
    assert value(made, "carbon/clinker/direct") == CLINKER_CO2
    assert value(made, "carbon/enterprise/direct") == CLINKER_CO2 + COAL_CO2


def test_months_without_a_sample_are_said(world: World) -> None:
    world.write(laboratory("L1", "24"))
    for line in account(world.inputs()).lines.values():
        assert not any(each.startswith("unsampled") for each in line.figure.reasons)
    quarter = Period(parse_iso("2025-12-31T00:00:00+08:00"), parse_iso("2026-03-01T00:00:00+08:00"))
    made = account(world.inputs(quarter))
    assert [each.duration_us // 86_400_000_000 for each in made.inputs.months] == [1, 31, 28]
    assert "unsampled:coal-lab:ncv:2" in made.lines["carbon/source/coal"].figure.reasons
    assert made.lines["carbon/source/coal"].figure.value is not None
