"""Close finished days while the gateway works: once an hour, in a thread of its own, a day at a time."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.assembly.platform import ThreadCommitter
from gateway.domain.errors import MeterproofError
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.ports import Clock, Committer
from gateway.sealing.archivist import Archivist

EVERY_S = 3_600.0
_log = logging.getLogger(__name__)


@asynccontextmanager
async def archiving(folder: DataFolder, clock: Clock) -> AsyncIterator[None]:
    """Close days in the background while inside; on leaving, the day under work is finished first."""
    committer = ThreadCommitter()
    stop = asyncio.Event()
    task = asyncio.create_task(_close_days(folder, clock, committer, stop), name="archiving")
    try:
        yield
    finally:
        stop.set()
        await task
        committer.close()


async def _close_days(folder: DataFolder, clock: Clock, committer: Committer, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            while not stop.is_set() and await committer.run(lambda: close_one_day(folder, clock)):
                pass
        except MeterproofError as error:
            # a full disk or a held lock: collection is not hurt, and the next hour tries again
            _log.warning("days were not archived: %s", error)
        sleep = asyncio.ensure_future(clock.sleep(EVERY_S))
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait({sleep, stopped}, return_when=asyncio.FIRST_COMPLETED)
        sleep.cancel()
        stopped.cancel()


def close_one_day(folder: DataFolder, clock: Clock) -> bool:
    """Close the oldest finished day, if any; whether there was one."""
    with folder.hold_lock("archive"), Journal.open(folder) as journal:
        return bool(Archivist(folder, journal, clock).close_days(limit=1))
