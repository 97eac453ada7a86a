"""A born folder with an open journal, and the vectors of an implementation that is not ours."""

import json
import time
from pathlib import Path

import pytest

from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal


class FakeClock:
    """UTC stands still until moved."""

    def __init__(self, start_us: int = 1_764_000_000_000_000) -> None:
        self.now_us = start_us

    def utc_us(self) -> int:
        return self.now_us

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    async def sleep(self, duration_s: float) -> None:
        raise NotImplementedError


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def folder(tmp_path: Path, clock: FakeClock) -> DataFolder:
    return DataFolder.create(
        tmp_path / "plant",
        organisation="demo-cement",
        site="works",
        time_zone="Asia/Shanghai",
        simulated=True,
        clock=clock,
    )


@pytest.fixture
def journal(folder: DataFolder):
    with Journal.open(folder) as opened:
        yield opened


@pytest.fixture(scope="session")
def vectors() -> dict:
    return json.loads((Path(__file__).parents[3] / "cases/journal/tree.json").read_text("utf-8"))
