"""A small works with a stack and a metered node, made through the real journal and projections.

Ten days of readings every quarter of an hour, each at its slot: a kiln's coal and clinker scales, a stack analyser
whose concentration reads 8 % high from the sixth day on, and a feeder with three meters under it, one of which
counts 6 % too much. The stack's CO2 is what both scales say: 2.2 t a tonne of coal, 0.53 a tonne of clinker.
"""

import json
from base64 import b64encode
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from gateway.assembly.projecting import Projection
from gateway.domain.time import US_PER_DAY, US_PER_MINUTE, parse_iso
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.recording import object_draft
from tests.plant_folder import FixedClock

ORGANISATION = "stack-works"
START = parse_iso("2026-03-09T16:00:00Z")  # midnight of 10 March in Shanghai
DAYS = 10
DRIFT_DAY = 5
DRIFT = 1.08
METER_ERROR = 1.06
STEP_US = 15 * US_PER_MINUTE
SLOTS = DAYS * 96
NOW = START + DAYS * US_PER_DAY + 10 * US_PER_MINUTE
CO2_KG_M3 = 2.0
AREA_M2 = 16.0
GAS = ("co2", "velocity", "temperature", "pressure", "moisture", "oxygen")
METERS = ("feeder", "mill", "fan", "pumps")
SCALES = ("coal", "clinker")
PLAN = f"""
stack_plan: 1
title: test stack
stacks:
  - id: kiln
    name: {{zh: 窑尾烟囱, en: kiln stack}}
    pack: eu-2018-2066
    point: stack
    device: stack
    channels:
      {{co2: co2, velocity: velocity, temperature: temperature, pressure: pressure, moisture: moisture, oxygen: oxygen}}
    area_m2: "{AREA_M2}"
    basis: dry
    co2_density_kg_m3: "{CO2_KG_M3}"
    sources: [coal, clinker]
    uncertainty:
      {{co2_percent: "1", velocity_percent: "1", area_percent: "0.5", moisture_points: "0.2", temperature_k: "1",
        pressure_kpa: "0.1", scatter_percent: "1"}}
    substitution_u_percent: "10"
    reference: {{from: "2026-03-10", to: "2026-03-13", reason: after the accuracy test}}
"""
ACCOUNTING = """
accounting_plan: 1
title: test works
pack: cets-cement-2024
coefficients: gbt2589-2020
sources:
  - id: coal
    name: coal
    kind: fuel_mass
    amount: coal
    parameters:
      carbon_per_unit: {value: "0.6", unit: tC/t, reason: analysis, u_percent: "1"}
      oxidation: {value: "100", unit: "%", reason: analysis, u_percent: "0.1"}
  - id: clinker
    name: clinker
    kind: clinker
    amount: clinker
    parameters:
      cao: {value: "65", unit: "%", reason: analysis, u_percent: "0.3"}
      mgo: {value: "1.5", unit: "%", reason: analysis, u_percent: "2"}
"""
COAL_CO2 = 0.6 * 44 / 12
CLINKER_CO2 = 0.65 * 44 / 56 + 0.015 * 44 / 40


def build_stack_folder(path: Path) -> DataFolder:
    """Make the folder, project it, and give it back."""
    clock = FixedClock(START - 30 * US_PER_DAY)
    folder = DataFolder.create(
        path, organisation=ORGANISATION, site="main", time_zone="Asia/Shanghai", simulated=True, clock=clock
    )
    series = _series()
    with Journal.open(folder) as journal:
        journal.append([_site(), *_ledger()])
        seqs = {name: journal.append([_configuration(name)])[0] for name in ("stack", *SCALES, *METERS)}
        for first in range(0, SLOTS + 1, 200):
            journal.append(_polls(series, seqs, range(first, min(first + 200, SLOTS + 1))))
    project(folder, NOW)
    return folder


def project(folder: DataFolder, at_us: int) -> None:
    """Apply everything in the journal."""
    projection = Projection(folder, FixedClock(at_us))
    try:
        while projection.step().applied:
            pass
    finally:
        projection.close()


def _series() -> dict[str, list[tuple[int, ...]]]:
    """Registers of every device by slot, as scaled integers."""
    chance = np.random.default_rng(5)
    steps = np.arange(SLOTS)
    clinker = 52.0 + 3 * np.sin(steps / 60) + chance.normal(0, 0.3, SLOTS)  # t a quarter hour
    coal = clinker * (0.14 + 0.0005 * chance.normal(size=SLOTS))
    co2_kg_s = (coal * COAL_CO2 + clinker * CLINKER_CO2) * 1_000 / 900
    air = 0.9 + 0.1 * np.sin(steps / 17)  # per undiluted gas
    undiluted = co2_kg_s / CO2_KG_M3 / 0.30  # m³/s: 30 % CO2 without air
    dry = undiluted * (1 + air)
    drift = np.where(steps >= DRIFT_DAY * 96, DRIFT, 1.0)
    gas = {
        "co2": 100 * co2_kg_s / CO2_KG_M3 / dry * drift,
        "velocity": dry / 0.92 * (273.15 + 100) / 273.15 / AREA_M2,
        "temperature": np.full(SLOTS, 100.0),
        "pressure": np.zeros(SLOTS),
        "moisture": np.full(SLOTS, 8.0),
        "oxygen": 20.95 * undiluted * air / dry,
    }
    found = {
        "stack": [tuple(round(1_000 * float(gas[name][min(at, SLOTS - 1)])) for name in GAS) for at in range(SLOTS + 1)]
    }
    found |= {name: _index(flow, 1_000) for name, flow in (("coal", coal), ("clinker", clinker))}
    loads = [
        np.abs(base + swing * np.sin(steps / 96 * 2 * np.pi + phase) + chance.normal(0, 4, SLOTS))
        for base, swing, phase in ((60, 30, 0), (40, 25, 2), (30, 20, 4))
    ]
    whole = sum(loads)
    found["feeder"] = _index(whole + 0.01 * whole**2 / whole.mean(), 1_000)
    for name, load, error in zip(METERS[1:], loads, (1.0, METER_ERROR, 1.0), strict=True):
        found[name] = _index(load * error, 1_000)
    return found


