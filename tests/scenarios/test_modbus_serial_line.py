"""One RS-485 line with 32 meters in virtual time: the real driver and the real actor, characters timed as on the wire.

A dead meter must not cost the others their period; late answers, garbled answers and meters that talk at the wrong
moment must never become a value of somebody else. Every answer says which unit was asked, and when.
"""

import asyncio
import random
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from drivers.modbus.plugin import PLUGIN
from gateway.acquisition.endpoint import EndpointActor
from gateway.acquisition.line import lines_of
from gateway.domain.device import Channel, ChannelKind, Device, RequestGroup
from gateway.journal.entry import Draft
from tests.conformance.modbus.rig import plain_crc
from tests.scenarios.acquisition_world import START_US, SeededRandom, World, run_virtual

BAUD = 9_600
CHARACTER_S = 11 / BAUD
TURNAROUND_S = 0.02
REGISTERS = 20
CONNECTION = {"transport": "rtu", "path": "/dev/bus", "baud": BAUD, "timeout_ms": 1_000, "late_ms": 4_000}


@dataclass
class Meter:
    """One unit on the line; shares of its answers that go wrong."""

    unit: int
    dead: bool = False
    late: float = 0.0
    garbled: float = 0.0
    late_s: tuple[float, float] = (0.3, 3.5)


@dataclass
class Bus:
    """The line: half duplex, one master, every character takes its time."""

    meters: dict[int, Meter]
    chance: random.Random
    asked_s: list[tuple[float, int]] = field(default_factory=list)
    answering_until_s: float = 0.0
    collisions: int = 0
    protocol: Any = None

    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def write(self, frame: bytes) -> None:
        now_s = self.now_s()
        unit, count = frame[0], int.from_bytes(frame[4:6], "big")
        self.asked_s.append((now_s, unit))
        if now_s < self.answering_until_s:
            self.collisions += 1
            return
        heard_s = now_s + len(frame) * CHARACTER_S
        meter = self.meters.get(unit)
        if meter is None or meter.dead:
            return
        second = int(heard_s)
        words = [unit, second >> 16, second & 0xFFFF] + [unit * 100 + index for index in range(3, count)]
        answer = bytes((unit, frame[1], 2 * count)) + b"".join(word.to_bytes(2, "big") for word in words)
        answer += plain_crc(answer)
        if self.chance.random() < meter.garbled:
            answer = answer[:5] + bytes((answer[5] ^ 0x10,)) + answer[6:]
        wait_s = self.chance.uniform(*meter.late_s) if self.chance.random() < meter.late else TURNAROUND_S
        begins_s = heard_s + wait_s
        ends_s = begins_s + len(answer) * CHARACTER_S
        loop = asyncio.get_running_loop()
        loop.call_at(begins_s, self._speak, ends_s)
        half = len(answer) // 2
        loop.call_at(begins_s + half * CHARACTER_S, self._hear, answer[:half])
        loop.call_at(ends_s, self._hear, answer[half:])

    def _speak(self, until_s: float) -> None:
        self.answering_until_s = max(self.answering_until_s, until_s)

    def _hear(self, piece: bytes) -> None:
        self.protocol.data_received(piece)

    def abort(self) -> None:
        pass

    close = abort

    # Streams of gateway.ports, as much of it as a serial link needs

    async def open_serial(
        self, protocol_factory: Callable[[], Any], path: str, settings: Mapping[str, Any]
    ) -> asyncio.BaseTransport:
        assert path == "/dev/bus"
        assert settings["baudrate"] == BAUD
        self.protocol = protocol_factory()
        self.protocol.connection_made(self)
        return self  # type: ignore[return-value]  # as much of a transport as the driver uses


def devices(meters: dict[int, Meter], period_s: int) -> tuple[list[Device], dict[str, Any]]:
    """A device per meter with its read plan of twenty registers."""
    names = [f"c{index}" for index in range(REGISTERS)]
    channels = tuple(
        Channel(id=name, measurand="device_status", unit="1", kind=ChannelKind.INSTANTANEOUS) for name in names
    )
    group = RequestGroup(id="g", channels=channels, period_us=period_s * 1_000_000)
    sources = [{"id": name, "source": {"address": index, "type": "u16"}} for index, name in enumerate(names)]
    profile = {"groups": [{"id": "g", "channels": sources}]}
    found = []
    plans = {}
    for unit in meters:
        device = Device(
            id=f"m{unit}",
            organisation="o",
            endpoint="bus",
            protocol="modbus",
            profile="a/b",
            address={"unit": unit},
            groups=(group,),
        )
        found.append(device)
        plans[device.id] = PLUGIN.plan(device.address, profile, group, CONNECTION)
    return found, plans


