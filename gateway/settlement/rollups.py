"""Hours, days, months and years from intervals, cut in the site's time zone, one row per installation and ratio."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

from gateway.domain.time import US_PER_HOUR
from gateway.settlement.calendar import DAY, HOUR, MONTH, YEAR, Calendar
from gateway.settlement.load_sums import LoadSums

__all__ = ["DAY", "HOUR", "MONTH", "YEAR", "Calendar", "RollUps"]

_SUMS = ("windows", "missing", "coverage", "energy", "measured", "interpolated", "caught_up", "substituted", "manual")
_COLUMNS = f"quality, seq, {', '.join(_SUMS)}"
_INSERT = f"INSERT INTO rollup (kind, series, start, installation, num, den, {_COLUMNS}) VALUES (?{', ?' * 16})"  # noqa: S608  # ours
_ADD = (
    f"{_INSERT} ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq), "
    "quality = max(quality & 3, excluded.quality & 3) | ((quality | excluded.quality) & ~3), "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in _SUMS)
)
_QUALITY, _SEQ, _WINDOWS, _MISSING, _COVERAGE, _ENERGY, _METHOD = range(7)
_EMPTY = (0,) * (2 + len(_SUMS))


class RollUps:
    """New intervals are added to their hour, day and month; where one was replaced, the hour is summed again from its
    intervals, its day from hours, its month from days, its year. Both ways give the same rows."""

    def __init__(self, connection: sqlite3.Connection, zone: ZoneInfo) -> None:
        self._db = connection
        self.calendar = Calendar(zone)
        self._loads = LoadSums(connection, self.calendar)
        self._touched: set[tuple[int, int]] = set()
        self._added: dict[tuple[int, int, int, int, int], list[int]] = {}

    def touch(self, series: int, window_us: int) -> None:
        """An interval of a series was replaced."""
        self._touched.add((series, self.calendar.hour(window_us)))

    def add(self, series: int, window_us: int, interval: Sequence[int]) -> None:
        """A new interval: installation (0: none), num, den, energy (None: missing), coverage, method, quality, seq of
        its entry.
        """
        installation, num, den, *values = interval
        key = (series, self.calendar.hour(window_us), installation, num, den)
        total = self._added.get(key)
        if total is None:
            total = self._added[key] = list(_EMPTY)
        _count(total, values)
        self._loads.add(series, window_us, interval)

    def flush(self) -> None:
        """Bring every touched roll-up up to date."""
        self._flush_added()
        hours = sorted(self._touched)
        self._touched.clear()
        for series, start in hours:
            end = start + US_PER_HOUR
            self._replace(HOUR, series, start, _from_intervals(self._intervals(series, start, end)))
        days = sorted({(series, self.calendar.day(start)) for series, start in hours})
        self._loads.replace(days, self._intervals)
        for series, start in days:
            self._replace(DAY, series, start, _merged(self._parts(HOUR, series, start, self.calendar.next_day(start))))
        months = sorted({(series, self.calendar.month(start)) for series, start in days})
        for series, start in months:
            end = self.calendar.next_month(start)
            self._replace(MONTH, series, start, _merged(self._parts(DAY, series, start, end)))
        for series, start in sorted({(series, self.calendar.year(start)) for series, start in months}):
            end = self.calendar.next_year(start)
            self._replace(YEAR, series, start, _merged(self._parts(MONTH, series, start, end)))

    def _flush_added(self) -> None:
        self._loads.flush_added()
        sums: dict[tuple[int, ...], list[int]] = {}
        for (series, hour, *ratio), values in self._added.items():
            day = self.calendar.day(hour)
            month = self.calendar.month(day)
            for kind, start in ((HOUR, hour), (DAY, day), (MONTH, month), (YEAR, self.calendar.year(month))):
                key = (kind, series, start, *ratio)
                total = sums.get(key)
                if total is None:
                    sums[key] = list(values)
                else:
                    _join(total, values)
        self._added.clear()
        self._db.executemany(_ADD, [(*key, *values) for key, values in sums.items()])

    def _intervals(self, series: int, start: int, end: int) -> Iterable[Sequence[int]]:
        return self._db.execute(
            "SELECT coalesce(installation, 0), num, den, energy, coverage, method, quality, seq FROM interval "
            "WHERE series = ? AND start >= ? AND start < ?",
            (series, start, end),
        )

    def _parts(self, kind: int, series: int, start: int, end: int) -> Iterable[Sequence[int]]:
        return self._db.execute(
            f"SELECT installation, num, den, {_COLUMNS} FROM rollup WHERE kind = ? AND series = ? AND start >= ? "  # noqa: S608
            "AND start < ?",
            (kind, series, start, end),
        )

    def _replace(self, kind: int, series: int, start: int, rows: Iterator[Sequence[int]]) -> None:
        self._db.execute("DELETE FROM rollup WHERE kind = ? AND series = ? AND start = ?", (kind, series, start))
        self._db.executemany(_INSERT, [(kind, series, start, *row) for row in rows])


def _from_intervals(intervals: Iterable[Sequence[int]]) -> Iterator[Sequence[int]]:
    sums: dict[tuple[int, int, int], list[int]] = {}
    for installation, num, den, *values in intervals:
        _count(sums.setdefault((installation, num, den), list(_EMPTY)), values)
    for key, total in sums.items():
        yield *key, *total


def _count(total: list[int], interval: Sequence[int | None]) -> None:
    """One interval (energy, coverage, method, quality, seq) into the values of ``_COLUMNS``."""
    energy, coverage, method, quality, seq = interval
    assert coverage is not None and method is not None and quality is not None and seq is not None  # noqa: PT018
    total[_WINDOWS] += 1
    total[_COVERAGE] += coverage
    total[_SEQ] = max(total[_SEQ], seq)
    if quality:
        total[_QUALITY] = max(total[_QUALITY] & 3, quality & 3) | ((total[_QUALITY] | quality) & ~3)
    if energy is None:
        total[_MISSING] += 1
    else:
        total[_ENERGY] += energy
        total[_METHOD + method] += energy


def _join(total: list[int], values: Sequence[int]) -> None:
    quality = max(total[_QUALITY] & 3, values[_QUALITY] & 3) | ((total[_QUALITY] | values[_QUALITY]) & ~3)
    seq = max(total[_SEQ], values[_SEQ])
    for index, value in enumerate(values):
        total[index] += value
    total[_QUALITY], total[_SEQ] = quality, seq


def _merged(rows: Iterable[Sequence[int]]) -> Iterator[Sequence[int]]:
    sums: dict[tuple[int, int, int], list[int]] = {}
    for installation, num, den, *values in rows:
        total = sums.get((installation, num, den))
        if total is None:
            sums[installation, num, den] = list(values)
        else:
            _join(total, values)
    for key, total in sums.items():
        yield *key, *total
