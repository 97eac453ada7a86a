"""Messages: durable first, then acknowledged; what comes again is no second reading; slots of pushed devices."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gateway.acquisition.balance import SlotBalance
from gateway.acquisition.duplicates import RecentMessages
from gateway.acquisition.keeping import Keeper, Listening
from gateway.acquisition.listening import ListeningActor, MessageIntake
from gateway.acquisition.outbox import Outbox
from gateway.acquisition.pushed import PushedSlots
from gateway.domain.device import Device
from gateway.domain.finding import Finding
from gateway.domain.reading import Message, Sample
from gateway.journal.entry import Draft
from gateway.ports import Delivery, Document
from tests.campaign import share
from tests.scenarios.acquisition_world import START_US, InlineCommitter, World, load_plan, meter, run_virtual

PERIOD_US = 10_000_000


class JsonDecoder:
    """``{"at": µs, "v": n}`` of the device its topic names; ``at`` is the device's own time."""

    def topics(self) -> Sequence[str]:
        return ("#",)

    def documents(self) -> dict[str, Document]:
        return {}

    def decode(self, message: Message) -> tuple[tuple[Sample, ...], tuple[Finding, ...]]:
        body = json.loads(message.payload)
        sample = Sample(
            device=message.topic,
            group="g",
            at_us=body.get("at", message.received_us),
            device_time_us=body.get("at"),
            values=(body["v"],),
            quality=(0,),
        )
        return (sample,), ()


@dataclass
class Broker:
    """Keeps what is not acknowledged and brings it again to the next session, marked."""

    waiting: list[Message] = field(default_factory=list)
    acknowledged: list[Message] = field(default_factory=list)
    arrived: asyncio.Event | None = None

    def publish(self, topic: str, at_us: int, value: int) -> None:
        payload = json.dumps({"at": at_us, "v": value}).encode()
        self.waiting.append(Message(endpoint="broker", topic=topic, payload=payload, received_us=0))
        if self.arrived is not None:
            self.arrived.set()


class Session:
    """One session as a Listener."""

    def __init__(self, broker: Broker, world: World) -> None:
        self._broker = broker
        self._world = world
        self._sent = 0
        self._arrived = broker.arrived = asyncio.Event()
        self._again = len(broker.waiting)
        self.connected = True

    async def deliveries(self) -> AsyncIterator[Delivery]:
        taken: list[Message] = []
        while True:
            fresh = [message for message in self._broker.waiting if message not in taken]
            for message in fresh:
                taken.append(message)
                again = len(taken) <= self._again
                stamped = replace(message, received_us=self._world.clock.utc_us(), duplicate=again)
                yield Delivery(stamped, lambda message=message: self._acknowledge(message))  # type: ignore[misc]
            self._arrived.clear()
            await self._arrived.wait()

    def _acknowledge(self, message: Message) -> None:
        self._broker.waiting.remove(message)
        self._broker.acknowledged.append(message)

    async def close(self) -> None:
        self.connected = False


def pushed(name: str) -> Device:
    return replace(meter(name, endpoint="broker", period_s=10), pushed=True)


class Life:
    """One process that listens."""

    def __init__(self, broker: Broker, state: Path, before: World | None, pause_s: float = 0) -> None:
        self.world = World()
        if before is not None:
            self.world.clock.wall_us += before.elapsed_us + round(pause_s * 1e6)
            self.world.journal = before.journal
        self.broker = broker
        self.world.outbox = Outbox(self.world.journal.append_encoded, InlineCommitter(), self.world.clock)
        lines = self.world.lines([pushed("a"), pushed("b")])
        self.session = Session(broker, self.world)
        intake = MessageIntake(lines, JsonDecoder(), self.world.recorder, RecentMessages())
        slots = PushedSlots(
            lines,
            recorder=self.world.recorder,
            outbox=self.world.outbox,
            clock=self.world.clock,
            connected=lambda: self.session.connected,
        )
        self.keeper = Keeper(state, lines, [Listening("broker", intake, slots)])
        if before is not None:
            self.keeper.restore(self.world.journal)  # type: ignore[arg-type]  # as much of a journal as it needs
        self.actor = ListeningActor(
            "broker", self.session, intake=intake, slots=slots, outbox=self.world.outbox, clock=self.world.clock
        )

    async def run(self, duration_s: float, *, clean: bool, snapshot_at_s: float | None = None) -> World:
        tasks = [asyncio.create_task(self.world.outbox.run()), asyncio.create_task(self.actor.run())]
        if snapshot_at_s is not None:
            await asyncio.sleep(snapshot_at_s)
            kept = json.loads(json.dumps(self.keeper.snapshot()))
            draft = Draft("clock", "o/gateway/clock", self.world.clock.utc_us(), {}).encode()
            self.world.outbox.put(draft, lambda seq: self.keeper.save(kept, seq))
        await asyncio.sleep(duration_s)
        if clean:
            tasks[1].cancel()
            await asyncio.gather(tasks[1], return_exceptions=True)
            self.world.outbox.close()
            await tasks[0]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.world.elapsed_us = self.world.clock.utc_us() - START_US
        return self.world


def samples(world: World) -> list[tuple[str, int, int]]:
    return [
        (sample["device"], sample["at"], sample["values"][0])
        for body in world.journal.bodies("message")
        for sample in body["samples"]
    ]


def report(world: World) -> dict[str, Any]:
    balance = SlotBalance(world.journal, load_plan)  # type: ignore[arg-type]  # as much of a journal as it needs
    balance.read(0)
    return balance.report()


