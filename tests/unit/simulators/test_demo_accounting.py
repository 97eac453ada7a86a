"""The demo's accounting plan fits its ledger; what is surveyed and charged follows the works' own truth."""

from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from config.accounting_plan import load_plan
from simulators.demo.accounting import (
    INVOICE_FILE,
    PLAN_FILE,
    STOCK_FILE,
    accounting_files,
    put_on_record,
    write_accounting,
)
from simulators.demo.events import tickets
from simulators.demo.faults import Calendar
from simulators.demo.places import PLACES
from simulators.demo.plant import DemoPlant, build_plant
from simulators.plant.rate import day_start_us, local_day

BORN_US = 1_795_300_123_456_789  # 2026-11-21T22:28:43Z
EPOCH = date(1970, 1, 1)


@cache
def plant(days: int) -> DemoPlant:
    return build_plant(11, Calendar(BORN_US, days))


def test_the_plan_names_points_of_the_works_only() -> None:
    plan = load_plan(Path(str(files("config") / "examples" / "demo" / PLAN_FILE)))
    points = {place.point for place in PLACES} | {each.id for each in plan.virtual_points}
    formulas = [each.formula for each in plan.virtual_points] + [each.amount for each in plan.sources]
    formulas += [formula for each in plan.stocks for formula in (each.bought, each.used)]
    for formula in formulas:
        assert set(formula.split()) - {"+", "-", "*"} <= points
    named = {each.point for each in plan.balances} | {
        each.metered_by for each in plan.virtual_points if each.metered_by
    }
    assert named <= points
    assert plan.pack == "cets-cement-2024"


def test_generation_leaves_the_node_it_feeds() -> None:
    places = {place.point: place for place in PLACES}
    assert places["el-whr-net"].parent == "el-transformer-1"
    assert places["el-whr-net"].direction == "out"


def test_stock_is_what_was_bought_less_what_was_burnt() -> None:
    works = plant(6)
    found = accounting_files(works)[STOCK_FILE]
    start, last = (date.fromisoformat(found[place]["at"]) for place in (0, -1))
    assert start < last
    clinker = works.works.rates["clinker"]
    days = range((start - EPOCH).days, (last - EPOCH).days)
    bought = sum(each.net_kg for day in days for each in tickets(works.seed, clinker, day)) / 1_000
    coal = works.works.rates["kiln-coal"]
    burnt = (coal.total(day_start_us(days.stop)) - coal.total(day_start_us(days.start))) / 1_000_000
    change = float(found[-1]["amount"]) - float(found[0]["amount"])
    assert change == pytest.approx(bought - burnt, abs=5.1), "surveyed to five tonnes"
    assert last == EPOCH + timedelta(days=local_day(works.calendar.born_us))


def test_the_invoice_says_what_the_intake_took() -> None:
    works = plant(6)
    [invoice] = accounting_files(works)[INVOICE_FILE]
    start, end = (date.fromisoformat(invoice[name][:10]) for name in ("from", "to"))
    rate = works.works.rates["intake"]
    joules = rate.total(day_start_us((end - EPOCH).days)) - rate.total(day_start_us((start - EPOCH).days))
    assert int(invoice["amount"]) == joules // 3_600_000


def test_a_history_of_a_day_has_a_plan_and_nothing_else(tmp_path: Path) -> None:
    rows = accounting_files(plant(1))
    assert rows == {}
    write_accounting(tmp_path, rows)
    said: list[tuple[object, ...]] = []
    put_on_record(tmp_path, tmp_path, lambda *words: said.append(words) or "")
    assert [words[:2] for words in said] == [("account", "plan")]
    write_accounting(tmp_path, accounting_files(plant(6)))
    said.clear()
    put_on_record(tmp_path, tmp_path, lambda *words: said.append(words) or "")
    assert [words[:2] for words in said] == [("account", "plan"), ("account", "stock"), ("enter", "invoices")]
