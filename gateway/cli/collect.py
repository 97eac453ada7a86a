"""``meterproof collect SITE``: ask the meters, journal, seal; until stopped."""

import asyncio
import logging
import signal
import sys
from pathlib import Path

import click

from gateway.assembly.collecting import Machine, build_collector, open_collection
from gateway.assembly.loading_apart import load_site_apart
from gateway.assembly.platform import SystemClock, SystemRandom, SystemStreams, ThreadCommitter
from gateway.assembly.site_loading import AssembledSite
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.journal.selftest import measure_sync_latency
from gateway.ports import Clock

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@click.command("collect")
@click.argument("site", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Data folder; default: the one the site file names.")
@click.pass_obj
def command(language: str, site: Path, data: Path | None) -> None:
    """Collect from the meters of a site until stopped. 采集站点各表计，直到停止。"""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(message)s")
    assembled = load_site_apart(site, language=language)
    folder = data or assembled.data_folder
    click.echo(
        text(
            language,
            "Collecting %(devices)s devices at %(endpoints)s endpoints into %(folder)s.",
            devices=len(assembled.devices),
            endpoints=len(assembled.endpoints),
            folder=str(folder),
        ),
        err=True,
    )
    sites = [assembled]
    del assembled
    asyncio.run(_collect(sites, folder, language))
    click.echo(text(language, "Stopped; everything read is committed and sealed."), err=True)


async def _collect(sites: list[AssembledSite], folder: Path, language: str) -> None:
    """``sites`` holds one site and is emptied: a large site's documents are not kept while it is collected."""
    committer = ThreadCommitter()
    try:
        machine = Machine(SystemClock(), SystemRandom(), SystemStreams(), committer, language)
        with open_collection(sites.pop(), folder, machine.clock) as collection:
            _say_sync_latency(collection.folder, machine.clock, language)
            collector = build_collector(collection, machine)
            loop = asyncio.get_running_loop()
            for each in STOP_SIGNALS:
                loop.add_signal_handler(each, collector.stop)
            await collector.run()
    finally:
        committer.close()


def _say_sync_latency(folder: DataFolder, clock: Clock, language: str) -> None:
    """The start-up self-test: a disk that does not really sync, or is very slow, should be known before it matters."""
    latency = measure_sync_latency(folder, clock)
    message = "The disk syncs in %(median)s µs (worst of %(rounds)s: %(worst)s µs)."
    facts = {"median": latency.median_us, "worst": latency.worst_us, "rounds": latency.rounds}
    click.echo(text(language, message, **facts), err=True)
