"""Energy by load: sums over days and months act on an error curve as the intervals themselves do."""

import sqlite3
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.settlement.load_sums import load_sums
from gateway.settlement.rollups import DAY, MONTH, RollUps
from gateway.settlement.row import Method
from gateway.settlement.schema import SCHEMA

QUARTER_US = 900_000_000
MONTH_US = 1_767_196_800_000_000  # 2026-01-01 00:00 in Shanghai
KNOWN = [each for each in Method if each is not Method.MISSING]
ENERGIES = st.lists(
    st.tuples(st.integers(0, 40 * 96 - 1), st.integers(-5, 10**12) | st.none(), st.sampled_from(KNOWN)),
    max_size=60,
    unique_by=lambda each: each[0],
)


def rollups() -> tuple[sqlite3.Connection, RollUps]:
    db = sqlite3.connect(":memory:")
    db.executescript(SCHEMA)
    return db, RollUps(db, ZoneInfo("Asia/Shanghai"))


def put(db, kept, number, energy, method, *, replaced):
    start = MONTH_US + number * QUARTER_US
    db.execute(
        "INSERT OR REPLACE INTO interval (series, start, part, seq, installation, energy, coverage, method, quality, "
        "num, den) VALUES (1, ?, 0, 1, 7, ?, 1000, ?, 0, 3, 2)",
        (start, energy, int(method)),
    )
    if replaced:
        kept.touch(1, start)
    else:
        kept.add(1, start, (7, 3, 2, energy, 1000, int(method), 0, 1))


def rows(db):
    return sorted(db.execute("SELECT * FROM load").fetchall())


def located(each) -> bool:
    return each[1] is not None and each[1] > 0 and each[2] in {Method.MEASURED, Method.INTERPOLATED}


@given(ENERGIES)
def test_a_straight_error_curve_acts_on_the_sums_as_on_every_quarter_hour(intervals) -> None:
    db, kept = rollups()
    for number, energy, method in intervals:
        put(db, kept, number, energy, method, replaced=False)
    kept.flush()
    known = [Fraction(energy) for _, energy, _ in filter(located, intervals)]
    for kind in (DAY, MONTH):
        shares = load_sums(db, 1, kind, (MONTH_US, MONTH_US + 40 * 96 * QUARTER_US), Fraction(1))
        assert sum(share.energy for share in shares) == sum(known)
        assert {(share.installation, share.ratio) for share in shares} <= {(7, Fraction(3, 2))}
        at_load = sum((share.energy * share.load for share in shares), Fraction(0))
        exact = sum((each * each for each in known), Fraction(0))
        assert float(at_load) == pytest.approx(float(exact), rel=4e-6)


@given(ENERGIES, ENERGIES)
def test_replaced_intervals_leave_the_rows_of_a_file_built_once(first, second) -> None:
    db, kept = rollups()
    for number, energy, method in first:
        put(db, kept, number, energy, method, replaced=False)
    kept.flush()
    for number, energy, method in second:
        put(db, kept, number, energy, method, replaced=True)
    kept.flush()
    once, fresh = rollups()
    final = {each[0]: each for each in [*first, *second]}
    for number, energy, method in final.values():
        put(once, fresh, number, energy, method, replaced=False)
    fresh.flush()
    assert rows(db) == rows(once)


def test_energy_whose_quarter_hour_is_not_known_has_no_load() -> None:
    db, kept = rollups()
    for number, method in enumerate(KNOWN):
        put(db, kept, number, 1000, method, replaced=False)
    kept.flush()
    shares = load_sums(db, 1, DAY, (MONTH_US, MONTH_US + QUARTER_US), Fraction(1, 1000))
    assert [(share.energy, share.load) for share in shares] == [(2, 1)]
