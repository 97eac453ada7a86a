"""Reading roll-ups: as known now, and as known at a recorded number without reading every interval.

A roll-up names the newest settlement entry in it. Whatever was added to it or replaced in it after a recorded number
is in an entry above that number; so where there is none, the roll-up stands as it was known then. Where there is one,
the days of a month are asked instead, and of a day or an hour its intervals.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from operator import itemgetter

from gateway.domain.time import US_PER_HOUR, Period
from gateway.settlement.answers import ChannelInfo, RollUp
from gateway.settlement.calendar import DAY, HOUR, MONTH, Calendar
from gateway.settlement.row import Method
from gateway.settlement.sums import interval_sums

MAX_ROWS = 500_000
_FIELDS = (
    "start, installation, num, den, windows, missing, coverage, quality, energy, measured, interpolated, caught_up, "
    "substituted, manual"
)


@dataclass(frozen=True, slots=True)
class Then:
    """A recorded number to know things at, and where the site's days and months begin."""

    seq: int
    calendar: Calendar

    def end(self, kind: int, start_us: int) -> int:
        """Where the hour, day or month that begins there ends."""
        if kind == HOUR:
            return start_us + US_PER_HOUR
        return self.calendar.next_day(start_us) if kind == DAY else self.calendar.next_month(start_us)


def totals(
    db: sqlite3.Connection, infos: Iterable[ChannelInfo], organisation: str, kind: int, period: Period
) -> dict[tuple[str, str], list[RollUp]]:
    """Roll-ups of every channel of a site that begin in the period, by (device, channel), as known now: one query."""
    by_id = {info.id: info for info in infos}
    found: dict[tuple[str, str], list[RollUp]] = {}
    for series, *row in db.execute(
        f"SELECT r.series, {_FIELDS} FROM series AS s CROSS JOIN rollup AS r WHERE s.organisation = ? AND r.kind = ? "  # noqa: S608
        "AND r.series = s.id AND r.start >= ? AND r.start < ? LIMIT ?",
        (organisation, kind, period.start_us, period.end_us, MAX_ROWS),
    ):
        info = by_id[series]
        found.setdefault((info.device, info.channel), []).append(_rollup(info, row))
    return found


def rollups(
    db: sqlite3.Connection,
    info: ChannelInfo,
    kind: int,
    period: Period,
    then: Then | None = None,
    *,
    joined: bool = False,
) -> list[RollUp]:
    """Roll-ups of a series that begin in the period, by time, as known now or then; at most ``MAX_ROWS`` a query.

    Where something changed since then, what is asked again may come in several pieces a period, and finer: the days of
    a month. ``joined``: days and hours in a row come as one, for sums.
    """
    rows = db.execute(
        f"SELECT {_FIELDS}, seq FROM rollup WHERE kind = ? AND series = ? AND start >= ? AND start < ? "  # noqa: S608
        "ORDER BY start, installation LIMIT ?",
        (kind, info.id, period.start_us, period.end_us, MAX_ROWS),
    ).fetchall()
    if then is None:
        return [_rollup(info, row[:-1]) for row in rows]
    found: list[RollUp] = []
    changed: list[tuple[int, int]] = []
    for start, group in groupby(rows, key=itemgetter(0)):
        parts = list(group)
        if max(part[-1] for part in parts) > then.seq:
            changed.append((start, then.end(kind, start)))
        else:
            found += [_rollup(info, part[:-1]) for part in parts]
    for span in _spans(changed, joined=joined or kind == MONTH):
        if kind == MONTH:
            found += rollups(db, info, DAY, span, then, joined=joined)
        else:
            found += _summed(db, info, span, then.seq)
    return sorted(found, key=lambda each: each.start_us)


def changed_hours(db: sqlite3.Connection, info: ChannelInfo, period: Period, known_seq: int) -> list[Period]:
    """The whole hours of the period in which something was settled after an entry, in spans as long as they join."""
    rows = db.execute(
        "SELECT DISTINCT start FROM rollup WHERE kind = ? AND series = ? AND start >= ? AND start < ? AND seq > ? "
        "ORDER BY start LIMIT ?",
        (HOUR, info.id, period.start_us, period.end_us, known_seq, MAX_ROWS),
    ).fetchall()
    return _spans([(start, start + US_PER_HOUR) for (start,) in rows], joined=True)


def _spans(periods: list[tuple[int, int]], *, joined: bool) -> list[Period]:
    found: list[Period] = []
    for start, end in periods:
        if joined and found and found[-1].end_us == start:
            found[-1] = Period(found[-1].start_us, end)
        else:
            found.append(Period(start, end))
    return found


def _summed(db: sqlite3.Connection, info: ChannelInfo, span: Period, known_seq: int) -> Iterator[RollUp]:
    for each in interval_sums(db, info.id, span, known_seq):
        energy = each.energy * info.step * each.ratio
        yield RollUp(
            span.start_us,
            each.installation,
            each.windows,
            each.missing,
            each.coverage,
            each.quality,
            energy,
            {each.method: energy} if energy else {},
        )


def _rollup(info: ChannelInfo, row: Sequence[int]) -> RollUp:
    start, installation, num, den, windows, missing, coverage, quality, energy, *methods = row
    factor = info.step * Fraction(num, den)
    by_method = {Method(number): value * factor for number, value in enumerate(methods) if value}
    return RollUp(start, installation or None, windows, missing, coverage, quality, energy * factor, by_method)
