"""A data folder just born, its journal open, a clock that stands still until it is moved, and the tree's vectors."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.time import US_PER_DAY
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal

START_US = 1_764_000_000_000_000 // US_PER_DAY * US_PER_DAY


@dataclass
class MovableClock:
    """UTC moves when told; nobody waits on it."""

    now_us: int = START_US

    def utc_us(self) -> int:
        return self.now_us

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    async def sleep(self, duration_s: float) -> None:
        raise AssertionError("nothing here may wait on the clock")


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(1_764_000_000_000_000)


@pytest.fixture
def folder(tmp_path: Path, clock: MovableClock) -> DataFolder:
    return DataFolder.create(
        tmp_path / "plant",
        organisation="demo-cement",
        site="works",
        time_zone="Asia/Shanghai",
        simulated=True,
        clock=clock,
    )


@pytest.fixture
def journal(folder: DataFolder) -> Iterator[Journal]:
    with Journal.open(folder) as opened:
        yield opened


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    """Of an implementation that is not ours."""
    return json.loads((Path(__file__).parent / "cases/journal/tree.json").read_text("utf-8"))
