"""The site of every world: five endpoints of four meters, each a node (a parent and its three children)."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import yaml

from gateway.assembly.plugins import is_listening
from gateway.assembly.site_loading import AssembledSite, load_assembled_site
from simulators.modbus.framing import MBAP, RTU, Framing
from tests.simulation.broker import SimulatedBroker, SimulatedMqtt

PERIOD_S = 900
MEMBERS = 4
ELECTRICITY = "meterproof/electricity-meter"
FLOAT_METER = "meterproof/electricity-meter-float"
BELT = "meterproof/belt-scale"
CLINKER = "meterproof/clinker-scale"
MESSAGE = "meterproof-mqtt/energy-meter-json"
BROKER = "e4"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a profile measures: flow and index (measurand, channel id, decimals), where its index rolls over."""

    flow: str
    index: str
    channel: str
    decimals: int
    modulus: float | None
    electric: bool = False


KINDS: Mapping[str, Kind] = {
    ELECTRICITY: Kind("active_power", "active_energy_import", "active_energy_import", 2, 1e6, electric=True),
    FLOAT_METER: Kind("active_power", "active_energy_import", "active_energy_import", 3, None, electric=True),
    BELT: Kind("belt_flow", "belt_mass", "belt_mass", 2, 1e7),
    CLINKER: Kind("belt_flow", "product_mass", "product_mass", 2, 1e10),
    MESSAGE: Kind("active_power", "active_energy_import", "energy_import", 2, 1e6),
}
ENDPOINTS: tuple[tuple[str, Framing | None, tuple[str, ...]], ...] = (
    ("e0", MBAP, (ELECTRICITY, ELECTRICITY, ELECTRICITY, FLOAT_METER)),
    ("e1", MBAP, (ELECTRICITY, ELECTRICITY, FLOAT_METER, ELECTRICITY)),
    ("e2", RTU, (BELT,) * MEMBERS),
    ("e3", RTU, (BELT, CLINKER, BELT, BELT)),
    (BROKER, None, (MESSAGE,) * MEMBERS),
)
"""e0: Modbus TCP; e1: Modbus TCP with one socket; e2: RTU on a serial line; e3: RTU through a socket; e4: MQTT."""

CONNECTIONS = {
    "e0": {"host": "sim", "port": 1, "timeout_ms": 1_000},
    "e1": {"host": "sim", "port": 2, "timeout_ms": 1_000},
    "e2": {"transport": "rtu", "path": "/dev/e2", "timeout_ms": 1_000, "baud": 19_200},
    "e3": {"transport": "rtu_over_tcp", "host": "sim", "port": 4, "timeout_ms": 1_000},
    BROKER: {"host": "sim"},
}


def device_name(endpoint: str, member: int) -> str:
    """``m0-1`` is the first member of e0: the parent of its node."""
    return f"m{endpoint[1:]}-{member}"


def topic_of(device: str) -> str:
    """Where a pushed meter publishes."""
    return f"sim/{device}"


def profiles() -> dict[str, str]:
    """Profile by device."""
    return {
        device_name(endpoint, member): profile
        for endpoint, _, members in ENDPOINTS
        for member, profile in enumerate(members, 1)
    }


def site_with(broker: SimulatedBroker) -> AssembledSite:
    """The site, its broker simulated."""
    site = _assembled()
    endpoints = []
    for each in site.endpoints:
        if is_listening(each.driver):
            endpoints.append(replace(each, driver=SimulatedMqtt(each.driver, {each.id: broker})))
        else:
            endpoints.append(each)
    return replace(site, endpoints=tuple(endpoints))


@cache
def _assembled() -> AssembledSite:
    devices = [
        {
            "id": device_name(endpoint, member),
            "endpoint": endpoint,
            "profile": profile,
            "address": {"topic": topic_of(device_name(endpoint, member))} if framing is None else {"unit": member},
        }
        for endpoint, framing, members in ENDPOINTS
        for member, profile in enumerate(members, 1)
    ]
    names = {"zh": "模拟世界", "en": "Simulated world"}
    document = {
        "meterproof": 1,
        "organisation": {"id": "o", "name": names},
        "site": {"id": "s", "name": dict(names)},
        "simulated": True,
        "schedule": {"period_s": PERIOD_S},
        "endpoints": [
            {"id": name, "protocol": "mqtt" if framing is None else "modbus", "connection": CONNECTIONS[name]}
            for name, framing, _ in ENDPOINTS
        ],
        "devices": devices,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "site.yaml"
        path.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
        return load_assembled_site(path)