def _index(flow: Any, scale: int) -> list[tuple[int, ...]]:
    total = np.concatenate([[0.0], np.cumsum(flow)])
    return [(1_000_000 + int(each * scale),) for each in total]


def _polls(series: dict[str, list[tuple[int, ...]]], seqs: dict[str, int], slots: range) -> list[Draft]:
    drafts = []
    for at in slots:
        slot = START + at * STEP_US
        for name, values in series.items():
            raw = b"".join(value.to_bytes(4, "big", signed=True) for value in values[at])
            body = {
                "group": "fast",
                "slot": slot,
                "cfg": seqs[name],
                "sent": slot,
                "received": slot,
                "outcome": "ok",
                "raw": [b64encode(raw).decode()],
                "findings": [],
                "rules": "1",
                "registry": 1,
            }
            drafts.append(Draft("poll", f"{ORGANISATION}/device/{name}", slot, body))
    return drafts


def _site() -> Draft:
    site = {
        "organisation": {"id": ORGANISATION, "name": {"zh": "烟囱水泥厂", "en": "Stack Works"}},
        "site": {"id": "main", "name": {"zh": "主厂区", "en": "Main site"}, "time_zone": "Asia/Shanghai"},
    }
    return Draft("configuration", f"{ORGANISATION}/site/main", START, {"site": site, "hash": "00", "software": "test"})


def _configuration(name: str) -> Draft:
    if name == "stack":
        channels = [_channel(each, each, "%" if each in {"co2", "oxygen"} else "1", "instantaneous") for each in GAS]
    elif name in SCALES:
        channels = [_channel("mass", "belt_mass", "t", "cumulative")]
    else:
        channels = [_channel("energy", "active_energy_import", "kWh", "cumulative")]
    fields = [
        {"channel": each["id"], "request": 0, "offset": 4 * at, "length": 4, "type": "int", "denominator": 1_000,
         "decimals": 3}
        for at, each in enumerate(channels)
    ]  # fmt: skip
    request = {"unit": 1, "function": 3, "address": 100, "count": 2 * len(channels)}
    plan = {"v": 1, "protocol": "modbus", "requests": [request], "fields": fields}
    group = {"period_us": STEP_US, "offset_us": 0, "identity": 0, "channels": channels, "plan": plan}
    device = {
        "id": name,
        "endpoint": "bus-1",
        "protocol": "modbus",
        "profile": "probe/any",
        "profile_sha256": "ab" * 32,
    }
    body = {
        "device": {**device, "address": {"unit": 1}, "pushed": 0},
        "groups": {"fast": group},
        "hash": "00",
        "software": "test",
    }
    return Draft("configuration", f"{ORGANISATION}/device/{name}", START, body)


def _channel(id_: str, measurand: str, unit: str, kind: str) -> dict[str, Any]:
    return {
        "id": id_, "measurand": measurand, "unit": unit, "kind": kind, "decimals": 3,
        "modulus": 10**9 if kind == "cumulative" else None, "minimum": None, "maximum": None, "primary": 0,
    }  # fmt: skip


def _ledger() -> list[Draft]:
    drafts = []

    def put(kind: str, id_: str, from_us: int | None = None, /, **fields: Any) -> None:
        said = {"actor": "custodian", "reason": "first ledger", "source": "test"}
        drafts.append(object_draft(kind, ORGANISATION, id_, fields, at_us=START, from_us=from_us, to_us=None, **said))

    kinds = {"coal": "coal", "clinker": "product", "stack": "carbon_dioxide"}
    for name in ("stack", *SCALES, *METERS):
        parent = "feeder" if name in METERS[1:] else ""
        put(
            "point",
            name,
            name_zh=name,
            name_en=name,
            energy_kind=kinds.get(name, "electricity"),
            level=2,
            parent=parent,
        )
        accuracy = {"stack": "2", "coal": "0.5", "clinker": "0.5", "feeder": "0.2S"}.get(name, "1")
        put("instrument", f"m-{name}", kind="other", serial=f"S-{name}", accuracy_class=accuracy)
        channel = "" if name == "stack" else "mass" if name in SCALES else "energy"
        put(
            "installation",
            f"i-{name}",
            START - US_PER_DAY,
            point=name,
            instrument=f"m-{name}",
            device=name,
            channel=channel,
        )
    return drafts


def day(number: int) -> str:
    """The civil day with that number, 0 the first."""
    return (date(2026, 3, 10) + timedelta(days=number)).isoformat()


def document(text: str) -> Any:
    """What a command printed as JSON."""
    return json.loads(text.splitlines()[-1])
