"""Writing one month's share of a batch: pack, insert what is new, compare what was there."""

import sqlite3
from collections.abc import Iterable, Sequence
from struct import error
from threading import Lock

from gateway.domain.time import US_PER_DAY, US_PER_HOUR
from gateway.series.codec import encode, packer, zeros
from gateway.series.reading import MonthSeries
from gateway.series.row import Conflict, SeriesRow

_INSERT = "INSERT INTO hot (series, slot, dt, seq, cfg, v, q) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_REPLACE = "INSERT OR REPLACE INTO hot (series, slot, dt, seq, cfg, v, q) VALUES (?, ?, ?, ?, ?, ?, ?)"
_LEAST_WIDTH = 4


class _Series:
    """A series' number in the file, the bounds of its observed - slot, and the packer that last fitted."""

    __slots__ = ("changed", "count", "dt_max", "dt_min", "id", "pack", "width")

    def __init__(self, number: int, dt_min: int, dt_max: int) -> None:
        self.id = number
        self.dt_min = dt_min
        self.dt_max = dt_max
        self.width = _LEAST_WIDTH
        self.count = -1
        self.pack = packer(_LEAST_WIDTH, 0)
        self.changed = False


class MonthWriter:
    """The single writer of one month file."""

    def __init__(self, connection: sqlite3.Connection, organisation: str) -> None:
        self._connection = connection
        self._organisation = organisation
        self._lock = Lock()
        rows = connection.execute(
            "SELECT device, grp, id, dt_min, dt_max FROM series WHERE organisation = ?", (organisation,)
        )
        self._series = {(row[0], row[1]): _Series(row[2], row[3], row[4]) for row in rows}
        self._pending = set(connection.execute("SELECT series, hour FROM pending"))
        self._packed_days = {row[0] for row in connection.execute("SELECT DISTINCT day FROM day")}

    @property
    def connection(self) -> sqlite3.Connection:
        """The writing connection of the month."""
        return self._connection

    def forget_pending(self, marks: Iterable[tuple[int, int]]) -> None:
        """Those hours are rolled up; a later row marks them again."""
        self._pending.difference_update(marks)

    def remember_packed(self, days: Iterable[int]) -> None:
        """Those days are packed now: rows for them must be compared with the packed ones."""
        self._packed_days.update(days)

    def write(self, rows: Sequence[SeriesRow], *, accept: bool = False) -> list[Conflict]:
        """Insert rows in one transaction; with ``accept`` they replace what stands under their keys."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            packed, marks, late = self._pack(rows, accept=accept)
            conflicts = self._compare(late, insert=True)
            packed.sort()  # neighbours in the tree share their pages: a third less work than in order of arrival
            before = connection.total_changes
            connection.executemany(_REPLACE if accept else _INSERT, packed)
            if not accept and connection.total_changes - before < len(packed):
                dropped = {id(row) for row in late}
                conflicts += self._compare([row for row in rows if id(row) not in dropped], insert=False)
            if marks:
                connection.executemany("INSERT OR IGNORE INTO pending VALUES (?, ?)", marks)
            self._store_bounds()
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk has ended it already
                connection.execute("ROLLBACK")
            self._series.clear()
            self._pending.clear()
            raise
        return conflicts

    def _pack(
        self, rows: Sequence[SeriesRow], *, accept: bool
    ) -> tuple[list[tuple[object, ...]], list[tuple[int, int]], list[SeriesRow]]:
        """Rows as statement parameters, new hours to roll up, and rows of packed days, which need a look first."""
        packed: list[tuple[object, ...]] = []
        marks: list[tuple[int, int]] = []
        late: list[SeriesRow] = []
        known, pending, packed_days = self._series, self._pending, self._packed_days
        for row in rows:
            series = known.get((row.device, row.group)) or self._new_series(row)
            slot = row.slot_us
            mark = (series.id, slot - slot % US_PER_HOUR)
            if mark not in pending:
                pending.add(mark)
                marks.append(mark)
            if packed_days and not accept and slot // US_PER_DAY in packed_days:
                late.append(row)
                continue
            packed.append(self._parameters(series, row))
        return packed, marks, late

    def _parameters(self, series: _Series, row: SeriesRow) -> tuple[object, ...]:
        values = row.values
        count = len(values)
        if count != series.count:
            series.count = count
            series.pack = packer(series.width, count)
        try:
            blob = series.pack(series.width, *values)
        except error:
            blob = encode(values, _LEAST_WIDTH)
            if blob[0] == 8 and series.width < 8:  # a counter outgrew 32 bits; it will not shrink again
                series.width, series.count = 8, -1
        offset = row.observed_us - row.slot_us
        if not series.dt_min <= offset <= series.dt_max:
            series.dt_min = min(series.dt_min, offset)
            series.dt_max = max(series.dt_max, offset)
            series.changed = True
        quality = None if row.quality == zeros(count) else encode(row.quality)
        return series.id, row.slot_us, offset, row.seq, row.cfg_seq, blob, quality

    def _new_series(self, row: SeriesRow) -> _Series:
        offset = row.observed_us - row.slot_us
        connection = self._connection
        existing = connection.execute(
            "SELECT id, dt_min, dt_max FROM series WHERE organisation = ? AND device = ? AND grp = ?",
            (self._organisation, row.device, row.group),
        ).fetchone()
        if existing is None:
            inserted = connection.execute(
                "INSERT INTO series (organisation, device, grp, dt_min, dt_max) VALUES (?, ?, ?, ?, ?) RETURNING id",
                (self._organisation, row.device, row.group, offset, offset),
            ).fetchone()
            existing = (inserted[0], offset, offset)
        series = _Series(*existing)
        self._series[row.device, row.group] = series
        return series

    def _compare(self, rows: Sequence[SeriesRow], *, insert: bool) -> list[Conflict]:
        conflicts = []
        for row in rows:
            series = self._series[row.device, row.group]
            place = (series.id, series.dt_min, series.dt_max)
            kept = MonthSeries(self._connection, self._lock, row.device, row.group, place).row(row.slot_us)
            if kept is None:
                assert insert, "a row that was not inserted is there"
                self._connection.execute(_INSERT, self._parameters(series, row))
            # a kept row from a later entry was accepted in place of this one; reading the journal again is no conflict
            elif kept.seq <= row.seq and kept.values != row.values:
                conflicts.append(Conflict(kept, row))
        return conflicts

    def _store_bounds(self) -> None:
        for series in self._series.values():
            if series.changed:
                self._connection.execute(
                    "UPDATE series SET dt_min = ?, dt_max = ? WHERE id = ?", (series.dt_min, series.dt_max, series.id)
                )
                series.changed = False
