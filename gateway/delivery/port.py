"""What a courier carries, where it takes it from, and what a sink must be able to do.

A sink is written to at least once and must take the same point again without harm, because the courier resends
after every doubt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from gateway.ports import Clock
from gateway.series.row import SeriesRow


@dataclass(frozen=True, slots=True)
class Layout:
    """The channels of a group at one configuration: ids (None where a text, which is left out) and their decimals."""

    names: tuple[str | None, ...]
    decimals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A verdict that opened (``state`` 1) or closed (0) at ``at_us``; ``severity`` 0 info, 1 warning, 2 error."""

    device: str  # empty when it is about no device
    point: str  # empty when it is about no metering point
    rule: str
    state: int
    severity: int
    at_us: int
    seq: int


@dataclass(frozen=True, slots=True)
class Portion:
    """What the journal holds after a cursor: rows and verdicts of the entries up to ``last_seq``, in journal order.

    ``head_seq`` is the journal's newest entry, so that a lag can be shown. Empty when ``last_seq`` did not move.
    """

    last_seq: int
    head_seq: int
    rows: Sequence[SeriesRow] = ()
    verdicts: Sequence[VerdictRow] = ()


class Feed(Protocol):
    """Decoded journal entries for couriers. Rows that lost a conflict are not in it: the first value for a key wins."""

    async def read(self, after_seq: int, limit: int) -> Portion:
        """At most about ``limit`` rows after a cursor; only of entries that the series store has applied."""
        ...

    def layout(self, device: str, group: str, cfg_seq: int) -> Layout:
        """The channels of a group under a configuration entry."""
        ...


@dataclass(frozen=True, slots=True)
class Point:
    """One line for a sink, and which row it stands for. ``group`` is empty for a verdict."""

    line: bytes
    device: str
    group: str
    at_us: int
    seq: int


class AnswerKind(Enum):
    """What a sink's answer means for the courier."""

    WRITTEN = "written"
    PARTIAL = "partial"  # final: some points stored, some refused
    REFUSED = "refused"  # something in the batch is unacceptable; nothing is known about the rest
    TOO_LARGE = "too_large"
    HOLD = "hold"  # configuration: credentials, rights, a missing database
    RETRY = "retry"  # trouble of the server or the way to it


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with the server's own words (no secrets) and, when it gave one, the time to wait."""

    kind: AnswerKind
    detail: str = ""
    retry_after_s: float | None = None
    refused: int | None = None  # how many points the server says it dropped
    timed_out: bool = False  # the request was sent and nothing came back in time


class Sink(Protocol):
    """A store that readings are also written to."""

    name: str

    def point(self, row: SeriesRow, layout: Layout) -> Point | None:
        """The row as the sink takes it; None when it has nothing to store (texts only)."""
        ...

    def verdict(self, row: VerdictRow) -> Point | None:
        """The verdict as the sink takes it; None when the sink keeps no verdicts."""
        ...

    def refusal(self, point: Point) -> str | None:
        """Why the sink must not be given this point at all (its series budget is used up); None: it may."""
        ...

    def pack(self, points: Sequence[Point]) -> bytes:
        """The body of one request, made while the one before it is on its way."""
        ...

    async def write(self, body: bytes) -> Answer:
        """Send a packed body in one request. Never raises for trouble of the network or the server."""
        ...

    async def missing(self, points: Sequence[Point]) -> list[Point] | None:
        """Those of the points that the sink does not hold; None when it cannot be asked."""
        ...

    async def close(self) -> None:
        """Close connections; idempotent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkContext:
    """What the gateway gives a sink besides its block of the site file."""

    site: str
    clock: Clock
    environment: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"


class SinkPlugin(Protocol):
    """What an entry point of the group ``meterproof.sinks`` names. ``section`` is its block in the site file and
    the entry point's own name."""

    section: str

    def open(self, block: Mapping[str, Any], context: SinkContext) -> Sink:
        """A sink for the block; connects when first written to. ConfigurationError when the block cannot work."""
        ...
