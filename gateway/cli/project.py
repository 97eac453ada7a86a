"""``meterproof project SITE``: keep the projections of a data folder up to date, settle and judge; until stopped."""

import asyncio
import logging
import signal
import sys
from contextlib import AbstractAsyncContextManager, nullcontext
from importlib.metadata import entry_points
from pathlib import Path

import click

from gateway.assembly.archiving import archiving
from gateway.assembly.loading_apart import load_site_apart
from gateway.assembly.platform import SystemClock, SystemRandom, ThreadCommitter
from gateway.assembly.projecting import Projection
from gateway.assembly.rebuilding import FolderBeside, rebuild
from gateway.assembly.rebuilding_facts import rebuild_from_facts
from gateway.assembly.site_loading import AssembledSite
from gateway.assembly.upkeep import SeriesUpkeep
from gateway.domain.errors import OutdatedProjectionError
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.ports import Clock

_LOG = logging.getLogger(__name__)
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
IDLE_S = 0.5
WAIT_FOR_BIRTH_S = 60.0
SINK_GROUP = "meterproof.sinks"


@click.command("project")
@click.argument("site", type=click.Path(path_type=Path), required=False)
@click.option("--data", type=click.Path(path_type=Path), help="Data folder; default: the one the site file names.")
@click.option("--once", is_flag=True, help="Stop when everything in the journal is projected, settled and judged.")
@click.pass_obj
def command(language: str, *, site: Path | None, data: Path | None, once: bool) -> None:
    """Project the journal: series, ledger, settlement, verdicts. 由日志生成各投影。"""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(message)s")
    if site is None and data is None:
        raise click.UsageError(text(language, "name a site file or a data folder"))
    assembled = None if site is None else load_site_apart(site, language=language)
    path = data
    if path is None and assembled is not None:
        path = assembled.data_folder
    assert path is not None, "one of the two was named"
    site_to_serve = assembled if assembled is not None and _names_sinks(assembled) else None
    del assembled  # a plant's documents are large, and only couriers need them
    asyncio.run(_project(path, site_to_serve, once=once, language=language))


async def _project(path: Path, site: AssembledSite | None, *, once: bool, language: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in STOP_SIGNALS:
        loop.add_signal_handler(each, stop.set)
    clock = SystemClock()
    if not once:
        await _wait_for_birth(path, clock, stop)
    if stop.is_set():
        return
    folder = DataFolder.open(path)
    committer = ThreadCommitter()
    try:
        with folder.hold_lock("project"):
            FolderBeside.of(folder).sweep()  # of a rebuild that was killed; nothing else ever would
            projection = await committer.run(lambda: _current(folder, clock, stop, language))
            upkeep = await committer.run(lambda: SeriesUpkeep(folder, projection.projector))
            couriers = nullcontext() if once or site is None else _couriers(site, folder, clock)
            try:
                async with couriers, nullcontext() if once else archiving(folder, clock):
                    while not stop.is_set():
                        progress = await committer.run(projection.step)
                        kept = await committer.run(upkeep.step)
                        if progress.applied == 0 and kept == 0:
                            if once:
                                break
                            await clock.sleep(IDLE_S)
            finally:
                await committer.run(upkeep.close)
                await committer.run(projection.close)
    except _Stopped:
        return  # the old projections stay, and it is begun anew at the next start
    finally:
        committer.close()


class _Stopped(Exception):  # noqa: N818  # a stop is no error
    """The operator stopped the program while projections were built again."""


def _current(folder: DataFolder, clock: Clock, stop: asyncio.Event, language: str) -> Projection:
    """The projections; those of another version are built again from the journal first, as an upgrade needs it."""
    try:
        return Projection(folder, clock)
    except OutdatedProjectionError as error:
        path = str(error.facts.get("path", folder.path))
        sentence = "%(path)s was written by another version; projections are now built again from the journal"
        _LOG.warning(text(language, sentence, path=path))

    def going_on(done: int, head: int) -> None:
        del done, head
        if stop.is_set():
            raise _Stopped

    # a million polls a day need not be read again where only ledger or intervals are kept differently now
    count = rebuild_from_facts(folder, going_on)
    if count is None:
        count = rebuild(folder, clock, going_on)
    _LOG.warning(text(language, "%(count)s entries projected.", count=count))
    return Projection(folder, clock)


def _names_sinks(site: AssembledSite) -> bool:
    """Whether the site file has the section of an installed sink, told without loading any: they bear one name."""
    return any(getattr(site.file, point.name, None) is not None for point in entry_points(group=SINK_GROUP))


def _couriers(site: AssembledSite, folder: DataFolder, clock: Clock) -> AbstractAsyncContextManager[None]:
    from gateway.assembly.delivering import delivering  # noqa: PLC0415  # an HTTP client is 15 MB nobody else needs

    return delivering(site, folder, clock, SystemRandom())


async def _wait_for_birth(path: Path, clock: Clock, stop: asyncio.Event) -> None:
    """Collection gives birth to the folder; started together, it may need a moment."""
    waited_s = 0.0
    while not (path / "journal.sqlite").is_file() and waited_s < WAIT_FOR_BIRTH_S and not stop.is_set():
        await clock.sleep(IDLE_S)
        waited_s += IDLE_S
