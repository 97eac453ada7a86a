"""Slots of devices that send by themselves: a slot is ok when at least one sample falls into it."""

from collections.abc import Callable, Mapping, Sequence

from gateway.acquisition.line import Line
from gateway.acquisition.outbox import EntrySink
from gateway.acquisition.recording import Recorder
from gateway.domain.reading import Arrival, Outcome
from gateway.domain.time import US_PER_S
from gateway.ports import Clock

LONGEST_GRACE_US = 10 * US_PER_S
START_GRACE_US = 30 * US_PER_S
TICK_US = US_PER_S
LONGEST_REST_US = 30 * US_PER_S
MAX_OPEN_SLOTS = 10_000


class PushedSlots:
    """Closes the slots of the pushed lines of one endpoint.

    A slot is closed a grace after its end, so that what was on its way still counts. What the broker kept while the
    gateway was down comes after the start: slots from before it wait ``START_GRACE_US`` for it, then end as *stopped*.
    """

    def __init__(
        self,
        lines: Sequence[Line],
        *,
        recorder: Recorder,
        outbox: EntrySink,
        clock: Clock,
        connected: Callable[[], bool],
    ) -> None:
        self._lines = tuple(lines)
        self._recorder = recorder
        self._outbox = outbox
        self._clock = clock
        self._connected = connected
        self._filled: dict[Line, set[int]] = {line: set() for line in self._lines}
        self._started_us: int | None = None

    def sampled(self, line: Line, slot_us: int) -> None:
        """A sample fell into a slot; one that is closed already keeps its outcome."""
        filled = self._filled.get(line)
        if filled is not None and (line.next_slot_us is None or slot_us >= line.next_slot_us):
            if len(filled) >= MAX_OPEN_SLOTS:
                filled.discard(max(filled))
            filled.add(slot_us)

    @property
    def started(self) -> bool:
        """Whether slots are being closed."""
        return self._started_us is not None

    def start_at(self, at_us: int) -> None:
        """Collection begins: slots ended by then without a sample were not collected. The first call counts."""
        if self._started_us is not None:
            return
        self._started_us = at_us
        for line in self._lines:
            if line.next_slot_us is None:
                line.next_slot_us = line.grid.current(at_us)

    async def run(self) -> None:
        """Close slots as their time comes, until cancelled."""
        self.start_at(self._clock.utc_us())
        while True:
            await self._clock.sleep(self._rest_us(self._clock.utc_us()) / US_PER_S)
            await self._outbox.room()
            self.close_until(self._clock.utc_us())

    def _rest_us(self, now_us: int) -> int:
        """Whole ticks until a slot may be closed; few enough to notice when the wall clock is set."""
        ends_us = [
            each.next_slot_us + each.grid.period_us + _grace_us(each) for each in self._lines if each.next_slot_us
        ]
        ticks = -((now_us - min(ends_us, default=now_us)) // TICK_US)
        return max(1, min(ticks, LONGEST_REST_US // TICK_US)) * TICK_US

    def close_until(self, now_us: int) -> None:
        """Close every slot whose grace has passed."""
        started_us = self._started_us
        assert started_us is not None
        if now_us < started_us + START_GRACE_US and any(
            line.next_slot_us is not None and line.next_slot_us + line.grid.period_us <= started_us
            for line in self._lines
        ):
            return
        for line in self._lines:
            end_us = line.grid.current(now_us - _grace_us(line))
            if line.next_slot_us is not None and line.next_slot_us < end_us:
                self._close(line, (line.next_slot_us, end_us), line.grid.current(started_us), now_us)

    def _close(self, line: Line, span: tuple[int, int], running_from_us: int, now_us: int) -> None:
        """End the slots of a span; those before ``running_from_us`` without a sample passed while nobody listened."""
        from_us, to_us = span
        filled = self._filled[line]
        gap_from_us: int | None = None
        for slot_us in range(from_us, to_us, line.grid.period_us):
            if slot_us in filled:
                filled.discard(slot_us)
                self._recorder.tally.slot(line, Outcome.OK)
            elif slot_us < running_from_us:
                gap_from_us = slot_us if gap_from_us is None else gap_from_us
                continue
            else:
                self._outbox.put(self._recorder.miss(line, self._silence(line, slot_us), now_us))
            if gap_from_us is not None:
                self._put_stopped(line, gap_from_us, slot_us, now_us)
                gap_from_us = None
        if gap_from_us is not None:
            self._put_stopped(line, gap_from_us, min(to_us, running_from_us), now_us)
        line.next_slot_us = to_us

    def _put_stopped(self, line: Line, from_us: int, to_us: int, now_us: int) -> None:
        draft = self._recorder.stopped(line, from_us, to_us, now_us)
        if draft is not None:
            self._outbox.put(draft)

    def _silence(self, line: Line, slot_us: int) -> Arrival:
        connected = self._connected()
        return Arrival(
            device=line.device.id,
            group=line.group.id,
            slot_us=slot_us,
            outcome=Outcome.SILENT if connected else Outcome.UNREACHABLE,
            detail="" if connected else "no session with the broker",
        )

    def state(self) -> Mapping[str, list[int]]:
        """Filled slots that are not closed yet, by line."""
        return {line.key: sorted(filled) for line, filled in self._filled.items()}

    def restore(self, state: Mapping[str, Sequence[int]]) -> None:
        """Take up what ``state`` gave."""
        for line in self._lines:
            self._filled[line].update(state.get(line.key, ()))


def _grace_us(line: Line) -> int:
    return min(line.grid.period_us, LONGEST_GRACE_US)
