"""Seeded worlds: the real gateway on virtual time, with simulated meters, network, broker, disk and sink.

``METERPROOF_SEEDS`` says how many, ``METERPROOF_FIRST_SEED`` where they begin; a failing seed prints its number, is run
alone with ``METERPROOF_SEED`` and then stands in ``tests/cases/simulation/seeds.yaml`` with what it showed.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.campaign import share
from tests.simulation.run import live
from tests.simulation.scoring import CERTAIN, EXEMPT, Score

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(7_000)]

SEEDS = int(os.environ.get("METERPROOF_SEEDS", share(1_000, 100)))
FIRST = int(os.environ.get("METERPROOF_FIRST_SEED", "0"))
ONLY = os.environ.get("METERPROOF_SEED")
CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "simulation" / "seeds.yaml").read_text("utf-8"))
ENOUGH = 20
"""Planted so often, a kind is held to its rate; below it one miss would decide."""


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: the simulated disk is the one under test."""
    base = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="meterproof-world-", dir=base if os.access(base, os.W_OK) else None))
    yield folder
    shutil.rmtree(folder)


def test_seeds(memory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    total = Score()
    seeds = [int(ONLY)] if ONLY else range(FIRST, FIRST + SEEDS)
    for seed in seeds:
        _, own = live(seed, memory)
        total.add(own)
    with capsys.disabled():
        print(f"\n{len(seeds)} worlds, {total.table()}")
    for kind, planted in total.planted.items():
        if kind in CERTAIN:
            assert total.seen[kind] == planted, (kind, total.missed[kind])
        elif kind not in EXEMPT and planted >= ENOUGH:
            # with few planted the rate itself scatters: two in twenty may be missed, at most one in twenty of many
            assert total.seen[kind] >= 0.95 * planted - 1, (kind, total.missed[kind])
    assert sum(total.false_alarms.values()) <= max(1.0, total.clean_meter_years), total.false_alarms
    assert total.healthy_lost <= 0.05 * total.healthy_slots
    if len(seeds) >= 1_000:
        rare = {kind: count for kind, count in total.planted.items() if count < 200 and kind not in EXEMPT}
        assert len(total.planted) - len(rare) >= 20, rare
        assert total.meter_years >= 60.0


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["seed"]))
def test_a_seed_that_failed_once_holds(case: dict[str, object], memory: Path) -> None:
    assert isinstance(case["seed"], int)
    live(case["seed"], memory)


@pytest.mark.parametrize("seed", [7, 18])  # in the world of 18 several timers fall due at one instant
def test_seeds_are_repeatable(seed: int, memory: Path) -> None:
    """Twice the same journal, byte by byte, and the same points in the sink."""
    first, second = (live(seed, memory / each)[0] for each in ("a", "b"))
    assert first.digest == second.digest
