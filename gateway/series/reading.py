"""Reading one series within one month file: hot rows and packed days as one sequence, in pages."""

import sqlite3
from collections.abc import Iterator, Sequence
from heapq import merge

from gateway.domain.time import US_PER_DAY, Period
from gateway.series.codec import decode, zeros
from gateway.series.packing import unpack_day, unpack_row
from gateway.series.row import SeriesRow

PAGE_ROWS = 1_000
_HOT = "SELECT slot, dt, seq, cfg, v, q FROM hot WHERE series = ? AND slot >= ? AND slot < ? ORDER BY slot"


def hot_row(device: str, group: str, record: Sequence[object]) -> SeriesRow:
    """A SeriesRow from ``slot, dt, seq, cfg, v, q``."""
    slot, offset, seq, cfg, blob, words = record
    assert isinstance(slot, int) and isinstance(offset, int) and isinstance(blob, bytes)  # noqa: PT018  # STRICT table
    values = decode(blob)
    quality = zeros(len(values)) if words is None else decode(words)  # type: ignore[arg-type]
    return SeriesRow(device, group, slot, slot + offset, seq, cfg, values, quality)  # type: ignore[arg-type]


class MonthSeries:
    """One series of one month: its number in the file and the bounds of observed - slot (µs)."""

    __slots__ = ("_connection", "_device", "_group", "_id", "dt_max", "dt_min")

    def __init__(
        self, connection: sqlite3.Connection, device: str, group: str, number: int, dt: tuple[int, int]
    ) -> None:
        self._connection = connection
        self._device = device
        self._group = group
        self._id = number
        self.dt_min, self.dt_max = dt

    def row(self, slot_us: int) -> SeriesRow | None:
        """The row of that slot."""
        found = self._connection.execute(
            "SELECT slot, dt, seq, cfg, v, q FROM hot WHERE series = ? AND slot = ?", (self._id, slot_us)
        ).fetchone()
        if found is not None:
            return hot_row(self._device, self._group, found)
        return next((row for row in self._packed(slot_us // US_PER_DAY) if row.slot_us == slot_us), None)

    def last(self) -> SeriesRow | None:
        """The row with the greatest slot."""
        hot = self._connection.execute(
            "SELECT slot, dt, seq, cfg, v, q FROM hot WHERE series = ? ORDER BY slot DESC LIMIT 1", (self._id,)
        ).fetchone()
        day = self._connection.execute(
            "SELECT last FROM day WHERE series = ? ORDER BY day DESC LIMIT 1", (self._id,)
        ).fetchone()
        rows = [hot_row(self._device, self._group, hot)] if hot else []
        if day:
            rows.append(unpack_row(self._device, self._group, day[0]))
        return max(rows, key=lambda row: row.slot_us, default=None)

    def rows(self, period: Period, *, descending: bool = False) -> Iterator[SeriesRow]:
        """Rows whose slot lies in the period, by slot. Reads pages, so no transaction stays open between them."""
        days = [
            record[0]
            for record in self._connection.execute(
                "SELECT day FROM day WHERE series = ? AND day >= ? AND day <= ? ORDER BY day",
                (self._id, period.start_us // US_PER_DAY, period.end_us // US_PER_DAY),
            )
        ]
        spans: list[tuple[int | None, int, int]] = []
        at = period.start_us
        for day in days:
            start = max(day * US_PER_DAY, period.start_us)
            end = min((day + 1) * US_PER_DAY, period.end_us)
            spans += [(None, at, start), (day, start, end)]
            at = end
        spans.append((None, at, period.end_us))
        for span_day, start, end in reversed(spans) if descending else spans:
            if start >= end:
                continue
            hot = self._hot(start, end, descending=descending)
            if span_day is None:
                yield from hot
            else:
                packed = [row for row in self._packed(span_day) if start <= row.slot_us < end]
                ordered = reversed(packed) if descending else packed
                yield from merge(hot, ordered, key=lambda row: row.slot_us, reverse=descending)

    def _hot(self, start: int, end: int, *, descending: bool) -> Iterator[SeriesRow]:
        order = " DESC LIMIT ?" if descending else " LIMIT ?"
        page = 4  # most searches end at the first rows
        while True:
            records = self._connection.execute(_HOT + order, (self._id, start, end, page)).fetchall()
            for record in records:
                yield hot_row(self._device, self._group, record)
            if len(records) < page:
                return
            if descending:
                end = records[-1][0]
            else:
                start = records[-1][0] + 1
            page = PAGE_ROWS

    def _packed(self, day: int) -> list[SeriesRow]:
        key = (self._id, day)
        found = self._connection.execute("SELECT head FROM day WHERE series = ? AND day = ?", key).fetchone()
        if found is None:
            return []
        blobs = self._connection.execute(
            "SELECT v FROM day_channel WHERE series = ? AND day = ? ORDER BY position", key
        ).fetchall()
        return unpack_day(self._device, self._group, found[0], [blob[0] for blob in blobs])


def month_series(connection: sqlite3.Connection, organisation: str, device: str, group: str) -> MonthSeries | None:
    """The series in that month; None when the month does not know it."""
    found = connection.execute(
        "SELECT id, dt_min, dt_max FROM series WHERE organisation = ? AND device = ? AND grp = ?",
        (organisation, device, group),
    ).fetchone()
    return None if found is None else MonthSeries(connection, device, group, found[0], (found[1], found[2]))
