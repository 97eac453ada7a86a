"""A full disk is told from a broken one, wherever SQLite meets it first."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.domain.errors import DataFolderError, DiskFullError, JournalError
from gateway.journal import disk_room, projection_file, schema
from gateway.series.closing import write_transaction


class NoSharedMemoryError(sqlite3.OperationalError):
    """What SQLite says where it cannot make the file its readers share."""

    sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE

    def __init__(self) -> None:
        super().__init__("disk I/O error")


@pytest.fixture(params=[0, disk_room.LEAST_FREE_BYTES], ids=["full", "room"])
def full(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=request.param))
    return bool(request.param == 0)


def test_the_journal_is_not_called_damaged_for_want_of_room(tmp_path: Path, *, full: bool) -> None:
    with pytest.raises(DiskFullError if full else JournalError), schema.mapped_errors(tmp_path / "journal.sqlite"):
        raise NoSharedMemoryError


def test_a_projection_is_not_to_be_built_again_for_want_of_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, full: bool
) -> None:
    def refusing(*_given: object, **_said: object) -> sqlite3.Connection:
        raise NoSharedMemoryError

    monkeypatch.setattr(sqlite3, "connect", refusing)
    with pytest.raises(DataFolderError) as refused:
        projection_file.connect(tmp_path / "registry.sqlite", "", 1, read_only=True)
    assert isinstance(refused.value, DiskFullError) == full
    assert ("rebuild" in refused.value.message) == (not full)


def test_what_sqlite_took_back_itself_is_not_taken_back_again() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:

        def fill() -> None:
            with write_transaction(connection):
                connection.execute("ROLLBACK")  # as SQLite does when the disk is full
                raise NoSharedMemoryError

        with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
            fill()
        with write_transaction(connection):
            connection.execute("CREATE TABLE still (works)")
