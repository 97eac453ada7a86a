"""At which load energy was counted: what an error curve needs to act on a day or a month without its intervals.

A meter errs differently at different loads, so the error of a total is Σ Eᵢ·g(Eᵢ) over its quarter hours. Loads are
kept by octave (powers of two of the quarter hour's energy), each with Σ E and Σ E²: for an error curve that is a
straight line within the octave the total's error follows from these two exactly, and they add up over days and months,
which the errors themselves would not do when a certificate arrives later. Only energy whose quarter hour is measured
counts; energy caught up over a gap, substituted or entered has no known load.

The independent part of a total needs no sum: registers are read at the two ends of a span and everything between them
cancels, so it is the register's step, whatever the span (``gateway.accounting.instruments``).
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.settlement.calendar import DAY, MONTH, Calendar
from gateway.settlement.row import Method

_BITS = 20  # of a quarter hour's energy that its square is made of: one part in a million
_LOCATED = frozenset({Method.MEASURED, Method.INTERPOLATED})
_ADD = (
    "INSERT INTO load VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET energy = energy + excluded.energy, squares = squares + excluded.squares"
)
Key = tuple[int, int, int, int, int, int]
"""(series, day, installation, num, den, octave)"""


@dataclass(frozen=True, slots=True)
class LoadSum:
    """Energy of a channel under one installation that was counted at one octave of load.

    ``energy`` in the channel's unit, meter side (no transformer ratio); ``load`` its energy-weighted mean amount in a
    quarter hour, same unit: Σ E²/Σ E.
    """

    installation: int | None
    ratio: Fraction
    energy: Fraction
    load: Fraction


class LoadSums:
    """Keeps the table ``load`` for days and months, in step with the roll-ups."""

    def __init__(self, connection: sqlite3.Connection, calendar: Calendar) -> None:
        self._db = connection
        self._calendar = calendar
        self._added: dict[Key, list[int]] = {}

    def add(self, series: int, window_us: int, interval: Sequence[int]) -> None:
        """A new interval: installation (0: none), num, den, energy (None: missing), coverage, method, …"""
        installation, num, den, energy, _coverage, method, *_rest = interval
        if energy and energy > 0 and method in _LOCATED:
            octave, square = _placed(energy)
            day = self._calendar.day(self._calendar.hour(window_us))
            total = self._added.setdefault((series, day, installation, num, den, octave), [0, 0])
            total[0] += energy
            total[1] += square

    def flush_added(self) -> None:
        """Add what is new to its day and month."""
        rows = []
        for (series, day, *rest), sums in self._added.items():
            for kind, start in ((DAY, day), (MONTH, self._calendar.month(day))):
                rows.append((kind, series, start, *rest, *sums))
        self._added.clear()
        self._db.executemany(_ADD, rows)

    def replace(
        self, days: Iterable[tuple[int, int]], intervals: Callable[[int, int, int], Iterable[Sequence[int]]]
    ) -> None:
        """Sum days again from ``intervals(series, from, to)`` and take the difference to their month."""
        for series, day in days:
            where = (DAY, series, day)
            former = self._db.execute(
                "SELECT installation, num, den, octave, -energy, -squares FROM load "
                "WHERE kind = ? AND series = ? AND start = ?",
                where,
            ).fetchall()
            self._db.execute("DELETE FROM load WHERE kind = ? AND series = ? AND start = ?", where)
            fresh = _of_intervals(intervals(series, day, self._calendar.next_day(day)))
            month = (MONTH, series, self._calendar.month(day))
            self._db.executemany(_ADD, [(*where, *row) for row in fresh])
            self._db.executemany(_ADD, [(*month, *row) for row in (*fresh, *former)])
            # what went to nothing is no row: a rebuilt file must have the same ones
            self._db.execute("DELETE FROM load WHERE kind = ? AND series = ? AND start = ? AND energy = 0", month)


def load_sums(db: sqlite3.Connection, series: int, kind: int, span: tuple[int, int], step: Fraction) -> list[LoadSum]:
    """Sums of the days or months that begin in ``[from, to)`` µs; ``step``: a stored thousandth in the unit."""
    rows = db.execute(
        "SELECT installation, num, den, octave, sum(energy), sum(squares) FROM load "
        "WHERE kind = ? AND series = ? AND start >= ? AND start < ? GROUP BY installation, num, den, octave "
        "ORDER BY installation, num, den, octave",
        (kind, series, *span),
    ).fetchall()
    return [
        LoadSum(
            installation or None,
            Fraction(num, den),
            energy * step,
            Fraction(squares << 2 * octave, energy << 2 * _BITS) * step,
        )
        for installation, num, den, octave, energy, squares in rows
    ]


def _of_intervals(intervals: Iterable[Sequence[int]]) -> list[tuple[int, ...]]:
    """(installation, num, den, octave, Σ E, Σ E² scaled) of installation, num, den, energy, coverage, method, …"""
    sums: dict[tuple[int, int, int, int], list[int]] = {}
    for installation, num, den, energy, _coverage, method, *_rest in intervals:
        if energy and energy > 0 and method in _LOCATED:
            octave, square = _placed(energy)
            total = sums.setdefault((installation, num, den, octave), [0, 0])
            total[0] += energy
            total[1] += square
    return [(*key, *total) for key, total in sums.items()]


def _placed(energy: int) -> tuple[int, int]:
    """The octave of a quarter hour's energy, and its square in parts of the octave's."""
    octave = energy.bit_length()
    mantissa = (energy << _BITS) >> octave
    return octave, mantissa * mantissa
