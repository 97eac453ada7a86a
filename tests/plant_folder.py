"""A small data folder made through the real journal and projections, for tests of queries and pages.

Two electricity meters (an intake with CT and PT, a mill whose certificate expired), a kiln that must be measured
and has no meter, 26 hours of readings every five minutes with a gap of an hour at the mill. The intake counts
15 kWh a period on its meter side, at CT·PT 200/5 · 35000/100 = 14 000: 45 · 14 000 = 630 000 kWh in a quarter hour.
"""

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.assembly.projecting import Projection
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_S, parse_iso
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.recording import object_draft

ORGANISATION = "probe-works"
START = parse_iso("2026-03-09T16:00:00Z")  # midnight of 10 March in Shanghai
NOW = START + 26 * US_PER_HOUR + 7 * US_PER_MINUTE
PERIOD_US = 300 * US_PER_S
INTAKE_STEP = 15_00  # 15.00 kWh a period, meter side, in hundredths: 0.05 kWh a second
RATIO = 14_000
QUARTER_KWH = 45 * RATIO  # 3 periods of 15 kWh
GAP_FROM = START + 10 * US_PER_HOUR
GAP_TO = START + 11 * US_PER_HOUR


@dataclass
class FixedClock:
    """A clock that stands still."""

    at_us: int = NOW

    def utc_us(self) -> int:
        return self.at_us

    def monotonic_ns(self) -> int:
        return self.at_us * 1000

    async def sleep(self, duration_s: float) -> None:
        del duration_s


def build_folder(path: Path, *, simulated: bool = True) -> DataFolder:
    """Make the folder, project it, and give it back."""
    clock = FixedClock(START - 300 * US_PER_DAY)
    folder = DataFolder.create(
        path, organisation=ORGANISATION, site="main", time_zone="Asia/Shanghai", simulated=simulated, clock=clock
    )
    with Journal.open(folder) as journal:
        journal.append([_site_entry(), *_ledger_entries()])
        seqs = {name: journal.append([_configuration(name, unit)])[0] for name, unit in (("intake", 1), ("mill", 2))}
        journal.append(_readings(seqs))
    clock.at_us = NOW
    projection = Projection(folder, clock)
    try:
        while projection.step().applied:
            pass
    finally:
        projection.close()
    return folder


def _site_entry() -> Draft:
    site = {
        "organisation": {"id": ORGANISATION, "name": {"zh": "样例水泥厂", "en": "Probe Works"}},
        "site": {"id": "main", "name": {"zh": "主厂区", "en": "Main site"}, "time_zone": "Asia/Shanghai"},
    }
    return Draft("configuration", f"{ORGANISATION}/site/main", START, {"site": site, "hash": "00", "software": "test"})


def _configuration(name: str, unit: int) -> Draft:
    channels = [
        _channel("active_energy_import", "active_energy_import", "kWh", "cumulative", 2, modulus=10**8),
        _channel("active_power", "active_power", "kW", "instantaneous", 3),
    ]
    plan = {
        "v": 1,
        "protocol": "modbus",
        "requests": [{"unit": unit, "function": 3, "address": 100, "count": 4}],
        "fields": [
            _field("active_energy_import", 0, "uint", order="CDAB", decimals=2, denominator=100),
            _field("active_power", 4, "int", decimals=3, denominator=1000),
        ],
    }
    body = {
        "device": {
            "id": name,
            "endpoint": "bus-1",
            "protocol": "modbus",
            "profile": "probe/meter",
            "profile_sha256": "ab" * 32,
            "address": {"unit": unit},
            "pushed": 0,
        },
        "groups": {
            "energy": {
                "period_us": PERIOD_US,
                "offset_us": 0,
                "identity": 0,
                "channels": channels,
                "plan": plan,
            }
        },
        "hash": "00",
        "software": "test",
    }
    return Draft("configuration", f"{ORGANISATION}/device/{name}", START, body)


def _channel(
    id_: str, measurand: str, unit: str, kind: str, decimals: int, modulus: int | None = None
) -> dict[str, Any]:
    return {
        "id": id_,
        "measurand": measurand,
        "unit": unit,
        "kind": kind,
        "decimals": decimals,
        "modulus": modulus,
        "minimum": None,
        "maximum": None,
        "primary": 0,
    }


def _field(
    channel: str, offset: int, type_: str, *, decimals: int, denominator: int, order: str = "A"
) -> dict[str, Any]:
    field: dict[str, Any] = {"channel": channel, "request": 0, "offset": offset, "length": 4, "type": type_}
    field |= {"denominator": denominator, "decimals": decimals}
    return field if order == "A" else {**field, "order": order}


