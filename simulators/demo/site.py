"""The demo's site file."""

from collections.abc import Mapping
from typing import Any

import yaml

from simulators.demo.places import FITTED
from simulators.demo.pushing import ENDPOINT, address

ORGANISATION = "demo-cement"
HOST = "127.0.0.1"
LIVE_PERIOD_S = 5

_HEADER = """\
# 演示水泥厂：全部为模拟数据。 A simulated cement works: nothing in it is real.
# Written by `meterproof demo`; ports are chosen anew when one of them is taken.
"""

MODBUS_ENDPOINTS = tuple(dict.fromkeys(place.endpoint for place in FITTED if place.endpoint != ENDPOINT))
"""Modbus endpoints in the order of the site file."""


def site_document(ports: Mapping[str, int]) -> dict[str, Any]:
    """The site file as a document, for the ports really used."""
    endpoints: list[dict[str, Any]] = [
        {
            "id": endpoint,
            "protocol": "modbus",
            "connection": {"transport": "tcp", "host": HOST, "port": ports[endpoint], "timeout_ms": 500},
        }
        for endpoint in MODBUS_ENDPOINTS
    ]
    broker = {"host": HOST, "port": ports[ENDPOINT], "client_id": "meterproof-demo"}
    endpoints.append({"id": ENDPOINT, "protocol": "mqtt", "connection": broker})
    devices = []
    for place in FITTED:
        device: dict[str, Any] = {"id": place.device, "endpoint": place.endpoint, "profile": place.profile}
        device["address"] = address(place) if place.endpoint == ENDPOINT else {"unit": place.unit}
        if place.period_s is not None:
            device["period_s"] = place.period_s
        devices.append(device)
    return {
        "meterproof": 1,
        "organisation": {
            "id": ORGANISATION,
            "name": {"zh": "演示水泥有限公司（模拟）", "en": "Demo Cement Co. (simulated)"},
        },
        "site": {
            "id": "works",
            "name": {"zh": "演示熟料与粉磨基地", "en": "Demo clinker and grinding works"},
            "time_zone": "Asia/Shanghai",
        },
        "simulated": True,
        "data": ".",
        "schedule": {"period_s": LIVE_PERIOD_S},
        "endpoints": endpoints,
        "devices": devices,
    }


def site_text(ports: Mapping[str, int]) -> str:
    """The site file as it is written."""
    return _HEADER + yaml.safe_dump(site_document(ports), allow_unicode=True, sort_keys=False, width=120)
