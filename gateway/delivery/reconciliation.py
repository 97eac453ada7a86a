"""Closes the ledger: sent → written → verified. Counts and sums of entry numbers, series by series and day by day.

The journal's side is the series store, less what stands in the dead letters and what no sink is given (rows without a
number). Repair sends again and never touches the journal. What the sink holds beside it is foreign: it is listed, and
stays, because somebody else put it there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.delivery.courier import Courier
from gateway.delivery.port import Layout, Point
from gateway.delivery.state import CourierState, Verified
from gateway.domain.time import US_PER_DAY, US_PER_MS, Period, floor_to
from gateway.ports import Clock
from gateway.series.row import SeriesRow
from gateway.series.store import SeriesStore

MAX_LISTED = 1_000

Key = tuple[str, str]
Layouts = Callable[[str, str, int], Layout]


@dataclass(frozen=True, slots=True)
class Total:
    """Number of points and sum of their entry numbers."""

    rows: int = 0
    seq_sum: int = 0


class ReadableSink(Protocol):
    """A sink that can be asked what it holds. Times are ms; spans are half open and at most a day long."""

    def point(self, row: SeriesRow, layout: Layout) -> Point | None:
        """The row as the sink takes it."""
        ...

    async def totals(self, start_ms: int, end_ms: int, upto_seq: int) -> Mapping[Key, Total]:
        """Totals by (device, group) of points whose entry number is at most ``upto_seq``."""
        ...

    async def fields(self, device: str, group: str, start_ms: int, end_ms: int) -> Mapping[int, Mapping[str, float]]:
        """Every point of a series: its fields by ms."""
        ...

    def expected_fields(self, row: SeriesRow, layout: Layout) -> Mapping[str, float]:
        """The fields the row's point must have."""
        ...


@dataclass(frozen=True, slots=True)
class Difference:
    """A series and day on which sink and journal disagree.

    ``missing``, ``differing`` and ``foreign`` are times (ms) when values were compared, else empty; at most 1 000 each.
    """

    device: str
    group: str
    start_us: int
    end_us: int
    journal: Total
    sink: Total
    missing: tuple[int, ...] = ()
    differing: tuple[int, ...] = ()
    foreign: tuple[int, ...] = ()


@dataclass(slots=True)
class Report:
    """What a reconciliation found: points sent (journal), written (sink) and verified (agreeing), and dead letters.

    It speaks of the journal up to entry ``upto_seq``, where its courier stands; ``head_seq`` is the newest one, 0 where
    nobody said.
    """

    upto_seq: int = 0
    head_seq: int = 0
    sent: int = 0
    written: int = 0
    verified: int = 0
    dead_letters: int = 0
    resent: int = 0
    days: int = 0
    differences: list[Difference] = field(default_factory=list)


class Reconciliation:
    """Compares one sink with the journal, up to where its courier has settled."""

    def __init__(
        self, store: SeriesStore, sink: ReadableSink, state: CourierState, layouts: Layouts, clock: Clock
    ) -> None:
        self._store = store
        self._sink = sink
        self._state = state
        self._layouts = layouts
        self._clock = clock
        self._upto_seq = state.seq

    async def run(self, period: Period, *, values: bool = False, courier: Courier | None = None) -> Report:
        """Compare every day that touches ``period``; with ``courier`` send again what is missing or differs.

        ``values`` compares every value of every point instead of totals only. QueryError when the sink cannot be asked.
        """
        report = Report(upto_seq=self._upto_seq)
        for start_us in range(floor_to(period.start_us, US_PER_DAY), period.end_us, US_PER_DAY):
            day = Period(start_us, start_us + US_PER_DAY)
            found = await self._totals(day)
            for key in sorted({*self._store.series(), *found}):
                await self._clock.sleep(0)  # a day of a large plant takes seconds; others have a turn between series
                held = found.get(key, Total())
                journal = self._expected(key, day)
                report.sent += journal.rows
                report.written += held.rows
                difference = await self._examine(key, day, (journal, held), values=values)
                if courier is not None and await self._resend(key, day, difference, courier, report):
                    journal, held = self._expected(key, day), (await self._totals(day)).get(key, Total())
                    difference = await self._examine(key, day, (journal, held), values=values)
                self._book(key, day, held, difference, report)
                if difference is not None:
                    report.differences.append(difference)
            report.days += 1
        report.dead_letters = self._state.dead_count()
        return report

    async def _totals(self, day: Period) -> Mapping[Key, Total]:
        return await self._sink.totals(day.start_us // US_PER_MS, day.end_us // US_PER_MS, self._upto_seq)

    def _book(self, key: Key, day: Period, sink: Total, difference: Difference | None, report: Report) -> None:
        if difference is None:
            report.verified += sink.rows
        if sink.rows or difference is not None:
            equal, now_us = difference is None, self._clock.utc_us()
            self._state.verify([Verified(day.start_us, day.end_us, *key, sink.rows, sink.seq_sum, equal, now_us)])

    async def _examine(self, key: Key, day: Period, totals: tuple[Total, Total], *, values: bool) -> Difference | None:
        """What the series' day differs in, with the times of its points; None when it agrees."""
        journal, held = totals
        if held == journal and not (values and journal.rows):
            return None
        rows = self._rows(key, day)
        points = await self._sink.fields(*key, day.start_us // US_PER_MS, day.end_us // US_PER_MS)
        missing, differing = [], []
        for at_ms, row in rows.items():
            fields = points.get(at_ms)
            if fields is None:
                missing.append(at_ms)
            elif fields != self._sink.expected_fields(row, self._layouts(row.device, row.group, row.cfg_seq)):
                differing.append(at_ms)
        foreign = sorted(at for at, each in points.items() if at not in rows and each.get("seq", 0) <= self._upto_seq)
        if held == journal and not (missing or differing or foreign):
            return None
        listed = (tuple(times[:MAX_LISTED]) for times in (missing, differing, foreign))
        return Difference(*key, day.start_us, day.end_us, journal, held, *listed)

    async def _resend(
        self, key: Key, day: Period, difference: Difference | None, courier: Courier, report: Report
    ) -> bool:
        """Send the day's points of a series again when some are missing, differ or were refused; whether it did."""
        lacking = difference is not None and (difference.missing or difference.differing)
        if not lacking and not self._state.dead_keys(*key, day.start_us, day.end_us):
            return False
        points = []
        for row in self._store.rows(*key, day):
            if row.seq <= self._upto_seq:
                point = self._sink.point(row, self._layouts(row.device, row.group, row.cfg_seq))
                points += [point] if point is not None else []
        refused = await courier.deliver(points)
        still_refused = {id(point) for point, _ in refused}
        written = [point for point in points if id(point) not in still_refused]
        self._state.revive(written)
        self._state.bury(refused, self._clock.utc_us())
        report.resent += len(written)
        return True

    def _expected(self, key: Key, day: Period) -> Total:
        rows = self._rows(key, day).values()
        return Total(len(rows), sum(row.seq for row in rows))

    def _rows(self, key: Key, day: Period) -> dict[int, SeriesRow]:
        """The rows a sink must hold, by ms."""
        dead = self._state.dead_keys(*key, day.start_us, day.end_us)
        return {
            row.slot_us // US_PER_MS: row
            for row in self._store.rows(*key, day)
            if row.seq <= self._upto_seq
            and dead.get(row.slot_us) != row.seq
            and any(value is not None for value in row.values)
        }
