"""Which archived fact is the newest about a subject: a small local table, so that a start need not unpack years.

It is no evidence and lives under ``state/``; when it is lost the archivist makes it again. Only facts about
subjects that last are in it: not the windows of settlement, not clock checks.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from gateway.journal.entry import HIGH_VOLUME_KINDS

FILE_NAME = "archive-index.sqlite"
SHORT_LIVED_KINDS = frozenset({"settlement", "clock"})

_SCHEMA = """
CREATE TABLE IF NOT EXISTS file (name TEXT PRIMARY KEY) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS fact (
    kind TEXT NOT NULL, subject TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (kind, subject, seq)
) WITHOUT ROWID, STRICT;
"""


def answers(kind: str) -> bool:
    """Whether the index knows entries of a kind."""
    return kind not in HIGH_VOLUME_KINDS and kind not in SHORT_LIVED_KINDS


class ArchiveIndex:
    """The table of one data folder."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE_NAME

    def files(self) -> frozenset[str]:
        """Names of the segments that are in it."""
        if not self._path.is_file():
            return frozenset()
        try:
            with closing(self._open("ro")) as connection:
                return frozenset(row[0] for row in connection.execute("SELECT name FROM file"))
        except sqlite3.Error:
            return frozenset()  # as if it were not there: the archive itself is asked

    def latest(self, kind: str, subject: str, bound: int) -> int | None:
        """The newest number not after ``bound``; None when the index knows none."""
        try:
            with closing(self._open("ro")) as connection:
                query = "SELECT max(seq) FROM fact WHERE kind = ? AND subject = ? AND seq <= ?"
                row = connection.execute(query, (kind, subject, bound)).fetchone()
        except sqlite3.Error:
            return None
        return None if row[0] is None else int(row[0])

    def add(self, name: str, facts: Iterable[tuple[str, str, int]]) -> None:
        """Put one segment's facts (kind, subject, number) in, all or nothing."""
        with closing(self._open("rwc")) as connection:
            connection.executescript(_SCHEMA)
            with connection:
                connection.executemany("INSERT OR IGNORE INTO fact VALUES (?, ?, ?)", facts)
                connection.execute("INSERT OR IGNORE INTO file VALUES (?)", (name,))

    def _open(self, mode: str) -> sqlite3.Connection:
        return sqlite3.connect(f"{self._path.absolute().as_uri()}?mode={mode}", uri=True, timeout=10)
