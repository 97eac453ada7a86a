"""A courier per sink: reads what the journal holds after its cursor, writes it, and moves on only when it is settled.

Every point ends in one of two ways: the sink has it, or it is a dead letter with the sink's own words. Until then the
cursor stands still. Collection never waits for a courier, because the journal is the queue; memory is bounded by two
portions, one in flight and one being prepared.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from gateway.delivery.port import Answer, AnswerKind, Feed, Point, Sink
from gateway.delivery.state import CourierState
from gateway.ports import Clock, Random

_log = logging.getLogger(__name__)

MAX_POINTS = 5_000
MAX_BATCH_BYTES = 2 * 1024 * 1024  # decimal text deflates to less than half: below aiohttp's 1 MiB for plain bodies
LEAST_BATCH_BYTES = 4 * 1024
TIMEOUTS_BEFORE_HALVING = 3
_YIELD_EVERY = 50  # under a millisecond, so that the request on its way keeps moving


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierSettings:
    """Limits and waits, seconds."""

    max_points: int = MAX_POINTS
    max_bytes: int = MAX_BATCH_BYTES
    idle_s: float = 1.0  # how often the journal is looked at when the courier is at its end
    backoff_first_s: float = 0.5
    backoff_most_s: float = 30.0
    hold_s: float = 30.0
    retry_after_most_s: float = 300.0
    holds: int = 10  # in a row; then the courier ends, so that it can be opened again with what was mended
    status_every_s: float = 2.0


class SinkHeldError(Exception):
    """The sink went on refusing for a reason of configuration (credentials, rights, a missing database)."""


@dataclass(slots=True)
class CourierStatus:
    """How a courier is doing. ``state``: idle, delivering, retrying or holding."""

    sink: str
    state: str = "idle"
    seq: int = 0
    head_seq: int = 0
    points: int = 0  # written since the courier started
    requests: int = 0
    dead_letters: int = 0
    failures: int = 0  # in a row
    detail: str = ""
    since_us: int = 0  # since when it is in this state

    @property
    def lag(self) -> int:
        """Entries the journal is ahead."""
        return max(0, self.head_seq - self.seq)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Points of one request and its body."""

    points: list[Point]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Load:
    """A portion made ready: its batches, what the sink must not be given, and the cursor it moves to."""

    seq: int
    batches: list[_Batch]
    refused: list[tuple[Point, str]]