def intake_words(index: int) -> str:
    """The intake's four registers after ``index`` periods, in hexadecimal: energy low word first, then power 180 kW."""
    energy = 1_000_000 + index * INTAKE_STEP
    return f"{energy & 0xFFFF:04X}{energy >> 16:04X}{180_000:08X}"


def _readings(seqs: dict[str, int]) -> list[Draft]:
    drafts = []
    for index in range((NOW - START) // PERIOD_US + 1):
        slot = START + index * PERIOD_US
        for name in ("intake", "mill"):
            common = {"group": "energy", "slot": slot, "cfg": seqs[name]}
            subject = f"{ORGANISATION}/device/{name}"
            if name == "mill" and GAP_FROM < slot < GAP_TO:
                body = {**common, "outcome": "timeout", "code": 0, "detail": ""}
                drafts.append(Draft("miss", subject, slot + 2 * US_PER_S, body))
                continue
            raw = intake_words(index) if name == "intake" else f"{(500 + index * 7) & 0xFFFF:04X}0000{42_000:08X}"
            body = {
                **common,
                "sent": slot,
                "received": slot,
                "outcome": "ok",
                "raw": [b64encode(bytes.fromhex(raw)).decode()],
                "findings": [["counter.rollover", "active_energy_import", {"step": 7}]]
                if name == "mill" and index == 40
                else [],
                "rules": "1",
                "registry": 1,
            }
            drafts.append(Draft("poll", subject, slot, body))
    return drafts


def _ledger_entries() -> list[Draft]:
    def made(record: str, id_: str, from_us: int | None = None, to_us: int | None = None, /, **fields: Any) -> Draft:
        return object_draft(
            record,
            ORGANISATION,
            id_,
            fields,
            at_us=START,
            from_us=from_us,
            to_us=to_us,
            actor="custodian",
            reason="first ledger",
            source=f"{record}s.csv:2",
        )

    intake = {"name_zh": "总进线", "name_en": "Main intake", "energy_kind": "electricity", "level": 1, "compulsory": 1}
    meter = {"kind": "electricity_meter", "maker": "Probe", "cycle_months": 72}
    old = START - 200 * US_PER_DAY
    return [
        made("point", "P-01", **intake, required_class="0.5S"),
        made("point", "P-02", name_zh="生料磨", name_en="Raw mill", energy_kind="electricity", level=2, parent="P-01"),
        made(
            "point",
            "P-03",
            name_zh="回转窑主机",
            name_en="Kiln drive",
            energy_kind="electricity",
            level=3,
            parent="P-01",
        ),
        made("instrument", "M-01", name="关口电能表", model="PM-5", serial="100001", accuracy_class="0.2S", **meter),
        made("instrument", "M-02", name="磨机电能表", model="PM-3", serial="100002", accuracy_class="1", **meter),
        made(
            "instrument",
            "CT-01",
            name="电流互感器",
            kind="current_transformer",
            serial="C1",
            ratio_primary="200",
            ratio_secondary="5",
        ),
        made("standard", "S-01", name="三相电能表标准装置", certificate_number="国量标 77", valid_until="2028-01-01"),
        made(
            "certificate",
            "V-2025-1",
            kind="verification",
            instrument="M-01",
            serial="100001",
            result="pass",
            laboratory="省计量院",
            performed_on="2025-04-01",
            valid_until="2031-03-31",
            error_percent="0.08",
            uncertainty_percent="0.04",
            coverage_factor="2",
            standards="S-01",
        ),
        made(
            "certificate",
            "V-2019-9",
            kind="verification",
            instrument="M-02",
            serial="100002",
            result="pass",
            performed_on="2019-06-01",
            valid_until="2025-05-31",
        ),
        made(
            "installation",
            "I-01",
            old,
            point="P-01",
            instrument="M-01",
            device="intake",
            channel="active_energy_import",
            ct_ratio="200/5",
            pt_ratio="35000/100",
            seal="F-7731",
            people="张工",
            opening_index="12.00",
        ),
        made(
            "installation",
            "I-02",
            old,
            point="P-02",
            instrument="M-02",
            device="mill",
            channel="active_energy_import",
            ct_ratio="100/5",
        ),
        made("installation", "I-03", old, point="P-01", instrument="CT-01", role="ct"),
    ]
