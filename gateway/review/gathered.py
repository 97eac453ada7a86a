"""What indicators and views look at, looked up once a question: plant, ledger rows, findings, completeness."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gateway.audit.asking import Asking, Sources
from gateway.audit.balance import Balance, balances
from gateway.audit.completeness import Completeness, completeness
from gateway.audit.delivery import SinkState
from gateway.audit.equipping import Network, network
from gateway.audit.findings import FindingView, findings
from gateway.audit.ledger import LedgerRow, ledger_rows
from gateway.audit.live import LivePoint, live
from gateway.audit.plant import Plant, plant
from gateway.domain.time import Period, floor_to
from gateway.review.checklist import EquippingEdition
from gateway.review.state import Review, Reviews, read_reviews

DAYS = 31
"""Civil days the data views look back from the moment."""


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment in a table (µs UTC); None for none."""

    at_us: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal entry in a table, shown as a link to it."""

    seq: int


@dataclass(frozen=True, slots=True)
class Ref:
    """A point or instrument in a table, shown by its name as a link to it. ``kind`` is ``point`` or ``instrument``."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Word:
    """Stored words of a family (``due``, ``rule``, ``method`` …), written in the reader's language; none: a dash."""

    family: str
    words: tuple[str, ...]


def said_word(family: str, *words: object) -> Word:
    """A cell of stored words."""
    return Word(family, tuple(str(each) for each in words if each not in {None, ""}))


Cell = str | int | Instant | Entry | Ref | Word | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One audit view as a table with a word on top.

    ``state``: ``attention`` (a person has to look), ``in_order``, ``stated`` (facts without judgement), ``empty``
    (nothing on record, which ``said`` explains). ``said`` are (English sentence, facts). ``columns`` are English
    headings; ``rows`` at most ``MAX_ROWS``, ``total`` counts all. ``link`` is the page that shows more.
    """

    id: str
    state: str
    said: Sequence[tuple[str, dict[str, Any]]] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Cell]] = ()
    total: int = 0
    link: str = ""


MAX_ROWS = 200


def section(
    id_: str,
    state: str,
    said: Sequence[tuple[str, dict[str, Any]]] = (),
    *,
    columns: Sequence[str] = (),
    rows: Sequence[Sequence[Cell]] = (),
    link: str = "",
) -> Section:
    """A section with its rows cut at ``MAX_ROWS``."""
    kept = list(rows[:MAX_ROWS])
    return Section(id=id_, state=state, said=said, columns=columns, rows=kept, total=len(rows), link=link)


@dataclass
class Gathered:
    """One question's facts, each looked up when first needed. ``editions`` are those that ship; what operators put on
    record comes from the log. ``sinks`` is None where the reader cannot know them (a package)."""

    sources: Sources
    asking: Asking
    editions: Sequence[EquippingEdition] = ()
    sinks: Sequence[SinkState] | None = None
    review: Review | None = None
    days: int = DAYS
    memory: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def plant(self) -> Plant:
        """Points, instruments, channels."""
        return plant(self.sources, self.asking)

    @cached_property
    def rows(self) -> list[LedgerRow]:
        """Every instrument of the ledger."""
        return ledger_rows(self.sources, self.asking, self.plant)

    @cached_property
    def fitted(self) -> frozenset[str]:
        """Instruments fitted at a point at the moment."""
        return frozenset(each.installation.instrument for each in self.plant.installations)

    @cached_property
    def findings(self) -> list[FindingView]:
        """Findings, worst first."""
        return findings(self.sources, self.asking)

    @cached_property
    def network(self) -> Network:
        """Points with what is fitted."""
        return network(self.sources, self.asking)

    @cached_property
    def completeness(self) -> Completeness:
        """Completeness over the last days."""
        return completeness(self.sources, self.asking, days=self.days)

    @cached_property
    def live(self) -> list[LivePoint]:
        """Points with their newest reading."""
        return live(self.sources, self.asking)

    @cached_property
    def balances(self) -> list[Balance]:
        """Balances over the days."""
        return balances(self.sources, self.asking, self.span)

    @cached_property
    def span(self) -> Period:
        """The days the views look at, as instants: from a midnight to what is settled."""
        start = self.asking.day(self.completeness.first).start_us
        return Period(start, max(start + 1, floor_to(self.asking.settling_us, 900_000_000)))

    @cached_property
    def before_seq(self) -> int:
        """The newest entry recorded before the days the views look at: what they list comes after it."""
        return self.sources.registry.known_seq(self.span.start_us)

    @cached_property
    def reviews(self) -> Reviews:
        """Everything of kind ``review``."""
        return read_reviews(
            self.sources.registry, self.asking.organisation, log_origin(self.sources), self.asking.known_seq
        )

    @cached_property
    def all_editions(self) -> list[EquippingEdition]:
        """Shipped editions, then those on record, which stand over them."""
        return [*self.editions, *self.reviews.editions]


def log_origin(sources: Sources) -> str:
    """The name of the log, from its first entry."""
    return str(sources.journal.entry(1).body.get("origin") or "")
