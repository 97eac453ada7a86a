"""As known at an entry, roll-ups that stand and intervals where they do not say what the intervals alone say."""

import sqlite3
from collections.abc import Iterator
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.time import Period
from gateway.settlement import schema
from gateway.settlement.calendar import DAY, HOUR, MONTH, Calendar
from gateway.settlement.query import Settlement, Then
from gateway.settlement.store import CounterChannel, CounterGroup, SettlementProjection

ZONE = ZoneInfo("Asia/Shanghai")
QUARTER_US = 900_000_000
MONTH_US = 1_767_196_800_000_000  # 2026-01-01 00:00 in Shanghai
WINDOWS = 40 * 96
SPAN = Period(MONTH_US, MONTH_US + WINDOWS * QUARTER_US)
# window, energy (None: not known), installation: each is one settlement entry, in this order
ENTRIES = st.lists(
    st.tuples(st.integers(0, WINDOWS - 1), st.integers(-5, 10**6) | st.none(), st.sampled_from([3, 4])),
    min_size=1,
    max_size=50,
)


class Site:
    """One channel settled entry by entry, in commits of a few."""

    def __init__(self) -> None:
        db = sqlite3.connect(":memory:", isolation_level=None)
        db.executescript(schema.SCHEMA)
        self.store = SettlementProjection(db, ZONE)
        channel = CounterChannel("e", 0, 0, None, False, "active_energy_import", "kWh")
        self.store.configure(CounterGroup("o", "a", "main", 300_000_000, 1, (channel,)))
        self.settlement = Settlement(db, None)  # type: ignore[arg-type]  # the ledger is not asked here

    def settle(self, entries, first_seq: int) -> None:
        self.store.begin()
        for seq, (window, energy, installation) in enumerate(entries, first_seq):
            start = MONTH_US + window * QUARTER_US
            method = "missing" if energy is None else "measured"
            row = ["a", "e", installation, 0, energy, energy, 1000, method, 0, 1, 1, None, None, None, None]
            body = {"from": start, "to": start + QUARTER_US, "revision": seq, "registry": 1, "chunk": 0, "chunks": 1}
            self.store.apply(seq, "o", {**body, "rows": [row]})
        self.store.commit(first_seq + len(entries) - 1)


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.store.close()


def expected(entries, known_seq: int, within=lambda window: True):
    """Written for this test: the newest entry of each window that was known, summed by installation."""
    newest = {}
    for seq, (window, energy, installation) in enumerate(entries, 1):
        if seq <= known_seq and within(window):
            newest[window] = (energy, installation)
    sums: dict[int, list[int]] = {}
    for energy, installation in newest.values():
        each = sums.setdefault(installation, [0, 0, 0])
        each[0] += 1
        each[1] += energy is None
        each[2] += energy or 0
    return sums


def added(found):
    sums: dict[int, list] = {}
    for each in found:
        total = sums.setdefault(each.installation, [0, 0, 0])
        total[0] += each.windows
        total[1] += each.missing
        total[2] += each.energy * 1000
        assert sum(each.by_method.values()) == each.energy
    return sums


@settings(deadline=None)
@given(ENTRIES, st.integers(1, 7), st.integers(0, 51))
def test_what_was_known_then_is_the_newest_entry_of_each_window_up_to_then(entries, batch: int, known_seq: int) -> None:
    made = Site()
    try:
        for first in range(0, len(entries), batch):
            made.settle(entries[first : first + batch], first + 1)
        then = Then(known_seq, Calendar(ZONE))
        for kind in (HOUR, DAY, MONTH):
            alone = made.settlement.rollups("o", "a", "e", kind, SPAN, then=then)
            together = made.settlement.totals("o", kind, SPAN, then).get(("a", "e"), [])
            assert added(alone) == added(together) == expected(entries, known_seq)
        days = made.settlement.rollups("o", "a", "e", DAY, SPAN, then=then)
        for start in {each.start_us for each in days}:
            first = (start - MONTH_US) // QUARTER_US
            day = expected(entries, known_seq, lambda window, first=first: first <= window < first + 96)
            assert added(each for each in days if each.start_us == start) == day
        now = added(made.settlement.rollups("o", "a", "e", MONTH, SPAN))
        assert now == expected(entries, len(entries))
    finally:
        made.store.close()


def test_a_month_nothing_touched_since_is_read_as_one_row(site: Site) -> None:
    site.settle([(window, 1000, 3) for window in range(31 * 96)], 1)
    known = 31 * 96
    site.settle([(31 * 96, 7000, 3), (31 * 96 + 1, 7000, 3)], known + 1)
    read: list[str] = []
    site.store.db.set_trace_callback(read.append)
    found = site.settlement.totals("o", MONTH, SPAN, Then(known, Calendar(ZONE)))["a", "e"]
    site.store.db.set_trace_callback(None)
    assert [(each.windows, each.energy) for each in found] == [(31 * 96, Fraction(31 * 96))]
    assert not [each for each in read if "interval" in each]


def test_a_revised_window_sends_its_day_alone_to_the_intervals(site: Site) -> None:
    site.settle([(window, 1000, 3) for window in range(31 * 96)], 1)
    known = 31 * 96
    site.settle([(5 * 96 + 2, 9000, 4)], known + 1)
    read: list[str] = []
    site.store.db.set_trace_callback(read.append)
    found = site.settlement.totals("o", MONTH, SPAN, Then(known, Calendar(ZONE)))["a", "e"]
    site.store.db.set_trace_callback(None)
    assert sum(each.energy for each in found) == Fraction(31 * 96)
    assert {each.installation for each in found} == {3}
    asked = [each for each in read if "interval" in each]
    assert len(asked) == 1
    assert str(MONTH_US + 5 * 96 * QUARTER_US) in asked[0]
    now = site.settlement.totals("o", MONTH, SPAN)["a", "e"]
    assert sum(each.energy for each in now) == Fraction(31 * 96 - 1 + 9)
    assert {each.installation for each in now} == {3, 4}
