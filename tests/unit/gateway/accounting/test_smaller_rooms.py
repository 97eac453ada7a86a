"""Formulas over points, laboratory checks, tariffs, cross-checks, tiers."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.accounting_catalogues import shipped_accounting
from gateway.accounting.crosschecks import Agreement, against, stock_change, stock_records
from gateway.accounting.estimate import Effect, measured
from gateway.accounting.laboratory import LaboratoryRecord, doubts, mean, records
from gateway.accounting.linear import FormulaError, parse, resolved
from gateway.accounting.tariff import Tariff, TariffError, cost
from gateway.accounting.tiers import tier
from gateway.domain.figure import Figure, decimal_fraction
from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_DAY, Period
from gateway.journal.entry import Draft
from tests.unit.gateway.accounting.conftest import START, UNITS, ZONE, World


@pytest.mark.parametrize(
    ("formula", "terms"),
    [
        ("el-gross - el-own", {"el-gross": 1, "el-own": -1}),
        ("0.5 * a + b", {"a": Fraction(1, 2), "b": 1}),
        ("- a + 2 * a", {"a": 1}),
        ("a", {"a": 1}),
        ("0.5 * P-01 - 总表/1#", {"P-01": Fraction(1, 2), "总表/1#": -1}),
    ],
)
def test_formulas(formula: str, terms: dict[str, int]) -> None:
    assert parse(formula) == terms


@pytest.mark.parametrize(
    "formula", ["", "+", "a b", "a +", "2 a", "2 *", "a * 2", "a - - b", "a + 2", "a+b", "a*2", "-a", "__import__"]
)
def test_what_is_no_formula(formula: str) -> None:
    with pytest.raises(FormulaError):
        parse(formula)


def test_virtual_points_stand_for_their_formula_and_never_in_a_ring() -> None:
    assert resolved("net - c", {"net": "a - b", "both": "net + net"}) == {"a": 1, "b": -1, "c": -1}
    assert resolved("both", {"net": "a - b", "both": "net + net"}) == {"a": 2, "b": -2}
    with pytest.raises(FormulaError, match="each other"):
        resolved("x", {"x": "y", "y": "x"})


def test_weights_are_linear_in_the_virtual_points() -> None:
    @given(st.integers(1, 99), st.integers(1, 99))
    def check(first: int, second: int) -> None:
        assert resolved(f"{first} * v + {second} * a", {"v": "a - b"}) == {"a": first + second, "b": -first}

    check()


def sample(number: str, day: int, *, ncv: str = "25", ash: str | None = None, **other: object) -> LaboratoryRecord:
    start = START + day * US_PER_DAY
    values = {"ncv": (Fraction(ncv), "GJ/t")} | ({"moisture": (Fraction(ash), "%")} if ash else {})
    facts: dict[str, object] = {"recorded_us": start + 3 * US_PER_DAY, "chain": {}} | other
    return LaboratoryRecord(
        seq=day + 1, number=number, point="lab", period=Period(start, start + US_PER_DAY), values=values, **facts
    )


def test_the_mean_is_weighted_where_every_record_says_how_much() -> None:
    period = Period(START, START + 3 * US_PER_DAY)
    weighted = [sample("1", 0, ncv="20", weight_t=Fraction(1)), sample("2", 1, ncv="26", weight_t=Fraction(2))]
    found = mean(weighted, "lab", "ncv", period, UNITS)
    assert found
    assert found.value == 24
    assert found.evidence == (1, 2)
    plain = mean([*weighted, sample("3", 2, ncv="26")], "lab", "ncv", period, UNITS)
    assert plain
    assert plain.value == 24
    assert mean(weighted, "lab", "ncv", Period(0, 1), UNITS) is None


def test_questions_to_a_laboratory() -> None:
    clean = [sample(str(day), day, ncv=ncv) for day, ncv in enumerate(("25.1", "24.7", "25.9", "25.2"))]
    assert doubts(clean) == []
    copied = [sample("a", 0, ncv="25.1", ash="8.2"), sample("b", 1, ncv="25.1", ash="8.2")]
    assert [each.rule for each in doubts(copied)] == ["same_values"]
    run = [sample(str(day), day, ncv=str(20 + day)) for day in range(4)]
    assert [(each.rule, each.number) for each in doubts(run)] == [("run", "3")]
    flat = [sample(str(day), day, ncv="21") for day in range(3)]
    assert [each.rule for each in doubts(flat)] == ["run"]
    late = sample("l", 0, chain={"taken_us": START, "tested_us": START + 60 * US_PER_DAY})
    wrong = sample("w", 9, ncv="7", chain={"taken_us": START, "sealed_us": START - 1})
    assert [each.rule for each in doubts([late, wrong])] == ["late_test", "chain_order"]
    together = [sample(str(day), day, ncv=str(each), recorded_us=START) for day, each in enumerate((1, 9, 4, 7, 2))]
    assert [each.rule for each in doubts(together)] == ["batch"]
    reports = [sample("a", 0, report="ff" * 32), sample("b", 1, ncv="3", report="ff" * 32)]
    assert [each.rule for each in doubts(reports)] == ["same_report"]


def entry(kind: str, document: dict[str, object], *, withdrawn: int = 0) -> Draft:
    body = {"action": f"{kind}.recorded", "actor": "a", "object": document, "reason": "", "withdrawn": withdrawn}
    return Draft(kind, "o/point/lab", START, body)


def test_laboratory_records_are_replaced_and_withdrawn_by_number(world: World) -> None:
    first = {"number": "1", "point": "lab", "from_us": 1, "to_us": 2, "values": {"ncv": ["25", "GJ/t"]}}
    world.write(entry("laboratory", first))
    then = world.seq
    world.write(entry("laboratory", {**first, "values": {"ncv": ["26", "GJ/t"]}}))
    assert [each.values["ncv"][0] for each in records(world.registry, "o")] == [26]
    assert [each.values["ncv"][0] for each in records(world.registry, "o", then)] == [25]
    world.write(entry("laboratory", first, withdrawn=1))
    assert records(world.registry, "o") == []


def test_stock_between_two_surveys(world: World) -> None:
    for day, amount in ((0, "100"), (30, "130")):
        at = START + day * US_PER_DAY
        world.write(entry("stock", {"point": "yard", "at_us": at, "amount": amount, "unit": "t"}))
    found = stock_records(world.registry, "o")
    period = Period(START, START + 30 * US_PER_DAY)
    assert stock_change(found, "yard", period, US_PER_DAY) == 30
    assert stock_change(found, "yard", Period(START, START + 10 * US_PER_DAY), US_PER_DAY) is None


EFFECTS = {"m": Effect(id="m", kind="meter", label="", u=0.005)}


def test_invoice_against_meter() -> None:
    metered = measured(Fraction(1000), ["m"])
    assert against(metered, Fraction(1009), EFFECTS).agreement is Agreement.AGREES
    assert against(metered, Fraction(1011), EFFECTS).agreement is Agreement.DIFFERS
    assert against(metered, Fraction(1000), EFFECTS, ["coverage"]).agreement is Agreement.UNDECIDED
    assert against(None, Fraction(1), EFFECTS).reasons == ("no_value",)
    assert against(measured(Fraction(1), [], unstated=["x"]), Fraction(1), EFFECTS).reasons == ("no_class",)


PEAK = {"name": "peak", "from": "08:00", "to": "12:00", "price": "1.2"}
REST = [
    {"name": "valley", "from": "00:00", "to": "08:00", "price": "0.3"},
    {"name": "flat", "from": "12:00", "to": "24:00", "price": "0.7"},
]
TARIFF = {"id": "t", "currency": "CNY", "slots": [PEAK, *REST]}


def test_cost_by_time_of_use() -> None:
    quarters = [(START + place * SETTLEMENT_WINDOW_US, Fraction(10), 0) for place in range(96)]
    found = cost([*quarters, (START, None, 1)], Tariff.of(TARIFF), ZONE)
    assert found.energy == {"valley": 320, "peak": 160, "flat": 480}
    assert found.total == 320 * Fraction("0.3") + 160 * Fraction("1.2") + 480 * Fraction("0.7")
    assert found.unpriced == 1


@pytest.mark.parametrize("slots", [REST, [PEAK, PEAK, *REST], [{**PEAK, "months": [7, 8]}, *REST]])
def test_a_tariff_has_exactly_one_price_at_any_time(slots: list[dict[str, object]]) -> None:
    with pytest.raises(TariffError, match="exactly one"):
        Tariff.of({**TARIFF, "slots": slots})


@pytest.mark.parametrize(("u", "reached"), [(0.005, 4), (0.01, 3), (0.02, 2), (0.03, 1), (0.05, None)])
def test_tiers_name_their_law(u: float, reached: int | None) -> None:
    table = shipped_accounting().tiers["eu-2018-2066"]
    limits = [decimal_fraction(each) for each in table.tiers[0].limits]
    view = tier(Figure(value=Fraction(100), unit="t", u=100 * u), limits, table.law)
    assert view.tier == reached
    assert "2018/2066" in view.law
    assert tier(Figure(value=Fraction(100), unit="t"), limits, table.law).tier is None
