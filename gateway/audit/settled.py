"""Reading the settlement projection: intervals in force and their roll-ups, of one channel over a time."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gateway.domain.time import SETTLEMENT_WINDOW_US, Period
from gateway.settlement import schema
from gateway.settlement.rollups import DAY, HOUR, MONTH
from gateway.settlement.row import IntervalRow, Method

STEPS = {"hour": HOUR, "day": DAY, "month": MONTH}
MAX_ROWS = 500_000
_METHODS = (Method.MEASURED, Method.INTERPOLATED, Method.CAUGHT_UP, Method.SUBSTITUTED, Method.MANUAL)
_INTERVAL = (
    "SELECT i.start, i.part, i.seq, i.installation, i.r0, i.r1, i.energy, i.coverage, i.method, i.quality, i.num, "
    "i.den, i.e0, i.e1, i.e2, i.e3, s.decimals FROM series AS s JOIN interval AS i ON i.series = s.id "
    "WHERE s.organisation = ? AND s.device = ? AND s.channel = ? AND i.start >= ? AND i.start < ? "
    "ORDER BY i.start, i.part LIMIT ?"
)
_ROLLUP = (
    "SELECT r.start, r.installation, r.num, r.den, r.windows, r.missing, r.coverage, r.quality, r.energy, r.measured, "
    "r.interpolated, r.caught_up, r.substituted, r.manual, s.decimals FROM series AS s "
    "JOIN rollup AS r ON r.series = s.id "
    "WHERE s.organisation = ? AND s.device = ? AND s.channel = ? AND r.kind = ? AND r.start >= ? AND r.start < ? "
    "ORDER BY r.start LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class SettledInterval:
    """A row in force: its window's start (µs UTC), which part of it, the settlement entry, the channel's decimals."""

    start_us: int
    part: int
    seq: int
    decimals: int
    row: IntervalRow


@dataclass(frozen=True, slots=True)
class RolledUp:
    """An hour, day or month of one channel under one installation and ratio; energies in thousandths of the resolution.

    ``coverage`` is the sum of the windows' permilles; ``installation`` 0 where none was on record.
    """

    start_us: int
    installation: int
    num: int
    den: int
    windows: int
    missing: int
    coverage: int
    quality: int
    energy: int
    by_method: dict[str, int]
    decimals: int


class SettlementReader:
    """A reader of ``settlement.sqlite``; each question is one short transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open for reading; DataFolderError when it is absent or of another version."""
        return cls(schema.connect(path, read_only=True))

    def close(self) -> None:
        """Close the file; idempotent."""
        self._db.close()

    def settled_to(self, organisation: str, device: str, channel: str) -> int:
        """The end of the newest settled window of a channel (µs UTC); 0 when none is."""
        (end,) = self._db.execute(
            "SELECT max(i.start) FROM series AS s JOIN interval AS i ON i.series = s.id "
            "WHERE s.organisation = ? AND s.device = ? AND s.channel = ?",
            (organisation, device, channel),
        ).fetchone()
        return 0 if end is None else int(end) + SETTLEMENT_WINDOW_US

    def first_us(self, organisation: str, device: str, channel: str) -> int:
        """The start of the oldest settled window of a channel (µs UTC); 0 when none is."""
        (start,) = self._db.execute(
            "SELECT min(i.start) FROM series AS s JOIN interval AS i ON i.series = s.id "
            "WHERE s.organisation = ? AND s.device = ? AND s.channel = ?",
            (organisation, device, channel),
        ).fetchone()
        return 0 if start is None else int(start)

    def intervals(self, organisation: str, device: str, channel: str, span: Period) -> Iterator[SettledInterval]:
        """The rows in force whose window starts in the span, in order."""
        rows = self._db.execute(
            _INTERVAL, (organisation, device, channel, span.start_us, span.end_us, MAX_ROWS)
        ).fetchall()
        for start, part, seq, installation, first, last, energy, coverage, method, quality, num, den, *rest in rows:
            row = IntervalRow(
                device,
                channel,
                installation,
                first,
                last,
                energy,
                coverage,
                Method(method),
                quality,
                num,
                den,
                *rest[:4],
            )
            yield SettledInterval(start, part, seq, rest[4], row)

    def rollups(self, organisation: str, device: str, channel: str, step: str, span: Period) -> Iterator[RolledUp]:
        """Hours, days or months (of the site's time zone) that start in the span, in order."""
        values = (organisation, device, channel, STEPS[step], span.start_us, span.end_us, MAX_ROWS)
        for row in self._db.execute(_ROLLUP, values).fetchall():
            start, installation, num, den, windows, missing, coverage, quality, energy, *methods, decimals = row
            by_method = {method.word: value for method, value in zip(_METHODS, methods, strict=True)}
            yield RolledUp(
                start, installation, num, den, windows, missing, coverage, quality, energy, by_method, decimals
            )
