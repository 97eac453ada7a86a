"""A site of meters of 40 float32 in one block, as several benchmarks read it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

CHANNELS = 40


def write_site(
    folder: Path,
    measurand: Callable[[int], str],
    *,
    decimals: int,
    period_s: int,
    endpoints: list[dict[str, Any]],
    meters: list[tuple[str, int]],
) -> Path:
    """The site file with its profile. ``measurand`` by the channel's place; ``meters``: endpoint and unit of each."""
    channels = [
        {"id": f"c{n}", "measurand": measurand(n), "decimals": decimals, "source": {"address": 2 * n, "type": "f32"}}
        for n in range(CHANNELS)
    ]
    profile = {
        "profile": 1,
        "id": "bench/float40",
        "protocol": "modbus",
        "maker": "Bench",
        "model": "Float40",
        "name": {"zh": "基准", "en": "bench"},
        "document": {"title": "benchmark", "confidence": "推断"},
        "options": {"space": "holding"},
        "groups": [{"id": "all", "channels": channels}],
    }
    (folder / "profiles" / "bench").mkdir(parents=True)
    (folder / "profiles" / "bench" / "float40.yaml").write_text(yaml.safe_dump(profile, allow_unicode=True))
    site = {
        "meterproof": 1,
        "organisation": {"id": "bench", "name": {"zh": "基准", "en": "Bench"}},
        "site": {"id": "bench", "name": {"zh": "基准", "en": "Bench"}},
        "simulated": True,
        "profiles": "profiles",
        "schedule": {"period_s": period_s},
        "endpoints": [{"protocol": "modbus", **each} for each in endpoints],
        "devices": [
            {"id": f"m{n}", "endpoint": endpoint, "profile": "bench/float40", "address": {"unit": unit}}
            for n, (endpoint, unit) in enumerate(meters)
        ],
    }
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site, allow_unicode=True))
    return path
