"""The actor of one endpoint: it alone owns the link, and shares its time fairly among the units behind it.

It keeps no queue that can grow: a line waits for its next slot or stands ready once. A slot that comes while the one
before still runs or waits ends as *overrun*. A request in flight is never cancelled; stopping waits for its answer.
"""

import asyncio
import heapq
from collections.abc import Callable, Sequence
from itertools import count

from gateway.acquisition.breaker import (
    ENDPOINT_FIRST_PAUSE_S,
    ENDPOINT_LONGEST_PAUSE_S,
    LONGEST_PAUSE_S,
    Breaker,
    TimeBudget,
)
from gateway.acquisition.cutting import learn_from
from gateway.acquisition.line import Line
from gateway.acquisition.outbox import Outbox
from gateway.acquisition.recording import Recorder
from gateway.acquisition.turn import Purpose, Turn
from gateway.acquisition.unit import Unit, speaks, units_of
from gateway.domain.reading import Arrival, Outcome
from gateway.domain.time import US_PER_S
from gateway.ports import Answer, Clock, Link, Random

LONGEST_REST_US = 30 * US_PER_S
CLOCK_STEP_US = US_PER_S
NS_PER_US = 1_000
ATTEMPTS = 2


class EndpointActor:
    """Runs the lines of one endpoint on one link."""

    def __init__(
        self,
        endpoint: str,
        lines: Sequence[Line],
        link: Link,
        *,
        recorder: Recorder,
        outbox: Outbox,
        clock: Clock,
        random: Random,
        stagger_us: int = 0,
        on_change: Callable[[str, bool, str], None] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.lines = tuple(lines)
        self._link = link
        self._recorder = recorder
        self._outbox = outbox
        self._clock = clock
        self._stagger_us = stagger_us
        self._on_change = on_change
        alone = len({line.device.id for line in lines}) == 1
        # a unit that shares its line with nobody costs nobody anything while it is silent
        longest_s = ENDPOINT_LONGEST_PAUSE_S if alone else LONGEST_PAUSE_S
        self.units = units_of(lines, random, longest_s)
        self._reachable = Breaker(random, ENDPOINT_FIRST_PAUSE_S, ENDPOINT_LONGEST_PAUSE_S)
        self.budget = TimeBudget(clock.monotonic_ns(), share=1.0) if alone else TimeBudget(clock.monotonic_ns())
        self._waiting: list[tuple[int, int, Line]] = []
        self._ready: list[tuple[int, int, Turn | Line]] = []
        self._order = count()
        self._offset_us = clock.utc_us() - clock.monotonic_ns() // NS_PER_US
        self._stepped: set[Line] = set()
        self._stopping = False
        self._resting = False
        self._task: asyncio.Task[None] | None = None
        self.busy_ns = 0

    async def run(self) -> None:
        """Serve until stopped, then close the link."""
        self._task = asyncio.current_task()
        now_us = self._clock.utc_us()
        for line in self.lines:
            if line.next_slot_us is None:
                line.next_slot_us = line.grid.current(now_us)
            self._wait_for_slot(line)
        for unit in self.units.values():
            unit.identity_due = unit.identity_line is not None
        try:
            while not self._stopping:
                await self._outbox.room()
                now_us = self._clock.utc_us()
                self._release(now_us)
                if self._ready:
                    await self._serve(heapq.heappop(self._ready)[2])
                else:
                    await self._rest(now_us)
            self._settle()
        finally:
            await self._link.close()

    def stop(self) -> None:
        """Finish the request in flight, then end ``run``."""
        self._stopping = True
        if self._resting and self._task is not None:
            self._task.cancel()

    async def _rest(self, now_us: int) -> None:
        """Sleep until the next slot; short enough to notice when the wall clock is set."""
        due_us = self._waiting[0][0] if self._waiting else now_us + LONGEST_REST_US
        self._resting = True
        try:
            await self._clock.sleep(min(max(due_us - now_us, 0), LONGEST_REST_US) / US_PER_S)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        finally:
            self._resting = False

    def _release(self, now_us: int) -> None:
        """Lines whose slot has come stand ready."""
        offset_us = now_us - self._clock.monotonic_ns() // NS_PER_US
        if offset_us - self._offset_us > CLOCK_STEP_US:
            self._stepped.update(self.lines)
        self._offset_us = offset_us
        while self._waiting and self._waiting[0][0] <= now_us:
            due_us, _, line = heapq.heappop(self._waiting)
            late_us = line.grid.period_us // 2 if self._unit(line).breaker.suspicious else 0
            heapq.heappush(self._ready, (due_us + late_us, next(self._order), line))

    def _wait_for_slot(self, line: Line) -> None:
        assert line.next_slot_us is not None
        heapq.heappush(self._waiting, (line.next_slot_us + self._stagger_us, next(self._order), line))

    def _unit(self, line: Line) -> Unit:
        return self.units[line.device.id]

    async def _serve(self, job: Turn | Line) -> None:
        turn = self._begin(job) if isinstance(job, Line) else job
        if turn.outdated:
            return
        if turn.attempt == 0:
            reason = self._blocked(turn, self._clock.monotonic_ns())
            if reason is not None:
                self._end(turn, turn.blocked(reason))
                return
        elif self._clock.utc_us() >= turn.slot_us + turn.line.grid.period_us:
            self._close_turn(turn)
            return
        await self._attempt(turn)
        if self._may_repeat(turn):
            turn.attempt += 1
            position_us = turn.slot_us + self._stagger_us + turn.line.grid.period_us // 2
            heapq.heappush(self._ready, (position_us, next(self._order), turn))
        else:
            self._close_turn(turn)

    def _begin(self, line: Line) -> Turn:
        """Open the current slot of a line; slots between the last one and it have passed unserved."""
        first_us = line.next_slot_us
        assert first_us is not None
        now_us = self._clock.utc_us()
        slot_us = max(line.grid.current(now_us - self._stagger_us), first_us)
        if slot_us > first_us:
            self._record_passed(line, first_us, slot_us, now_us)
        line.next_slot_us = slot_us + line.grid.period_us
        line.serving_us = slot_us
        self._stepped.discard(line)
        if line.adopt_cut():
            self._unit(line).forget(line.group.id)
        return Turn(line, self._unit(line), slot_us)

    def _record_passed(self, line: Line, first_us: int, slot_us: int, now_us: int) -> None:
        if line in self._stepped:
            draft = self._recorder.stopped(line, first_us, slot_us, now_us, "the clock was set forward or stood still")
            if draft is not None:
                self._outbox.put(draft)
            return
        for passed_us in range(first_us, slot_us, line.grid.period_us):
            arrival = Arrival(device=line.device.id, group=line.group.id, slot_us=passed_us, outcome=Outcome.OVERRUN)
            self._outbox.put(self._recorder.miss(line, arrival, now_us))

    def _blocked(self, turn: Turn, now_ns: int) -> str | None:
        """Why this turn is not asked now, or None."""
        if not self._reachable.may_ask(now_ns):
            return "endpoint not reachable"
        breaker = turn.unit.breaker
        if breaker.closed():
            return None
        if turn.purpose is Purpose.IDENTITY or not breaker.may_ask(now_ns):
            return "unit does not answer"
        if not self.budget.available(now_ns):
            return "unit does not answer; time budget of dead units spent"
        return None

    async def _attempt(self, turn: Turn) -> None:
        """Ask the open requests; give up early when the unit, or the way to it, seems dead."""
        line, unit = turn.line, turn.unit
        alive = False
        hopeless = unit.hopeless(line.group.id, len(turn.plan.requests))
        # what answered last is asked first: a first block that a meter does not have must not hide the others
        for position in sorted(turn.open_requests(), key=lambda n: unit.timeout(line.group.id, n).silences):
            estimator = unit.timeout(line.group.id, position)
            begun_ns = self._clock.monotonic_ns()
            if position in hopeless and not self.budget.available(begun_ns):
                continue  # a block that the meter never answers must not cost more than a dead meter
            answer = await self._exchange(unit, turn.plan.requests[position], estimator.timeout_s)
            now_ns = self._clock.monotonic_ns()
            self.busy_ns += now_ns - begun_ns
            turn.answers[position] = answer
            if answer.outcome == Outcome.OK:
                estimator.answered(max(answer.received_us - answer.sent_us, 0) / US_PER_S)
            elif answer.outcome == Outcome.UNREACHABLE:
                self._link_failed(answer, now_ns)
                break
            elif answer.outcome == Outcome.TIMEOUT:
                estimator.timed_out()
            self._link_works()
            if speaks(answer):
                alive = True
                estimator.silences = 0
                continue
            estimator.silences += 1
            self.budget.charge(now_ns - begun_ns, now_ns)
            if not alive or self._stopping:
                break
        if alive:
            self._answered(unit)

    async def _exchange(self, unit: Unit, request: object, timeout_s: float) -> Answer:
        try:
            return await self._link.exchange(unit.device, request, timeout_s)
        except Exception as error:  # noqa: BLE001  # a driver's fault must not end the slots of every other unit
            return Answer(outcome=Outcome.UNREACHABLE, detail=f"driver failed: {type(error).__name__}: {error}"[:200])

    def _answered(self, unit: Unit) -> None:
        if not unit.breaker.closed():
            unit.identity_due = unit.identity_line is not None  # what comes back may be another meter
            self._tell(unit.device.id, up=True)
        unit.breaker.good()

    def _link_failed(self, answer: Answer, now_ns: int) -> None:
        was_closed = self._reachable.closed()
        self._reachable.failed(now_ns)
        if was_closed and not self._reachable.closed():
            self._tell(self.endpoint, up=False, detail=answer.detail)

    def _link_works(self) -> None:
        if not self._reachable.closed():
            self._tell(self.endpoint, up=True)
        self._reachable.good()

    def _tell(self, who: str, *, up: bool, detail: str = "") -> None:
        if self._on_change is not None:
            self._on_change(who, up, detail)

    def _may_repeat(self, turn: Turn) -> bool:
        return (
            turn.attempt + 1 < ATTEMPTS
            and turn.purpose is Purpose.SLOT
            and not self._stopping
            and not turn.unit.breaker.suspicious
            and turn.unit.breaker.closed()
            and turn.repeatable()
            and self._clock.utc_us() < turn.slot_us + turn.line.grid.period_us
            and self.budget.available(self._clock.monotonic_ns())
        )

    def _close_turn(self, turn: Turn) -> None:
        """All that was to be asked was asked: the unit's breaker learns of it, the slot ends."""
        breaker = turn.unit.breaker
        arrival = turn.arrival()
        learn_from(turn, self._outbox, self._clock.utc_us())
        if turn.failed():
            was_closed = breaker.closed()
            breaker.failed(self._clock.monotonic_ns())
            if was_closed and not breaker.closed():
                self._tell(turn.unit.device.id, up=False, detail=arrival.detail or arrival.outcome.value)
        self._end(turn, arrival)
        if breaker.closed() and not breaker.suspicious:
            self._ask_identity(turn.unit)

    def _end(self, turn: Turn, arrival: Arrival) -> None:
        """The slot has its outcome; the line waits for its next one."""
        now_us = self._clock.utc_us()
        line = turn.line
        if turn.purpose is Purpose.IDENTITY:
            draft = self._recorder.identity(line, arrival, now_us) if arrival.outcome.has_values else None
            if draft is not None:
                self._outbox.put(draft)
            return
        if arrival.outcome.has_values:
            self._outbox.put(self._recorder.poll(line, arrival, now_us))
            if line.is_identity:
                turn.unit.identity_due = line.identity.wanted = False
        else:
            self._outbox.put(self._recorder.miss(line, arrival, now_us))
        line.serving_us = None
        self._wait_for_slot(line)

    def _ask_identity(self, unit: Unit) -> None:
        """Read who answers there, outside the slots, when something says that it may be another meter."""
        line = unit.identity_line
        if line is None or not (unit.identity_due or line.identity.wanted):
            return
        unit.identity_due = line.identity.wanted = False
        now_us = self._clock.utc_us()
        if line.next_slot_us is not None and line.next_slot_us <= now_us:
            return  # its slot comes now anyway
        turn = Turn(line, unit, line.grid.current(now_us), Purpose.IDENTITY)
        heapq.heappush(self._ready, (now_us, next(self._order), turn))

    def _settle(self) -> None:
        """Slots that were asked and wait for a second attempt end with what they have."""
        for _, _, job in self._ready:
            if isinstance(job, Turn) and job.attempt:
                self._end(job, job.arrival())
