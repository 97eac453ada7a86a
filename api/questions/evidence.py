"""Findings, the walk from a figure to its evidence, and the watch of meters in service."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Query

from api.asked import AskedFor, instant
from api.questions.words import Id, Time, Word
from gateway.audit.decoding import entry_or_none
from gateway.audit.findings import FindingView, findings
from gateway.audit.plant import Plant, plant
from gateway.audit.trace import trace
from gateway.audit.trace_facts import Trace
from gateway.audit.watch import MAX_WINDOW_DAYS, WINDOW_DAYS, WatchedNodeView, watched_nodes
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import Period, local_midnight
from gateway.journal.entry import Entry

SHOWN_NODES = 12
"""Nodes estimated for one answer; a plant with more of them is asked node by node."""


@dataclass(frozen=True, slots=True)
class FindingsQuestion:
    """The findings that the filters leave."""

    asked: AskedFor
    severity: Word = ""
    rule: Word = ""
    state: Word = ""
    point: Id = ""
    instrument: Id = ""
    device: Id = ""

    def listed(self) -> list[FindingView]:
        """The findings, worst first."""
        return findings(
            self.asked.reader.sources,
            self.asked.asking,
            severity=self.severity,
            rule=self.rule,
            point=self.point,
            instrument=self.instrument,
            device=self.device,
            only_open=self.state == "open",
        )


FindingsFor = Annotated[FindingsQuestion, Depends()]


@dataclass(frozen=True, slots=True)
class Times:
    """A time between two dates or times: today where nothing is said, a day where ``to`` is left out."""

    asked: AskedFor
    from_: Annotated[str, Query(alias="from", max_length=40)] = ""
    to: Time = ""

    def period(self) -> Period:
        """That time."""
        asking, zone = self.asked.asking, self.asked.reader.zone
        start = instant("from", self.from_, zone, end=False) if self.from_ else local_midnight(asking.today, zone)
        if self.to:
            end = instant("to", self.to, zone, end=False)
        else:
            end = min(start + timedelta(days=1) // timedelta(microseconds=1), max(asking.as_of_us, start))
        return Period(start, max(end, start))

    def trace(self, point: str, window: str) -> Trace:
        """A point's energy over that time with its evidence; ``window`` opens one quarter hour."""
        asked = self.asked
        opened = instant("window", window, asked.reader.zone, end=False) if window else None
        return trace(asked.reader.sources, asked.asking, point, self.period(), window_us=opened)


TimesFor = Annotated[Times, Depends()]


@dataclass(frozen=True, slots=True)
class WatchQuestion:
    """What the balances of the nodes say of the meters in service."""

    asked: AskedFor
    node: Id = ""
    days: Annotated[int, Query(ge=7, le=MAX_WINDOW_DAYS)] = WINDOW_DAYS

    def plant(self) -> Plant:
        """The plant it is asked about."""
        return plant(self.asked.reader.sources, self.asked.asking)

    def nodes(self, there: Plant) -> list[WatchedNodeView]:
        """The nodes watched; UnknownObjectError for one that is no metering point."""
        if self.node and self.node not in there.points:
            raise UnknownObjectError("the ledger has no metering point %(id)s at that moment", id=self.node)
        return watched_nodes(
            self.asked.reader.sources, self.asked.asking, days=self.days, node=self.node, most=SHOWN_NODES, there=there
        )


WatchFor = Annotated[WatchQuestion, Depends()]


def own_entry(asked: AskedFor, seq: int) -> Entry:
    """A journal entry of the organisation that asks; UnknownObjectError for any other."""
    entry = entry_or_none(asked.reader.sources, seq)
    if entry is None or not entry.subject.startswith(f"{asked.asking.organisation}/"):
        raise UnknownObjectError("the journal has no entry %(seq)s", seq=str(seq))
    return entry
