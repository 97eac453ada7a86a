"""Sums of settled intervals for a whole site in one question, exact and as known at any recorded number."""

import sqlite3
from dataclasses import dataclass
from fractions import Fraction

from gateway.domain.time import SETTLEMENT_WINDOW_US, Period
from gateway.settlement.row import Method

_GROUPED = (
    "SELECT series, installation, num, den, method, count(*), sum(energy IS NULL), "
    "sum(energy / 1048576), sum(energy %% 1048576), sum(coverage), max(quality & 3), "
    "group_concat(DISTINCT quality >> 2) FROM (%s) GROUP BY series, installation, num, den, method"
)
_NOW = (
    "SELECT series, installation, num, den, method, energy, coverage, quality FROM interval "
    "WHERE series = ?1 AND start >= ?2 AND start < ?3"
)
_THEN = (
    f"{_NOW} AND seq <= ?4 UNION ALL "  # noqa: S608  # constants of this module; every value is bound
    "SELECT series, installation, num, den, method, energy, coverage, quality FROM superseded "
    "WHERE series = ?1 AND start >= ?2 AND start < ?3 AND seq <= ?4 AND until_seq > ?4"
)
_CHUNK = 1048576


@dataclass(frozen=True, slots=True)
class IntervalSum:
    """Windows of one series under one installation and ratio, by how their energy is known.

    ``energy`` exact in thousandths of the resolution, meter side; ``coverage`` the sum of permilles.
    """

    series: int
    installation: int | None
    ratio: Fraction
    method: Method
    windows: int
    missing: int
    energy: int
    coverage: int
    quality: int


def interval_sums(db: sqlite3.Connection, series: int, period: Period, known_seq: int | None) -> list[IntervalSum]:
    """Sums over the windows that lie wholly in the period."""
    query = _GROUPED % (_NOW if known_seq is None else _THEN)
    bound = (series, period.start_us, period.end_us - SETTLEMENT_WINDOW_US + 1)
    rows = db.execute(query, bound if known_seq is None else (*bound, known_seq)).fetchall()
    found = []
    for number, installation, num, den, method, windows, missing, high, low, coverage, status, flags in rows:
        seen = 0
        for each in (flags or "0").split(","):
            seen |= int(each)
        found.append(
            IntervalSum(
                number,
                installation or None,
                Fraction(num, den),
                Method(method),
                windows,
                missing,
                # two sums, so that even a century of large registers stays inside 64 bits
                (high or 0) * _CHUNK + (low or 0),
                coverage,
                status | seen << 2,
            )
        )
    return found