class Courier:
    """Carries one feed to one sink. ``run`` never returns; cancel it to stop, at any moment and without loss.

    Everything raises SinkHeldError when the sink went on refusing for a reason that somebody must mend.
    """

    def __init__(
        self,
        feed: Feed,
        sink: Sink,
        state: CourierState,
        *,
        clock: Clock,
        random: Random,
        settings: CourierSettings | None = None,
        quiet: bool = False,
    ) -> None:
        """``quiet`` writes no status: for one that works beside the courier proper."""
        self._feed = feed
        self._sink = sink
        self._state = state
        self._clock = clock
        self._random = random
        self._settings = settings or CourierSettings()
        learned = state.noted("limits").get("max_bytes")
        self._max_bytes = (
            min(self._settings.max_bytes, learned) if isinstance(learned, int) else self._settings.max_bytes
        )
        self.status = CourierStatus(sink.name, seq=state.seq, dead_letters=state.dead_count(), since_us=clock.utc_us())
        self._noted_ns = 0
        self._quiet = quiet

    async def run(self) -> None:
        """Deliver for ever."""
        try:
            while True:
                await self.drain()
                self._show("idle")
                await self._clock.sleep(self._settings.idle_s)
        finally:
            self._note_status(force=True)

    async def drain(self) -> None:
        """Deliver until the feed has nothing more; the next portion is made ready while one is in flight."""
        load = await self._load(self.status.seq)
        while load is not None:
            following = asyncio.ensure_future(self._load(load.seq))
            try:
                refused = await self._deliver(load)
                self._state.settle(load.seq, refused, self._clock.utc_us())
                self.status.seq = load.seq
                self.status.dead_letters += len(refused)
                load = await following
            finally:
                following.cancel()

    async def close(self) -> None:
        """Close the sink's connections and the state file; idempotent."""
        await self._sink.close()
        self._state.close()

    async def _load(self, after_seq: int) -> _Load | None:
        """The next portion as points; None when there is none."""
        portion = await self._feed.read(after_seq, self._settings.max_points)
        self.status.head_seq = max(self.status.head_seq, portion.head_seq)
        if portion.last_seq <= after_seq:
            return None
        points = []
        for number, row in enumerate(portion.rows, 1):
            point = self._sink.point(row, self._feed.layout(row.device, row.group, row.cfg_seq))
            if point is not None:
                points.append(point)
            if number % _YIELD_EVERY == 0:
                await self._clock.sleep(0)
        points += [point for verdict in portion.verdicts if (point := self._sink.verdict(verdict)) is not None]
        return await self._made_ready(portion.last_seq, points)

    async def _made_ready(self, seq: int, points: list[Point]) -> _Load:
        refused = [(point, reason) for point in points if (reason := self._sink.refusal(point)) is not None]
        barred = {id(point) for point, _ in refused}
        batches = []
        for batch in self._batches([point for point in points if id(point) not in barred] if barred else points):
            batches.append(self._batch(batch))
            await self._clock.sleep(0)
        return _Load(seq, batches, refused)

    def _batch(self, points: list[Point]) -> _Batch:
        return _Batch(points, self._sink.pack(points))

    async def deliver(self, points: list[Point]) -> list[tuple[Point, str]]:
        """Write points until each is settled; those the sink refuses for good, with its reasons."""
        return await self._deliver(await self._made_ready(0, points))

    async def _deliver(self, load: _Load) -> list[tuple[Point, str]]:
        refused = list(load.refused)
        waiting = load.batches[::-1]  # a stack: halves of a batch are settled before the next one, so order is kept
        while waiting:
            batch = waiting.pop()
            points = batch.points
            answer = await self._write_until_answered(batch.body, divisible=len(points) > 1)
            if answer.kind is AnswerKind.WRITTEN:
                self.status.points += len(points)
                continue
            if answer.kind is AnswerKind.PARTIAL:
                again = await self._after_partial(points, answer, refused)
            elif answer.kind is AnswerKind.RETRY:
                again = _halves(points)
            elif len(points) == 1:
                refused.append((points[0], answer.detail))
                again = []
            else:
                if answer.kind is AnswerKind.TOO_LARGE:
                    self._learn(sum(len(point.line) + 1 for point in points) // 2)
                again = _halves(points)
            waiting += [self._batch(each) for each in again]
        return refused

    async def _after_partial(
        self, batch: list[Point], answer: Answer, refused: list[tuple[Point, str]]
    ) -> list[list[Point]]:
        """What is left to send after the sink took some points and refused others for good."""
        missing = await self._sink.missing(batch)
        if missing is None:  # it cannot be asked: writing again in halves finds them, because writing twice is harmless
            if len(batch) == 1:
                refused.append((batch[0], answer.detail))
                return []
            return _halves(batch)
        self.status.points += len(batch) - len(missing)
        if not missing:
            return []
        if len(missing) == len(batch):
            if len(batch) == 1 or answer.refused == len(batch):
                refused += [(point, answer.detail) for point in batch]
                return []
            return _halves(missing)
        return [missing]  # on their own, so that each reason names its own line

    async def _write_until_answered(self, body: bytes, *, divisible: bool) -> Answer:
        """Write a body until the sink says something final about it.

        After three time-outs in a row a divisible one comes back unanswered: on a slow line half of it may pass.
        """
        holds = timeouts = 0
        while True:
            self._show("delivering")
            self.status.requests += 1
            answer = await self._sink.write(body)
            if answer.kind not in {AnswerKind.RETRY, AnswerKind.HOLD}:
                self.status.failures = 0
                return answer
            self.status.failures += 1
            holding = answer.kind is AnswerKind.HOLD
            holds = holds + 1 if holding else 0
            timeouts = timeouts + 1 if answer.timed_out else 0
            self._show("holding" if holding else "retrying", answer.detail)
            if holds >= self._settings.holds:
                raise SinkHeldError(answer.detail)
            await self._clock.sleep(self._wait_s(answer))
            if timeouts >= TIMEOUTS_BEFORE_HALVING and divisible:
                return answer

    def _wait_s(self, answer: Answer) -> float:
        settings = self._settings
        if answer.retry_after_s is not None:
            return min(max(answer.retry_after_s, 0.0), settings.retry_after_most_s)
        if answer.kind is AnswerKind.HOLD:
            return settings.hold_s
        doubled = settings.backoff_first_s * float(1 << min(self.status.failures - 1, 16))
        return min(doubled, settings.backoff_most_s) * self._random.uniform(0.75, 1.25)

    def _batches(self, points: Sequence[Point]) -> list[list[Point]]:
        batches: list[list[Point]] = []
        batch: list[Point] = []
        size = 0
        for point in points:
            length = len(point.line) + 1
            if batch and (len(batch) >= self._settings.max_points or size + length > self._max_bytes):
                batches.append(batch)
                batch, size = [], 0
            batch.append(point)
            size += length
        if batch:
            batches.append(batch)
        return batches

    def _learn(self, max_bytes: int) -> None:
        """Remember the size the server did take, across restarts."""
        self._max_bytes = max(LEAST_BATCH_BYTES, min(self._max_bytes, max_bytes))
        self._state.note("limits", {"max_bytes": self._max_bytes})

    def _show(self, state: str, detail: str = "") -> None:
        status = self.status
        changed = status.state != state
        if changed:
            status.state, status.since_us = state, self._clock.utc_us()
            if detail:
                _log.warning("%s %s at entry %s: %s", status.sink, state, status.seq, detail)
        if detail or state != "delivering":
            status.detail = detail
        self._note_status(force=changed and state != "delivering")

    def _note_status(self, *, force: bool = False) -> None:
        now_ns = self._clock.monotonic_ns()
        if self._quiet:
            return
        if force or now_ns - self._noted_ns >= self._settings.status_every_s * 1e9:
            self._noted_ns = now_ns
            self._state.note("status", asdict(self.status))


def _halves(batch: list[Point]) -> list[list[Point]]:
    """Second half first, because the stack is taken from its end."""
    middle = len(batch) // 2
    return [half for half in (batch[middle:], batch[:middle]) if half]
