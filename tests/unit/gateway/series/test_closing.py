"""Hours rolled up and days packed: the rows read the same before and after, and the hours are right."""

import random
import sqlite3
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.time import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, Period
from gateway.series.codec import decode, decode_column, encode, encode_column
from gateway.series.packing import pack_day, pack_row, unpack_day, unpack_row
from gateway.series.store import HourColumn, SeriesRow, SeriesStore

T0 = 1_790_000_000_000_000 // US_PER_DAY * US_PER_DAY
EVER = Period(0, 2**60)
NUMBERS = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(-300, 300))


def instantaneous(_device: str, _group: str, cfg: int) -> tuple[int, ...]:
    return (0, 2) if cfg == 1 else (1,)


def row(
    minute: int, *values: int | None, device: str = "kiln", cfg: int = 1, quality: tuple[int, ...] = ()
) -> SeriesRow:
    slot = T0 + minute * US_PER_MINUTE
    words = quality or (0,) * len(values)
    return SeriesRow(device, "main", slot, slot + 700 + minute % 13, minute + 10**6, cfg, values, words)


def days_of(count: int, step: int = 15, seed: int = 1) -> list[SeriesRow]:
    chance = random.Random(seed)
    rows = []
    for minute in range(0, count * 1440, step):
        bad = 2 if chance.random() < 0.05 else 0
        values = (chance.randrange(1000), minute * 7, None if chance.random() < 0.1 else chance.randrange(-50, 50))
        rows.append(row(minute, *values, quality=(bad, 0, 3 if values[2] is None else 1)))
    return rows


def brute_hours(rows: list[SeriesRow], position: int) -> dict[int, tuple[int, int, int, Fraction]]:
    by_hour: dict[int, list[int]] = {}
    for each in rows:
        value = each.values[position]
        if value is not None and each.quality[position] & 3 < 2:
            by_hour.setdefault(each.slot_us // US_PER_HOUR, []).append(value)
    return {h * US_PER_HOUR: (len(v), min(v), max(v), Fraction(sum(v), len(v))) for h, v in by_hour.items()}


def as_dict(column: HourColumn) -> dict[int, tuple[int, int, int, Fraction]]:
    assert all(a < b for a, b in pairwise(column.starts))
    means = [Fraction(total, count) for total, count in zip(column.sums, column.counts, strict=True)]
    return dict(zip(column.starts, zip(column.counts, column.minima, column.maxima, means, strict=True), strict=True))


@pytest.fixture
def store(tmp_path: Path) -> SeriesStore:
    return SeriesStore(tmp_path, organisation="works")


@given(values=st.lists(NUMBERS, max_size=60))
def test_codec_gives_back_what_it_took(values: list[int | None]) -> None:
    assert decode(encode(values)) == tuple(values)
    assert decode_column(encode_column(values)) == values


@given(st.lists(st.tuples(NUMBERS, st.integers(0, 2**27)), min_size=1, max_size=8), st.integers(-(10**12), 10**12))
def test_a_row_packs_alone(pairs: list[tuple[int | None, int]], slot: int) -> None:
    values, quality = zip(*pairs, strict=True)
    whole = SeriesRow("d", "g", slot, slot - 5, 7, 3, values, quality)
    assert unpack_row("d", "g", pack_row(whole)) == whole


@settings(max_examples=40)
@given(st.data())
def test_a_day_packs_with_changing_channels(data: st.DataObject) -> None:
    widths = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=12))
    rows = []
    for minute, width in enumerate(widths):
        values = tuple(data.draw(NUMBERS) for _ in range(width))
        quality = tuple(data.draw(st.sampled_from([0, 0, 3, 2**26])) for _ in range(width))
        slot = T0 + minute * US_PER_MINUTE
        rows.append(SeriesRow("d", "g", slot, slot + minute, minute * 3, width, values, quality))
    packed = pack_day(rows)
    assert unpack_day("d", "g", packed.head, packed.channels) == rows
    assert unpack_row("d", "g", packed.last) == rows[-1]