def simulate(meters: list[Meter], *, period_s: int, minutes: int, seed: int = 1) -> tuple[World, Bus]:
    """The line for so long."""
    by_unit = {meter.unit: meter for meter in meters}

    async def main() -> tuple[World, Bus]:
        world = World()
        bus = Bus(by_unit, random.Random(seed))
        chance = SeededRandom(seed)
        link = PLUGIN.open("bus", CONNECTION, clock=world.clock, streams=bus, random=chance)  # type: ignore[arg-type]
        lines = []
        for device, plan in ((each, plans[each.id]) for found, plans in [devices(by_unit, period_s)] for each in found):
            document = {
                "device": {"id": device.id},
                "groups": {"g": {"identity": 0, "channels": [], "plan": plan.document()}},
            }
            seq = world.journal.append([Draft("configuration", device.subject, START_US, document)])[0]
            lines += lines_of(device, {"g": plan}, document, registry=world.registry, cfg=seq)
        actor = EndpointActor(
            "bus",
            lines,
            link,
            recorder=world.recorder,
            outbox=world.outbox,
            clock=world.clock,
            random=chance,
        )
        world.actors.append(actor)
        await world.run(minutes * 60.0)
        return world, bus

    return run_virtual(main())


def outcomes(world: World) -> dict[str, Counter[str]]:
    """Outcomes by device."""
    found: dict[str, Counter[str]] = {}
    for kind in ("poll", "miss"):
        for body in world.journal.bodies(kind):
            device = body["subject"].rpartition("/")[2]
            found.setdefault(device, Counter())[body["outcome"]] += body.get("count", 1)
    return found


def wrong_values(world: World) -> int:
    """Polls whose bytes are another unit's, or answer an earlier question than the one they are booked for."""
    wrong = 0
    for body in world.journal.bodies("poll"):
        for text in body["raw"]:
            raw = b64decode(text)
            unit, second = int.from_bytes(raw[:2], "big"), int.from_bytes(raw[2:6], "big")
            asked_s = (body["sent"] - START_US) / 1e6
            expected = [unit * 100 + index for index in range(3, REGISTERS)]
            got = [int.from_bytes(raw[2 * index : 2 * index + 2], "big") for index in range(3, REGISTERS)]
            wrong += (
                body["subject"] != f"o/device/m{unit}" or not -0.1 <= second + 1 - asked_s <= 1.2 or got != expected
            )
    return wrong


def bus_share(bus: Bus, unit: int, duration_s: float) -> float:
    """The share of the line's time between a question to a unit and the next question."""
    spent = 0.0
    for (begun_s, asked), (next_s, _) in zip(bus.asked_s, bus.asked_s[1:], strict=False):
        if asked == unit:
            spent += min(next_s - begun_s, 3.0)
    return spent / duration_s


def test_one_dead_meter_of_32_does_not_cost_the_others_their_period() -> None:
    meters = [Meter(unit, dead=unit == 7) for unit in range(1, 33)]
    world, bus = simulate(meters, period_s=10, minutes=30)
    found = outcomes(world)
    dead = found.pop("m7")
    healthy = sum(found.values(), Counter())
    lost = 100 * (1 - healthy["ok"] / healthy.total())
    share = 100 * bus_share(bus, 7, 1_800)
    print(
        f"one of 32 dead, 9600 baud, period 10 s: healthy slots lost {lost:.2f} %, dead unit's bus time {share:.2f} %"
    )
    assert healthy.total() == 31 * 180
    assert lost < 0.5
    assert share < 5.0
    assert dead["ok"] == 0
    assert bus.collisions == 0
    assert wrong_values(world) == 0


def test_late_and_garbled_answers_are_never_booked_for_another_question() -> None:
    meters = [
        Meter(unit, late=0.1 if unit % 5 == 0 else 0.0, garbled=0.05 if unit % 7 == 0 else 0.0) for unit in range(1, 13)
    ]
    world, bus = simulate(meters, period_s=4, minutes=60, seed=3)
    found = outcomes(world)
    healthy = Counter({name: counts["ok"] for name, counts in found.items()})
    print(f"late and garbled answers: {wrong_values(world)} wrong values, outcomes {sum(found.values(), Counter())}")
    assert wrong_values(world) == 0
    assert all(healthy[f"m{unit}"] >= 850 for unit in (1, 2, 3, 4, 6, 8, 9, 11, 12))
    assert healthy["m5"] > 400
    assert healthy["m7"] > 600
    assert bus.collisions <= len(bus.asked_s) // 50
