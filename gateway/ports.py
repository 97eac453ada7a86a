"""The Protocols between rooms, and between the gateway and what plugs into it.

Nothing outside an implementation of ``Clock``, ``Random``, ``Streams`` or ``Committer`` may look at the wall clock,
draw random numbers, open a socket or start a thread: the deterministic simulation replaces these four and runs the
real code.

Drivers come in two shapes. A *polling* driver is asked, one exchange at a time, by the actor that owns its endpoint.
A *listening* driver hands over messages and acknowledges each only after the journal has it. Both are pure where they
turn bytes into values, so the same function runs live, in a rebuild and under random bytes in tests.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.domain.device import Device, RequestGroup
from gateway.domain.errors import Problem
from gateway.domain.finding import Finding
from gateway.domain.reading import Message, Sample

Document = dict[str, Any]
"""A JSON-shaped value that can stand in a journal body: objects, arrays, strings, integers, null. Nothing else."""


class Clock(Protocol):
    """Wall time for the record, monotonic time for waiting."""

    def utc_us(self) -> int:
        """Wall-clock instant, microseconds UTC. May step back; never used to measure a duration."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds from an arbitrary start, never decreasing."""
        ...

    async def sleep(self, duration_s: float) -> None:
        """Wait, on the same time as ``monotonic_ns``."""
        ...


class Random(Protocol):
    """Jitter and identifiers; seeded in simulation."""

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high]."""
        ...

    def token(self, size_bytes: int) -> bytes:
        """Unpredictable bytes (from the operating system in production)."""
        ...


class Streams(Protocol):
    """Byte streams to devices and brokers."""

    async def connect(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> asyncio.BaseTransport:
        """Open one TCP (or TLS) stream; OSError when it cannot be opened."""
        ...

    async def listen(
        self, protocol_factory: Callable[[], asyncio.BaseProtocol], host: str, port: int
    ) -> asyncio.AbstractServer:
        """Accept streams from devices that dial in."""
        ...

    async def open_serial(
        self, protocol_factory: Callable[[], asyncio.BaseProtocol], path: str, settings: Mapping[str, Any]
    ) -> asyncio.BaseTransport:
        """Open a serial port (``baudrate``, ``bytesize``, ``parity``, ``stopbits``); OSError when it cannot."""
        ...


class Committer(Protocol):
    """Runs blocking, durable work away from the event loop, one piece at a time, in order."""

    async def run(self, work: Callable[[], Any]) -> Any:  # the work's own result type
        """Run ``work`` on the writer thread and return what it returned, or raise what it raised."""
        ...


class ReadPlan(Protocol):
    """Which requests read one group, and how their bytes become values. Immutable, computed at load."""

    @property
    def requests(self) -> Sequence[Any]:
        """The driver's own request objects, in the order they are exchanged."""
        ...

    def document(self) -> Document:
        """The resolved plan as it stands in the configuration entry (docs/decode-plan.md), complete enough to decode
        without the profile and without this driver."""
        ...

    def decode(
        self, raw: Sequence[bytes | None]
    ) -> tuple[tuple[int | str | None, ...], tuple[int, ...], tuple[Finding, ...]]:
        """Values, quality words and findings in the order of the group's channels. Total: any bytes give a result."""
        ...


@dataclass(slots=True, kw_only=True)
class Answer:
    """What one request brought: bytes, or why not. ``outcome`` as in Outcome; ``data`` only when it is OK. Not changed
    once made; frozen would cost half a microsecond a request."""

    outcome: str
    data: bytes | None = None
    sent_us: int = 0
    received_us: int = 0
    code: int = 0
    detail: str = ""


class Link(Protocol):
    """One open way to an endpoint. Owned by that endpoint's actor; never used by two callers at once.

    A link connects by itself when first asked and again after it broke, and applies its own framing rules (drain,
    silence, reopen). A request in flight is never cancelled by the caller.
    """

    async def exchange(self, device: Device, request: Any, timeout_s: float) -> Answer:  # driver's own
        """Send one request to a device of this endpoint and wait for its answer, at most ``timeout_s``."""
        ...

    async def close(self) -> None:
        """Close and forget; idempotent."""
        ...


class PollingDriver(Protocol):
    """A protocol in which the gateway asks."""

    name: str

    def check_connection(self, connection: Mapping[str, Any]) -> list[Problem]:
        """Everything wrong with an endpoint's ``connection`` block; empty when it is usable."""
        ...

    def check_device(self, address: Mapping[str, Any], profile: Mapping[str, Any]) -> list[Problem]:
        """Everything wrong with a device's ``address`` and with the ``source`` blocks of its profile."""
        ...

    def plan(
        self, address: Mapping[str, Any], profile: Mapping[str, Any], group: RequestGroup, connection: Mapping[str, Any]
    ) -> ReadPlan:
        """Compute the read plan of one group; ``profile`` is the parsed profile document."""
        ...

    def load_plan(self, document: Document) -> ReadPlan:
        """The plan back from its journal form; ``load_plan(p.document())`` decodes exactly as ``p`` does."""
        ...

    def open(
        self, endpoint: str, connection: Mapping[str, Any], *, clock: Clock, streams: Streams, random: Random
    ) -> Link:
        """A link to the endpoint; does not connect yet."""
        ...


class PayloadDecoder(Protocol):
    """Turns messages of one endpoint into samples. Pure and total, like ``ReadPlan.decode``."""

    def topics(self) -> Sequence[str]:
        """The topic filters to subscribe to for these devices, without duplicates, sorted."""
        ...

    def documents(self) -> Mapping[str, Document]:
        """Per device id, the resolved mapping as it stands in the configuration entry."""
        ...

    def decode(self, message: Message) -> tuple[tuple[Sample, ...], tuple[Finding, ...]]:
        """Samples of mapped devices, and findings about the message itself (undecodable, unmapped, retained)."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message and the way to acknowledge it once the journal has it."""

    message: Message
    acknowledge: Callable[[], None]


class Listener(Protocol):
    """An open subscription. Reconnects by itself; back-pressure is the broker's in-flight window."""

    def deliveries(self) -> AsyncIterator[Delivery]:
        """Messages as they come, until closed."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the session is up now."""
        ...

    async def close(self) -> None:
        """Leave without ending the persistent session; idempotent."""
        ...


class ListeningDriver(Protocol):
    """A protocol in which the devices push."""

    name: str

    def check_connection(self, connection: Mapping[str, Any]) -> list[Problem]:
        """Everything wrong with an endpoint's ``connection`` block."""
        ...

    def check_device(self, address: Mapping[str, Any], profile: Mapping[str, Any]) -> list[Problem]:
        """Everything wrong with a device's ``address`` and the ``source`` blocks of its profile."""
        ...

    def decoder(
        self,
        connection: Mapping[str, Any],
        devices: Sequence[tuple[Device, Mapping[str, Any]]],
    ) -> PayloadDecoder:
        """The decoder for the devices of one endpoint, each with its parsed profile document."""
        ...

    def load_decoder(self, documents: Mapping[str, Document], devices: Sequence[Device]) -> PayloadDecoder:
        """The decoder back from journal form."""
        ...

    def open(
        self,
        endpoint: str,
        connection: Mapping[str, Any],
        topics: Sequence[str],
        *,
        clock: Clock,
        streams: Streams,
        random: Random,
    ) -> Listener:
        """Start listening to the topics; does not block on the broker being there."""
        ...
