"""What a query reads, and for whom and which moment it is asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.accounting.reference import Reference
from gateway.domain.time import SETTLEMENT_WINDOW_US, Period, floor_to, local_date, local_day
from gateway.journal.journal import Journal
from gateway.registry.registry import Registry
from gateway.series.store import SeriesStore
from gateway.settlement.query import Settlement

MAX_KEPT = 8
Decoded = tuple[tuple[int | str | None, ...], tuple[int, ...]]
DecodePlan = Callable[[str, Mapping[str, Any], Sequence[bytes | None]], Decoded | None]
"""``(protocol, plan document, raw bytes)`` to values and quality words; None where no driver knows the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The projections of one data folder and its journal, all read-only."""

    journal: Journal
    registry: Registry
    series: SeriesStore
    settlement: Settlement
    decode: DecodePlan
    seal: Path
    reference: Callable[[], Reference]
    """Units and tiers, read when first asked for."""
    memory: dict[object, object] = field(default_factory=dict, compare=False, repr=False)
    """The last few answers that several views of one page share; kept by what they were computed from."""

    def remember(self, key: object, answer: object) -> None:
        """Keep an answer; the oldest goes when there are more than ``MAX_KEPT``."""
        self.memory[key] = answer
        while len(self.memory) > MAX_KEPT:
            self.memory.pop(next(iter(self.memory)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One question's frame: whose, effective when, as recorded up to when.

    ``as_of_us`` is an instant (µs UTC); ``known_seq`` the last journal entry that counts, None for all of them.
    ``zone`` is the site's, in which days are cut.
    """

    organisation: str
    as_of_us: int
    known_seq: int | None
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The civil day of ``as_of`` at the site."""
        return local_date(self.as_of_us, self.zone)

    @property
    def settling_us(self) -> int:
        """The end of the last quarter hour that is over at ``as_of``; a day's last microsecond counts as its end."""
        return floor_to(self.as_of_us + 1, SETTLEMENT_WINDOW_US)

    def day(self, day: date) -> Period:
        """A civil day at the site as a span."""
        return local_day(day, self.zone)
