"""One question and its answer on the wire, and what may be sent instead."""

from dataclasses import dataclass

from simulators.modbus.framing import MBAP, Framing


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and the answer an honest server would send, as frames. ``earlier`` is the honest answer before it, if
    any."""

    device: str
    at_us: int
    request: bytes
    answer: bytes
    earlier: bytes | None = None
    framing: Framing = MBAP


@dataclass(frozen=True, slots=True)
class Reaction:
    """What is really sent: pieces, each after its delay in seconds; then the connection may be closed."""

    pieces: tuple[tuple[float, bytes], ...]
    close: bool = False