def test_packed_days_read_as_before(store: SeriesStore, tmp_path: Path) -> None:
    rows = days_of(40)
    store.write(rows)
    store.close_hours(T0 + 40 * US_PER_DAY, instantaneous)
    assert store.pack_days(T0 + 38 * US_PER_DAY + 5) == 38
    assert store.pack_days(T0 + 38 * US_PER_DAY + 5) == 0
    assert list(store.rows("kiln", "main", EVER)) == rows
    assert list(store.rows("kiln", "main", EVER, descending=True)) == rows[::-1]
    for low, high in ((5, 17), (90, 300), (3648 - 5, 3700), (0, 1)):
        span = Period(rows[low].slot_us, rows[high].slot_us)
        assert list(store.rows("kiln", "main", span)) == rows[low:high]
        assert list(store.rows("kiln", "main", span, 3, descending=True)) == rows[low:high][::-1][:3]
    assert store.row("kiln", "main", rows[33].slot_us) == rows[33]
    between = rows[50].observed_us + 1
    assert store.neighbours("kiln", "main", between) == (rows[50], rows[51])
    assert store.last("kiln", "main") == store.latest(["kiln"])["kiln", "main"] == rows[-1]
    store.pack_days(T0 + 40 * US_PER_DAY)
    assert store.last("kiln", "main") == store.latest(["kiln"])["kiln", "main"] == rows[-1]
    months = [sqlite3.connect(path) for path in tmp_path.glob("20*.sqlite")]
    assert sum(month.execute("SELECT count(*) FROM hot").fetchone()[0] for month in months) == 0
    for month in months:
        month.close()


def test_late_rows_of_a_packed_day(store: SeriesStore) -> None:
    rows = days_of(3)
    late = [rows[5], rows[100], rows[101]]
    store.write([each for each in rows if each not in late])
    store.close_hours(T0 + 3 * US_PER_DAY, instantaneous)
    store.pack_days(T0 + 3 * US_PER_DAY)
    assert store.write(late) == []
    assert list(store.rows("kiln", "main", EVER)) == rows
    assert list(store.rows("kiln", "main", EVER, descending=True)) == rows[::-1]
    assert store.write(rows) == [], "the packed rows are known"
    [conflict] = store.write([_later(rows[0])])
    assert conflict.kept == rows[0]
    assert as_dict(store.hours("kiln", "main", lambda _cfg: 0, EVER)) != brute_hours(rows, 0)
    store.close_hours(T0 + 3 * US_PER_DAY, instantaneous)
    assert as_dict(store.hours("kiln", "main", lambda _cfg: 0, EVER)) == brute_hours(rows, 0)
    assert store.pack_days(T0 + 3 * US_PER_DAY) == 2
    assert list(store.rows("kiln", "main", EVER)) == rows
    assert as_dict(store.hours("kiln", "main", lambda _cfg: 0, EVER)) == brute_hours(rows, 0)


def _later(first: SeriesRow) -> SeriesRow:
    values = (first.values[0] or 0) + 1, *first.values[1:]
    return SeriesRow(first.device, first.group, first.slot_us, first.observed_us, 10**9, 1, values, first.quality)


def test_an_accepted_value_replaces_a_packed_one(store: SeriesStore) -> None:
    rows = days_of(2)
    store.write(rows)
    store.pack_days(T0 + 2 * US_PER_DAY)
    accepted = _later(rows[7])
    store.accept([accepted])
    assert store.row("kiln", "main", accepted.slot_us) == accepted
    assert list(store.rows("kiln", "main", EVER)) == [*rows[:7], accepted, *rows[8:]]
    store.pack_days(T0 + 2 * US_PER_DAY)
    assert list(store.rows("kiln", "main", EVER)) == [*rows[:7], accepted, *rows[8:]]


def test_hours_are_right_open_packed_and_mixed(store: SeriesStore) -> None:
    rows = days_of(35)
    store.write(rows[:2000])
    assert as_dict(store.hours("kiln", "main", lambda _cfg: 0, EVER)) == {}
    done = store.close_hours(rows[1999].slot_us, instantaneous)
    assert done == 2000 // 4 - 1
    store.write(rows[2000:])
    while store.close_hours(T0 + 35 * US_PER_DAY, instantaneous, limit=77):
        pass
    for packed_days in (0, 10, 34, 35):
        store.pack_days(T0 + packed_days * US_PER_DAY)
        for position in (0, 2):
            wanted = brute_hours(rows, position)
            assert as_dict(store.hours("kiln", "main", lambda _cfg, at=position: at, EVER)) == wanted
            span = Period(T0 + 3 * US_PER_HOUR + 1, T0 + 800 * US_PER_HOUR)
            cut = {start: stats for start, stats in wanted.items() if start in span}
            assert as_dict(store.hours("kiln", "main", lambda _cfg, at=position: at, span)) == cut
    assert store.hours("kiln", "main", lambda _cfg: 1, EVER).starts == [], "a counter is not rolled up"


