"""One seeded world: a site of simulated meters, the real gateway, and what befalls it. Same seed, same journal."""

import asyncio
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from gateway.acquisition import collector as collector_module
from gateway.acquisition import endpoint as endpoint_module
from gateway.acquisition import pushed
from gateway.acquisition.clock_evidence import ClockState
from gateway.assembly import collecting
from gateway.assembly.collecting import Machine, build_collector, open_collection
from simulators.faults.messages import MessageFaults, Outgoing
from simulators.faults.values import FaultyInstrument
from simulators.faults.wire import WireFaults
from simulators.instruments.instrument import Instrument
from simulators.modbus.device import MeterOnTheWire
from simulators.modbus.layout import Layout
from simulators.mqtt.payload import AsOf, PayloadWriter
from simulators.profiles import shipped_profile
from tests.scenarios.acquisition_world import SeededRandom, WorldClock, run_virtual
from tests.simulation.broker import SimulatedBroker
from tests.simulation.disk import FAILURES, SimulatedDisk, SimulatedDiskError
from tests.simulation.network import SimulatedServer, SimulatedStreams
from tests.simulation.plan import BREAKS, PUBLISH_AFTER_US, START_US, Happening, Plan, S
from tests.simulation.sink import ROUND_S, Downstream, SimulatedInflux
from tests.simulation.site import BROKER, ENDPOINTS, PERIOD_S, device_name, profiles, site_with, topic_of

LAST_WORDS_S = 60.0
"""How long a dying disk is waited for, and how long a commit on its way when the power goes."""
MINUTE_S = 900.0


