"""A small plant whose every figure can be worked out by hand: two projections written by entries, nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.accounting_catalogues import shipped_accounting
from gateway.accounting.inputs import Inputs, gather
from gateway.accounting.plan import FIELD, PLAN_ID
from gateway.assembly.accounting_loading import factor_sets, units_of
from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_DAY, US_PER_S, Period, parse_iso
from gateway.journal.entry import Draft, Entry
from gateway.registry.recording import object_draft
from gateway.registry.writing import RegistryProjection
from gateway.settlement.query import Settlement
from gateway.settlement.store import CounterChannel, CounterGroup, SettlementProjection

ZONE = ZoneInfo("Asia/Shanghai")
START = parse_iso("2026-01-01T00:00:00+08:00")
DAY = Period(START, START + US_PER_DAY)
SHIPPED = shipped_accounting()
UNITS = units_of(SHIPPED)
OWN = {
    "catalogue": "fuels",
    "edition": "own table",
    "sha256": "0" * 64,
    "factors": [
        ["fuel/own/coal/ncv", "25", "GJ/t", "原文", "own table", "1.5", None],
        ["fuel/own/coal/carbon", "0.026", "tC/GJ", "原文", "own table", "2", None],
        ["fuel/own/coal/oxidation", "98", "%", "原文", "own table", "0.5", None],
    ],
}
GRID = "grid/2023/average/全国"
BY_GRID = {"factor": {"factor": GRID}}
COAL = {
    "ncv": {"laboratory": "coal-lab", "property": "ncv", "default": "fuel/own/coal/ncv", "u_percent": "0.6"},
    "carbon": {"factor": "fuel/own/coal/carbon"},
    "oxidation": {"factor": "fuel/own/coal/oxidation"},
}
CLINKER = {
    "cao": {"value": "65", "unit": "%", "reason": "analysis", "u_percent": "0.3"},
    "mgo": {"value": "1.5", "unit": "%", "reason": "analysis", "u_percent": "2"},
}
PLAN: dict[str, Any] = {
    "accounting_plan": 1,
    "title": "plan",
    "pack": "cets-cement-2024",
    "coefficients": "gbt2589-2020",
    "virtual_points": [{"id": "net", "name": "net", "energy_kind": "electricity", "formula": "gross - own"}],
    "sources": [
        {"id": "coal", "name": "coal", "kind": "fuel_heat", "amount": "coal-kiln", "parameters": COAL},
        {"id": "clinker", "name": "clinker", "kind": "clinker", "amount": "clinker", "parameters": CLINKER},
        {"id": "bought", "name": "b", "kind": "electricity_in", "amount": "intake", "parameters": BY_GRID},
        {"id": "sold", "name": "s", "kind": "electricity_out", "amount": "sold", "parameters": BY_GRID},
    ],
    "products": [{"id": "clinker", "name": "clinker", "amount": "clinker"}],
    "uncertainties": [{"factor": GRID, "u_percent": "5", "reason": "estimate"}],
}
# point: (energy kind, level, direction, parent, process, unit, thousandths a quarter hour, class)
POINTS = {
    "intake": ("electricity", 1, "in", "", "", "kWh", 1_000_000, "0.5"),
    "sold": ("electricity", 1, "out", "", "", "kWh", 100_000, "0.5"),
    "kiln": ("electricity", 2, "internal", "intake", "burning", "kWh", 600_000, "1"),
    "kiln-fan": ("electricity", 3, "internal", "kiln", "burning", "kWh", 200_000, "1"),
    "mill": ("electricity", 2, "internal", "intake", "grinding", "kWh", 300_000, "1"),
    "gross": ("electricity", 2, "internal", "", "waste heat", "kWh", 50_000, "0.5"),
    "own": ("electricity", 3, "internal", "gross", "waste heat", "kWh", 5_000, "0.5"),
    "coal-kiln": ("coal", 1, "in", "", "", "t", 2_000, "0.5"),
    "clinker": ("product", 2, "internal", "", "", "t", 14_000, "0.5"),
}


class World:
    """Writes entries into both projections."""

    def __init__(self, path: Path) -> None:
        self.registry = RegistryProjection.open(path / "registry.sqlite")
        self.store = SettlementProjection.open(path / "settlement.sqlite", ZONE)
        self._path = path
        self.seq = 0
        self.installation: dict[str, int] = {}

    def write(self, draft: Draft) -> int:
        self.seq += 1
        encoded = draft.encode()
        self.registry.begin()
        self.registry.apply_fact(Entry(self.seq, draft.at_us, draft.kind, draft.subject, encoded.body_bytes))
        self.registry.commit(self.seq)
        return self.seq

    def object(self, kind: str, id_: str, document: dict[str, Any], from_us: int | None = None) -> int:
        said = {"actor": "a", "reason": "r", "source": "s"}
        return self.write(
            object_draft(kind, "o", id_, document, at_us=START + self.seq, from_us=from_us, to_us=None, **said)
        )

    def settle(self, values: dict[str, int | None], start: int, count: int, revision: int = 0, **row: Any) -> None:
        self.store.begin()
        for place in range(count):
            window = start + place * SETTLEMENT_WINDOW_US
            self.seq += 1
            rows = [
                [
                    point,
                    "energy",
                    self.installation.get(point),
                    None if energy is None else 0,
                    energy,
                    energy,
                    row.get("coverage", 1000),
                    "missing" if energy is None else row.get("method", "measured"),
                    3 if energy is None else 0,
                    1,
                    1,
                    None,
                    None,
                    None,
                    None,
                ]
                for point, energy in values.items()
            ]
            body = {"from": window, "to": window + SETTLEMENT_WINDOW_US, "revision": revision, "registry": 1}
            self.store.apply(self.seq, "o", body | {"chunk": 0, "chunks": 1, "rows": rows})
        self.store.commit(self.seq)

    def plan(self, document: dict[str, Any]) -> int:
        return self.object("document", PLAN_ID, {"title": "plan", "kind": "other", FIELD: document})

    def inputs(self, period: Period = DAY, known_seq: int | None = None) -> Inputs:
        settlement = Settlement.open(self._path / "settlement.sqlite", self.registry)
        try:
            return gather(self.registry, settlement, "o", period, units=UNITS, zone=ZONE, known_seq=known_seq)
        finally:
            settlement.close()

    def settlement(self) -> Settlement:
        return Settlement.open(self._path / "settlement.sqlite", self.registry)

    def close(self) -> None:
        self.store.close()
        self.registry.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    for point, (kind, level, direction, parent, process, unit, _, accuracy) in POINTS.items():
        document = {"energy_kind": kind, "level": level, "direction": direction, "parent": parent, "process": process}
        made.object("point", point, document)
        made.object("instrument", f"m-{point}", {"accuracy_class": accuracy, "kind": "electricity_meter"})
        fitted = {"point": point, "instrument": f"m-{point}", "device": point, "role": "meter", "channel": "energy"}
        made.installation[point] = made.object("installation", f"i-{point}", fitted, from_us=START)
        channel = CounterChannel("energy", 0, 0, None, False, "active_energy_import", unit)
        made.store.configure(CounterGroup("o", point, "main", 300 * US_PER_S, 1, (channel,)))
    for id_, document in {**factor_sets(SHIPPED), "own": OWN}.items():
        made.object("factor_set", id_, document)
    made.plan(PLAN)
    made.settle({point: facts[6] for point, facts in POINTS.items()}, START, 96)
    yield made
    made.close()