def test_hours_over_a_change_of_configuration(store: SeriesStore) -> None:
    before = [row(minute, minute, 5, 1) for minute in range(0, 90, 10)]
    after = [row(minute, 9, minute, 1, cfg=2) for minute in range(90, 180, 10)]
    store.write(before + after)
    store.close_hours(T0 + US_PER_DAY, instantaneous)
    position = {1: 0, 2: 1}
    same_channel = [*before, *(SeriesRow(r.device, r.group, r.slot_us, 0, 1, 2, r.values[1:2], (0,)) for r in after)]
    for _ in range(2):
        assert as_dict(store.hours("kiln", "main", position.get, EVER)) == brute_hours(same_channel, 0)
        store.pack_days(T0 + US_PER_DAY)


def test_days_are_civil_days(store: SeriesStore) -> None:
    rows = days_of(6)
    store.write(rows)
    store.close_hours(T0 + 6 * US_PER_DAY, instantaneous)
    store.pack_days(T0 + 4 * US_PER_DAY)
    days = as_dict(store.days("kiln", "main", lambda _cfg: 0, EVER, ZoneInfo("Asia/Shanghai")))
    shifted = [
        SeriesRow(r.device, r.group, (r.slot_us + 8 * US_PER_HOUR) // 24, 0, 0, 1, r.values, r.quality) for r in rows
    ]
    wanted = {start * 24 - 8 * US_PER_HOUR: stats for start, stats in brute_hours(shifted, 0).items()}
    assert days == wanted


def test_a_restart_forgets_no_hour(tmp_path: Path) -> None:
    rows = days_of(1)
    store = SeriesStore(tmp_path, organisation="works")
    store.write(rows)
    store.close()
    again = SeriesStore(tmp_path, organisation="works")
    assert again.close_hours(T0 + US_PER_DAY, instantaneous) == 24
    assert again.write([row(7, 1, 1, 1)]) == []
    assert again.close_hours(T0 + US_PER_DAY, instantaneous) == 1


def test_a_reader_sees_every_row_while_days_are_packed(tmp_path: Path) -> None:
    """Packing between two pages of a read neither hides nor doubles a row."""
    rows = days_of(4, step=1)
    writer = SeriesStore(tmp_path, organisation="works")
    writer.write(rows)
    for descending in (False, True):
        reader = SeriesStore(tmp_path, organisation="works", read_only=True)
        seen = []
        for number, each in enumerate(reader.rows("kiln", "main", EVER, descending=descending)):
            seen.append(each)
            if number in {10, 1500, 3000}:
                writer.pack_days(T0 + (1 + number // 1440 + descending) * US_PER_DAY, limit=1)
        assert sorted(seen, key=lambda r: r.slot_us, reverse=descending) == seen
        assert len(seen) == len(rows)
        reader.close()


def test_a_rebuilt_month_takes_the_place_of_the_live_one_under_a_reader(tmp_path: Path) -> None:
    old, new = days_of(20, seed=1), days_of(20, seed=2)
    live = SeriesStore(tmp_path / "live", organisation="works")
    live.write(old, applied_seq=7)
    live.pack_days(T0 + 3 * US_PER_DAY)
    beside = SeriesStore(tmp_path / "beside", organisation="works")
    beside.write([*new, row(5, 1, 1, 1, device="mill")], applied_seq=7)
    months = beside.months()
    beside.close()
    reader = SeriesStore(tmp_path / "live", organisation="works", read_only=True)
    assert list(reader.rows("kiln", "main", EVER)) == old
    half = reader.rows("kiln", "main", EVER)
    next(half)
    for name in reversed(months):
        live.replace_month(name, tmp_path / "beside")
    assert list(reader.rows("kiln", "main", EVER)) == new
    assert len(list(half)) == len(old) - 1
    assert reader.last("mill", "main") == row(5, 1, 1, 1, device="mill")
    assert live.applied_seq() == 7
    assert live.write(new) == []
    assert len(live.write(old)) > 0, "now the rebuilt values are the first"


def test_what_packing_frees_goes_back_to_the_disk(store: SeriesStore, tmp_path: Path) -> None:
    store.write(days_of(25, step=5))
    before = sum(path.stat().st_size for path in tmp_path.glob("20*"))
    store.pack_days(T0 + 25 * US_PER_DAY)
    store.close()
    after = sum(path.stat().st_size for path in tmp_path.glob("20*"))
    assert after < before / 3
