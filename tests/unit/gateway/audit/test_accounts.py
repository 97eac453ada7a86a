"""Carbon and energy views over a plant whose every figure is worked out here by hand."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

import pytest

from gateway.accounting.channels import channel_means
from gateway.assembly.reading import OpenFolder, open_for_reading
from gateway.audit.accounts import FigureFact, account_of, inputs_of, whole_days, year_to_date
from gateway.audit.asking import Asking
from gateway.audit.balance import Closure, balances, remainder_days
from gateway.audit.budgets import budget_of, budgeted_lines
from gateway.audit.carbon import carbon_account
from gateway.audit.energy_account import energy_account, energy_account_or_none
from gateway.audit.flow import energy_flow
from gateway.audit.product_activity import product_activity
from gateway.audit.results import ResultChangedError, compared, result_version, result_versions
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import Period
from tests.accounts_folder import COAL_CO2, COAL_T, DAY, INTAKE_KWH, POWER_CO2, build_accounts_folder
from tests.plant_folder import NOW

MARCH_10 = date(2026, 3, 10)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenFolder]:
    folder = build_accounts_folder(tmp_path_factory.mktemp("accounts") / "data")
    with open_for_reading(folder) as opened:
        yield opened


@pytest.fixture
def ask(plant: OpenFolder) -> Asking:
    return plant.asking(NOW)


def exactly(fact: FigureFact | None) -> Fraction:
    assert fact is not None
    assert fact.known, fact.reasons
    return Fraction(fact.exact)


def near(fact: FigureFact | None, value: Fraction) -> bool:
    return abs(exactly(fact) - value) < Fraction(1, 10**12)


def test_the_days_of_this_year_begin_where_records_do(plant: OpenFolder, ask: Asking) -> None:
    assert year_to_date(plant.sources, ask) == (MARCH_10, MARCH_10)
    assert whole_days(ask, MARCH_10, MARCH_10) == DAY
    assert whole_days(ask, MARCH_10, date(2026, 3, 11)).end_us == DAY.end_us + 2 * 3_600_000_000


def test_totals_sources_and_what_stands_behind_them(plant: OpenFolder, ask: Asking) -> None:
    found = carbon_account(plant.sources, ask, DAY)
    [boundary] = found.boundaries
    assert near(boundary.direct, COAL_CO2)
    assert near(boundary.indirect, POWER_CO2)
    assert near(boundary.total, COAL_CO2 + POWER_CO2)
    coal, power = found.sources
    assert exactly(coal.activity) == COAL_T
    assert [(each.name, each.origin) for each in coal.parameters] == [
        ("ncv", "laboratory"),
        ("carbon", "default"),
        ("oxidation", "default"),
    ]
    assert exactly(coal.parameters[0].figure) == 24
    assert [each.id for each in power.points] == ["P-01"]
    assert exactly(power.points[0].figure) == INTAKE_KWH
    assert power.parameters[0].origin == "factor"
    assert power.parameters[0].entry is not None
    assert coal.share_permille == round(1000 * COAL_CO2 / (COAL_CO2 + POWER_CO2))
    assert near(coal.emission, COAL_CO2)
    enterprise = next(each for each in found.boundaries if each.id == "enterprise")
    assert near(enterprise.total, COAL_CO2 + POWER_CO2)


def test_default_exposure_in_tonnes(plant: OpenFolder, ask: Asking) -> None:
    found = {each.factor: each for each in carbon_account(plant.sources, ask, DAY).exposure}
    assert set(found) == {"fuel/own/coal/carbon", "fuel/own/coal/oxidation"}, "the laboratory took the default's place"
    assert abs(Fraction(found["fuel/own/coal/carbon"].tonnes) - COAL_CO2) < Fraction(1, 1000)


def test_laboratory_by_month_and_cross_checks(plant: OpenFolder, ask: Asking) -> None:
    found = carbon_account(plant.sources, ask, DAY)
    [month] = found.laboratory
    assert (month.property, month.samples, month.value, month.unit) == ("ncv", 2, "24", "GJ/t")
    # both were taken on one day, which they share; there is no other month to be weighted against
    assert (month.weighting, month.weight, month.weighted, month.lines) == (
        "metered",
        "",
        False,
        ("carbon/source/coal",),
    )
    assert [(each.number, each.values, each.online) for each in found.samples] == [
        ("L-1", {"ncv": "23.5 GJ/t"}, False),
        ("L-2", {"ncv": "24.5 GJ/t"}, False),
    ]
    checks = {(each.kind, each.name): each for each in found.checks}
    invoice = checks["invoice", "P-01 F-1"]
    assert Fraction(invoice.difference) == INTAKE_KWH - 60_500_000
    # class 0.2S and a CT without a class: what the metering can know is not on record
    assert invoice.agreement == "undecided"
    stock = checks["stock", "yard"]
    assert Fraction(stock.metered) == Fraction("-5")
    assert Fraction(stock.difference) == 0


def test_tiers_name_the_european_law(plant: OpenFolder, ask: Asking) -> None:
    [coal] = carbon_account(plant.sources, ask, DAY).tiers
    assert "2018/2066" in coal.law
    assert coal.tier is None, "weighed by people: nobody states an uncertainty"
    assert coal.expanded_percent is None


def test_a_budget_adds_up_and_draws_agree(plant: OpenFolder, ask: Asking) -> None:
    found = budget_of(plant.sources, ask, DAY, "product/coal")
    assert found.unstated
    found = budget_of(plant.sources, ask, DAY, "carbon/enterprise/indirect", draws=20_000)
    assert sum(each.share_permille for each in found.rows) == pytest.approx(1000, abs=5)
    assert found.rows[0].kind == "factor"
    assert found.rows[0].entry is not None
    assert found.rows[0].contribution == pytest.approx(0.05 * float(POWER_CO2), rel=1e-9)
    assert found.sampled is not None
    assert found.sampled.u == pytest.approx(found.u, rel=0.03)
    assert found.sampled.mean == pytest.approx(float(POWER_CO2), rel=0.002)
    again = budget_of(plant.sources, ask, DAY, "carbon/enterprise/indirect", draws=20_000)
    assert again.sampled == found.sampled, "the seed is part of the result"
    quotient = budget_of(plant.sources, ask, DAY, "intensity/coal/tce/total", draws=500)
    assert quotient.sampled is not None
    assert quotient.sampled.mean == pytest.approx(float(quotient.line.exact), rel=0.02)
    with pytest.raises(UnknownObjectError):
        budget_of(plant.sources, ask, DAY, "carbon/nowhere")
    made = account_of(plant.sources, ask, DAY)
    assert set(budgeted_lines(made)) <= set(made.lines)


def test_versions_and_the_factor_that_explains_the_change(plant: OpenFolder, ask: Asking) -> None:
    newest, oldest = result_versions(plant.sources, ask)
    assert (newest.version, newest.state, oldest.version, oldest.state) == (2, "draft", 1, "submitted")
    assert result_version(plant.sources, ask, "2026-03", 1) == oldest
    changes = {each.line: each for each in compared(plant.sources, ask, "2026-03", 1, 2).changes}
    total = changes["carbon/enterprise/total"]
    [(cause, change)] = total.steps
    assert cause == "factor:fuel/own/coal/carbon"
    wanted = COAL_CO2 / 26
    assert abs(Fraction(change) - wanted) < Fraction(1, 1000)
    assert change == total.change
    assert changes["carbon/source/bought"].steps == []
    with pytest.raises(UnknownObjectError):
        compared(plant.sources, ask, "2026-03", 1, 9)


def test_recomputation_from_evidence_gives_the_recorded_inputs(plant: OpenFolder, ask: Asking) -> None:
    for each in result_versions(plant.sources, ask):
        inputs = inputs_of(plant.sources, ask, Period(each.from_us, each.to_us), each.known_seq)
        assert inputs.digest() == each.inputs
    assert issubclass(ResultChangedError, Exception)


def test_standard_coal_stock_and_cost(plant: OpenFolder, ask: Asking) -> None:
    found = energy_account(plant.sources, ask, DAY)
    power = INTAKE_KWH * Fraction("0.1229") / 1000
    coal = COAL_T * Fraction("0.7143")
    assert near(found.total, power + coal)
    assert near(found.primary, INTAKE_KWH * Fraction("0.3") / 1000 + coal)
    kinds = {each.name: each for each in found.groups if each.family == "kind"}
    assert exactly(kinds["electricity"].physical) == INTAKE_KWH
    assert near(kinds["electricity"].tce, power)
    supply = {each.kind: each for each in found.supply}
    assert (supply["coal"].stock_change, supply["coal"].consumed, supply["coal"].difference) == ("5", "45", "0")
    [cost] = found.costs
    energy = {each.name: Fraction(each.energy) for each in cost.slots}
    assert energy == {"valley": Fraction(INTAKE_KWH, 3), "flat": Fraction(2 * INTAKE_KWH, 3)}
    assert Fraction(cost.total) == INTAKE_KWH * (Fraction("0.1") + Fraction("0.4"))
    [virtual] = found.virtual
    assert exactly(virtual.figure) == INTAKE_KWH // 2
    intensity = {each.id.removeprefix("intensity/coal/"): each for each in found.intensities}
    assert near(intensity["tce/total"], (power + coal) * 1000 / COAL_T)
    # five of the fifty tonnes that were bought lie in the yard still
    assert near(intensity["tce/consumed"], (power + coal * 9 / 10) * 1000 / COAL_T)
    assert found.intensities[0].id == "intensity/coal/tce/consumed"


def test_activity_data_per_product(plant: OpenFolder, ask: Asking) -> None:
    rows = {(each.role, each.item): each for each in product_activity(plant.sources, ask, DAY)}
    assert exactly(rows["output", "Coal"].amount) == COAL_T
    assert near(rows["energy", "electricity"].per_unit, Fraction(INTAKE_KWH, COAL_T))
    emission = rows["emission", "Power"]
    assert near(emission.amount, POWER_CO2)
    assert near(emission.per_unit, POWER_CO2 / COAL_T)


def test_without_a_plan_there_is_no_account(plant: OpenFolder, ask: Asking) -> None:
    before = Asking(organisation="somebody-else", as_of_us=ask.as_of_us, known_seq=None, zone=ask.zone)
    assert energy_account_or_none(plant.sources, before, DAY) is None
    with pytest.raises(UnknownObjectError):
        carbon_account(plant.sources, before, DAY)


def test_what_flows_in_flows_out(plant: OpenFolder, ask: Asking) -> None:
    found = energy_flow(plant.sources, ask, DAY)
    inside = [each for each in found.links if each.source == "P-01"]
    assert sum(Fraction(each.amount) for each in inside) == INTAKE_KWH
    assert {each.kind for each in inside} == {"metered", "unmetered"}
    assert found.lacking == ["P-03"]
    places = [(node.top, node.bottom) for node in found.nodes]
    places += [(link.source_top, link.source_bottom) for link in found.links]
    for low, high in places:
        assert -1e-9 <= low <= high <= 1 + 1e-9


def test_a_node_that_is_metered_in_part_has_an_unmetered_share(plant: OpenFolder, ask: Asking) -> None:
    [found] = balances(plant.sources, ask, DAY)
    assert found.reasons[0] == "unmetered" or "no_class" in found.reasons
    assert found.unmetered_permille is not None
    assert found.unmetered_permille > 990
    trend = remainder_days(plant.sources, ask, MARCH_10, MARCH_10)
    assert trend is not None
    assert [each.remainder for each in trend.days] == [found.difference]
    assert trend.systematic is None
    assert trend.days[0].closure is found.closure
    assert found.closure in {Closure.UNMETERED, Closure.UNDECIDED}
    with pytest.raises(UnknownObjectError):
        remainder_days(plant.sources, ask, MARCH_10, MARCH_10, "nowhere")


def test_what_has_no_class_is_named_and_u_is_not_stated(plant: OpenFolder, ask: Asking) -> None:
    """The CT has no class and no calibration, so U is not stated and the cause is named."""
    figure = carbon_account(plant.sources, ask, DAY).sources[1].activity
    assert figure.expanded == ""
    assert any(each.startswith("no_uncertainty:ct:") for each in figure.reasons)


def test_the_mean_of_a_channel_is_the_same_from_hours_and_readings(plant: OpenFolder, ask: Asking) -> None:
    """The intake shows 180 kW in every reading, meter side."""
    sources = plant.sources
    wanted = [("P-01", "active_power"), ("P-03", "active_power"), ("P-01", "pressure")]
    for known in (None, sources.registry.applied_seq()):
        found = channel_means(sources.registry, sources.series, ask.organisation, wanted, DAY, known_seq=known)
        assert set(found) == {("P-01", "active_power")}
        mean = found["P-01", "active_power"]
        assert (mean.value, mean.unit) == (180, "kW")
        assert mean.readings == 24 * 12
        assert mean.installation > 0
