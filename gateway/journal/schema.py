"""The journal's SQLite file: its identity, its table, and how a connection to it is set up."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.domain.errors import DataFolderError, JournalError
from gateway.journal.disk_room import refuse_full_disk

APPLICATION_ID = 0x4D505246  # "MPRF"
SCHEMA_VERSION = 1
PAGE_SIZE = 4096
BUSY_TIMEOUT_S = 10.0
WAL_AUTOCHECKPOINT_PAGES = 1000
WAL_SIZE_LIMIT_BYTES = 16 * 2**20

# An index over polls would cost a fourteenth of the file for a question nobody asks by subject: the series answers it.
SCHEMA = """
CREATE TABLE entry (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    body    BLOB NOT NULL,
    leaf    BLOB NOT NULL CHECK (length(leaf) = 32)
) STRICT;
CREATE INDEX entry_fact ON entry (kind, subject, seq) WHERE kind NOT IN ('poll', 'miss', 'message');
"""


@contextmanager
def mapped_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours: full disk, damaged file, locked too long, input/output error."""
    try:
        yield
    except sqlite3.Error as error:
        refuse_full_disk(path, error)
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        facts = {"path": str(path), "reason": str(error)}
        if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
            raise DataFolderError("%(path)s cannot be opened or written: %(reason)s", **facts) from error
        if code == sqlite3.SQLITE_BUSY:
            raise JournalError("%(path)s stayed locked by another program: %(reason)s", **facts) from error
        raise JournalError("%(path)s is damaged or the disk failed: %(reason)s", **facts) from error


def create(path: Path) -> None:
    """Make an empty journal file, not yet in WAL mode, so that it is whole in one file until first opened."""
    with mapped_errors(path):
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
            connection.execute("PRAGMA synchronous=FULL")
            connection.executescript(
                f"BEGIN; PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={SCHEMA_VERSION}; {SCHEMA} COMMIT;"
            )
        finally:
            connection.close()


def connect(path: Path, *, read_only: bool, max_bytes: int) -> sqlite3.Connection:
    """A connection with the journal's settings, after checking that the file is a journal of this version."""
    with mapped_errors(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{_mode(path, read_only)}",
            uri=True,
            isolation_level=None,
            timeout=BUSY_TIMEOUT_S,
            check_same_thread=False,
        )
        try:
            _check_identity(connection, path)
            if read_only:
                connection.execute("PRAGMA query_only=1")
            else:
                _set_up_writing(connection, max_bytes)
        except BaseException:
            connection.close()
            raise
        return connection


def _mode(path: Path, read_only: bool) -> str:
    # after a loss of power the first to open has to recover, also when it only wants to read
    if not read_only or (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return "mode=rw"
    if path.with_name(path.name + "-wal").exists():
        return "mode=ro"
    return "mode=ro&immutable=1"  # a copy on a read-only medium: nobody writes, and no lock file can be made


def _check_identity(connection: sqlite3.Connection, path: Path) -> None:
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_NOTADB:
            raise DataFolderError("%(path)s is not a journal of this program", path=str(path)) from error
        raise
    if application != APPLICATION_ID:
        raise DataFolderError("%(path)s is not a journal of this program", path=str(path))
    if version != SCHEMA_VERSION:
        raise DataFolderError(
            "%(path)s has journal format %(found)s; this program reads format %(expected)s",
            path=str(path),
            found=str(version),
            expected=str(SCHEMA_VERSION),
        )


def _set_up_writing(connection: sqlite3.Connection, max_bytes: int) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    # FULL syncs the log at every commit; NORMAL lost a fifth of the acknowledged commits under a power-loss model
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint={WAL_AUTOCHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit={WAL_SIZE_LIMIT_BYTES}")
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.execute(f"PRAGMA max_page_count={max(1, max_bytes // page_size)}")
