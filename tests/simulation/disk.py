"""A simulated disk: slow, stalled, full, broken, and torn by a power cut."""

import asyncio
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from errno import EIO, ENOSPC
from pathlib import Path
from typing import Any

SLOW_WRITES = 0.15
SECTOR_BYTES = 512
JOURNAL = ("journal.sqlite", "journal.sqlite-wal")


class SimulatedDiskError(OSError):
    """The disk is full, or broke."""


@dataclass
class SimulatedDisk:
    """Committer of gateway.ports. ``failing`` is an errno while writes are refused; ``cutting``: the next commit is on
    its way when the power goes, so whoever waits for it never hears of it."""

    chance: random.Random
    journal: Path
    stalled_until_s: float = 0.0
    failing: int = 0
    cutting: bool = False
    unsynced: tuple[int, int] | None = None
    commits: int = 0
    refused: int = 0
    _never: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, work: Callable[[], Any]) -> Any:
        """Do the work when the disk lets us."""
        loop = asyncio.get_running_loop()
        if (wait_s := self.stalled_until_s - loop.time()) > 0:
            await asyncio.sleep(wait_s)
        if self.chance.random() < SLOW_WRITES:
            await asyncio.sleep(self.chance.uniform(0.0005, 0.2))
        if self.failing:
            self.refused += 1
            raise SimulatedDiskError(self.failing, "no space left" if self.failing == ENOSPC else "input/output error")
        if self.cutting:
            before = self._wal_bytes()
            work()
            self.unsynced = (before, self._wal_bytes())
            await self._never.wait()
        self.commits += 1
        return work()

    def _wal_bytes(self) -> int:
        with suppress(FileNotFoundError):
            return self.journal.with_name(JOURNAL[1]).stat().st_size
        return 0

    def take_image(self, folder: Path, image: Path) -> None:
        """What is on the disk at this instant, in a folder of its own. Writes that nobody had synced are torn: the
        write-ahead log ends somewhere in them, mid-sector garbage at its end; the state file, which is never synced, is
        cut anywhere."""
        shutil.copytree(folder, image, ignore=shutil.ignore_patterns("*-shm", "locks"))
        if self.unsynced is not None and (image / JOURNAL[1]).exists():
            first, last = self.unsynced
            if first < last:
                kept = self.chance.randrange(first, last)
                with (image / JOURNAL[1]).open("r+b") as log:
                    log.truncate(kept)
                    log.seek(max(first, kept - kept % SECTOR_BYTES))
                    log.write(self.chance.randbytes(self.chance.randrange(SECTOR_BYTES)))
        state = image / "state" / "acquisition.json"
        if state.exists() and self.chance.random() < 0.5:
            written = state.read_bytes()
            state.write_bytes(written[: self.chance.randrange(len(written) + 1)])
        self.unsynced, self.cutting = None, False

    @staticmethod
    def put_back(image: Path, folder: Path) -> None:
        """The machine starts again with what was on the disk."""
        shutil.rmtree(folder)
        image.rename(folder)


FAILURES = {"full": ENOSPC, "broken": EIO}
