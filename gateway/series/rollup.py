"""Hours of instantaneous channels: minimum, maximum, sum and number of usable values.

Energy has no place here: it is settled from registers (gateway.settlement). A value counts when its status is good or
uncertain. While a day is open its hours are rows; when it is packed they join the month's columns, so that a month of a
channel is one read.
"""

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from gateway.domain.quality import Status
from gateway.domain.time import US_PER_DAY, Period, local_date, local_midnight
from gateway.series.codec import decode, decode_columns, encode, encode_columns
from gateway.series.row import HourColumn, SeriesRow

Positions = Callable[[str, str, int], Sequence[int]]
"""``positions(device, group, cfg_seq)``: the positions of a group's instantaneous channels."""

PositionOf = Callable[[int], int | None]
"""``position_of(cfg_seq)``: where the wanted channel stands in the group; None when the group did not have it then."""

_HourStats = tuple[int, int, int, int]  # count, minimum, maximum, sum
_ONE_DAY = timedelta(days=1)
_REPLACE = "INSERT OR REPLACE INTO hour VALUES (?, ?, ?, ?, ?, ?, ?)"


def hour_of(series: int, start_us: int, rows: Iterable[SeriesRow], positions: Positions) -> list[tuple[object, ...]]:
    """The ``hour`` rows of one series and hour, one a configuration."""
    by_cfg: dict[int, list[SeriesRow]] = {}
    for row in rows:
        by_cfg.setdefault(row.cfg_seq, []).append(row)
    records: list[tuple[object, ...]] = []
    for cfg, members in by_cfg.items():
        wanted = set(positions(members[0].device, members[0].group, cfg))
        if not wanted:
            continue
        stats = [_stats(members, position) if position in wanted else None for position in range(max(wanted) + 1)]
        columns = zip(*(each or (0, None, None, None) for each in stats), strict=True)
        records.append((series, start_us, cfg, *(encode(column) for column in columns)))
    return records


def _stats(rows: Sequence[SeriesRow], position: int) -> _HourStats | None:
    usable = [
        value
        for row in rows
        if position < len(row.values)
        and (value := row.values[position]) is not None
        and row.quality[position] & 3 <= Status.UNCERTAIN
    ]
    return (len(usable), min(usable), max(usable), sum(usable)) if usable else None


def replace_hours(
    connection: sqlite3.Connection, series: int, start_us: int, records: Sequence[tuple[object, ...]]
) -> None:
    """Put an hour's rows in place of what was there; inside the caller's transaction."""
    connection.execute("DELETE FROM hour WHERE series = ? AND hour = ?", (series, start_us))
    connection.executemany(_REPLACE, records)


def fold_day(connection: sqlite3.Connection, series: int, day: Period) -> None:
    """Move a day's hours of one series into the month's columns; inside the caller's transaction."""
    span = (series, day.start_us, day.end_us)
    records = connection.execute(
        "SELECT hour, cfg, counts, minima, maxima, sums FROM hour WHERE series = ? AND hour >= ? AND hour < ?", span
    ).fetchall()
    by_column: dict[tuple[int, int], dict[int, _HourStats]] = {}
    for hour, cfg, *blobs in records:
        for position, stats in enumerate(zip(*map(decode, blobs), strict=True)):
            by_column.setdefault((cfg, position), {})[hour] = stats
    for (cfg, position), hours in by_column.items():
        key = (series, cfg, position)
        merged = _month_column(connection, key) | hours
        present = sorted(hour for hour, stats in merged.items() if stats[0])
        if not present:
            connection.execute("DELETE FROM hour_month WHERE series = ? AND cfg = ? AND position = ?", key)
        else:
            columns = [present, *zip(*(merged[hour] for hour in present), strict=True)]
            connection.execute("INSERT OR REPLACE INTO hour_month VALUES (?, ?, ?, ?)", (*key, encode_columns(columns)))
    connection.execute("DELETE FROM hour WHERE series = ? AND hour >= ? AND hour < ?", span)


def _month_column(connection: sqlite3.Connection, key: tuple[int, int, int]) -> dict[int, _HourStats]:
    found = connection.execute("SELECT v FROM hour_month WHERE series = ? AND cfg = ? AND position = ?", key).fetchone()
    if found is None:
        return {}
    hours, *stats = decode_columns(found[0])
    return dict(zip(hours, zip(*stats, strict=True), strict=True))  # type: ignore[arg-type]  # no nulls were encoded


