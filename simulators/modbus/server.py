"""A Modbus TCP server over asyncio, with a hook that may replace every answer by any bytes at any time."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from simulators.modbus.device import MeterOnTheWire, by_unit

MAX_CONNECTIONS = 64
_HEADER = 7
_MAX_PDU = 253
_IDLE_S = 300.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and the answer an honest server would send. ``earlier`` is the honest answer before it, if any."""

    device: str
    at_us: int
    request: bytes
    answer: bytes
    earlier: bytes | None = None


@dataclass(frozen=True, slots=True)
class Reaction:
    """What is really sent: pieces, each after its delay in seconds; then the connection may be closed."""

    pieces: tuple[tuple[float, bytes], ...]
    close: bool = False


class Mischief(Protocol):
    """Turns an honest exchange into what the wire carries; None leaves it alone."""

    def __call__(self, exchange: Exchange) -> Reaction | None:
        """The reaction to one exchange."""
        ...


class ModbusServer:
    """Serves the meters of one endpoint, one request at a time as a serial line behind it would.

    ``turnaround_s`` is the time until a meter begins to answer; ``connections`` how many clients it bears (a further
    one is closed at once, as one-socket gateways do).
    """

    def __init__(
        self,
        meters: Sequence[MeterOnTheWire],
        now_us: Callable[[], int],
        *,
        turnaround_s: float = 0.0,
        connections: int = MAX_CONNECTIONS,
        mischief: Mischief | None = None,
    ) -> None:
        self._units = by_unit(meters)
        self._now_us = now_us
        self._turnaround_s = turnaround_s
        self._connections = min(connections, MAX_CONNECTIONS)
        self.mischief = mischief
        self._line = asyncio.Lock()
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._earlier: bytes | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port really used. OSError when it is taken."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=4_096)
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
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            pass  # the client went away or fell asleep; the next one is served as well
        finally:
            self._open.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        header = await asyncio.wait_for(reader.readexactly(_HEADER), _IDLE_S)
        length = int.from_bytes(header[4:6], "big")
        if header[2:4] != b"\0\0" or not 2 <= length <= _MAX_PDU + 1:
            return False  # not Modbus TCP
        pdu = await asyncio.wait_for(reader.readexactly(length - 1), _IDLE_S)
        async with self._line:
            return await self._react(header, pdu, writer)

    async def _react(self, header: bytes, pdu: bytes, writer: asyncio.StreamWriter) -> bool:
        meter = self._units.get(header[6])
        if self._turnaround_s:
            await asyncio.sleep(self._turnaround_s)
        at_us = self._now_us()
        if meter is None or meter.silent(at_us):
            return True
        answer_pdu = meter.answer(pdu, at_us)
        answer = header[:4] + (len(answer_pdu) + 1).to_bytes(2, "big") + header[6:7] + answer_pdu
        reaction = None
        if self.mischief is not None:
            reaction = self.mischief(Exchange(meter.device, at_us, header + pdu, answer, self._earlier))
        self._earlier = answer
        for delay_s, piece in reaction.pieces if reaction else ((0.0, answer),):
            if delay_s:
                await asyncio.sleep(delay_s)
            writer.write(piece)
            await writer.drain()
        return not (reaction and reaction.close)
