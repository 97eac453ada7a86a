import os
import sqlite3

import pytest

from gateway.domain.errors import DataFolderError
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.journal.selftest import measure_sync_latency


def create(path, clock, **changes):
    facts = {"organisation": "demo-cement", "site": "works", "time_zone": "Asia/Shanghai", "simulated": True}
    return DataFolder.create(path, **(facts | changes), clock=clock)


def test_birth_is_entry_one_and_says_simulated(folder, journal):
    birth = journal.entry(1)
    assert (birth.kind, birth.subject, birth.body["action"]) == ("event", "demo-cement/site/works", "folder.born")
    assert birth.body["simulated"] == 1
    assert folder.simulated
    assert folder.origin == "meterproof/simulated/demo-cement/works/1764000000000000"
    assert (folder.organisation, folder.site, folder.time_zone) == ("demo-cement", "works", "Asia/Shanghai")


def test_a_real_folder_refuses_simulation_and_the_other_way_round(tmp_path, clock):
    real = create(tmp_path / "real", clock, simulated=False)
    real.require(simulated=False)
    with pytest.raises(DataFolderError, match="is real"):
        real.require(simulated=True)
    simulated = create(tmp_path / "simulated", clock)
    with pytest.raises(DataFolderError, match="simulated for ever"):
        simulated.require(simulated=False)
    with pytest.raises(DataFolderError, match="belongs to demo-cement/works"):
        simulated.require(site="other")


def test_a_folder_that_is_not_ours_is_refused(tmp_path, clock):
    with pytest.raises(DataFolderError, match="not a data folder"):
        DataFolder.open(tmp_path / "nothing")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DataFolderError, match="not empty"):
        create(tmp_path, clock)
    (tmp_path / "journal.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(DataFolderError, match="not a journal"):
        DataFolder.open(tmp_path)


def test_another_programs_database_and_another_version_are_refused(tmp_path, folder):
    other = tmp_path / "other"
    other.mkdir()
    with sqlite3.connect(other / "journal.sqlite") as connection:
        connection.execute("CREATE TABLE entry (seq INTEGER)")
    connection.close()
    with pytest.raises(DataFolderError, match="not a journal"):
        DataFolder.open(other)
    with sqlite3.connect(folder.journal) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(DataFolderError, match="format 99"):
        DataFolder.open(folder.path)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path, clock):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderError, match="cannot be used"):
        create(tmp_path / "file", clock)


def test_an_interrupted_birth_is_completed(tmp_path, clock):
    path = tmp_path / "half"
    path.mkdir()
    for name in ("journal.sqlite.new", "journal.sqlite.new-journal"):
        (path / name).write_bytes(b"half a file")
    assert create(path, clock).born_us == clock.utc_us()


def test_open_or_create_continues_the_same_folder(tmp_path, clock):
    facts = {"organisation": "o", "site": "s", "time_zone": "UTC", "simulated": False, "clock": clock}
    first = DataFolder.open_or_create(tmp_path / "x", **facts)
    clock.now_us += 1
    assert DataFolder.open_or_create(tmp_path / "x", **facts).origin == first.origin
    with pytest.raises(DataFolderError):
        DataFolder.open_or_create(tmp_path / "x", **(facts | {"simulated": True}))
    with pytest.raises(DataFolderError, match="Europe/Berlin"):
        DataFolder.open_or_create(tmp_path / "x", **(facts | {"time_zone": "Europe/Berlin"}))


def test_a_lock_is_held_by_one(folder):
    with folder.hold_lock("collect"):
        again = DataFolder.open(folder.path)
        with pytest.raises(DataFolderError, match=f"process {os.getpid()}"), again.hold_lock("collect"):
            pass
        with again.hold_lock("project"):
            pass
    with folder.hold_lock("collect"):
        pass


def test_the_self_test_measures_and_leaves_nothing(folder, clock):
    latency = measure_sync_latency(folder, clock, rounds=3)
    assert 0 <= latency.median_us <= latency.worst_us
    assert list(folder.state.iterdir()) == []


def test_a_folder_opens_for_reading_only(folder):
    read_only = DataFolder.open(folder.path, read_only=True)
    with Journal.open(read_only, read_only=True) as journal:
        assert journal.head() == 1
