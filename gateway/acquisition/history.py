"""Back-fill: what simulated meters would have answered, entered at the acquisition port on a virtual clock.

The stream is one JSON object a line, times in µs UTC, sorted; ``docs/acquisition.md`` describes it. It walks the same
decode, rules and entries as live collection. Everything up to a ``commit`` line goes into one commit of the journal.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from gateway.acquisition.line import Line
from gateway.acquisition.listening import MessageIntake
from gateway.acquisition.outbox import Append, Committed
from gateway.acquisition.pushed import PushedSlots
from gateway.acquisition.recording import Recorder
from gateway.domain.errors import MeterproofError
from gateway.domain.reading import Arrival, Message, Outcome
from gateway.journal.entry import Draft, EncodedDraft

MAX_LINE_BYTES = 200_000
MAX_PENDING = 200_000


class HistoryError(MeterproofError):
    """A line of the stream cannot be used; nothing after the last commit was journaled."""

    exit_code = 2


class PollLine(msgspec.Struct, tag="poll", tag_field="t", frozen=True):
    """A slot that brought bytes: base64 or null, one a request of the plan."""

    device: str
    group: str
    slot: int
    sent: int
    received: int
    raw: tuple[bytes | None, ...]
    outcome: str = Outcome.OK.value


class MissLine(msgspec.Struct, tag="miss", tag_field="t", frozen=True):
    """A slot that brought nothing."""

    device: str
    group: str
    slot: int
    outcome: str
    code: int = 0
    detail: str = ""


class MessageLine(msgspec.Struct, tag="message", tag_field="t", frozen=True):
    """A pushed message."""

    endpoint: str
    topic: str
    payload: bytes
    received: int


class RecordLine(msgspec.Struct, tag="record", tag_field="t", frozen=True):
    """A ledger record as an import would enter it; ``from``/``to`` null or absent: open."""

    at: int
    kind: str
    id: str
    object: dict[str, Any]
    from_us: int | None = msgspec.field(default=None, name="from")
    to_us: int | None = msgspec.field(default=None, name="to")


class CommitLine(msgspec.Struct, tag="commit", tag_field="t", frozen=True):
    """The virtual clock stands at ``at``; what came since the last commit is committed."""

    at: int


HistoryLine = PollLine | MissLine | MessageLine | RecordLine | CommitLine
_decoder: msgspec.json.Decoder[HistoryLine] = msgspec.json.Decoder(HistoryLine)


class VirtualClock:
    """Clock of gateway.ports whose time is told."""

    def __init__(self, at_us: int = 0) -> None:
        self.at_us = at_us

    def utc_us(self) -> int:
        """The virtual instant."""
        return self.at_us

    def monotonic_ns(self) -> int:
        """The same instant."""
        return self.at_us * 1_000

    async def sleep(self, duration_s: float) -> None:
        """Nobody waits on this clock."""
        raise AssertionError(f"waited {duration_s} s on a clock that is told the time")


class PendingEntries:
    """Gathers entries until ``commit``; stands where the outbox stands in live collection."""

    def __init__(self, append: Append) -> None:
        self._append = append
        self._drafts: list[EncodedDraft] = []
        self.last_seq = 0
        self.entries = 0

    def put(self, draft: EncodedDraft, committed: Committed | None = None, *, urgent: bool = False) -> None:
        """Add one entry."""
        assert committed is None
        assert not urgent
        self._drafts.append(draft)
        if len(self._drafts) >= MAX_PENDING:
            self.commit()

    async def room(self) -> None:
        """There always is."""

    def commit(self) -> None:
        """One synced commit of everything gathered."""
        if self._drafts:
            drafts, self._drafts = self._drafts, []
            self.last_seq = self._append(drafts)[-1]
            self.entries += len(drafts)


class History:
    """Takes the stream line by line."""

    def __init__(
        self,
        lines: Iterable[Line],
        intakes: Mapping[str, MessageIntake],
        slots: Mapping[str, PushedSlots],
        *,
        recorder: Recorder,
        pending: PendingEntries,
        clock: VirtualClock,
        learn: Callable[[RecordLine, int], None],
        make_record: Callable[[RecordLine], Draft],
        on_commit: Callable[[int], None],
    ) -> None:
        self._lines = {(line.device.id, line.group.id): line for line in lines}
        self._intakes = intakes
        self._slots = slots
        self._recorder = recorder
        self._pending = pending
        self._clock = clock
        self._learn = learn
        self._make_record = make_record
        self._on_commit = on_commit
        self._number = 0
        self.slots_taken = 0

    def feed(self, lines: Iterable[bytes]) -> None:
        """Take lines; HistoryError names the first one that cannot be used."""
        decode, take = _decoder.decode, self._take
        for text in lines:
            self._number += 1
            if len(text) > MAX_LINE_BYTES:
                raise self._refused(f"longer than {MAX_LINE_BYTES} bytes")
            if text.isspace():
                continue
            try:
                line = decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise self._refused(str(error)) from error
            take(line)

    def finish(self) -> None:
        """Commit what came after the last commit line."""
        self._commit()

    def _take(self, line: HistoryLine) -> None:
        if type(line) is PollLine:
            self._poll(line)
        elif isinstance(line, MessageLine):
            self._message(line)
        elif isinstance(line, MissLine):
            self._miss(line)
        elif isinstance(line, CommitLine):
            self._advance(line.at)
            self._commit()
        elif isinstance(line, RecordLine):
            self._record(line)

    def _poll(self, poll: PollLine) -> None:
        line = self._open_slot(poll.device, poll.group, poll.slot)
        if line.plan is None or len(poll.raw) != len(line.plan.requests):
            raise self._refused(f"'raw' does not fit the read plan of {line.key}")
        outcome = self._outcome(poll.outcome, with_values=True)
        self._advance(poll.received)
        arrival = Arrival(
            device=poll.device,
            group=poll.group,
            slot_us=poll.slot,
            outcome=outcome,
            sent_us=poll.sent,
            received_us=poll.received,
            raw=poll.raw,
        )
        self._pending.put(self._recorder.poll(line, arrival, self._clock.at_us))

    def _miss(self, miss: MissLine) -> None:
        line = self._open_slot(miss.device, miss.group, miss.slot)
        outcome = self._outcome(miss.outcome, with_values=False)
        self._advance(miss.slot)
        arrival = Arrival(
            device=miss.device,
            group=miss.group,
            slot_us=miss.slot,
            outcome=outcome,
            code=miss.code,
            detail=miss.detail,
        )
        self._pending.put(self._recorder.miss(line, arrival, self._clock.at_us))

    def _outcome(self, name: str, *, with_values: bool) -> Outcome:
        try:
            outcome = Outcome(name)
        except ValueError as error:
            raise self._refused(f"no outcome is named {name!r}") from error
        if outcome.has_values is not with_values or outcome is Outcome.STOPPED:
            raise self._refused(f"outcome {name!r} does not belong on such a line")
        return outcome

    def _open_slot(self, device: str, group: str, slot_us: int) -> Line:
        """The line, with its slot taken; slots the stream left out were not collected."""
        line = self._lines.get((device, group))
        if line is None:
            raise self._refused(f"the site file has no device '{device}' with a group '{group}'")
        expected_us = line.next_slot_us
        if expected_us is not None and slot_us < expected_us:
            raise self._refused(f"slot {slot_us} of {line.key} has its outcome already")
        if line.grid.current(slot_us) != slot_us:
            raise self._refused(f"{slot_us} is no slot time of {line.key}")
        if expected_us is not None and slot_us > expected_us:
            draft = self._recorder.stopped(line, expected_us, slot_us, self._clock.at_us)
            if draft is not None:
                self._pending.put(draft)
        line.next_slot_us = slot_us + line.grid.period_us
        self.slots_taken += 1
        return line

    def _message(self, line: MessageLine) -> None:
        intake = self._intakes.get(line.endpoint)
        if intake is None:
            raise self._refused(f"the site file has no listening endpoint '{line.endpoint}'")
        self._advance(line.received)
        message = Message(endpoint=line.endpoint, topic=line.topic, payload=line.payload, received_us=line.received)
        slots = self._slots[line.endpoint]
        slots.start_at(line.received)
        drafts, filled = intake.take(message, self._clock.at_us)
        for filled_line, slot_us in filled:
            slots.sampled(filled_line, slot_us)
        for draft in drafts:
            self._pending.put(draft)

    def _record(self, line: RecordLine) -> None:
        """A record is committed at once, with all before it: readings after it are judged against its entry."""
        self._advance(line.at)
        try:
            draft = self._make_record(line).encode()
        except ValueError as error:
            raise self._refused(str(error)) from error
        self._pending.put(draft)
        self._pending.commit()
        self._learn(line, self._pending.last_seq)

    def _advance(self, at_us: int) -> None:
        self._clock.at_us = max(self._clock.at_us, at_us)

    def _commit(self) -> None:
        for slots in self._slots.values():
            if slots.started:
                slots.close_until(self._clock.at_us)
        self._pending.commit()
        self._on_commit(self._clock.at_us)

    def _refused(self, reason: str) -> HistoryError:
        return HistoryError("line %(line)s of the stream: %(reason)s", line=str(self._number), reason=reason)
