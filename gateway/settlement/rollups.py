"""Hours, days, months and years from intervals, cut in the site's time zone, one row per installation and ratio."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

from gateway.domain.time import US_PER_HOUR
from gateway.settlement.calendar import DAY, HOUR, MONTH, YEAR, Calendar
from gateway.settlement.load_sums import LoadSums

__all__ = ["DAY", "HOUR", "MONTH", "YEAR", "Calendar", "RollUps"]

_COLUMNS = "windows, missing, coverage, quality, energy, measured, interpolated, caught_up, substituted, manual"
_METHODS = 5
_ADD = (
    "INSERT INTO rollup VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "  # noqa: S608
    "quality = max(quality & 3, excluded.quality & 3) | ((quality | excluded.quality) & ~3), "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in _COLUMNS.split(", ") if name != "quality")
)


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
        """A new interval: installation (0: none), num, den, energy (None: missing), coverage, method, quality."""
        installation, num, den, energy, coverage, method, quality = interval
        key = (series, self.calendar.hour(window_us), installation, num, den)
        total = self._added.get(key)
        if total is None:
            total = self._added[key] = [0] * (5 + _METHODS)
        _count(total, energy, coverage, method, quality)
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
                key = (series, kind, start, *ratio)
                total = sums.get(key)
                if total is None:
                    sums[key] = list(values)
                else:
                    _join(total, values)
        self._added.clear()
        self._db.executemany(_ADD, [(*key, *values) for key, values in sums.items()])

    def _intervals(self, series: int, start: int, end: int) -> Iterable[Sequence[int]]:
        return self._db.execute(
            "SELECT coalesce(installation, 0), num, den, energy, coverage, method, quality FROM interval "
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
        self._db.executemany(
            "INSERT INTO rollup VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(series, kind, start, *row) for row in rows],
        )


def _from_intervals(intervals: Iterable[Sequence[int]]) -> Iterator[Sequence[int]]:
    sums: dict[tuple[int, int, int], list[int]] = {}
    for installation, num, den, energy, coverage, method, quality in intervals:
        total = sums.setdefault((installation, num, den), [0] * (5 + _METHODS))
        _count(total, energy, coverage, method, quality)
    for key, total in sums.items():
        yield *key, *total


def _count(total: list[int], energy: int | None, coverage: int, method: int, quality: int) -> None:
    """One interval into the sums of ``_COLUMNS``."""
    total[0] += 1
    total[2] += coverage
    if quality:
        total[3] = max(total[3] & 3, quality & 3) | ((total[3] | quality) & ~3)
    if energy is None:
        total[1] += 1
    else:
        total[4] += energy
        total[5 + method] += energy


def _join(total: list[int], values: Sequence[int]) -> None:
    quality = max(total[3] & 3, values[3] & 3) | ((total[3] | values[3]) & ~3)
    for index, value in enumerate(values):
        total[index] += value
    total[3] = quality


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
