"""Reading one series within one month file: hot rows and packed days as one sequence, in pages."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from gateway.domain.time import US_PER_DAY, Period
from gateway.series.codec import decode, zeros
from gateway.series.packing import unpack_day, unpack_row
from gateway.series.row import SeriesRow

PAGE_ROWS = 1_000
FIRST_PAGE_ROWS = 4  # most searches end at the first rows
_HOT = "SELECT slot, dt, seq, cfg, v, q FROM hot WHERE series = ? AND slot >= ? AND slot < ? ORDER BY slot"


HotRecord = tuple[int, int, int, int, bytes, bytes | None]
"""``slot, dt, seq, cfg, v, q``."""


def hot_row(device: str, group: str, record: HotRecord) -> SeriesRow:
    """A SeriesRow from a record of the hot table."""
    slot, offset, seq, cfg, blob, words = record
    values = decode(blob)
    quality = zeros(len(values)) if words is None else decode(words)
    return SeriesRow(device, group, slot, slot + offset, seq, cfg, values, quality)  # type: ignore[arg-type]  # no nulls


@contextmanager
def read_snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything read inside is of one moment; inside a writer's transaction it is that transaction's."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


class MonthSeries:
    """One series of one month: its number in the file and the bounds of observed - slot (µs)."""

    __slots__ = ("_connection", "_device", "_group", "_id", "_lock", "dt_max", "dt_min")

    def __init__(
        self, connection: sqlite3.Connection, lock: Lock, device: str, group: str, record: tuple[int, int, int]
    ) -> None:
        self._connection = connection
        self._lock = lock
        self._device = device
        self._group = group
        self._id, self.dt_min, self.dt_max = record

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
        # hot first, here and in row(): rows move from hot to packed only, so what is missed hot is found packed
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
        """Rows whose slot lies in the period, by slot. Each page is one short transaction."""
        start, end = period.start_us, period.end_us
        page = FIRST_PAGE_ROWS
        while start < end:
            rows, bound, complete = self._page(start, end, page, descending=descending)
            yield from rows
            if descending:
                end = bound if complete else rows[-1].slot_us
            else:
                start = bound if complete else rows[-1].slot_us + 1
            page = PAGE_ROWS

    def _page(self, start: int, end: int, page: int, *, descending: bool) -> tuple[list[SeriesRow], int, bool]:
        """The next rows, the far bound of the stretch they are from, and whether that stretch is done.

        A stretch is either hot up to the next packed day, or one packed day with its late rows. Both are read in one
        transaction: a day packed meanwhile would otherwise be seen in neither place.
        """
        with self._lock, read_snapshot(self._connection):
            day = self._next_packed_day(start, end, descending=descending)
            if day is None:
                return self._hot_page(start, end, page, start if descending else end, descending=descending)
            first, beyond = max(day * US_PER_DAY, start), min((day + 1) * US_PER_DAY, end)
            if descending and beyond < end:
                return self._hot_page(beyond, end, page, beyond, descending=True)
            if not descending and first > start:
                return self._hot_page(start, first, page, first, descending=False)
            merged = {row.slot_us: row for row in self._packed(day) if first <= row.slot_us < beyond}
            late = self._connection.execute(_HOT, (self._id, first, beyond)).fetchall()
            merged.update((record[0], hot_row(self._device, self._group, record)) for record in late)
        rows = [merged[slot] for slot in sorted(merged, reverse=descending)]
        return rows, first if descending else beyond, True

    def _next_packed_day(self, start: int, end: int, *, descending: bool) -> int | None:
        bound = "max" if descending else "min"
        found = self._connection.execute(
            f"SELECT {bound}(day) FROM day WHERE series = ? AND day >= ? AND day <= ?",  # noqa: S608  # two words
            (self._id, start // US_PER_DAY, (end - 1) // US_PER_DAY),
        ).fetchone()
        return None if found is None else found[0]

    def _hot_page(
        self, start: int, end: int, page: int, bound: int, *, descending: bool
    ) -> tuple[list[SeriesRow], int, bool]:
        order = " DESC LIMIT ?" if descending else " LIMIT ?"
        records = self._connection.execute(_HOT + order, (self._id, start, end, page)).fetchall()
        rows = [hot_row(self._device, self._group, record) for record in records]
        return rows, bound, len(records) < page

    def _packed(self, day: int) -> list[SeriesRow]:
        key = (self._id, day)
        found = self._connection.execute("SELECT head FROM day WHERE series = ? AND day = ?", key).fetchone()
        if found is None:
            return []
        blobs = self._connection.execute(
            "SELECT v FROM day_channel WHERE series = ? AND day = ? ORDER BY position", key
        ).fetchall()
        return unpack_day(self._device, self._group, found[0], [blob[0] for blob in blobs])


def series_number(connection: sqlite3.Connection, organisation: str, device: str, group: str) -> int | None:
    """The number of a series in a month file; None when the month does not know it."""
    found = connection.execute(
        "SELECT id FROM series WHERE organisation = ? AND device = ? AND grp = ?", (organisation, device, group)
    ).fetchone()
    return None if found is None else found[0]


def month_series(
    connection: sqlite3.Connection, lock: Lock, organisation: str, device: str, group: str
) -> MonthSeries | None:
    """The series in that month; None when the month does not know it. ``lock`` guards the connection's transactions."""
    found = connection.execute(
        "SELECT id, dt_min, dt_max FROM series WHERE organisation = ? AND device = ? AND grp = ?",
        (organisation, device, group),
    ).fetchone()
    return None if found is None else MonthSeries(connection, lock, device, group, found)
