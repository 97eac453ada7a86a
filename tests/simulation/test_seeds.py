"""Seeded worlds: the real collector, driver, rules, journal and seal; virtual time, simulated meters, network and disk.

``METERPROOF_SEEDS`` says how many; a failing seed prints its number and is run alone with ``METERPROOF_SEED``.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaign import share
from tests.simulation.checks import HARMLESS, NO_RULE, Score, check, read_journal, score
from tests.simulation.world import World

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(3_600)]

HOURS = 26.3
SEEDS = int(os.environ.get("METERPROOF_SEEDS", share(1_000, 60)))
ONLY = os.environ.get("METERPROOF_SEED")


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: the simulated disk is the one under test."""
    base = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="meterproof-world-", dir=base if os.access(base, os.W_OK) else None))
    yield folder
    shutil.rmtree(folder)


def lived(seed: int, folder: Path) -> World:
    return World(seed, HOURS, folder / f"w{seed}").run()


def test_seeds(memory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    total = Score()
    starts = 0
    seeds = [int(ONLY)] if ONLY else range(SEEDS)
    for seed in seeds:
        world = lived(seed, memory)
        journal = read_journal(world)
        check(world, journal)
        total.add(score(world, journal))
        starts += world.starts
        shutil.rmtree(world.folder)
    with capsys.disabled():
        print(f"\n{len(seeds)} worlds, {starts} starts of the gateway, {total.table()}")
    if len(seeds) >= 20:
        for kind, planted in total.planted.items():
            if kind not in NO_RULE:
                assert total.seen[kind] >= 0.95 * planted - 1, kind
        assert sum(total.false_alarms.values()) <= max(1.0, total.meter_years)
        assert total.planted.keys() >= HARMLESS or len(seeds) < 100


def test_seeds_are_repeatable(memory: Path) -> None:
    first, second = (read_journal(lived(7, memory / each)).digest for each in ("a", "b"))
    assert first == second
