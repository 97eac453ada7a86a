"""Couriers of a data folder: one a sink that the site file names, running beside the projections."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from gateway.assembly.projecting import load_plan
from gateway.assembly.site_loading import AssembledSite
from gateway.delivery.courier import Courier, SinkHeldError
from gateway.delivery.influx.query import QueryError
from gateway.delivery.influx.sink import InfluxSink
from gateway.delivery.port import Sink, SinkContext, SinkPlugin
from gateway.delivery.reconciliation import Reconciliation, Report
from gateway.delivery.state import CourierState
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, Period, floor_to, iso
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.ports import Clock, Random
from gateway.projection.channels import ChannelDirectory
from gateway.projection.feed import JournalFeed
from gateway.series.store import SeriesStore

SINK_GROUP = "meterproof.sinks"
RESTART_S = 30.0
VERIFY_AFTER_US = US_PER_HOUR  # late readings of a day come in its first hour after
VERIFY_EVERY_S = 900.0

_log = logging.getLogger(__name__)


@cache
def sink_plugins() -> dict[str, SinkPlugin]:
    """Every installed sink by name."""
    return {point.name: point.load() for point in entry_points(group=SINK_GROUP)}


def sink_blocks(site: AssembledSite) -> dict[str, Mapping[str, Any]]:
    """The sinks the site file names, with their blocks; relative files stand beside the site file."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, plugin in sorted(sink_plugins().items()):
        section = getattr(site.file, plugin.section, None)
        if section is not None:
            block = section.model_dump(exclude_none=True)
            found[name] = {
                key: str(site.path.parent / value) if key.endswith("_file") else value for key, value in block.items()
            }
    return found


def open_sink(site: AssembledSite, name: str, clock: Clock, language: str = "en") -> Sink:
    """A sink by name; ConfigurationError when a secret is missing."""
    context = SinkContext(site=site.file.site.id, clock=clock, environment=os.environ, language=language)
    return sink_plugins()[name].open(sink_blocks(site)[name], context)


def courier_state(folder: DataFolder, name: str, *, read_only: bool = False) -> CourierState:
    """The state file of a sink's courier."""
    return CourierState(folder.state / f"courier-{name}.sqlite", read_only=read_only)


class Delivery:
    """The parts that every courier of a folder shares: journal, series and channels, open for reading."""

    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self.journal = Journal.open(folder, read_only=True)
        self.series = SeriesStore(folder.series, organisation=folder.organisation, read_only=True)
        self.channels = ChannelDirectory(self.journal)

    def courier(self, site: AssembledSite, name: str, clock: Clock, random: Random) -> Courier:
        """A courier of one sink with a feed of its own."""
        feed = JournalFeed(self.journal, load_plan, self.series, self.channels)
        sink = open_sink(site, name, clock)
        return Courier(feed, sink, courier_state(self.folder, name), clock=clock, random=random)

    def close(self) -> None:
        """Close every file; idempotent."""
        self.series.close()
        self.journal.close()


@asynccontextmanager
async def delivering(site: AssembledSite, folder: DataFolder, clock: Clock, random: Random) -> AsyncIterator[None]:
    """Couriers at work while the context is open. A fault in one stops neither the others nor the projections."""
    delivery = Delivery(folder)
    tasks = [
        asyncio.create_task(work, name=f"sink {name}")
        for name in sink_blocks(site)
        for work in (_run(delivery, site, name, clock, random), _verify_daily(delivery, site, name, clock))
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        delivery.close()


async def verify_day(delivery: Delivery, sink: InfluxSink, state: CourierState, clock: Clock, day: Period) -> Report:
    """Compare one UTC day by totals and keep the result in the courier's state. QueryError when it cannot be asked."""
    return await Reconciliation(delivery.series, sink, state, delivery.channels.layout, clock).run(day)


async def _verify_daily(delivery: Delivery, site: AssembledSite, name: str, clock: Clock) -> None:
    """Read back each day once it is over: what was sent and written is verified, or somebody hears of it."""
    sink = open_sink(site, name, clock)
    if not isinstance(sink, InfluxSink):
        return  # it cannot be asked
    state = courier_state(delivery.folder, name)
    done_us = 0
    try:
        while True:
            start_us = floor_to(clock.utc_us() - VERIFY_AFTER_US, US_PER_DAY) - US_PER_DAY
            day = Period(start_us, start_us + US_PER_DAY)
            if start_us > done_us and not state.verified(day.start_us, day.end_us):
                try:
                    report = await verify_day(delivery, sink, state, clock, day)
                    done_us = start_us
                    if report.differences:
                        count = len(report.differences)
                        _log.warning("%s differs from the journal on %s: %s series", name, iso(start_us)[:10], count)
                except QueryError as error:
                    _log.warning("%s cannot be read back: %s", name, error)
            await clock.sleep(VERIFY_EVERY_S)
    finally:
        await sink.close()
        state.close()


async def _run(delivery: Delivery, site: AssembledSite, name: str, clock: Clock, random: Random) -> None:
    while True:
        courier = None
        try:
            courier = delivery.courier(site, name, clock, random)
            await courier.run()
        except SinkHeldError as error:
            # opened again, it reads secrets and settings anew
            _log.warning("the courier of '%s' is held: %s", name, error)
        except Exception:  # noqa: BLE001  # whatever it is, it is logged and the courier begins again at its cursor
            _log.exception("the courier of '%s' stopped; it starts again in %.0f s", name, RESTART_S)
        finally:
            if courier is not None:
                await courier.close()
        await clock.sleep(RESTART_S)