def test_nothing_is_acknowledged_before_its_commit(tmp_path: Path) -> None:
    async def main() -> None:
        broker = Broker()
        life = Life(broker, tmp_path / "s", None)
        seen: list[int] = []

        def failing(drafts: Sequence[Any]) -> Sequence[int]:
            seen.append(len(broker.acknowledged))
            if len(seen) == 3:
                raise OSError("the disk is gone")
            return life.world.journal.append_encoded(drafts)

        life.world.outbox = Outbox(failing, InlineCommitter(), life.world.clock)
        life.actor._outbox = life.world.outbox
        committing, listening = asyncio.create_task(life.world.outbox.run()), asyncio.create_task(life.actor.run())
        for number in range(3):
            broker.publish("a", START_US + number, number)
            await asyncio.sleep(0.01)
        assert seen == [0, 1, 2]
        assert len(broker.acknowledged) == 2
        with pytest.raises(OSError, match="disk"):
            await committing
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    run_virtual(main())


@pytest.mark.parametrize("seed", range(share(200, 20)))
def test_kills_at_any_instant_lose_nothing_and_book_nothing_twice(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    broker = Broker()
    published: list[tuple[str, int, int]] = []

    async def life(before: World | None, *, last: bool) -> World:
        one = Life(broker, tmp_path / "state.json", before, rng.uniform(0, 40))

        async def publish() -> None:
            for number in range(rng.randint(0, 30)):
                at_us = one.world.clock.utc_us()
                device = rng.choice("ab")
                published.append((device, at_us, 1_000 * len(published) + number))
                broker.publish(*published[-1])
                await asyncio.sleep(rng.choice((0.001, 0.05, 3)))

        publishing = asyncio.create_task(publish())
        snapshot_at_s = rng.choice((None, rng.uniform(0, 5)))
        world = await one.run(120 if last else rng.uniform(0, 20), clean=last, snapshot_at_s=snapshot_at_s)
        await publishing if last else publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        return world

    world: World | None = None
    for number in range(4):
        world = run_virtual(life(world, last=number == 3))
    assert world is not None
    assert sorted(samples(world)) == sorted(published)
    assert broker.waiting == []
    found = report(world)
    assert found["differing"] == []
    assert found["outcomes"].get("ok", 0) == len({(device, at_us // PERIOD_US) for device, at_us, _ in published})


def test_the_same_words_without_the_devices_time_are_a_new_message(tmp_path: Path) -> None:
    async def main() -> World:
        broker = Broker()
        life = Life(broker, tmp_path / "s", None)
        running = asyncio.create_task(life.run(60, clean=True))
        for _ in range(3):
            broker.waiting.append(
                Message(endpoint="broker", topic="a", payload=b'{"v": 7}', received_us=len(broker.acknowledged))
            )
            life.session._arrived.set()
            await asyncio.sleep(1)
        return await running

    world = run_virtual(main())
    assert len(samples(world)) == 3
    assert report(world)["findings"] == {}


def test_what_came_while_the_gateway_was_down_fills_its_slots(tmp_path: Path) -> None:
    broker = Broker()

    async def first() -> World:
        life = Life(broker, tmp_path / "s", None)
        broker.publish("a", START_US, 1)
        broker.publish("b", START_US, 1)
        world = await life.run(25, clean=True)
        life.keeper.save(life.keeper.snapshot(), world.journal.head())
        return world

    async def second(before: World) -> World:
        life = Life(broker, tmp_path / "s", before, 100)
        for number in range(3, 12):
            broker.publish("a", START_US + number * PERIOD_US, number)
        return await life.run(60, clean=True)

    world = run_virtual(second(run_virtual(first())))
    assert report(world)["differing"] == []
    ended: dict[int, str] = {}
    for body in world.journal.bodies("miss"):
        if world.journal.entry(body["cfg"]).subject.endswith("/a"):
            for slot_us in range(body["slot"], body.get("to", body["slot"] + 1), PERIOD_US):
                ended[(slot_us - START_US) // PERIOD_US] = body["outcome"]
    filled = {(at_us - START_US) // PERIOD_US for device, at_us, _ in samples(world) if device == "a"}
    assert filled == {0, *range(3, 12)}
    assert not filled & ended.keys(), "each slot once"
    assert [ended[number] for number in (1, 2)] == ["stopped"] * 2, "their grace had not passed when it stopped"


@pytest.mark.parametrize("kept", [True, False])
def test_what_a_meter_had_in_its_memory_before_the_first_start_is_no_slot(tmp_path: Path, kept: bool) -> None:
    """The first thing a concentrator sends is often yesterday; and the gateway is killed before it kept its state."""
    broker = Broker()
    day_us = 8_640 * PERIOD_US

    async def first() -> World:
        life = Life(broker, tmp_path / "s", None)
        for number in range(3):
            broker.publish("a", START_US - day_us + number * PERIOD_US, number)
        broker.publish("a", START_US + 1, 7)
        world = await life.run(25, clean=kept)
        if kept:
            life.keeper.save(life.keeper.snapshot(), world.journal.head())
        return world

    async def second(before: World) -> World:
        return await Life(broker, tmp_path / "s", before, 20).run(60, clean=True)

    world = run_virtual(second(run_virtual(first())))
    assert len(samples(world)) == 4
    found = report(world)
    assert (found["differing"], found["outcomes"]["ok"]) == ([], 1)
    assert found["slots"] < 30
