"""Small stand-ins for the ports, and a born folder."""

import asyncio
import time
from pathlib import Path

import pytest

from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal


class FakeClock:
    """UTC starts at a fixed instant and moves when told; waiting is real but short."""

    def __init__(self, start_us: int = 1_764_000_000_000_000) -> None:
        self.now_us = start_us

    def utc_us(self) -> int:
        return self.now_us

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    async def sleep(self, duration_s: float) -> None:
        await asyncio.sleep(duration_s)


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
