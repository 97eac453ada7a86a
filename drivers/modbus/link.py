"""The gateway's own Modbus client: one open stream to an endpoint, one question in flight.

- A question ends by an answer, by the stream's end, or by its deadline; it is never cancelled and then overtaken.
- On framing without transaction ids a time-out spoils the stream: a TCP stream is reopened, a serial line drained, and
  the same unit is not asked again before the longest time its late answer may take (``Connection.worst_answer_s``).
- Connecting again after a failure waits longer each time, 0.5 s up to 30 s; only a good answer sets that back. A stream
  that is reopened after good answers is reopened at once.
"""

import asyncio

from drivers.modbus.conversation import AsciiConversation, Conversation, RtuConversation, TcpConversation, Verdict
from drivers.modbus.cost import silence_us
from drivers.modbus.reopening import Backoff, LateAnswers, unreachable
from drivers.modbus.request import Request
from drivers.modbus.schema import Connection
from drivers.modbus.settings import serial_settings
from drivers.modbus.stream import OK, SerialStream, SocketStream, Stream
from drivers.modbus.tls import client_context
from gateway.domain.device import Device
from gateway.domain.reading import Outcome
from gateway.ports import Answer, Clock, Random, Streams

NS_PER_S = 1_000_000_000
MOST_CALLERS = 8
"""Who has dialled in and not yet said the registration; one more turns the oldest away."""
SETTLE_S = 0.05
"""How long a fresh stream is listened to before a unit that kept silent is asked on it."""
SILENT_LIMIT = 5  # time-outs in a row after which a stream with ids is no longer trusted to be alive


def conversation_for(connection: Connection, chance: Random) -> Conversation:
    """The framing of a transport, in its initial state."""
    heartbeat = octets(connection.heartbeat)
    if connection.transport in {"tcp", "tls"}:
        return TcpConversation(heartbeat, int.from_bytes(chance.token(2), "big"))
    if connection.transport in {"ascii", "ascii_over_tcp"}:
        return AsciiConversation(heartbeat)
    return RtuConversation(heartbeat)


def octets(text: str | None) -> bytes:
    """A registration or heartbeat as bytes: ``hex:`` and digits, or plain text."""
    if text is None:
        return b""
    return bytes.fromhex(text.removeprefix("hex:")) if text.startswith("hex:") else text.encode()


