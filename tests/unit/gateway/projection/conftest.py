import base64
import struct

import pytest

from gateway.assembly.projecting import Projection
from gateway.domain.time import US_PER_DAY, US_PER_MINUTE, US_PER_S, parse_iso
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.recording import record_object

T0 = parse_iso("2026-10-18T00:00:00+08:00")
ORG = "works"


class FixedClock:
    def __init__(self, at_us):
        self.at_us = at_us

    def utc_us(self):
        return self.at_us


class Works:
    """A simulated folder written entry by entry; polled devices hold an energy register and a power."""

    def __init__(self, path):
        self.clock = FixedClock(T0)
        self.folder = DataFolder.create(
            path, organisation=ORG, site="s", time_zone="Asia/Shanghai", simulated=True, clock=self.clock
        )
        self.journal = Journal.open(self.folder)
        self.cfg = {}
        self.projection = None

    def device(self, name, *, modulus=10**8, pushed=0, primary=0, period_s=300):
        channels = [
            channel("e", "active_energy_import", "kWh", "cumulative", modulus, primary),
            channel("p", "active_power", "kW", "instantaneous", None, 0),
        ]
        identity = [
            channel("sn", "serial_number", "1", "text", None, 0),
            channel("ct", "ct_ratio", "1", "instantaneous"),
        ]
        plan = {
            "v": 1,
            "protocol": "modbus",
            "requests": [{"unit": 1, "function": 3, "address": 0, "count": 4}],
            "fields": [
                {
                    "channel": "e",
                    "request": 0,
                    "offset": 0,
                    "length": 4,
                    "type": "uint",
                    "numerator": 1,
                    "denominator": 100,
                }
                | {"decimals": 2},
                {
                    "channel": "p",
                    "request": 0,
                    "offset": 4,
                    "length": 4,
                    "type": "uint",
                    "numerator": 1,
                    "denominator": 100,
                }
                | {"decimals": 2},
            ],
        }
        groups = {
            "main": {
                "period_us": period_s * US_PER_S,
                "offset_us": 0,
                "identity": 0,
                "channels": channels,
                "plan": plan,
            },
            "who": {"period_us": US_PER_DAY, "offset_us": 0, "identity": 1, "channels": identity, "plan": None},
        }
        protocol = "mqtt" if pushed else "modbus"
        device = {"id": name, "endpoint": "x", "protocol": protocol, "profile": "a/b", "profile_sha256": ""}
        device |= {"address": {}, "pushed": pushed}
        body = {"device": device, "groups": groups, "hash": "", "software": "test"}
        self.cfg[name] = self.journal.append([Draft("configuration", f"{ORG}/device/{name}", self.clock.at_us, body)])[
            0
        ]

    def poll(self, name, slot_us, energy, power=0, *, delay_us=US_PER_S, findings=()):
        raw = base64.b64encode(struct.pack(">II", energy, power)).decode()
        body = {
            "group": "main",
            "slot": slot_us,
            "sent": slot_us,
            "received": slot_us + delay_us,
            "cfg": self.cfg[name],
        }
        body |= {"outcome": "ok", "raw": [raw], "findings": list(findings), "rules": "1", "registry": 0}
        return Draft("poll", f"{ORG}/device/{name}", slot_us + delay_us, body)

    def miss(self, name, slot_us, outcome="timeout"):
        body = {"group": "main", "slot": slot_us, "cfg": self.cfg[name], "outcome": outcome, "code": 0, "detail": ""}
        return Draft("miss", f"{ORG}/device/{name}", slot_us + US_PER_S, body)

    def message(self, name, at_us, values, *, group="main", received_us=None):
        sample = {"device": name, "group": group, "cfg": self.cfg[name], "at": at_us, "device_time": at_us}
        sample |= {"slot": at_us // (300 * US_PER_S) * 300 * US_PER_S, "values": values, "quality": [0] * len(values)}
        sample |= {"findings": []}
        body = {"topic": "t", "payload": "", "qos": 1, "retained": 0, "received": received_us or at_us, "findings": []}
        return Draft("message", f"{ORG}/endpoint/b", received_us or at_us, body | {"samples": [sample]})

    def weighbridge(self, name):
        channels = [
            channel("number", "ticket_number", "1", "text"),
            {**channel("net", "ticket_net_mass", "t", "instantaneous"), "decimals": 3},
        ]
        groups = {"main": {"period_us": US_PER_DAY, "offset_us": 0, "identity": 0, "channels": channels, "plan": None}}
        device = {"id": name, "endpoint": "x", "protocol": "mqtt", "profile": "a/b", "profile_sha256": "", "pushed": 1}
        body = {"device": device | {"address": {}}, "groups": groups, "hash": "", "software": "test"}
        self.cfg[name] = self.journal.append([Draft("configuration", f"{ORG}/device/{name}", T0, body)])[0]

    def ticket(self, name, at_us, number, net_kg):
        return self.message(name, at_us, [number, net_kg])

    def entered(self, kind, point, *, withdrawn=0, **given):
        said = {"actor": "a", "reason": "", "source": "f:1", "withdrawn": withdrawn}
        return Draft(kind, f"{ORG}/point/{point}", T0, {"object": given, **said})

    def append(self, *drafts):
        return self.journal.append(drafts)

    def record(self, entry_kind, id_, /, *, at_us=T0, from_us=None, to_us=None, **fields):
        span = {"from_us": from_us, "to_us": to_us}
        said = {"actor": "a", "reason": "r", "source": "test"}
        return record_object(self.journal, entry_kind, ORG, id_, fields, at_us=at_us, **span, **said)

    def project(self, limit=10_000):
        if self.projection is None:
            self.projection = Projection(self.folder, self.clock)
        while self.projection.step(limit).applied:
            pass
        return self.projection

    def close(self):
        if self.projection is not None:
            self.projection.close()
        self.journal.close()


def channel(id_, measurand, unit, kind, modulus=None, primary=0):
    limits = {"modulus": modulus, "minimum": None, "maximum": None, "primary": primary}
    decimals = 2 if kind == "cumulative" else 0
    return {"id": id_, "measurand": measurand, "unit": unit, "kind": kind, "decimals": decimals} | limits


@pytest.fixture
def works(tmp_path):
    made = Works(tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def another(tmp_path):
    made = Works(tmp_path / "another")
    yield made
    made.close()


def slots(minutes, count, start=T0):
    return [start + i * minutes * US_PER_MINUTE for i in range(count)]
