"""A6: what a reading costs with 10 and with 1 000 meters, and after a day and after three years of history."""

import json
import subprocess
import sys
from statistics import median

from benchmarks.result import Result

SPREAD = 0.20
MEMORY_SPREAD = 0.20
RUNS = 3


def measure() -> list[Result]:
    """Each case runs in processes of its own, in turns; the median counts."""
    few, many = _turns((10, 1), (1_000, 0))
    young, old = _turns((1, 1), (1, 3 * 365), runs=1)
    return [
        _cost("CPU per reading, 1 000 meters beside 10", many, few),
        _cost("CPU per reading, three years of history beside a day", old, young),
        Result(
            "A6",
            "memory, three years of history beside a day",
            old["mib"],
            "MiB",
            young["mib"],
            young["mib"] * (1.0 + MEMORY_SPREAD),
            old["mib"] <= young["mib"] * (1.0 + MEMORY_SPREAD),
            "PSS of collecting and projecting in one process; history: hourly polls of one meter, settled",
        ),
    ]


def _turns(*cases: tuple[int, int], runs: int = RUNS) -> list[dict[str, float]]:
    found: list[list[dict[str, float]]] = [[] for _ in cases]
    for _ in range(runs):
        for results, (meters, days) in zip(found, cases, strict=True):
            command = [sys.executable, "-m", "benchmarks._growth", str(meters), str(days)]
            done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
            results.append(json.loads(done.stdout.splitlines()[-1]))
    return [{key: median(each[key] for each in results) for key in ("us", "mib")} for results in found]


def _cost(name: str, grown: dict[str, float], small: dict[str, float]) -> Result:
    ratio = grown["us"] / small["us"]
    return Result(
        "A6",
        name,
        grown["us"],
        "µs",
        small["us"],
        small["us"] * (1.0 + SPREAD),
        ratio <= 1.0 + SPREAD,
        f"ratio {ratio:.2f}; decode, rules, journal (commits of 250), projection, settlement; 40 values a poll",
    )
