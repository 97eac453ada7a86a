"""The series store: what is written comes back, once, in order, whatever the order of arrival."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.delivery.state import CourierState
from gateway.domain.errors import DataFolderError
from gateway.domain.time import US_PER_DAY, US_PER_MINUTE, Period
from gateway.series.store import SeriesRow, SeriesStore

T0 = 1_790_000_000_000_000 // US_PER_DAY * US_PER_DAY
EVER = Period(0, 2**60)


def row(slot: int, *values: int | None, device: str = "kiln", dt: int = 1_500, seq: int = 1, bad: int = 0) -> SeriesRow:
    slot_us = T0 + slot * US_PER_MINUTE
    return SeriesRow(device, "main", slot_us, slot_us + dt, seq, 1, values, (bad,) * len(values))


@pytest.fixture
def store(tmp_path: Path) -> SeriesStore:
    return SeriesStore(tmp_path, organisation="works")


def test_rows_come_back_as_written_and_in_order(store: SeriesStore) -> None:
    rows = [row(n, n, None, -(2**62), 2**63 - 1, 0, bad=n % 3) for n in range(3000)]
    shuffled = random.Random(5).sample(rows, len(rows))
    assert store.write(shuffled, applied_seq=9) == []
    assert list(store.rows("kiln", "main", EVER)) == rows
    assert list(store.rows("kiln", "main", EVER, descending=True)) == rows[::-1]
    assert list(store.rows("kiln", "main", Period(rows[10].slot_us, rows[20].slot_us), 5)) == rows[10:15]
    assert store.row("kiln", "main", rows[7].slot_us) == rows[7]
    assert store.row("kiln", "main", rows[7].slot_us + 1) is None
    assert store.last("kiln", "main") == rows[-1]
    assert store.applied_seq() == 9


def test_first_value_wins_and_a_differing_one_comes_back(store: SeriesStore) -> None:
    first = row(1, 10, seq=5)
    later = row(1, 11, seq=9)
    assert store.write([first, row(2, 20)]) == []
    [conflict] = store.write([later, row(3, 30), row(2, 20, seq=9)])
    assert (conflict.kept, conflict.refused) == (first, later)
    assert [r.values for r in store.rows("kiln", "main", EVER)] == [(10,), (20,), (30,)]
    [within_batch] = store.write([row(4, 1, seq=11), row(4, 2, seq=11)])
    assert within_batch.refused.values == (2,)


def test_writing_again_changes_nothing(store: SeriesStore) -> None:
    rows = [row(n, n) for n in range(50)]
    store.write(rows, applied_seq=1)
    assert store.write(rows, applied_seq=1) == []
    assert list(store.rows("kiln", "main", EVER)) == rows


def test_a_folder_may_have_a_name_that_addresses_would_read_otherwise(tmp_path: Path) -> None:
    folder = tmp_path / "kiln #1" / "50%25 a?b"
    folder.mkdir(parents=True)
    writer = SeriesStore(folder, organisation="works")
    writer.write([row(1, 10)], applied_seq=1)
    writer.close()
    reader = SeriesStore(folder, organisation="works", read_only=True)
    assert [each.values for each in reader.rows("kiln", "main", EVER)] == [(10,)]
    reader.close()
    CourierState(folder / "courier.sqlite").settle(7, [], 0)
    assert CourierState(folder / "courier.sqlite", read_only=True).seq == 7
    assert [each.name for each in tmp_path.rglob("*") if each.is_file() and folder not in each.parents] == []


def test_an_organisation_sees_only_its_own(tmp_path: Path) -> None:
    ours = SeriesStore(tmp_path, organisation="works")
    ours.write([row(1, 1)])
    ours.close()
    theirs = SeriesStore(tmp_path, organisation="other")
    assert theirs.write([row(1, 2)]) == []
    assert [r.values for r in theirs.rows("kiln", "main", EVER)] == [(2,)]
    assert theirs.latest(["kiln"])["kiln", "main"].values == (2,)
    assert SeriesStore(tmp_path, organisation="works", read_only=True).last("kiln", "main") == row(1, 1)


def test_a_batch_over_months_lands_in_both(store: SeriesStore) -> None:
    rows = [row(n * 1440, n) for n in range(-60, 60)]
    store.write(rows)
    assert len(store.months()) == 5
    assert list(store.rows("kiln", "main", EVER)) == rows
    assert list(store.rows("kiln", "main", EVER, descending=True)) == rows[::-1]


def test_latest_of_many(store: SeriesStore) -> None:
    rows = [row(n, n, device=f"m{n % 7}") for n in range(70)]
    store.write(rows)
    store.write([row(-43_200, 1, device="old")])
    latest = store.latest([*(f"m{n}" for n in range(6)), "old", "unknown"])
    assert {key[0]: found.values[0] for key, found in latest.items()} == {
        **{f"m{n}": 63 + n for n in range(6)},
        "old": 1,
    }


def test_a_reader_may_come_before_the_writer(tmp_path: Path) -> None:
    reader = SeriesStore(tmp_path / "series", organisation="works", read_only=True)
    assert reader.applied_seq() == 0
    assert reader.last("kiln", "main") is None
    assert reader.latest(["kiln"]) == {}
    writer = SeriesStore(tmp_path / "series", organisation="works")
    writer.write([row(1, 1)], applied_seq=3)
    assert reader.applied_seq() == 3
    assert reader.last("kiln", "main") == row(1, 1)


def test_a_foreign_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "2026-09.sqlite").write_bytes(b"not a database, but long enough to look at" * 50)
    store = SeriesStore(tmp_path, organisation="works")
    with pytest.raises(DataFolderError, match=r"2026-09\.sqlite"):
        store.write([row(1, 1)])


def brute_nearest(rows: list[SeriesRow], at: int) -> tuple[int | None, int | None]:
    before = [r.observed_us for r in rows if r.observed_us <= at]
    after = [r.observed_us for r in rows if r.observed_us >= at]
    return max(before, default=None), min(after, default=None)


@settings(max_examples=30, deadline=None)
@given(
    slots=st.dictionaries(st.integers(-90_000, 90_000), st.integers(-3_000_000_000, 3_000_000_000), max_size=25),
    at=st.integers(-91_000, 91_000),
)
def test_neighbours_are_nearest_by_observed_time(
    tmp_path_factory: pytest.TempPathFactory, slots: dict[int, int], at: int
) -> None:
    store = SeriesStore(tmp_path_factory.mktemp("s"), organisation="works")
    rows = [row(slot, 1, dt=dt) for slot, dt in slots.items()]
    store.write(rows)
    moment = T0 + at * US_PER_MINUTE
    before, after = store.neighbours("kiln", "main", moment)
    found = (before and before.observed_us, after and after.observed_us)
    assert found == brute_nearest(rows, moment)
    odd = [r for r in rows if r.slot_us // US_PER_MINUTE % 2]
    usable = store.neighbours("kiln", "main", moment, usable=lambda r: bool(r.slot_us // US_PER_MINUTE % 2))
    assert tuple(r and r.observed_us for r in usable) == brute_nearest(odd, moment)
    store.close()


def test_an_instant_on_a_row_has_it_on_both_sides(store: SeriesStore) -> None:
    here = row(5, 1)
    store.write([row(4, 1), here, row(6, 1)])
    assert store.neighbours("kiln", "main", here.observed_us) == (here, here)


def test_the_first_value_is_known_by_its_entry_when_a_later_one_was_accepted(store: SeriesStore) -> None:
    accepted = row(1, 11)._replace(seq=9)
    store.write([accepted])
    assert store.write([row(1, 10, seq=5)]) == []
    assert store.last("kiln", "main") == accepted


def test_a_reader_follows_files_that_were_dropped_and_built_again(tmp_path: Path) -> None:
    first = SeriesStore(tmp_path, organisation="works")
    first.write([row(1, 1), row(2, 2)], applied_seq=5)
    reader = SeriesStore(tmp_path, organisation="works", read_only=True)
    under_way = reader.rows("kiln", "main", EVER)
    assert next(under_way) == row(1, 1)
    first.close()
    for path in tmp_path.glob("*.sqlite*"):
        path.unlink()
    assert reader.last("kiln", "main") is None
    assert reader.applied_seq() == 0
    second = SeriesStore(tmp_path, organisation="works")
    second.write([row(1, 7)], applied_seq=9)
    assert reader.last("kiln", "main") == row(1, 7)
    assert reader.applied_seq() == 9
    assert list(reader.rows("kiln", "main", EVER)) == [row(1, 7)]
    assert list(under_way) == [row(2, 2)], "a read under way ends on what it began with"


def test_a_month_just_being_made_is_not_there_yet(tmp_path: Path) -> None:
    reader = SeriesStore(tmp_path, organisation="works", read_only=True)
    (tmp_path / "2026-09.sqlite").touch()
    assert reader.row("kiln", "main", T0) is None
