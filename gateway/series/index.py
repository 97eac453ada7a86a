"""The small file beside the months: how far the journal is applied, and which months know which series."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.errors import DataFolderError
from gateway.journal.disk_room import refuse_full_disk
from gateway.series.months import inode_of

_BUSY_S = 10.0
_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS cursor (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS span (
  organisation TEXT NOT NULL, device TEXT NOT NULL, grp TEXT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL,
  PRIMARY KEY (organisation, device, grp)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS conflict (   -- the first differing value of a key; later ones of the same key add nothing
  organisation TEXT NOT NULL, device TEXT NOT NULL, grp TEXT NOT NULL, slot INTEGER NOT NULL,
  kept INTEGER NOT NULL, refused INTEGER NOT NULL, PRIMARY KEY (organisation, device, grp, slot)
) WITHOUT ROWID, STRICT;
COMMIT;
"""
MAX_CONFLICTS = 50_000
"""Keys of one folder; a device that contradicts itself more often than that is no news any more."""


@dataclass(frozen=True, slots=True)
class ConflictKey:
    """A key of the series for which two values came: the entry whose value stood first, and the one refused."""

    device: str
    group: str
    slot_us: int
    kept_seq: int
    refused_seq: int


class SeriesIndex:
    """``index.sqlite``. Its commit follows the months' synced commits, so it never claims what they may have lost."""

    def __init__(self, folder: Path, *, read_only: bool) -> None:
        self._path = folder / "index.sqlite"
        self._read_only = read_only
        self._connection: sqlite3.Connection | None = None
        self._inode: int | None = None
        self._spans: dict[tuple[str, str, str], tuple[str, str]] = {}
        if not read_only:
            self._open()

    def _open(self) -> sqlite3.Connection | None:
        """The connection; None while a reader finds no file yet."""
        inode = inode_of(self._path) if self._read_only else self._inode
        if self._connection is not None and inode == self._inode:
            return self._connection
        self._connection, self._inode = None, inode  # a reader follows a file that was dropped and built again
        if self._read_only and inode is None:
            return None
        mode = "ro" if self._read_only else "rwc"
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=_BUSY_S,
        )
        try:
            if not self._read_only:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.executescript(_SCHEMA)
                rows = connection.execute("SELECT organisation, device, grp, first, last FROM span")
                self._spans = {(row[0], row[1], row[2]): (row[3], row[4]) for row in rows}
            connection.execute("SELECT count(*) FROM cursor")
        except sqlite3.Error as error:
            connection.close()
            if self._read_only and "no such table" in str(error):
                return None  # born this instant by the writer
            refuse_full_disk(self._path, error)
            raise DataFolderError(
                "%(file)s is not a series file: %(reason)s", file=str(self._path), reason=str(error)
            ) from error
        self._connection = connection
        return connection

    def seq(self, name: str) -> int:
        """The last journal entry applied under that cursor name; 0 at the beginning."""
        connection = self._open()
        if connection is None:
            return 0
        row = connection.execute("SELECT seq FROM cursor WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0

    def record(
        self,
        touched: Iterable[tuple[str, str, str, str]],
        name: str,
        seq: int | None,
        conflicts: Iterable[tuple[str, str, str, int, int, int]] = (),
    ) -> None:
        """Note months of series (``organisation, device, group, month``) and conflicts (``organisation, device, group,
        slot, kept entry, refused entry``) and move the cursor, in one transaction."""
        found = list(conflicts)
        changed = []
        for organisation, device, group, month in touched:
            key = (organisation, device, group)
            first, last = self._spans.get(key, (month, month))
            span = (min(first, month), max(last, month))
            if self._spans.get(key) != span:
                self._spans[key] = span
                changed.append((*key, *span))
        if not changed and not found and seq is None:
            return
        connection = self._open()
        assert connection is not None, "only a writer records"
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT OR REPLACE INTO span VALUES (?, ?, ?, ?, ?)", changed)
        if found:
            (count,) = connection.execute("SELECT count(*) FROM conflict").fetchone()
            left = max(0, MAX_CONFLICTS - count)
            connection.executemany("INSERT OR IGNORE INTO conflict VALUES (?, ?, ?, ?, ?, ?)", found[:left])
        if seq is not None:
            connection.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (name, seq))
        connection.execute("COMMIT")

    def conflicts(self, organisation: str) -> list[ConflictKey]:
        """Every key for which two values came, sorted."""
        connection = self._open()
        assert connection is not None, "only a writer asks for conflicts"
        rows = connection.execute(
            "SELECT device, grp, slot, kept, refused FROM conflict WHERE organisation = ? "
            "ORDER BY device, grp, slot LIMIT ?",
            (organisation, MAX_CONFLICTS),
        )
        return [ConflictKey(*row) for row in rows]

    def span(self, organisation: str, device: str, group: str) -> tuple[str, str] | None:
        """First and last month that know a series; None when none does."""
        connection = self._open()
        if connection is None:
            return None
        found: tuple[str, str] | None = connection.execute(
            "SELECT first, last FROM span WHERE organisation = ? AND device = ? AND grp = ?",
            (organisation, device, group),
        ).fetchone()
        return found

    def series(self, organisation: str) -> list[tuple[str, str, str, str]]:
        """``(device, group, first month, last month)`` of every series of an organisation."""
        connection = self._open()
        if connection is None:
            return []
        return connection.execute(
            "SELECT device, grp, first, last FROM span WHERE organisation = ? ORDER BY device, grp", (organisation,)
        ).fetchall()

    def close(self) -> None:
        """Close the file; idempotent."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
