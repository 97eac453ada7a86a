"""A small sealed data folder with everything in it: closed days, a rotation, documents, a hot tail."""

import hashlib
import random
import struct
from dataclasses import dataclass, field
from pathlib import Path

from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.sealing.archivist import Archivist
from gateway.sealing.sealer import Sealer
from tests.born_folder import START_US, MovableClock

PERIOD_US = 900_000_000
DEVICES = ("kiln", "mill")
DOCUMENT = b"%PDF-1.4 a certificate of verification\n"


@dataclass
class Plant:
    """The folder, its clock, its first key and the checkpoints that were handed out."""

    folder: DataFolder
    clock: MovableClock
    key: str = ""
    handed_out: list[bytes] = field(default_factory=list)
    configurations: dict[str, int] = field(default_factory=dict)


def plan(unit: int) -> dict:
    fields = [
        {"channel": "energy", "request": 0, "offset": 0, "length": 4, "type": "uint", "denominator": 10, "decimals": 1},
        {"channel": "power", "request": 0, "offset": 4, "length": 4, "type": "float", "decimals": 3},
    ]
    requests = [{"unit": unit, "function": 3, "address": 0, "count": 4}]
    return {"v": 1, "protocol": "modbus", "requests": requests, "fields": fields}


def configuration(device: str, unit: int, at_us: int) -> Draft:
    channels = [
        {"id": "energy", "measurand": "active_energy_import", "unit": "kWh", "kind": "cumulative", "decimals": 1},
        {"id": "power", "measurand": "active_power", "unit": "kW", "kind": "instantaneous", "decimals": 3},
    ]
    extra = {"modulus": 2**32, "minimum": None, "maximum": None, "primary": 0}
    group = {
        "period_us": PERIOD_US,
        "offset_us": 0,
        "identity": 0,
        "channels": [each | extra for each in channels],
        "plan": plan(unit),
    }
    body = {"device": {"id": device, "protocol": "modbus"}, "groups": {"main": group}, "hash": "x", "software": "test"}
    return Draft("configuration", f"works/device/{device}", at_us, body)


def poll(device: str, cfg: int, slot_us: int, register: int, rng: random.Random) -> Draft:
    body = {
        "group": "main",
        "slot": slot_us,
        "sent": slot_us + 1_000,
        "received": slot_us + 40_000,
        "cfg": cfg,
        "outcome": "ok",
        "raw": [struct.pack(">If", register, rng.uniform(100, 900))],
        "findings": [],
        "rules": "1",
        "registry": 0,
    }
    return Draft("poll", f"works/device/{device}", slot_us + 40_000, body)


def build(path: Path, *, days: int = 1, tail: int = 3) -> Plant:
    """Make the folder: ``days`` closed days, then half a day hot, the last ``tail`` entries not sealed."""
    rng = random.Random(5)
    clock = MovableClock()
    folder = DataFolder.create(
        path, organisation="works", site="plant", time_zone="Asia/Shanghai", simulated=True, clock=clock
    )
    plant = Plant(folder, clock)
    with Journal.open(folder) as journal:
        sealer = Sealer(folder, clock)
        sealer.seal(journal)
        plant.key = sealer.vkey
        for unit, device in enumerate(DEVICES, 1):
            (plant.configurations[device],) = journal.append([configuration(device, unit, clock.now_us)])
        digest = hashlib.sha256(DOCUMENT).hexdigest()
        (folder.blobs / digest).write_bytes(DOCUMENT)
        certificate = {"number": "CD-2025-001", "document": digest, "title": "检定证书"}
        facts = {"object": certificate, "from": 0, "to": None, "actor": "custodian", "reason": "", "source": ""}
        journal.append([Draft("certificate", "works/certificate/c1", clock.now_us, facts | {"withdrawn": 0})])
        slots = days * 96 + 48
        for number in range(slots):
            slot = START_US + (number + 1) * PERIOD_US
            clock.now_us = slot + 50_000
            drafts = [poll(device, plant.configurations[device], slot, 1000 + number * 7, rng) for device in DEVICES]
            journal.append(drafts)
            if number % 24 == 11:
                checkpoint_of_now = sealer.seal(journal)
                assert checkpoint_of_now.size == journal.head()
            if number == slots // 2:
                sealer.rotate(journal, actor="custodian", reason="yearly")
                plant.handed_out.append((folder.seal / "checkpoint").read_bytes())
        sealer.seal(journal)
        Archivist(folder, journal, clock).close_days()
        sealer.seal(journal)
        plant.handed_out.append((folder.seal / "checkpoint").read_bytes())
        for number in range(tail):
            journal.append([Draft("event", folder.site_subject, clock.now_us + number, {"action": "probe"})])
    return plant
