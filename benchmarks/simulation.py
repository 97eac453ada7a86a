"""J5 and the scorecard: seeded worlds, what they cost on one core, and how well each fault kind was seen.

``METERPROOF_BENCH_SEEDS`` says how many (40); a thousand are the campaign (``make simulate-seeds N=1000``).
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.result import Result
from tests.simulation.run import live
from tests.simulation.scoring import CERTAIN, EXEMPT, Score

SEEDS = int(os.environ.get("METERPROOF_BENCH_SEEDS", "40"))
ALL_SEEDS = 1_000
LIMIT_MIN = 15.0
METER_YEARS = 60.0
PLANTED_EACH = 200
KINDS = 20


def measure() -> Iterator[Result]:
    """Live the seeds; every invariant holds or this raises."""
    shared = Path("/dev/shm")  # the simulated disk is the one under test
    total, cpu_s = Score(), 0.0
    base = shared if os.access(shared, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="meterproof-world-", dir=base) as folder:
        live(0, Path(folder))  # what is loaded and compiled once is not part of a seed
        for seed in range(SEEDS):
            lived, own = live(seed, Path(folder))
            total.add(own)
            cpu_s += lived.cpu_s
    print(f"{SEEDS} worlds, {total.table()}")
    times = ALL_SEEDS / SEEDS
    minutes = cpu_s * times / 60.0
    yield Result(
        "J5",
        "1 000 seeds on one core",
        minutes,
        "min CPU",
        None,
        LIMIT_MIN,
        minutes <= LIMIT_MIN,
        f"from {SEEDS} seeds, {cpu_s / SEEDS:.2f} s each: gateway, projections, courier and every check included",
    )
    years = total.meter_years * times
    yield Result("J5", "meter-years in 1 000 seeds", years, "", None, METER_YEARS, years >= METER_YEARS)
    often = [kind for kind, count in total.planted.items() if count * times >= PLANTED_EACH and kind not in EXEMPT]
    yield Result(
        "J5",
        f"fault kinds planted {PLANTED_EACH} times or more in 1 000 seeds",
        len(often),
        "",
        None,
        KINDS,
        len(often) >= KINDS,
        f"as projected from {SEEDS} seeds",
    )
    yield from _scorecard(total)


def _scorecard(total: Score) -> Iterator[Result]:
    sure = [total.rate(kind) for kind in CERTAIN if total.planted[kind]]
    yield Result(
        "J5", "least rate of forged edit, foreign answer, sentinel, silence, duplicate", min(sure), "", None, 1.0,
        min(sure) >= 1.0, f"{sum(total.planted[kind] for kind in CERTAIN)} planted",
    )  # fmt: skip
    others = {kind: total.rate(kind) for kind in total.planted if kind not in {*CERTAIN, *EXEMPT}}
    worst = min(others, key=others.__getitem__)
    planted = sum(total.planted[kind] for kind in others)
    seen = sum(total.seen[kind] for kind in others)
    yield Result(
        "J5", "rate of all other kinds together", seen / planted, "", None, 0.95, seen >= 0.95 * planted,
        f"least: {worst} {others[worst]:.2%} of {total.planted[worst]}",
    )  # fmt: skip
    alarms, years = sum(total.false_alarms.values()), total.clean_meter_years
    yield Result(
        "J5", "false alarms per meter-year without a fault", alarms / years, "", None, 1.0, alarms <= max(1.0, years),
        f"{alarms} in {years:.1f} meter-years",
    )  # fmt: skip
    for kind in EXEMPT:
        if total.planted[kind]:
            note = f"exempt; {total.planted[kind]} planted"
            yield Result("J5", f"seen: {kind}", total.rate(kind), "", note=note)