class ModbusLink:
    """One way to an endpoint (``gateway.ports.Link``). Owned by the endpoint's actor; one exchange at a time."""

    def __init__(self, connection: Connection, *, clock: Clock, streams: Streams, random: Random) -> None:
        self._connection = connection
        self._clock = clock
        self._streams = streams
        self._random = random
        self._stream: Stream | None = None
        self._server: asyncio.AbstractServer | None = None
        self._dialled_in = asyncio.Event()
        self._callers: list[SocketStream] = []
        self._watchdog: asyncio.Task[None] | None = None
        self._deadline_ns = 0
        self._watch_ns = 0
        self._backoff = Backoff(clock, random)
        self._late = LateAnswers(clock, connection.worst_answer_s)
        self._pace_ns = 0
        self._silences = 0
        self._gap_ns = self._gap()
        # framing without ids, and pacing, look before every question; a plain TCP stream need not
        self._careful = self._gap_ns > 0 or connection.transport not in {"tcp", "tls"}
        self.connects = 0

    async def exchange(self, device: Device, request: Request, timeout_s: float) -> Answer:  # noqa: ARG002
        """Ask and wait, at most ``timeout_s`` for the answer (connecting and draining come before)."""
        stream = self._stream
        if stream is None or self._careful or not stream.open or stream.conversation.dirty:
            hindrance = await self._prepare(request, timeout_s)
            if hindrance is not None:
                return hindrance
            stream = self._stream
            assert stream is not None
        clock = self._clock
        assert stream.loop is not None
        waiter = stream.waiter = stream.loop.create_future()
        stream.sent_us = clock.utc_us()
        stream.transport.write(stream.conversation.ask(request))
        self._deadline_ns = deadline_ns = clock.monotonic_ns() + int(timeout_s * NS_PER_S)
        if self._watchdog is None or deadline_ns < self._watch_ns:
            self._watch(deadline_ns)
        try:
            answer: Answer = await waiter
        except asyncio.CancelledError:
            stream.waiter = None
            stream.conversation.forget()
            if not stream.conversation.ids:
                self._late.expect(request.unit)
            raise
        if answer.outcome == OK or answer.code:
            self._backoff.failures = 0
            self._silences = 0
            if self._gap_ns:
                self._pace_ns = clock.monotonic_ns() + self._gap_ns
            return answer
        return self._troubled(request, stream, answer)

    async def close(self) -> None:
        """Close and forget; idempotent. A later exchange opens anew."""
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        if self._stream is not None:
            self._stream.abort()
            self._stream = None
        if self._server is not None:
            self._server.close()
            self._server = None
        while self._callers:
            self._callers.pop().abort()

    # -- what may stand in the way of a question

    async def _prepare(self, request: Request, timeout_s: float) -> Answer | None:
        """A stream on which the question may be asked, or why there is none."""
        connects = self.connects
        hindrance = await self._clean_stream(timeout_s)
        if hindrance is None and self._late.expected(request.unit):
            # wait with the stream open: what a serial server kept for us comes out of it now, and is not the answer
            await self._late.wait(request.unit, SETTLE_S if self.connects > connects else 0.0)
            hindrance = await self._clean_stream(timeout_s)
        if hindrance is not None:
            return hindrance
        await self._sleep_until(self._pace_ns)
        stream = self._stream
        if stream is None or not stream.open:
            if stream is not None:
                self._lost(stream)
            return unreachable(self._clock, "closed by the peer")
        return None

    async def _clean_stream(self, timeout_s: float) -> Answer | None:
        """An open stream without remains of earlier questions, or why there is none."""
        stream = self._stream
        if stream is not None and not stream.open:
            self._lost(stream)
        elif stream is not None and stream.conversation.dirty:
            if self._connection.serial or self._connection.listen:
                await self._drain(stream)
            else:
                self._drop(stream)
        if self._stream is None or not self._stream.open:
            return await self._connect(timeout_s)
        return None

    def _gap(self) -> int:
        """The least time between an answer and the next question, nanoseconds."""
        connection = self._connection
        gap_us = 1_000 * connection.pause_ms
        if connection.serial:
            baud = connection.line_baud or 9_600
            gap_us = max(gap_us, silence_us(baud, 1 + connection.data_bits + 1 + connection.stop_bits))
        return 1_000 * gap_us

    async def _sleep_until(self, instant_ns: int) -> None:
        remaining_ns = instant_ns - self._clock.monotonic_ns()
        if instant_ns and remaining_ns > 0:
            await self._clock.sleep(remaining_ns / NS_PER_S)

    async def _drain(self, stream: Stream) -> None:
        """Throw away what comes until the line has been silent, for no longer than a late answer can take."""
        silence_s = max(self._gap_ns / NS_PER_S, 0.005)
        end_ns = self._clock.monotonic_ns() + int(self._connection.worst_answer_s * NS_PER_S)
        seen = -1
        while stream.open and seen != stream.received and self._clock.monotonic_ns() < end_ns:
            seen = stream.received
            await self._clock.sleep(silence_s)
        stream.conversation.discard()

    # -- connecting

    async def _connect(self, timeout_s: float) -> Answer | None:
        if self._connection.listen:
            return await self._await_caller(timeout_s)
        hindrance = await self._backoff.wait(timeout_s)
        if hindrance is not None:
            return hindrance
        self.connects += 1
        opening = asyncio.ensure_future(self._open())
        limit = asyncio.ensure_future(self._clock.sleep(self._connection.connect_ms / 1_000))
        try:
            await asyncio.wait({opening, limit}, return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                self._backoff.failed()
                return unreachable(self._clock, "no connection in time")
            self._stream = opening.result()
        except (OSError, UnicodeError) as error:  # a host name may be none
            self._backoff.failed()
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            return unreachable(self._clock, reason)
        finally:
            limit.cancel()
            opening.cancel()
        self._silences = 0
        return None

    async def _open(self) -> Stream:
        connection = self._connection
        conversation = conversation_for(connection, self._random)
        if connection.serial:
            serial = SerialStream(conversation, self._clock, b"", _ready)
            await self._streams.open_serial(lambda: serial, connection.path or "", serial_settings(connection))
            return serial
        stream = SocketStream(conversation, self._clock, b"", _ready)
        tls = client_context(connection.tls) if connection.tls is not None else None
        await self._streams.connect(lambda: stream, connection.host or "", connection.tcp_port, tls=tls)
        return stream

    async def _await_caller(self, timeout_s: float) -> Answer | None:
        """Wait until a device has dialled in and said its registration."""
        connection = self._connection
        if self._server is None:
            try:
                self._server = await self._streams.listen(self._caller, connection.host or "", connection.tcp_port)
            except OSError as error:
                return unreachable(self._clock, f"cannot listen: {error.strerror or error}")
        self._dialled_in.clear()
        if self._stream is not None and self._stream.open:
            return None
        arrival = asyncio.ensure_future(self._dialled_in.wait())
        limit = asyncio.ensure_future(self._clock.sleep(timeout_s))
        try:
            await asyncio.wait({arrival, limit}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            arrival.cancel()
            limit.cancel()
        return (
            None
            if self._stream is not None and self._stream.open
            else unreachable(self._clock, "no device has dialled in")
        )

    def _caller(self) -> SocketStream:
        conversation = conversation_for(self._connection, self._random)
        caller = SocketStream(conversation, self._clock, octets(self._connection.registration), self._adopt)
        self._callers = [each for each in self._callers if not each.ended]
        if len(self._callers) >= MOST_CALLERS:
            self._callers.pop(0).abort()
        self._callers.append(caller)
        return caller

    def _adopt(self, stream: Stream) -> None:
        """The newest caller counts: a device dials again because it believes the old stream dead."""
        self._callers = [each for each in self._callers if each is not stream]
        before = self._stream
        self._stream = stream
        if before is not None and before is not stream:
            before.abort()
            before.finish(Verdict(Outcome.UNREACHABLE, detail="the device dialled in anew"))
        self.connects += 1
        self._dialled_in.set()

    def _lost(self, stream: Stream) -> None:
        """The peer ended the stream. One that never brought a good answer is not worth hurrying for."""
        if not stream.good and not self._connection.listen:
            self._backoff.failed()
        self._drop(stream)

    def _drop(self, stream: Stream) -> None:
        stream.abort()
        if self._stream is stream:
            self._stream = None

    # -- after a question without a good answer

    def _troubled(self, request: Request, stream: Stream, answer: Answer) -> Answer:
        ids = stream.conversation.ids
        if not ids:
            # also when the stream ended: a serial server may hand the answer to whoever connects next
            self._late.expect(request.unit)
        if not stream.open:
            self._lost(stream)
            return answer
        if self._gap_ns:
            self._pace_ns = self._clock.monotonic_ns() + self._gap_ns
        if not ids:
            return answer
        self._silences += 1
        if self._silences >= SILENT_LIMIT:
            # a half-open stream looks like silent meters; one that never spoke is not worth hurrying for
            if not stream.good:
                self._backoff.failed()
            self._silences = 0
            self._drop(stream)
        return answer

    # -- the deadline

    def _watch(self, deadline_ns: int) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._watch_ns = deadline_ns
        self._watchdog = asyncio.ensure_future(self._watch_deadline())

    async def _watch_deadline(self) -> None:
        """One sleeper for all questions of the link: it wakes at the oldest deadline and goes on to the newest."""
        while True:
            remaining_ns = self._watch_ns - self._clock.monotonic_ns()
            if remaining_ns > 0:
                await self._clock.sleep(remaining_ns / NS_PER_S)
            stream = self._stream
            if stream is None or stream.waiter is None:
                self._watchdog = None
                return
            if self._clock.monotonic_ns() >= self._deadline_ns:
                stream.finish(stream.conversation.expire())
                self._watchdog = None
                return
            self._watch_ns = self._deadline_ns


def _ready(stream: Stream) -> None:
    """A stream that we opened needs no registration."""
