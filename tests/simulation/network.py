"""A simulated network in virtual time: streams of gateway.ports that end at simulated meters, byte by byte."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulators.faults.wire import WireFaults
from simulators.modbus.device import MeterOnTheWire
from simulators.modbus.exchange import Exchange
from simulators.modbus.framing import MBAP, Framing


@dataclass(frozen=True, slots=True)
class Said:
    """One answer that left a server: what was honest, and the fault that spoilt it, if one did."""

    device: str
    at_us: int
    request: bytes  # PDU
    honest: bytes  # PDU
    fault: str | None


@dataclass
class SimulatedServer:
    """A Modbus server with one line behind it: one request at a time, answers after a latency.

    ``connections`` is how many clients it bears; ``taken``: somebody else holds them all.
    """

    name: str
    meters: dict[int, MeterOnTheWire]
    faults: WireFaults
    chance: random.Random
    now_us: Callable[[], int]
    framing: Framing = MBAP
    connections: int = 64
    down: bool = False
    taken: bool = False
    said: list[Said] = field(default_factory=list)
    turned_away: int = 0
    earlier: bytes | None = None
    free_at_s: float = 0.0
    links: list["MemoryTransport"] = field(default_factory=list)

    def take(self, link: "MemoryTransport", frame: bytes) -> None:
        """One whole request came; its answer is decided when the line gets to it."""
        loop = asyncio.get_running_loop()
        start_s = max(loop.time(), self.free_at_s) + self.chance.uniform(0.002, 0.02)
        self.free_at_s = start_s
        loop.call_at(start_s, self._answer, link, frame)

    def _answer(self, link: "MemoryTransport", frame: bytes) -> None:
        framing = self.framing
        meter = self.meters.get(framing.unit(frame))
        at_us = self.now_us()
        if meter is None or self.down or link.is_closing():
            return
        request = framing.pdu(frame)
        pdu = meter.answer(request, at_us)
        answer = framing.answer(frame, meter.unit, pdu)
        reaction = self.faults(Exchange(meter.device, at_us, frame, answer, self.earlier, framing))
        fault = None if reaction is None else self.faults.latest
        self.said.append(Said(meter.device, at_us, request, pdu, fault))
        self.earlier = answer
        if reaction is None:
            link.deliver(answer)
            return
        loop = asyncio.get_running_loop()
        when_s = loop.time()
        for delay_s, piece in reaction.pieces:
            when_s += delay_s
            loop.call_at(when_s, link.deliver, piece)
        self.free_at_s = max(self.free_at_s, when_s)
        if reaction.close:
            loop.call_at(when_s, link.hang_up)

    def cut(self) -> None:
        """The server vanishes: every link ends."""
        for link in list(self.links):
            link.hang_up()


class MemoryTransport(asyncio.Transport):
    """The gateway's end of one stream, socket or serial."""

    def __init__(self, server: SimulatedServer, protocol: Any) -> None:
        super().__init__()
        self._server = server
        self._protocol = protocol
        self._buffered = isinstance(protocol, asyncio.BufferedProtocol)
        self._closed = False
        self._received = b""
        server.links.append(self)

    def write(self, data: Any) -> None:
        """Bytes from the gateway; whole requests go to the server."""
        if self._closed:
            return
        self._received += bytes(data)
        while True:
            frame, self._received = self._server.framing.cut(self._received)
            if frame is None:
                return
            self._server.take(self, frame)

    def deliver(self, data: bytes) -> None:
        """Bytes to the gateway, as the event loop would hand them over."""
        if not self._buffered:
            if data and not self._closed:
                self._protocol.data_received(data)
            return
        while data and not self._closed:
            buffer = self._protocol.get_buffer(len(data))
            size = min(len(buffer), len(data))
            buffer[:size] = data[:size]
            data = data[size:]
            self._protocol.buffer_updated(size)

    def hang_up(self) -> None:
        """The other side closes."""
        if not self._closed:
            self.close()

    def close(self) -> None:
        """End the stream; the protocol learns it in the next turn, as with sockets."""
        if self._closed:
            return
        self._closed = True
        if self in self._server.links:
            self._server.links.remove(self)
        asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """The same."""
        self.close()

    def is_closing(self) -> bool:
        """Whether it has ended."""
        return self._closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Nothing is known of it."""
        del name
        return default


class SimulatedStreams:
    """Streams of gateway.ports; ports are the servers' numbers, serial ports their names."""

    def __init__(self, servers: Sequence[SimulatedServer]) -> None:
        self._servers = list(servers)
        self.refused = 0

    async def connect(
        self, protocol_factory: Callable[[], Any], host: str, port: int, *, tls: object = None
    ) -> asyncio.BaseTransport:
        """A stream to server ``port`` - 1; refused while it is down, closed at once while others hold its sockets."""
        del host, tls
        server = self._servers[port - 1]
        await asyncio.sleep(server.chance.uniform(0.001, 0.01))
        if server.down:
            self.refused += 1
            raise ConnectionRefusedError(111, "refused")
        full = server.taken or len(server.links) >= server.connections
        transport = self._opened(server, protocol_factory())
        if full:
            server.turned_away += 1
            transport.hang_up()
        return transport

    async def listen(self, protocol_factory: Callable[[], Any], host: str, port: int) -> asyncio.AbstractServer:
        """Nobody dials in here."""
        raise AssertionError((protocol_factory, host, port))

    async def open_serial(
        self, protocol_factory: Callable[[], Any], path: str, settings: Mapping[str, Any]
    ) -> asyncio.BaseTransport:
        """The line of the server that the path names; gone while it is down."""
        del settings
        (server,) = (each for each in self._servers if path == f"/dev/{each.name}")
        if server.down:
            self.refused += 1
            raise FileNotFoundError(2, "no such device")
        return self._opened(server, protocol_factory())

    @staticmethod
    def _opened(server: SimulatedServer, protocol: Any) -> "MemoryTransport":
        transport = MemoryTransport(server, protocol)
        protocol.connection_made(transport)
        return transport
