"""One month of readings as one SQLite file: schema, opening, and the reads that see hot rows and packed days alike."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from gateway.domain.errors import DataFolderError, OutdatedProjectionError
from gateway.domain.time import Period, from_datetime, to_datetime
from gateway.journal.disk_room import refuse_full_disk

SCHEMA_VERSION = 1
_BUSY_MS = 10_000
_MAPPED_BYTES = 512 * 1024 * 1024
_LEAST_SQLITE = (3, 37)  # STRICT tables

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  organisation TEXT NOT NULL,
  device TEXT NOT NULL,
  grp TEXT NOT NULL,
  dt_min INTEGER NOT NULL,          -- bounds of observed - slot, so that a search by observed time ends
  dt_max INTEGER NOT NULL,
  UNIQUE (organisation, device, grp)
) STRICT;
CREATE TABLE hot (
  series INTEGER NOT NULL,
  slot INTEGER NOT NULL,            -- µs UTC
  dt INTEGER NOT NULL,              -- observed - slot, µs
  seq INTEGER NOT NULL,
  cfg INTEGER NOT NULL,
  v BLOB NOT NULL,                  -- packed scaled integers
  q BLOB,                           -- packed quality words, null when all are good
  PRIMARY KEY (series, slot)
) WITHOUT ROWID, STRICT;
CREATE TABLE day (
  series INTEGER NOT NULL,
  day INTEGER NOT NULL,             -- days since 1970-01-01 UTC
  count INTEGER NOT NULL,
  head BLOB NOT NULL,               -- slots, dt, seq, cfg, quality, column by column
  last BLOB NOT NULL,               -- the day's last row, so that a newest value needs no unpacking
  PRIMARY KEY (series, day)
) WITHOUT ROWID, STRICT;
CREATE TABLE day_channel (
  series INTEGER NOT NULL,
  day INTEGER NOT NULL,
  position INTEGER NOT NULL,
  v BLOB NOT NULL,
  PRIMARY KEY (series, day, position)
) WITHOUT ROWID, STRICT;
CREATE TABLE pending (series INTEGER NOT NULL, hour INTEGER NOT NULL, PRIMARY KEY (series, hour)) WITHOUT ROWID, STRICT;
CREATE TABLE hour (                 -- hours of days that are not packed yet, and later corrections of packed ones
  series INTEGER NOT NULL,
  hour INTEGER NOT NULL,            -- start, µs UTC
  cfg INTEGER NOT NULL,
  counts BLOB NOT NULL,             -- by position in the group
  minima BLOB NOT NULL,
  maxima BLOB NOT NULL,
  sums BLOB NOT NULL,
  PRIMARY KEY (series, hour, cfg)
) WITHOUT ROWID, STRICT;
CREATE TABLE hour_month (           -- hours of packed days, a channel's whole month as columns
  series INTEGER NOT NULL,
  cfg INTEGER NOT NULL,
  position INTEGER NOT NULL,
  v BLOB NOT NULL,
  PRIMARY KEY (series, cfg, position)
) WITHOUT ROWID, STRICT;
"""


def month_name(at_us: int) -> str:
    """``YYYY-MM`` of an instant, in UTC."""
    return f"{to_datetime(at_us):%Y-%m}"


def month_period(name: str) -> Period:
    """The span of a ``YYYY-MM`` in UTC."""
    year, month = int(name[:4]), int(name[5:7])
    start = datetime(year, month, 1, tzinfo=UTC)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return Period(from_datetime(start), from_datetime(end))


def open_month(path: Path, *, read_only: bool, create: bool = False) -> sqlite3.Connection | None:
    """A connection to a month file; None when a reader finds it only just being made.

    DataFolderError when it is not one of ours or of another version.
    """
    if sqlite3.sqlite_version_info < _LEAST_SQLITE:
        raise DataFolderError("SQLite %(version)s is too old; 3.37 or later is needed", version=sqlite3.sqlite_version)
    mode = "ro" if read_only else "rwc" if create else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=_BUSY_MS / 1000,
    )
    try:
        if not read_only:
            _make(connection)
        row = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    except sqlite3.Error as error:
        connection.close()
        if read_only and "no such table" in str(error):
            return None
        refuse_full_disk(path, error)
        raise DataFolderError("%(file)s is not a series file: %(reason)s", file=str(path), reason=str(error)) from error
    if row is None or int(row[0]) != SCHEMA_VERSION:
        connection.close()
        raise OutdatedProjectionError(
            "%(path)s was written by another version; run 'meterproof rebuild --data %(folder)s'",
            path=str(path),
            folder=str(path.parent.parent),
        )
    connection.execute("PRAGMA cache_size = -2048")
    connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")  # a third less time for reads all over a month
    return connection


def _make(connection: sqlite3.Connection) -> None:
    """Create the tables of an empty file; does nothing to one that has them."""
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # what packing frees goes back to the disk
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES ('schema', ?)", (str(SCHEMA_VERSION),))
        connection.execute("COMMIT")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute("PRAGMA journal_size_limit = 16777216")
