"""The month files of a folder, opened when first asked and held up to a limit."""

import contextlib
import re
import sqlite3
from collections import OrderedDict
from pathlib import Path

from gateway.series.month import open_month

MAX_OPEN = 48
MAX_WRITTEN = 4  # months open for writing: the log of each may reach 16 MiB
MAX_SPAN = 12 * 200
_NAME = re.compile(r"\d{4}-\d{2}")


def inode_of(path: Path) -> int | None:
    """Which file stands there now; None when none does."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


class Months:
    """Connections by month name, least recently used closed first."""

    def __init__(self, folder: Path, *, read_only: bool, max_open: int = MAX_OPEN) -> None:
        self._folder = folder
        self._read_only = read_only
        self._max_open = max_open
        self._open: OrderedDict[str, sqlite3.Connection] = OrderedDict()
        self._inodes: dict[str, int] = {}

    def names(self) -> list[str]:
        """The months there are, oldest first."""
        stems = (path.stem for path in self._folder.glob("*.sqlite"))
        return sorted(stem for stem in stems if _NAME.fullmatch(stem))

    def between(self, first: str, last: str) -> list[str]:
        """The months there are from ``first`` to ``last``, oldest first."""
        found = []
        year, month = int(first[:4]), int(first[5:7])
        for _ in range(MAX_SPAN):
            name = f"{year:04}-{month:02}"
            if name > last:
                break
            if (name in self._open and not self._read_only) or self.path(name).exists():
                found.append(name)
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        return found

    def path(self, name: str) -> Path:
        """Where a month's file stands."""
        return self._folder / f"{name}.sqlite"

    def get(self, name: str, *, create: bool = False) -> sqlite3.Connection | None:
        """The month's connection; None when there is no such file and none is to be made."""
        connection = self._open.get(name)
        if self._read_only:
            inode = inode_of(self.path(name))
            if connection is not None and inode != self._inodes[name]:
                # dropped and built again: a read still under way keeps the old file until it ends
                del self._open[name]
                connection = None
            if inode is None:
                return None
            self._inodes[name] = inode
        if connection is not None:
            self._open.move_to_end(name)
            return connection
        if not create and not self.path(name).exists():
            return None
        connection = open_month(self.path(name), read_only=self._read_only, create=create)
        if connection is None:
            return None
        self._open[name] = connection
        while len(self._open) > self._max_open:
            self._close(self._open.popitem(last=False)[1])
        return connection

    def close(self) -> None:
        """Close every file; idempotent."""
        while self._open:
            self._close(self._open.popitem()[1])

    def _close(self, connection: sqlite3.Connection) -> None:
        """A writer leaves no write-ahead log behind, unless somebody reads right now."""
        if not self._read_only:
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
