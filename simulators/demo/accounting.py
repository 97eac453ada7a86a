"""What the demo's energy management puts on record after the history: the accounting plan, stock surveys, an invoice.

The plan ships as ``config/examples/demo/accounting.yaml``. Surveys and invoice follow the works' own truth: the stock
is what was bought less what was burnt, the grid company's meter reads what the intake took, both as people read them.
"""

import csv
from collections.abc import Callable
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

from simulators.demo.events import tickets
from simulators.demo.plant import DemoPlant
from simulators.plant.rate import day_start_us, local_day

PLAN_FILE = "accounting.yaml"
STOCK_FILE = "stock.csv"
INVOICE_FILE = "invoices.csv"
OPENING_STOCK_T = 9_400
_SURVEY_STEP_T = 5
_GRAMS = 1_000_000
_JOULES_A_KWH = 3_600_000
_MIN_DAYS = 2
Row = dict[str, str]
Step = Callable[..., str]


def accounting_files(plant: DemoPlant) -> dict[str, list[Row]]:
    """Rows of the stock surveys and the invoice; nothing where the history is shorter than ``_MIN_DAYS`` whole days."""
    first = local_day(plant.calendar.start_us) + 1
    last = local_day(plant.calendar.born_us) - 1
    if last - first + 1 < _MIN_DAYS:
        return {}
    months = [day for day in range(first + 1, last + 1) if _date(day).day == 1]
    cuts = [first, *months, last + 1]
    stock = [
        {"point": "coal-intake", "at": _date(day).isoformat(), "amount": str(_stock_t(plant, first, day)), "unit": "t"}
        for day in cuts
    ]
    start, end = day_start_us(first), day_start_us(last + 1)
    intake = plant.works.rates["intake"]
    energy = (intake.total(end) - intake.total(start)) // _JOULES_A_KWH
    invoice = {
        "point": "el-intake",
        "number": f"DF-{_date(last):%Y%m}-0001",
        "from": f"{_date(first)} 00:00",
        "to": f"{_date(last + 1)} 00:00",
        "amount": str(energy),
        "unit": "kWh",
        "price": f"{energy * 61 // 100}.00",
        "currency": "CNY",
    }
    return {STOCK_FILE: stock, INVOICE_FILE: [invoice]}


def _stock_t(plant: DemoPlant, first: int, day: int) -> int:
    """What lies in the yard at a midnight, to the nearest five tonnes, as a survey has it."""
    clinker = plant.works.rates["clinker"]
    bought_kg = sum(each.net_kg for at in range(first, day) for each in tickets(plant.seed, clinker, at))
    coal = plant.works.rates["kiln-coal"]
    burnt_t = (coal.total(day_start_us(day)) - coal.total(day_start_us(first))) / _GRAMS
    return round((OPENING_STOCK_T + bought_kg / 1_000 - burnt_t) / _SURVEY_STEP_T) * _SURVEY_STEP_T


def write_accounting(folder: Path, rows: dict[str, list[Row]]) -> None:
    """The plan and the files beside the ledger, UTF-8 with byte-order mark."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PLAN_FILE).write_text(_shipped_plan(), encoding="utf-8")
    for name, each in rows.items():
        with (folder / name).open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.DictWriter(stream, list(each[0]))
            writer.writeheader()
            writer.writerows(each)


def put_on_record(folder: Path, data: Path, run: Step) -> None:
    """Enter them by the commands an operator uses; ``run`` takes a command's words."""
    run("account", "plan", folder / PLAN_FILE, "--data", data)
    if (folder / STOCK_FILE).is_file():
        run("account", "stock", folder / STOCK_FILE, "--data", data)
        run("enter", "invoices", folder / INVOICE_FILE, "--data", data)


def _shipped_plan() -> str:
    return (files("config") / "examples" / "demo" / PLAN_FILE).read_text(encoding="utf-8")


def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=day)
