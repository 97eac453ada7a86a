"""How much of each civil day's energy passed at too small or too large a load, from settled quarter hours."""

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

_WINDOWS = (
    "SELECT i.start, i.energy, s.decimals FROM series AS s JOIN interval AS i ON i.series = s.id WHERE "
    "s.organisation = ? AND s.device = ? AND s.channel = ? AND i.start >= ? AND i.start < ? "
    "AND i.energy IS NOT NULL ORDER BY i.start"
)


def changed_windows(db: sqlite3.Connection, organisation: str, after_seq: int) -> tuple[int, list[int]]:
    """The newest settlement entry, and the windows that entries after another one settled (µs UTC)."""
    rows = db.execute(
        "SELECT seq, start FROM entry WHERE organisation = ? AND seq > ?", (organisation, after_seq)
    ).fetchall()
    return max((seq for seq, _ in rows), default=after_seq), sorted({start for _, start in rows})


def shares_outside(
    db: sqlite3.Connection,
    key: tuple[str, str, str],
    midnights: Sequence[int],
    limits: tuple[Fraction | None, Fraction | None],
) -> Mapping[int, tuple[int, int]]:
    """Per day (its midnight, µs UTC) the permille of its energy in windows below and above ``limits``.

    ``key``: organisation, device, channel; ``midnights`` in a row, the last one ends the last day; ``limits`` in the
    register's unit, meter side. A day without energy is not in it.
    """
    if len(midnights) < 2:
        return {}
    sums: dict[int, list[Fraction]] = {}
    rows: Iterable[tuple[int, int, int]] = db.execute(_WINDOWS, (*key, midnights[0], midnights[-1]))
    scaled: dict[int, tuple[Fraction | None, Fraction | None]] = {}
    for start, energy, decimals in rows:
        if decimals not in scaled:
            step = 1000 * 10**decimals
            scaled[decimals] = (_times(limits[0], step), _times(limits[1], step))
        lower, upper = scaled[decimals]
        day = sums.setdefault(midnights[bisect_right(midnights, start) - 1], [Fraction(0)] * 3)
        size = Fraction(abs(energy), 10**decimals)
        day[0] += size
        if lower is not None and energy < lower:
            day[1] += size
        elif upper is not None and energy > upper:
            day[2] += size
    return {
        midnight: (int(1000 * below / whole), int(1000 * above / whole))
        for midnight, (whole, below, above) in sums.items()
        if whole
    }


def _times(limit: Fraction | None, step: int) -> Fraction | None:
    return None if limit is None else limit * step
