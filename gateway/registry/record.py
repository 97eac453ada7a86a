"""What the registry gives back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.domain.ledger import LedgerObject

Kind = TypeVar("Kind", bound=LedgerObject)


@dataclass(frozen=True, slots=True)
class Record:
    """One recorded version of a ledger object; ``seq`` is its journal entry.

    ``from_us``/``to_us`` (µs UTC, half open, None = open) say when it holds in the world.
    """

    seq: int
    at_us: int
    organisation: str
    kind: str
    id: str
    from_us: int | None
    to_us: int | None
    withdrawn: bool
    object: Mapping[str, Any]
    actor: str
    reason: str
    source: str

    def holds(self, at_us: int) -> bool:
        """Whether it is effective at an instant."""
        return (self.from_us is None or self.from_us <= at_us) and (self.to_us is None or at_us < self.to_us)

    def read_as(self, kind: type[Kind]) -> Kind:
        """The typed record."""
        return kind.from_document(self.id, self.object)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A situation that broke a rule from ``from_us`` until ``to_us`` (None: still, as far as known).

    ``seq`` is the entry that opened it, ``closed_seq`` the one that closed it. A closed one with ``to_us == from_us``
    turned out never to have been.
    """

    seq: int
    at_us: int
    organisation: str
    subject: str
    rule: str
    severity: str
    point: str | None
    device: str | None
    instrument: str | None
    installation: str | None
    certificate: str | None
    from_us: int
    to_us: int | None
    facts: Mapping[str, Any]
    registry: int
    rules: str
    closed_seq: int | None

    def holds(self, at_us: int) -> bool:
        """Whether it covers an instant."""
        return self.from_us <= at_us and (self.to_us is None or at_us < self.to_us)


@dataclass(frozen=True, slots=True)
class Event:
    """A dated act or fact of kind ``event``, ``clock``, ``key``, ``review``, ``user`` or ``loss``."""

    seq: int
    at_us: int
    organisation: str
    kind: str
    subject: str
    action: str
    actor: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration entry of a device or of the site."""

    seq: int
    at_us: int
    organisation: str
    subject_type: str
    id: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FindingCount:
    """Findings of one rule about one channel on one UTC day (``day`` counts from 1970-01-01)."""

    device: str
    channel: str
    rule: str
    day: int
    count: int
    first_seq: int
    last_seq: int
    first_us: int
    last_us: int
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Presence:
    """Where a request group stands: slot of its newest reading, and its misses since (0: none)."""

    device: str
    group: str
    last_us: int
    missed_since_us: int
    missed: int


@dataclass(frozen=True, slots=True)
class Silence:
    """A range in which a device brought nothing; ``to_us`` None while it lasts; ``last_us``: its reading before."""

    device: str
    from_us: int
    to_us: int | None
    missed: int
    last_us: int


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device said of itself: a measurand's value from ``from_us`` on, last said at ``last_us`` (slots)."""

    device: str
    measurand: str
    from_us: int
    last_us: int
    seq: int
    value: str
