"""What happens to rows when their time is over: hours are rolled up, closed days are packed."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from gateway.domain.time import US_PER_DAY, US_PER_HOUR, Period
from gateway.series.packing import pack_day
from gateway.series.reading import MonthSeries
from gateway.series.rollup import Positions, fold_day, hour_of, replace_hours

_BATCH = 200  # series-hours or series-days a transaction, so that no write lock is held for long


@contextmanager
def write_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, synced at the end."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def close_hours(
    connection: sqlite3.Connection, organisation: str, before_us: int, positions: Positions, limit: int
) -> list[tuple[int, int]]:
    """Roll up at most ``limit`` touched hours that ended by ``before_us``; ``(series, hour)`` of those done."""
    done: list[tuple[int, int]] = []
    while len(done) < limit:
        due = connection.execute(
            "SELECT p.series, p.hour, s.device, s.grp, s.dt_min, s.dt_max FROM pending AS p"
            " JOIN series AS s ON s.id = p.series WHERE s.organisation = ? AND p.hour <= ? LIMIT ?",
            (organisation, before_us - US_PER_HOUR, min(_BATCH, limit - len(done))),
        ).fetchall()
        if not due:
            break
        with write_transaction(connection):
            for number, hour, device, group, dt_min, dt_max in due:
                series = MonthSeries(connection, Lock(), device, group, (number, dt_min, dt_max))
                rows = series.rows(Period(hour, hour + US_PER_HOUR))
                replace_hours(connection, number, hour, hour_of(number, hour, rows, positions))
            marks = [(record[0], record[1]) for record in due]
            connection.executemany("DELETE FROM pending WHERE series = ? AND hour = ?", marks)
        done += marks
    return done


def pack_days(connection: sqlite3.Connection, organisation: str, before_us: int, limit: int) -> list[int]:
    """Pack at most ``limit`` series-days that ended by ``before_us``, late rows of packed days with them.

    The days touched come back, one a series-day.
    """
    days: list[int] = []
    while len(days) < limit:
        due = connection.execute(
            "SELECT s.id, s.device, s.grp, s.dt_min, s.dt_max,"
            " (SELECT min(slot) FROM hot WHERE hot.series = s.id) AS first"
            " FROM series AS s WHERE s.organisation = ? AND first < ? LIMIT ?",
            (organisation, before_us - before_us % US_PER_DAY, min(_BATCH, limit - len(days))),
        ).fetchall()
        if not due:
            break
        with write_transaction(connection):
            for number, device, group, dt_min, dt_max, first in due:
                series = MonthSeries(connection, Lock(), device, group, (number, dt_min, dt_max))
                _pack(connection, series, number, first // US_PER_DAY)
                days.append(first // US_PER_DAY)
        # frees a page a step, and only a script is stepped to its end
        connection.executescript("PRAGMA incremental_vacuum")
    return days


def _pack(connection: sqlite3.Connection, series: MonthSeries, number: int, day: int) -> None:
    span = Period(day * US_PER_DAY, (day + 1) * US_PER_DAY)
    packed = pack_day(list(series.rows(span)))
    connection.execute(
        "INSERT OR REPLACE INTO day VALUES (?, ?, ?, ?, ?)", (number, day, packed.count, packed.head, packed.last)
    )
    connection.execute("DELETE FROM day_channel WHERE series = ? AND day = ?", (number, day))
    connection.executemany(
        "INSERT INTO day_channel VALUES (?, ?, ?, ?)",
        [(number, day, position, blob) for position, blob in enumerate(packed.channels)],
    )
    connection.execute(
        "DELETE FROM hot WHERE series = ? AND slot >= ? AND slot < ?", (number, span.start_us, span.end_us)
    )
    fold_day(connection, number, span)
