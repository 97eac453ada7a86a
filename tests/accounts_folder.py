"""The small plant of ``tests.plant_folder`` with an accounting plan, weighed coal, laboratory values, an invoice, stock
and two versions of a result. Every figure can be worked out by hand.

On 10 March 2026 the intake takes 96 · 630 000 kWh = 60 480 000 kWh, the coal received is 30 t + 20 t. Grid factor
0.5306, coal 24 GJ/t (25 GJ/t by default), 0.026 tC/GJ, 98 %, so coal emits 50 · 24 · 0.026 · 0.98 · 44/12 tCO2.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

from config.accounting_catalogues import shipped_accounting
from gateway.accounting.account import account
from gateway.accounting.plan import FIELD, PLAN_ID
from gateway.accounting.results import result as result_of
from gateway.accounting.results import result_draft, step_draft
from gateway.assembly.accounting_loading import factor_sets
from gateway.assembly.projecting import Projection
from gateway.assembly.reading import open_for_reading
from gateway.audit.accounts import inputs_of
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, Period
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.recording import object_draft
from tests.plant_folder import NOW, ORGANISATION, START, FixedClock, build_folder

DAY = Period(START, START + US_PER_DAY)
INTAKE_KWH = 60_480_000
COAL_T = 50
GRID = Fraction("0.5306")
COAL_CO2 = Fraction(COAL_T) * 24 * Fraction("0.026") * Fraction("0.98") * 44 / 12
POWER_CO2 = INTAKE_KWH * GRID / 1000
GRID_ID = "grid/2023/average/全国"
PLAN: dict[str, Any] = {
    "accounting_plan": 1,
    "title": "probe plan",
    "pack": "generic-1",
    "coefficients": "gbt2589-2020",
    "standard_coal_primary": {
        "electricity": {"value": "0.3", "unit": "kgce/kWh", "reason": "stated", "u_percent": "1"}
    },
    "virtual_points": [{"id": "half", "name": "half", "energy_kind": "electricity", "formula": "0.5 * P-01"}],
    "sources": [
        {
            "id": "coal",
            "name": "Coal",
            "kind": "fuel_heat",
            "amount": "C-01",
            "parameters": {
                "ncv": {"laboratory": "C-01", "property": "ncv", "default": "fuel/own/coal/ncv", "u_percent": "0.6"},
                "carbon": {"factor": "fuel/own/coal/carbon"},
                "oxidation": {"factor": "fuel/own/coal/oxidation"},
            },
        },
        {
            "id": "bought",
            "name": "Power",
            "kind": "electricity_in",
            "amount": "P-01",
            "parameters": {"factor": {"factor": GRID_ID}},
        },
    ],
    "products": [{"id": "coal", "name": "Coal", "amount": "C-01"}],
    "stocks": [{"id": "yard", "point": "C-01", "bought": "C-01", "used": "0.9 * C-01", "unit": "t"}],
    "tariffs": [
        {
            "id": "time-of-use",
            "currency": "CNY",
            "points": ["P-01"],
            "slots": [
                {"name": "valley", "from": "00:00", "to": "08:00", "price": "0.3"},
                {"name": "flat", "from": "08:00", "to": "24:00", "price": "0.6"},
            ],
        }
    ],
    "uncertainties": [
        {"factor": GRID_ID, "u_percent": "5", "reason": "estimate"},
        {"factor": "coefficient/gbt2589-2020/raw_coal", "u_percent": "1", "reason": "estimate"},
    ],
}
CARBON = "fuel/own/coal/carbon"
OWN: dict[str, Any] = {
    "catalogue": "fuels",
    "edition": "own table",
    "sha256": "0" * 64,
    "factors": [
        ["fuel/own/coal/ncv", "25", "GJ/t", "原文", "own table", "1.5", None],
        ["fuel/own/coal/carbon", "0.026", "tC/GJ", "原文", "own table", "2", None],
        ["fuel/own/coal/oxidation", "98", "%", "原文", "own table", "0.5", None],
    ],
}


def build_accounts_folder(path: Path) -> DataFolder:
    """Make the folder, project it, record two versions of a result with a changed factor between, project again."""
    folder = build_folder(path)
    _append(folder, _drafts())
    first = _computed(folder, 1)
    _append(folder, [first])
    dearer = [
        ["fuel/own/coal/carbon", "0.027", *row[2:]] if row[0].endswith("carbon") else row for row in OWN["factors"]
    ]
    _append(folder, [_object("factor_set", "own", {**OWN, "factors": dearer})])
    _append(folder, [_computed(folder, 2)])
    with open_for_reading(folder) as reader:
        found = result_of(reader.sources.registry, ORGANISATION, "2026-03", 1)
        step = step_draft(found, ORGANISATION, "submitted", at_us=NOW, actor="manager", reason="done")
    _append(folder, [step])
    # the day is shown with the first table again
    _append(folder, [_object("factor_set", "own", OWN)])
    return folder


def _append(folder: DataFolder, drafts: list[Draft]) -> None:
    with Journal.open(folder) as journal:
        journal.append(drafts)
    projection = Projection(folder, FixedClock(NOW))
    try:
        while projection.step().applied:
            pass
    finally:
        projection.close()


def _computed(folder: DataFolder, version: int) -> Draft:
    with open_for_reading(folder) as reader:
        asking = reader.asking(NOW)
        known = reader.sources.registry.applied_seq()
        made = account(inputs_of(reader.sources, asking, DAY, known))
        return result_draft(made, "2026-03", version, known_seq=known, at_us=NOW, actor="manager", reason="month")


def _object(kind: str, id_: str, document: dict[str, Any]) -> Draft:
    said = {"actor": "manager", "reason": "r", "source": "s"}
    return object_draft(kind, ORGANISATION, id_, document, at_us=NOW, from_us=None, to_us=None, **said)


def _drafts() -> list[Draft]:
    coal = {"name_zh": "原煤进厂", "name_en": "Coal received", "energy_kind": "coal", "level": 1}
    drafts = [_object("point", "C-01", coal)]
    drafts += [_object("factor_set", id_, each) for id_, each in factor_sets(shipped_accounting()).items()]
    drafts.append(_object("factor_set", "own", OWN))
    drafts.append(_object("document", PLAN_ID, {"title": "plan", "kind": "other", FIELD: PLAN}))
    for ticket_number, (hour, net) in enumerate(((6, "30"), (15, "20")), start=1):
        ticket: dict[str, Any] = {
            "number": f"T-{ticket_number}",
            "at": START + hour * US_PER_HOUR,
            "net": net,
            "unit": "t",
        }
        drafts.append(_entered("batch", "C-01", ticket))
    invoice = {"number": "F-1", "from": DAY.start_us, "to": DAY.end_us, "amount": "60500000", "unit": "kWh"}
    drafts.append(_entered("invoice", "P-01", invoice))
    for at_us, amount in ((DAY.start_us, "100"), (DAY.end_us, "105")):
        survey: dict[str, Any] = {"point": "C-01", "at_us": at_us, "amount": amount, "unit": "t"}
        body = {"action": "stock.surveyed", "actor": "m", "object": survey, "reason": "", "withdrawn": 0}
        drafts.append(Draft("stock", f"{ORGANISATION}/point/C-01", NOW, body))
    for number, ncv in (("L-1", "23.5"), ("L-2", "24.5")):
        sample = {
            "number": number,
            "point": "C-01",
            "from_us": START,
            "to_us": START + 1,
            "values": {"ncv": [ncv, "GJ/t"]},
        }
        body = {"action": "laboratory.recorded", "actor": "l", "object": sample, "reason": "", "withdrawn": 0}
        drafts.append(Draft("laboratory", f"{ORGANISATION}/point/C-01", NOW, body))
    return drafts


def _entered(kind: str, point: str, document: dict[str, Any]) -> Draft:
    said = {"actor": "m", "reason": "", "source": f"{kind}.csv:2", "withdrawn": 0}
    return Draft(kind, f"{ORGANISATION}/point/{point}", NOW, {"object": document, **said})