def month_hours(
    connection: sqlite3.Connection, series: int, position_of: PositionOf, period: Period
) -> dict[int, _HourStats] | HourColumn:
    """A channel's hours in one month file: a column when it is stored as one, else hours by start."""
    packed = [
        (cfg, position_of(cfg))
        for (cfg,) in connection.execute("SELECT DISTINCT cfg FROM hour_month WHERE series = ?", (series,))
    ]
    wanted = [(cfg, position) for cfg, position in packed if position is not None]
    hot = connection.execute(
        "SELECT hour, cfg, counts, minima, maxima, sums FROM hour WHERE series = ? AND hour >= ? AND hour < ?",
        (series, period.start_us, period.end_us),
    ).fetchall()
    if len(wanted) == 1 and not hot:
        found = connection.execute(
            "SELECT v FROM hour_month WHERE series = ? AND cfg = ? AND position = ?", (series, *wanted[0])
        ).fetchone()
        column = HourColumn(*decode_columns(found[0])) if found else HourColumn([], [], [], [], [])  # type: ignore[arg-type]
        return _cut(column, period)
    layers: dict[int, dict[int, _HourStats]] = {
        cfg: _month_column(connection, (series, cfg, position)) for cfg, position in wanted
    }
    for hour, cfg, *blobs in hot:
        at = position_of(cfg)
        stats = list(zip(*map(decode, blobs), strict=True))
        if at is not None and at < len(stats):
            layers.setdefault(cfg, {})[hour] = stats[at]
    merged: dict[int, _HourStats] = {}
    for layer in layers.values():
        for hour, each in layer.items():
            if each[0] and hour in period:
                merged[hour] = _joined(merged[hour], each) if hour in merged else each
    return merged


def _joined(one: _HourStats, other: _HourStats) -> _HourStats:
    return one[0] + other[0], min(one[1], other[1]), max(one[2], other[2]), one[3] + other[3]


def _cut(column: HourColumn, period: Period) -> HourColumn:
    starts = column.starts
    if not starts or (period.start_us <= starts[0] and starts[-1] < period.end_us):
        return column
    kept = [index for index, start in enumerate(starts) if start in period]
    low, high = (kept[0], kept[-1] + 1) if kept else (0, 0)
    cut = slice(low, high)
    return HourColumn(starts[cut], column.counts[cut], column.minima[cut], column.maxima[cut], column.sums[cut])


def joined(parts: Iterable[dict[int, _HourStats] | HourColumn]) -> HourColumn:
    """Months of a channel in order as one column."""
    whole = HourColumn([], [], [], [], [])
    for part in parts:
        if isinstance(part, dict):
            starts = sorted(part)
            columns = [list(each) for each in zip(*(part[start] for start in starts), strict=True)] or [[], [], [], []]
            part = HourColumn(starts, *columns)  # noqa: PLW2901  # one shape from here on
        whole.starts.extend(part.starts)
        whole.counts.extend(part.counts)
        whole.minima.extend(part.minima)
        whole.maxima.extend(part.maxima)
        whole.sums.extend(part.sums)
    return whole


def by_day(column: HourColumn, zone: ZoneInfo) -> HourColumn:
    """Civil days from hours. An hour belongs to the day it starts in, so in a zone half an hour off, edges are too."""
    days = HourColumn([], [], [], [], [])
    starts, low = column.starts, 0
    day, end_us = date.min, 0
    while low < len(starts):
        start = starts[low]
        if start < end_us + US_PER_DAY // 2:  # mostly the next day, whose start is known
            day, start_us = day + _ONE_DAY, end_us
        else:
            day = local_date(start, zone)
            start_us = local_midnight(day, zone)
        end_us = local_midnight(day + _ONE_DAY, zone)
        high = bisect_left(starts, end_us, low)
        if high > low:
            days.starts.append(start_us)
            days.counts.append(sum(column.counts[low:high]))
            days.minima.append(min(column.minima[low:high]))
            days.maxima.append(max(column.maxima[low:high]))
            days.sums.append(sum(column.sums[low:high]))
        low = high
    return days
