"""Kinds of sources and of parameters: heat by state, boundaries, laboratory values, what stands beside an account."""

import copy
import math
from fractions import Fraction

import pytest

from gateway.accounting.account import account
from gateway.accounting.checks import costs, invoice_checks, stock_checks
from gateway.accounting.crosschecks import Agreement
from gateway.accounting.quantities import Quantities
from gateway.domain.time import Period, parse_iso
from gateway.journal.entry import Draft
from tests.unit.gateway.accounting.by_hand import (
    CLINKER_CO2,
    COAL_CO2,
    heat_plan,
    laboratory,
    stated,
    value,
)
from tests.unit.gateway.accounting.conftest import DAY, PLAN, START, ZONE, World


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


def test_months_without_a_sample_are_said(world: World) -> None:
    world.write(laboratory("L1", "24"))
    for line in account(world.inputs()).lines.values():
        assert not any(each.startswith("unsampled") for each in line.figure.reasons)
    quarter = Period(parse_iso("2025-12-31T00:00:00+08:00"), parse_iso("2026-03-01T00:00:00+08:00"))
    made = account(world.inputs(quarter))
    assert [each.duration_us // 86_400_000_000 for each in made.inputs.months] == [1, 31, 28]
    assert "unsampled:coal-lab:ncv:2" in made.lines["carbon/source/coal"].figure.reasons
    assert made.lines["carbon/source/coal"].figure.value is not None


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


def test_a_source_counts_in_the_boundaries_it_names(world: World) -> None:
    plan = copy.deepcopy(PLAN)
    plan["sources"][0]["boundaries"] = ["enterprise"]
    world.plan(plan)
    made = account(world.inputs())
    assert value(made, "carbon/clinker/direct") == CLINKER_CO2
    assert value(made, "carbon/enterprise/direct") == CLINKER_CO2 + COAL_CO2
