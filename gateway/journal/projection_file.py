"""The SQLite file of a projection: made by its one writer, read by many, built again when another version wrote it."""

import sqlite3
from pathlib import Path

from gateway.domain.errors import DataFolderError, OutdatedProjectionError
from gateway.journal.disk_room import refuse_full_disk

BUSY_TIMEOUT_S = 10.0


def connect(path: Path, schema: str, version: int, *, read_only: bool) -> sqlite3.Connection:
    """A connection; the writer makes the file by ``schema`` when there is none.

    Raises:
        DataFolderError: it cannot be opened; OutdatedProjectionError when it is of another ``version``; DiskFullError.
    """
    if not read_only:
        path.parent.mkdir(parents=True, exist_ok=True)
    connection = None
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_TIMEOUT_S,
        )
        if not read_only:
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(f"BEGIN IMMEDIATE; {schema} PRAGMA user_version = {version}; COMMIT;")
            # it can be built again from the journal, so a lost last commit costs nothing
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA journal_size_limit = 16777216")
        (found,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        refuse_full_disk(path, error)
        raise DataFolderError(
            "%(path)s cannot be used: %(reason)s; run 'meterproof rebuild'", path=str(path), reason=str(error)
        ) from error
    if found != version:
        connection.close()
        raise OutdatedProjectionError(
            "%(path)s was written by another version; run 'meterproof rebuild --data %(folder)s'",
            path=str(path),
            folder=str(path.parent),
        )
    return connection
