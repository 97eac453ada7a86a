"""The actor of an endpoint that pushes: message, decode, judge, journal, and only then acknowledge."""

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import sha256

from gateway.acquisition.duplicates import RecentMessages, came_again, came_again_finding
from gateway.acquisition.line import Line
from gateway.acquisition.outbox import Outbox
from gateway.acquisition.parts import PIECE_BYTES
from gateway.acquisition.pushed import PushedSlots
from gateway.acquisition.recording import Recorder, slot_of
from gateway.domain.errors import JournalError
from gateway.domain.finding import Finding, Severity
from gateway.domain.reading import Message
from gateway.journal.entry import EncodedDraft
from gateway.ports import Clock, Delivery, Listener, PayloadDecoder

LARGEST_PAYLOAD_BYTES = 256 * 1024
"""A larger message is no meter's: it is kept by its beginning and its hash."""


class MessageIntake:
    """From a message to its entry. Shared by live listening and back-fill, so both take the same way."""

    def __init__(
        self, lines: Sequence[Line], decoder: PayloadDecoder, recorder: Recorder, recent: RecentMessages
    ) -> None:
        self.lines: Mapping[tuple[str, str], Line] = {(line.device.id, line.group.id): line for line in lines}
        self._decoder = decoder
        self._recorder = recorder
        self.recent = recent

    def take(self, message: Message, at_us: int) -> tuple[list[EncodedDraft], list[tuple[Line, int]]]:
        """The entries, one as a rule, and the slots its samples fall into."""
        known = self.recent.seen(message)
        samples, findings = self._decoder.decode(message)
        if known and came_again(message, samples):
            # the message itself stands in the journal already; that it came again is a fact of its own
            return [self._recorder.message(message, [], (came_again_finding(message),), at_us, payload=b"")], []
        judged = self._recorder.judged(samples, self.lines)
        filled = [(line, slot_of(line, sample)) for line, sample, _ in judged]
        if len(message.payload) > LARGEST_PAYLOAD_BYTES:
            return [self._too_large(message, at_us)], []
        try:
            return [self._recorder.message(message, judged, findings, at_us)], filled
        except JournalError:
            pass
        try:
            return self._recorder.message_in_parts(message, judged, findings, at_us), filled
        except JournalError:
            return [self._too_large(message, at_us)], []

    def _too_large(self, message: Message, at_us: int) -> EncodedDraft:
        facts: dict[str, int | str] = {
            "reason": "too large",
            "size": len(message.payload),
            "sha256": sha256(message.payload).hexdigest(),
        }
        finding = Finding("message.undecodable", Severity.ERROR, "", facts)
        return self._recorder.message(message, [], (finding,), at_us, payload=message.payload[:PIECE_BYTES])


class ListeningActor:
    """Runs one listener. Back-pressure is the broker's window: what is not journaled is not acknowledged."""

    def __init__(
        self,
        endpoint: str,
        listener: Listener,
        *,
        intake: MessageIntake,
        slots: PushedSlots,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self.endpoint = endpoint
        self.listener = listener
        self.intake = intake
        self.slots = slots
        self._outbox = outbox
        self._clock = clock

    async def run(self) -> None:
        """Listen until cancelled, then leave the session as it is."""
        closing = asyncio.create_task(self.slots.run(), name=f"slots of {self.endpoint}")
        try:
            async for delivery in self.listener.deliveries():
                self._take(delivery)
                await self._outbox.room()
                if closing.done():
                    closing.result()
        finally:
            closing.cancel()
            await asyncio.gather(closing, return_exceptions=True)

    def _take(self, delivery: Delivery) -> None:
        drafts, filled = self.intake.take(delivery.message, self._clock.utc_us())
        for line, slot_us in filled:
            self.slots.sampled(line, slot_us)
        for draft in drafts[:-1]:
            self._outbox.put(draft)
        self._outbox.put(drafts[-1], lambda _seq: delivery.acknowledge(), urgent=True)
