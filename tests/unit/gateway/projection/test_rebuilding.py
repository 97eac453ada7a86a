"""A rebuild puts month by month in place: row for row what was there, and no reader ever sees less."""

import sqlite3
import threading

import pytest

from gateway.assembly import rebuilding
from gateway.assembly.rebuilding import FolderBeside, rebuild
from gateway.assembly.upkeep import SeriesUpkeep
from gateway.domain.time import US_PER_HOUR, Period, parse_iso
from gateway.series.store import SeriesStore
from tests.unit.gateway.projection.content import tables

T0 = parse_iso("2026-10-18T00:00:00+08:00")
EVER = Period(0, 2**60)
SLOTS = 60 * 12
STEP = 2 * US_PER_HOUR


def nothing(_done, _head):
    pass


@pytest.fixture
def filled(works):
    """Sixty days every two hours over three months, a late row and a conflict; days packed as in a running gateway."""
    works.device("a")
    works.device("b")
    works.append(*(works.poll(name, T0 + k * STEP, 1000 + k, k) for k in range(SLOTS) if k != 300 for name in "ab"))
    keep_up(works)
    works.append(works.poll("a", T0 + 300 * STEP, 1300, 7), works.poll("b", T0 + 5 * STEP, 1, 1))
    keep_up(works)
    works.projection.close()
    works.projection = None
    return works


def keep_up(works):
    works.project()
    upkeep = SeriesUpkeep(works.folder, works.projection.projector)
    while upkeep.step():
        pass
    upkeep.close()
    works.project()


def reader(works):
    return SeriesStore(works.folder.series, organisation="works", read_only=True)


def content(works):
    """Every row, every hour of a channel, and the cursor."""
    store = reader(works)
    try:
        rows = [row for device, group in store.series() for row in store.rows(device, group, EVER)]
        hours = [store.hours(name, "main", lambda _cfg: 1, EVER) for name in "ab"]
        return rows, hours, store.applied_seq()
    finally:
        store.close()


def test_every_row_and_hour_is_the_same_after_a_rebuild(filled):
    before, live = content(filled), tables(filled.folder)
    assert len(before[0]) == 2 * SLOTS - 1
    assert sorted(path.stem for path in filled.folder.series.glob("2*.sqlite")) == ["2026-10", "2026-11", "2026-12"]
    with sqlite3.connect(filled.folder.series / "2026-11.sqlite") as spoiled:
        spoiled.execute("DELETE FROM hot")
        spoiled.execute("DELETE FROM day")
    spoiled.close()
    (filled.folder.series / "2025-01.sqlite").write_bytes(b"")
    assert content(filled) != before
    head = filled.journal.head()
    rebuild(filled.folder, filled.clock, nothing)
    assert content(filled) == before
    assert tables(filled.folder) == live
    assert filled.journal.head() == head
    assert not (filled.folder.series / "2025-01.sqlite").exists(), "no entry fills that month"


@pytest.mark.parametrize("name", ["series/2026-11.sqlite", "series/index.sqlite", "registry.sqlite"])
def test_a_file_that_is_no_database_any_more_gives_way(filled, name):
    before, live = content(filled), tables(filled.folder)
    (filled.folder.path / name).write_bytes(b"no database" * 1000)
    rebuild(filled.folder, filled.clock, nothing)
    assert content(filled) == before
    assert tables(filled.folder) == live


def test_months_are_put_in_place_newest_first_and_stopping_between_leaves_whole_ones(filled, monkeypatch):
    before = content(filled)
    order = []
    replace = SeriesStore.replace_month

    def stop(store, name, rebuilt):
        order.append(name)
        if len(order) == 2:
            raise KeyboardInterrupt
        replace(store, name, rebuilt)

    monkeypatch.setattr(SeriesStore, "replace_month", stop)
    with pytest.raises(KeyboardInterrupt):
        rebuild(filled.folder, filled.clock, nothing)
    assert order == ["2026-12", "2026-11"]
    assert content(filled) == before
    assert not FolderBeside.of(filled.folder).beside.exists(), "what failed, on a full disk say, must not keep its room"


def test_a_reader_always_sees_every_row_while_files_are_swapped(filled, monkeypatch):
    whole = content(filled)[0]
    done, another = threading.Event(), threading.Semaphore(0)
    seen = []

    def read():
        store = reader(filled)
        try:
            while not done.is_set() and len(seen) < 100_000:
                seen.append(list(store.rows("a", "main", EVER)))
                another.release()
        finally:
            store.close()

    begun = rebuilding._put_in_place

    def swapping(beside, folder):
        thread = threading.Thread(target=read)
        thread.start()
        try:
            assert another.acquire(timeout=10)
            begun(beside, folder)
            count = len(seen)
            while len(seen) < count + 2:  # the one under way began before
                assert another.acquire(timeout=10)
        finally:
            done.set()
            thread.join(10)

    monkeypatch.setattr(rebuilding, "_put_in_place", swapping)
    rebuild(filled.folder, filled.clock, nothing)
    expected = [row for row in whole if row.device == "a"]
    assert len(seen) > 2
    assert all(rows == expected for rows in seen)