@dataclass
class World:
    """The plan of a seed, and afterwards what happened."""

    seed: int
    hours: float
    folder: Path
    servers: list[SimulatedServer] = field(default_factory=list)
    instruments: dict[str, FaultyInstrument] = field(default_factory=dict)
    starts: int = 0
    steps: int = 0
    spans: list[tuple[str, int, int, int]] = field(default_factory=list)
    """What was away when: kind, server, from and to in wall time, µs."""

    def __post_init__(self) -> None:
        self.plan = Plan(self.seed, self.hours)
        self.clock = WorldClock(START_US)
        self.broker = SimulatedBroker(BROKER)
        self.site = site_with(self.broker)
        self.profiles = profiles()
        self.faults = self.plan.faults
        self.disk = SimulatedDisk(random.Random(self.seed + 1), self.folder / "journal.sqlite")
        self.influx = SimulatedInflux(random.Random(self.seed + 2))
        self.random = SeededRandom(self.seed)
        self.downstream = Downstream(self.folder, self.influx, self.clock, self.random)
        honest: dict[str, Instrument] = dict(self.plan.meters)
        for name, meter in self.plan.meters.items():
            self.instruments[name] = FaultyInstrument(name, meter, self.faults, honest)
        self.message_faults = MessageFaults(self.faults)
        for number, (endpoint, framing, members) in enumerate(ENDPOINTS):
            if framing is None:
                continue
            meters = {unit: self._on_the_wire(endpoint, unit) for unit in range(1, len(members) + 1)}
            own = WireFaults([each for each in self.faults if each.device in {m.device for m in meters.values()}])
            chance = random.Random(self.seed * 100 + number)
            bears = 1 if endpoint == "e1" else 64
            self.servers.append(
                SimulatedServer(endpoint, meters, own, chance, self.clock.utc_us, framing, connections=bears)
            )

    def _on_the_wire(self, endpoint: str, unit: int) -> MeterOnTheWire:
        name = device_name(endpoint, unit)
        return MeterOnTheWire(name, unit, Layout(shipped_profile(self.profiles[name])), self.instruments[name])

    def run(self) -> "World":
        """Live through it; at the end the sink has had the time to catch up."""
        with _quiet_machine(clock_is_set=any(each.kind == "step" for each in self.plan.happenings)):
            run_virtual(self._live())
        return self

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        machine = Machine(self.clock, self.random, SimulatedStreams(self.servers), self.disk)
        happenings = self.plan.happenings
        asides = [self._aside(each) for each in happenings if each.kind not in BREAKS]
        tasks = [asyncio.create_task(each, name="world") for each in (*asides, self._publish())]
        downstream = asyncio.create_task(self._project(), name="world")
        breaks = [each for each in happenings if each.kind in BREAKS]
        for each in [*breaks, Happening(self.hours * 3_600, "stop", 0.0)]:
            if loop.time() < each.at_s:
                await self._collect(machine, each, loop)
                await asyncio.sleep(each.for_s)
        for task in (*tasks, downstream):
            task.cancel()
        await asyncio.gather(*tasks, downstream, return_exceptions=True)
        for task in (*tasks, downstream):
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        self.influx.down = False
        self.downstream.project()
        await self.downstream.drain()

    async def _collect(self, machine: Machine, until: Happening, loop: asyncio.AbstractEventLoop) -> None:
        """Run the collector until it is stopped, killed, or the disk refuses."""
        self.starts += 1
        began_us = self.clock.utc_us()
        image = self.folder.with_name(f"{self.folder.name}-image")
        with open_collection(self.site, self.folder, self.clock) as collection:
            collector = build_collector(collection, machine)
            running = asyncio.create_task(collector.run())
            await asyncio.wait({running}, timeout=until.at_s - loop.time())
            assert not running.done(), running
            if until.kind in FAILURES:
                await self._refused(running, FAILURES[until.kind])
            elif until.kind == "stop":
                collector.stop()
                await running
            else:
                if until.kind == "power":
                    self.disk.cutting = True
                    await asyncio.wait({running}, timeout=LAST_WORDS_S)
                    self.disk.take_image(self.folder, image)
                await _killed()
                for server in self.servers:
                    server.cut()
        if until.kind == "power":
            self.disk.put_back(image, self.folder)
        self.broker.session = None
        self.spans.append(("ran", -1, began_us, self.clock.utc_us()))

    async def _refused(self, running: asyncio.Task[None], reason: int) -> None:
        self.disk.failing = reason
        (ended,) = await asyncio.wait_for(asyncio.gather(running, return_exceptions=True), 3_600)
        self.disk.failing = 0
        loudly = isinstance(ended, SimulatedDiskError) and ended.errno == reason
        assert loudly, f"a disk that refuses must end collection loudly, not with {ended!r}"

    async def _publish(self) -> None:
        """The meters that push, a few seconds after each slot."""
        pushed = [
            device_name(endpoint, member)
            for endpoint, framing, members in ENDPOINTS
            if framing is None
            for member in range(1, len(members) + 1)
        ]
        writers = {each: PayloadWriter(shipped_profile(self.profiles[each])) for each in pushed}
        while True:
            period_us = PERIOD_S * S
            now_us = self.clock.utc_us()
            due_us = (now_us - PUBLISH_AFTER_US) // period_us * period_us + period_us + PUBLISH_AFTER_US
            await asyncio.sleep((due_us - now_us) / S)
            at_us = self.clock.utc_us()
            for name in pushed:
                shown = self.instruments[name]
                for _, payload in writers[name].messages([(name, shown.device_time_us(at_us), AsOf(shown, at_us))]):
                    message = Outgoing(at_us, topic_of(name), payload, (name,))
                    for sent in self.message_faults.really_sent(message):
                        self.broker.publish(sent.topic, sent.payload, retain=sent.retain)

    async def _project(self) -> None:
        """The other process: projections and courier, now and then, killed in the midst of delivering."""
        while True:
            await asyncio.sleep(ROUND_S * self.random.uniform(0.7, 1.3))
            if (self.folder / "journal.sqlite").exists():
                self.downstream.project()
                await self.downstream.drain(self.random.uniform(0.0, 2_000.0))

    async def _aside(self, happening: Happening) -> None:
        """What happens while the gateway runs on."""
        await asyncio.sleep(happening.at_s)
        began_us = self.clock.utc_us()
        if happening.kind == "stall":
            self.disk.stalled_until_s = asyncio.get_running_loop().time() + happening.for_s
            return
        if happening.kind == "step":
            self.clock.wall_us += int(happening.for_s) * S
            self.steps += 1
            return
        where = 1 if happening.kind == "taken" else happening.where
        self._away(happening.kind, where, gone=True)
        await asyncio.sleep(happening.for_s)
        self._away(happening.kind, where, gone=False)
        self.spans.append((happening.kind, where, began_us, self.clock.utc_us()))

    def _away(self, kind: str, where: int, *, gone: bool) -> None:
        server = self.servers[where]
        if kind == "sink":
            self.influx.down = gone
        elif kind == "broker":
            self.broker.go_down() if gone else self.broker.come_back()
        elif kind == "taken":
            server.taken = gone
        else:
            server.down = gone
        if gone and kind in {"taken", "down"}:
            server.cut()

    def remove(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.folder)


async def _killed() -> None:
    """Every task of the collector ends where it stands; what was not committed is gone."""
    me = asyncio.current_task()
    victims = [task for task in asyncio.all_tasks() if task is not me and task.get_name() != "world"]
    for task in victims:
        task.cancel()
    await asyncio.gather(*victims, return_exceptions=True)


@contextmanager
def _quiet_machine(*, clock_is_set: bool) -> Iterator[None]:
    """The kernel's clock is not part of the world. What the gateway does every few seconds it does every few minutes
    here, as its slots are a quarter of an hour long: that saves most of the time, and a kill then finds more that must
    be read back from the journal, not less. It looks at its clock between slots only where that clock may be set."""
    with (
        patch.object(collecting, "kernel_clock_state", lambda: ClockState(True, 0, "simulated")),
        patch.object(collector_module, "SEAL_S", 2.0 * PERIOD_S),
        patch.object(collector_module, "MINUTE_S", MINUTE_S),
        patch.object(collector_module, "REFRESH_S", 600.0),
        patch.object(pushed, "TICK_US", 30 * S),
        patch.object(pushed, "LONGEST_REST_US", (30 if clock_is_set else PERIOD_S) * S),
        patch.object(endpoint_module, "LONGEST_REST_US", (120 if clock_is_set else PERIOD_S) * S),
    ):
        yield
