"""Modbus servers over asyncio (TCP, RTU through a socket, RTU on a serial line) with a hook that may replace every
answer by any bytes at any time."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Protocol

from simulators.modbus.device import MeterOnTheWire, by_unit
from simulators.modbus.exchange import Exchange, Reaction
from simulators.modbus.framing import MBAP, Framing

__all__ = ["Exchange", "Mischief", "ModbusServer", "Reaction", "Replies"]

MAX_CONNECTIONS = 64
_IDLE_S = 300.0
_MOST_RECEIVED = 4_096


class Mischief(Protocol):
    """Turns an honest exchange into what the wire carries; None leaves it alone."""

    def __call__(self, exchange: Exchange) -> Reaction | None:
        """The reaction to one exchange."""
        ...


class Replies:
    """What the meters behind one line answer to a request frame, honest or spoilt; one request at a time."""

    def __init__(
        self,
        meters: Sequence[MeterOnTheWire],
        now_us: Callable[[], int],
        *,
        framing: Framing = MBAP,
        turnaround_s: float = 0.0,
        mischief: Mischief | None = None,
    ) -> None:
        self._units = by_unit(meters)
        self._now_us = now_us
        self._turnaround_s = turnaround_s
        self.framing = framing
        self.mischief = mischief
        self._line = asyncio.Lock()
        self._earlier: bytes | None = None

    async def send(self, request: bytes, write: Callable[[bytes], None]) -> bool:
        """Answer one request frame through ``write``; False when the connection is to be closed then."""
        async with self._line:
            if self._turnaround_s:
                await asyncio.sleep(self._turnaround_s)
            for delay_s, piece in (reaction := self._reaction(request)).pieces:
                if delay_s:
                    await asyncio.sleep(delay_s)
                write(piece)
            return not reaction.close

    def _reaction(self, request: bytes) -> Reaction:
        framing, at_us = self.framing, self._now_us()
        meter = self._units.get(framing.unit(request))
        if meter is None or meter.silent(at_us):
            return Reaction(())
        answer = framing.answer(request, meter.unit, meter.answer(framing.pdu(request), at_us))
        reaction = None
        if self.mischief is not None:
            reaction = self.mischief(Exchange(meter.device, at_us, request, answer, self._earlier, framing))
        self._earlier = answer
        return reaction or Reaction(((0.0, answer),))


class ModbusServer:
    """Serves the meters of one endpoint through sockets, one request at a time as a serial line behind it would.

    ``turnaround_s`` is the time until a meter begins to answer; ``connections`` how many clients it bears (a further
    one is closed at once, as one-socket gateways do).
    """

    def __init__(
        self,
        meters: Sequence[MeterOnTheWire],
        now_us: Callable[[], int],
        *,
        framing: Framing = MBAP,
        turnaround_s: float = 0.0,
        connections: int = MAX_CONNECTIONS,
        mischief: Mischief | None = None,
    ) -> None:
        self._replies = Replies(meters, now_us, framing=framing, turnaround_s=turnaround_s, mischief=mischief)
        self._connections = min(connections, MAX_CONNECTIONS)
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def mischief(self) -> Mischief | None:
        """The hook that spoils answers; may be set at any time."""
        return self._replies.mischief

    @mischief.setter
    def mischief(self, mischief: Mischief | None) -> None:
        self._replies.mischief = mischief

    async def start(self, host: str, port: int) -> int:
        """Listen; the port really used. OSError when it is taken."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=_MOST_RECEIVED)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close every connection and stop listening; idempotent."""
        if self._server is None:
            return
        self._server.close()
        for writer in list(self._open):
            writer.close()
        await self._server.wait_closed()
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= self._connections:
            writer.close()
            return
        self._open.add(writer)
        try:
            await self._converse(reader, writer)
        except (ValueError, ConnectionError, TimeoutError):
            pass  # no Modbus, or the client went away or fell asleep; the next one is served as well
        finally:
            self._open.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = b""
        while True:
            request, received = self._replies.framing.cut(received)
            if request is None:
                more = await asyncio.wait_for(reader.read(_MOST_RECEIVED), _IDLE_S)
                if not more:
                    return
                received += more
                continue
            if not await self._replies.send(request, writer.write):
                return
            await writer.drain()
