"""Streams as the event loop sees them: bytes in, one pending question, the end."""

import asyncio
from collections.abc import Callable
from typing import Any

from drivers.modbus.conversation import Conversation, Result, Verdict
from gateway.domain.reading import Outcome
from gateway.ports import Answer, Clock

OK = str(Outcome.OK)


class Stream:
    """What a socket and a serial port have in common."""

    def __init__(
        self, conversation: Conversation, clock: Clock, greeting: bytes, on_ready: Callable[["Stream"], None]
    ) -> None:
        self.conversation = conversation
        self.transport: Any = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.open = False
        self.ended = False  # closed, or to be closed as soon as it opens
        self.good = False  # whether it has brought an authentic answer
        self.received = 0  # how often bytes came; draining watches it
        self.waiter: asyncio.Future[Answer] | None = None
        self.sent_us = 0
        self._clock = clock
        self._greeting = greeting
        self._on_ready = on_ready

    def connection_made(self, transport: Any) -> None:  # socket and serial transports share no base
        """The stream is open; with a registration to come it is not ready yet."""
        self.transport = transport
        self.loop = asyncio.get_running_loop()
        if self.ended:
            self.abort()
            return
        self.open = True
        if not self._greeting:
            self._on_ready(self)

    def connection_lost(self, error: Exception | None) -> None:
        """The stream has ended: whoever waits learns it at once, not after the time-out."""
        self.open = False
        self.ended = True
        self.finish(
            Verdict(Outcome.UNREACHABLE, detail=f"closed while asking: {error}" if error else "closed by the peer")
        )

    def eof_received(self) -> bool:
        """A peer that will send no more is of no use: close."""
        return False

    def taken(self, count: int) -> None:
        """``count`` bytes more stand in the conversation's buffer."""
        self.received += 1
        if self._greeting:
            self._greet(count)
            return
        result = self.conversation.feed(count)
        if result is not None:
            self.finish(result)

    def _greet(self, count: int) -> None:
        """Compare what came with the registration; what stands behind it belongs to the conversation."""
        conversation = self.conversation
        conversation.size += count
        seen = bytes(conversation.view[: conversation.size])
        if not seen.startswith(self._greeting[: len(seen)]):
            self.abort()
            return
        if len(seen) < len(self._greeting):
            return
        rest = seen[len(self._greeting) :]
        conversation.buffer[: len(rest)] = rest
        conversation.size = 0
        self._greeting = b""
        self._on_ready(self)
        if rest:
            conversation.feed(len(rest))

    def finish(self, result: Result) -> None:
        """Hand the result to whoever waits; results nobody waits for are dropped."""
        waiter = self.waiter
        if waiter is None:
            return
        self.waiter = None
        if waiter.done():
            return
        if isinstance(result, bytes):
            self.good = True
            waiter.set_result(Answer(outcome=OK, data=result, sent_us=self.sent_us, received_us=self._clock.utc_us()))
            return
        if result.outcome is Outcome.EXCEPTION:
            self.good = True
        waiter.set_result(
            Answer(
                outcome=str(result.outcome),
                sent_us=self.sent_us,
                received_us=self._clock.utc_us(),
                code=result.code,
                detail=result.detail,
            )
        )

    def abort(self) -> None:
        """Close without waiting for what is still to be sent."""
        self.open = False
        self.ended = True
        if self.transport is not None:
            abort = getattr(self.transport, "abort", self.transport.close)
            abort()


class SocketStream(Stream, asyncio.BufferedProtocol):
    """Reads into one fixed buffer: a plain protocol allocates 256 KiB for every read."""

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # the interface names it
        """Where the next bytes go; a buffer full of rubbish is emptied."""
        conversation = self.conversation
        size = conversation.size
        if not size:
            return conversation.view
        if size >= len(conversation.buffer):
            conversation.discard()
            conversation.dirty = True
        return conversation.view[conversation.size :]

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes stand in the buffer."""
        if self._greeting:
            self.taken(nbytes)
            return
        self.received += 1
        result = self.conversation.feed(nbytes)
        if result is not None:
            self.finish(result)


class SerialStream(Stream, asyncio.Protocol):
    """Serial transports hand over what they read."""

    def data_received(self, data: bytes) -> None:
        """Bytes were read; they go into the buffer piece by piece."""
        conversation = self.conversation
        for start in range(0, len(data), 256):
            piece = data[start : start + 256]
            if conversation.size + len(piece) > len(conversation.buffer):
                conversation.discard()
                conversation.dirty = True
            conversation.buffer[conversation.size : conversation.size + len(piece)] = piece
            self.taken(len(piece))
