import asyncio

from gateway.assembly.archiving import archiving
from gateway.assembly.platform import SystemClock
from gateway.journal.archive import Archive
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.sealing.sealer import Sealer

DAY_US = 86_400_000_000


class PastClock:
    """A fixed instant."""

    def __init__(self, at_us: int) -> None:
        self.at_us = at_us

    def utc_us(self) -> int:
        return self.at_us

    def monotonic_ns(self) -> int:
        return 0

    async def sleep(self, duration_s: float) -> None:
        raise NotImplementedError


async def test_finished_days_are_closed_while_the_gateway_works(tmp_path):
    past = PastClock(20_000 * DAY_US)
    folder = DataFolder.create(tmp_path / "d", organisation="o", site="s", time_zone="UTC", simulated=True, clock=past)
    with Journal.open(folder) as journal:
        for day in range(4):
            journal.append([Draft("event", "o/site/s", (20_000 + day) * DAY_US + 5, {"action": "x"})])
        Sealer(folder, past).seal(journal)
    async with archiving(folder, SystemClock()):
        for _ in range(200):
            if len({file.day for file in Archive(folder.archive).files}) == 3:
                break
            await asyncio.sleep(0.02)
    days = {file.day for file in Archive(folder.archive).files}
    assert days == {"2024-10-04", "2024-10-05", "2024-10-06"}
    with Journal.open(folder) as journal:
        assert [entry.seq for entry in journal.read(0)] == list(range(1, journal.head() + 1))


async def test_a_held_lock_is_no_trouble(tmp_path):
    folder = DataFolder.create(
        tmp_path / "d", organisation="o", site="s", time_zone="UTC", simulated=True, clock=PastClock(1)
    )
    with folder.hold_lock("archive"):
        async with archiving(folder, SystemClock()):
            await asyncio.sleep(0.05)
    assert Archive(folder.archive).files == []
