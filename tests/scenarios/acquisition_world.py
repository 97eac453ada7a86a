"""A small world for acquisition: virtual time, simulated links, a journal in memory. Deterministic by seed."""

import asyncio
import random
import selectors
import struct
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from gateway.acquisition.endpoint import EndpointActor
from gateway.acquisition.limits import DeviceLimits
from gateway.acquisition.line import Line, lines_of
from gateway.acquisition.outbox import Outbox
from gateway.acquisition.recording import Recorder
from gateway.acquisition.tally import Tally
from gateway.domain.device import Channel, ChannelKind, Device, RequestGroup
from gateway.domain.finding import Finding
from gateway.domain.reading import Outcome
from gateway.journal.entry import Draft, EncodedDraft, Entry
from gateway.ports import Answer, Document
from gateway.validation import InstalledInstruments, NoRegistry

START_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
CIRCUMSTANCES = {"clock": None, "configuration": None, "software": "test"}
Result = TypeVar("Result")


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: time jumps to the next timer instead. Nothing comes from outside, so nothing is asked for."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise AssertionError("everything waits for everything else")
        if timeout > 0:
            self.now_s += timeout
        return []


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.jumping = _JumpingSelector()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now_s


def run_virtual(main: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end in virtual time."""
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        return runner.run(main)


class WorldClock:
    """Virtual time of the running loop; the wall can be set."""

    def __init__(self, start_us: int = START_US) -> None:
        self.wall_us = start_us

    def utc_us(self) -> int:
        return self.wall_us + round(asyncio.get_running_loop().time() * 1e6)

    def monotonic_ns(self) -> int:
        return round(asyncio.get_running_loop().time() * 1e9)

    async def sleep(self, duration_s: float) -> None:
        await asyncio.sleep(duration_s)


class SeededRandom:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)

    def token(self, size_bytes: int) -> bytes:
        return self._random.randbytes(size_bytes)


class InlineCommitter:
    """Work is done at once."""

    async def run(self, work: Callable[[], Any]) -> Any:
        return work()


class MemoryJournal:
    """What SlotBalance and Keeper need of a journal."""

    def __init__(self) -> None:
        self.drafts: list[EncodedDraft] = []
        self.commits = 0

    def append_encoded(self, drafts: Sequence[EncodedDraft]) -> list[int]:
        first = len(self.drafts) + 1
        self.drafts.extend(drafts)
        self.commits += 1
        return list(range(first, first + len(drafts)))

    def append(self, drafts: Sequence[Draft]) -> list[int]:
        return self.append_encoded([draft.encode() for draft in drafts])

    def head(self) -> int:
        return len(self.drafts)

    def entry(self, seq: int) -> Entry:
        draft = self.drafts[seq - 1]
        return Entry(seq, draft.at_us, draft.kind, draft.subject, draft.body_bytes)

    def read(self, after_seq: int, limit: int = 1000, kinds: Sequence[str] | None = None) -> list[Entry]:
        entries = (self.entry(seq) for seq in range(after_seq + 1, self.head() + 1))
        return list(islice((entry for entry in entries if kinds is None or entry.kind in kinds), limit))

    def bodies(self, kind: str) -> Iterator[dict[str, Any]]:
        for seq in range(1, self.head() + 1):
            if (entry := self.entry(seq)).kind == kind:
                yield entry.body


class CountingPlan:
    """Each request brings one unsigned 32-bit counter."""

    def __init__(self, requests: int = 1) -> None:
        self.requests = tuple(range(requests))

    def document(self) -> Document:
        return {"requests": len(self.requests)}

    def decode(
        self, raw: Sequence[bytes | None]
    ) -> tuple[tuple[int | str | None, ...], tuple[int, ...], tuple[Finding, ...]]:
        values = tuple(None if each is None else struct.unpack(">I", each)[0] for each in raw)
        return values, tuple(0 if value is not None else 3 for value in values), ()


@dataclass
class Behaviour:
    """How a simulated unit answers. ``faults`` are (share, outcome) of its answers; the rest is good."""

    rtt_s: float = 0.03
    dead: bool = False
    gone: bool = False
    faults: Sequence[tuple[float, Outcome]] = ()
    silent_requests: frozenset[int] = frozenset()  # positions in the plan that it never answers
    asked: int = 0
    asked_at_s: list[float] = field(default_factory=list)


class SimulatedLink:
    """One way to several units; one question at a time, which it asserts."""

    def __init__(self, behaviours: dict[str, Behaviour], clock: WorldClock, seed: int = 0) -> None:
        self.behaviours = behaviours
        self._clock = clock
        self._random = random.Random(seed)
        self._busy = False
        self.closed = False
        self.wasted_s = 0.0

    async def exchange(self, device: Device, request: Any, timeout_s: float) -> Answer:
        assert not self._busy, "two questions at once"
        assert not self.closed
        self._busy = True
        try:
            return await self._answer(self.behaviours[device.id], request, timeout_s)
        finally:
            self._busy = False

    async def _answer(self, unit: Behaviour, request: Any, timeout_s: float) -> Answer:
        sent_us = self._clock.utc_us()
        unit.asked += 1
        unit.asked_at_s.append(asyncio.get_running_loop().time())
        if unit.gone:
            return Answer(outcome=Outcome.UNREACHABLE, detail="refused")
        outcome = self._draw(unit)
        silent = unit.dead or outcome is Outcome.TIMEOUT or request in unit.silent_requests
        if silent or unit.rtt_s > timeout_s:
            await self._clock.sleep(timeout_s)
            self.wasted_s += timeout_s
            return Answer(outcome=Outcome.TIMEOUT, sent_us=sent_us, received_us=self._clock.utc_us())
        await self._clock.sleep(unit.rtt_s * self._random.uniform(0.8, 1.2))
        received_us = self._clock.utc_us()
        if outcome is Outcome.OK:
            data = struct.pack(">I", received_us // 1_000_000 % 2**32)
            return Answer(outcome=Outcome.OK, data=data, sent_us=sent_us, received_us=received_us)
        code = self._random.choice((1, 2, 4, 6, 11)) if outcome is Outcome.EXCEPTION else 0
        return Answer(outcome=outcome, sent_us=sent_us, received_us=received_us, code=code)

    def _draw(self, unit: Behaviour) -> Outcome:
        point = self._random.random()
        for share, outcome in unit.faults:
            if point < share:
                return outcome
            point -= share
        return Outcome.OK

    async def close(self) -> None:
        self.closed = True


def meter(name: str, *, endpoint: str = "bus", period_s: float = 10, requests: int = 1, offset_s: float = 0) -> Device:
    channels = tuple(
        Channel(id=f"c{n}", measurand="active_energy_import", unit="kWh", kind=ChannelKind.CUMULATIVE)
        for n in range(requests)
    )
    group = RequestGroup(id="g", channels=channels, period_us=round(period_s * 1e6), offset_us=round(offset_s * 1e6))
    return Device(
        id=name, organisation="o", endpoint=endpoint, protocol="sim", profile="a/b", address={}, groups=(group,)
    )


def configuration(device: Device, plan: CountingPlan) -> Document:
    return {
        "device": {"id": device.id, "protocol": device.protocol},
        "groups": {
            group.id: {
                "period_us": group.period_us,
                "offset_us": group.offset_us,
                "identity": 0,
                "channels": [],
                "plan": plan.document(),
            }
            for group in device.groups
        },
    }


@dataclass
class World:
    """Actors of several endpoints on one journal."""

    clock: WorldClock = field(default_factory=WorldClock)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    registry: InstalledInstruments = field(default_factory=NoRegistry)
    tally: Tally = field(default_factory=Tally)
    seed: int = 1
    limits: dict[str, DeviceLimits] = field(default_factory=dict)
    elapsed_us: int = 0  # how long it had lived when it ended

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.journal.append_encoded, InlineCommitter(), self.clock)
        self.recorder = Recorder("o", self.registry, self.tally, lambda: CIRCUMSTANCES)
        self.actors: list[EndpointActor] = []
        self.links: list[SimulatedLink] = []
        self.changes: list[tuple[str, bool]] = []

    def lines(self, devices: Sequence[Device], requests: int = 1) -> list[Line]:
        found = []
        for device in devices:
            plan = CountingPlan(requests)
            document = configuration(device, plan)
            seq = self._configured(device.subject, document)
            plans = {group.id: plan for group in device.groups}
            found.extend(
                lines_of(device, plans, document, registry=self.registry, cfg=seq, limits=self.limits.get(device.id))
            )
        return found

    def _configured(self, subject: str, document: Document) -> int:
        """The entry of a configuration, written once however often the site is started."""
        for entry in self.journal.read(0, self.journal.head()):
            if entry.kind == "configuration" and entry.subject == subject:
                return entry.seq
        return self.journal.append([Draft("configuration", subject, START_US, document)])[0]

    def endpoint(
        self, name: str, devices: Sequence[Device], behaviours: dict[str, Behaviour], requests: int = 1
    ) -> EndpointActor:
        link = SimulatedLink(behaviours, self.clock, self.seed + len(self.links))
        actor = EndpointActor(
            name,
            self.lines(devices, requests),
            link,
            recorder=self.recorder,
            outbox=self.outbox,
            clock=self.clock,
            random=SeededRandom(self.seed),
            on_change=lambda who, up, _detail: self.changes.append((who, up)),
        )
        self.actors.append(actor)
        self.links.append(link)
        return actor

    async def run(self, duration_s: float, during: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
        committing = asyncio.create_task(self.outbox.run())
        running = [asyncio.create_task(actor.run()) for actor in self.actors]
        if during is not None:
            await during()
        await asyncio.sleep(duration_s)
        for actor in self.actors:
            actor.stop()
        await asyncio.gather(*running)
        self.outbox.close()
        await committing


def load_plan(protocol: str, document: Document) -> CountingPlan:
    del protocol
    return CountingPlan(document["requests"])
