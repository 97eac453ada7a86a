"""A simulated InfluxDB behind the real courier, and the projections that feed it."""

import asyncio
import gzip
import random
from dataclasses import dataclass, field
from pathlib import Path

from gateway.assembly.projecting import Projection, load_plan
from gateway.delivery.courier import Courier, CourierSettings
from gateway.delivery.influx.settings import InfluxSettings
from gateway.delivery.influx.sink import InfluxSink
from gateway.delivery.port import Answer, AnswerKind
from gateway.delivery.state import CourierState
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.ports import Clock, Random
from gateway.projection.channels import ChannelDirectory
from gateway.projection.feed import JournalFeed
from gateway.series.store import SeriesStore

LOST_ANSWERS = 0.1
ROUND_S = 8 * 3_600.0
SETTINGS = CourierSettings(idle_s=ROUND_S / 2, backoff_first_s=60.0, backoff_most_s=900.0, status_every_s=1e9)


@dataclass
class SimulatedInflux:
    """Keeps the fields by series (measurement and tags) and time, as written; the last ones stand. Transport of the
    sink."""

    chance: random.Random
    down: bool = False
    points: dict[tuple[str, int], str] = field(default_factory=dict)
    requests: int = 0
    refused: int = 0

    async def write(self, body: bytes) -> Answer:
        """Take a request, or be away, or take it and lose the answer."""
        self.requests += 1
        await asyncio.sleep(self.chance.uniform(0.001, 0.05))
        if self.down:
            self.refused += 1
            return Answer(AnswerKind.RETRY, "no answer: refused")
        for line in gzip.decompress(body).decode().splitlines():
            series, fields, at = line.split(" ")
            self.points[series, int(at)] = fields
        if self.chance.random() < LOST_ANSWERS:
            self.refused += 1
            return Answer(AnswerKind.RETRY, "no answer within 30 s", timed_out=True)
        return Answer(AnswerKind.WRITTEN)

    async def close(self) -> None:
        """Nothing to close."""


@dataclass
class Downstream:
    """The process beside collecting: projections brought up to date now and then, one courier."""

    folder: Path
    influx: SimulatedInflux
    clock: Clock
    random: Random
    rounds: int = 0
    couriers: int = 0

    def project(self) -> None:
        """One run of the projecting process, to the end of the journal."""
        folder = DataFolder.open(self.folder)
        with folder.hold_lock("project"):
            projection = Projection(folder, self.clock)
            try:
                while (progress := projection.step()).applied or progress.settled or progress.verdicts:
                    pass
            finally:
                projection.close()
        self.rounds += 1

    async def drain(self, for_s: float | None = None) -> None:
        """Deliver what there is; with a limit it is cut off then, as a kill would."""
        folder = DataFolder.open(self.folder)
        journal = Journal.open(folder, read_only=True)
        series = SeriesStore(folder.series, organisation=folder.organisation, read_only=True)
        feed = JournalFeed(journal, load_plan, series, ChannelDirectory(journal))
        sink = InfluxSink(InfluxSettings(url="http://sim", dialect="v1", database="sim"), "s")
        sink._transport = self.influx
        state = CourierState(folder.state / "courier-sim.sqlite")
        courier = Courier(feed, sink, state, clock=self.clock, random=self.random, settings=SETTINGS, quiet=True)
        self.couriers += 1
        try:
            await asyncio.wait_for(courier.drain(), for_s)
        except TimeoutError:
            pass
        finally:
            await courier.close()
            series.close()
            journal.close()
