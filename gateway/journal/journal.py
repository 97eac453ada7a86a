"""Append and read. There is no update and no delete: a correction is a new entry."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from gateway.domain.errors import JournalError
from gateway.journal import schema
from gateway.journal.entry import HIGH_VOLUME_KINDS, Draft, EncodedDraft, Entry
from gateway.journal.folder import DataFolder

DEFAULT_MAX_BYTES = 64 * 2**30
MAX_PAGE_ENTRIES = 10_000

_INSERT = "INSERT INTO entry (seq, at, kind, subject, body, leaf) VALUES (?, ?, ?, ?, ?, ?)"
_PAGE = "SELECT seq, at, kind, subject, body FROM entry WHERE seq > ? ORDER BY seq LIMIT ?"
# json_each keeps one prepared statement for any number of kinds; the + keeps the order of seq, so no sort is needed
_PAGE_OF_KINDS = (
    "SELECT seq, at, kind, subject, body FROM entry"
    " WHERE seq > ? AND +kind IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT ?"
)
_LEAVES = "SELECT seq, leaf, body FROM entry WHERE seq > ? ORDER BY seq LIMIT ?"
_ONE = "SELECT seq, at, kind, subject, body FROM entry WHERE seq = ?"
_LATEST = (
    "SELECT seq, at, kind, subject, body FROM entry"
    " WHERE kind = ? AND subject = ? AND seq <= ? ORDER BY seq DESC LIMIT 1"
)
_LATEST_FACT = _LATEST.replace("WHERE", "WHERE kind NOT IN ('poll', 'miss', 'message') AND")


class Journal:
    """The journal of one data folder. Several programs may append at once; each number is given out once.

    One object may be used from two threads: appends by the writer thread, reads by another. Reads are short
    transactions that fetch at most ``MAX_PAGE_ENTRIES``, so that no reader holds back the write-ahead log.
    """

    def __init__(self, folder: DataFolder, *, read_only: bool, max_bytes: int) -> None:
        self.folder = folder
        self.path: Path = folder.journal
        self._write = None if read_only else schema.connect(self.path, read_only=False, max_bytes=max_bytes)
        self._read = schema.connect(self.path, read_only=True, max_bytes=max_bytes)
        self._read_lock = Lock()
        self._write_lock = Lock()
        self._failed = False

    @classmethod
    def open(
        cls, folder: DataFolder | Path | str, *, read_only: bool = False, max_bytes: int = DEFAULT_MAX_BYTES
    ) -> Self:
        """Open the journal of a folder; DataFolderError when it is not ours or cannot be used."""
        if not isinstance(folder, DataFolder):
            folder = DataFolder.open(Path(folder), read_only=read_only)
        return cls(folder, read_only=read_only, max_bytes=max_bytes)

    def append(self, drafts: Iterable[Draft]) -> list[int]:
        """Append all drafts in one synced commit, in order; their numbers, gapless. On return they survive power loss.

        Raises:
            BodyError: a draft breaks the body rules; nothing was appended.
            DiskFullError: no room; nothing was appended.
            JournalError: locked too long, damaged, or an earlier commit failed.
        """
        return self.append_encoded([draft.encode() for draft in drafts])

    def append_encoded(self, drafts: Sequence[EncodedDraft]) -> list[int]:
        """As ``append``, for drafts that were encoded elsewhere."""
        return self._commit(lambda _first: drafts)

    def append_from(self, make: Callable[[int], Sequence[Draft]]) -> list[int]:
        """As ``append``, for drafts that name each other: ``make`` is told the number the first of them will have.

        It runs inside the transaction, so the number is certain; it must be quick and must not read the journal.
        """
        return self._commit(lambda first: [draft.encode() for draft in make(first)])

    def _commit(self, make: Callable[[int], Sequence[EncodedDraft]]) -> list[int]:
        connection = self._write
        if connection is None:
            raise JournalError("%(path)s is open for reading only", path=str(self.path))
        with self._write_lock, schema.mapped_errors(self.path):
            if self._failed:
                raise JournalError("an earlier commit to %(path)s failed; start again", path=str(self.path))
            connection.execute("BEGIN IMMEDIATE")
            try:
                first = connection.execute("SELECT coalesce(max(seq), 0) + 1 FROM entry").fetchone()[0]
                drafts = make(first)
                connection.executemany(
                    _INSERT,
                    [
                        (seq, draft.at_us, draft.kind, draft.subject, draft.body_bytes, draft.leaf)
                        for seq, draft in enumerate(drafts, first)
                    ],
                )
            except BaseException:
                self._roll_back(connection)
                raise
            try:
                connection.execute("COMMIT")
            except BaseException:
                # a sync that failed once must not be trusted the next time: pages may be marked clean unwritten
                self._failed = True
                self._roll_back(connection)
                raise
            return list(range(first, first + len(drafts)))

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            try:
                connection.execute("ROLLBACK")
            except sqlite3.Error:
                self._failed = True

    def head(self) -> int:
        """The number of the newest entry, 0 when there is none."""
        return int(self._rows("SELECT coalesce(max(seq), 0) FROM entry", ())[0][0])

    def read(self, after_seq: int, limit: int = 1000, kinds: Iterable[str] | None = None) -> list[Entry]:
        """Up to ``limit`` entries after a number, in order; of the given kinds only, when given."""
        limit = min(limit, MAX_PAGE_ENTRIES)
        if kinds is None:
            rows = self._rows(_PAGE, (after_seq, limit))
        else:
            rows = self._rows(_PAGE_OF_KINDS, (after_seq, json.dumps(sorted(kinds)), limit))
        return [Entry(*row) for row in rows]

    def leaves(self, after_seq: int, limit: int = 1000) -> list[tuple[int, bytes, bytes]]:
        """Number, stored leaf hash and body bytes of up to ``limit`` hot entries after a number, in order."""
        with self._read_lock, schema.mapped_errors(self.path):
            rows = self._read.execute(_LEAVES, (after_seq, min(limit, MAX_PAGE_ENTRIES))).fetchall()
        return [(int(seq), bytes(leaf), bytes(body)) for seq, leaf, body in rows]

    def entry(self, seq: int) -> Entry:
        """One entry; JournalError when there is none of that number."""
        rows = self._rows(_ONE, (seq,))
        if not rows:
            raise JournalError("the journal has no entry %(seq)s", seq=str(seq))
        return Entry(*rows[0])

    def latest(self, kind: str, subject: str, at_or_before_seq: int | None = None) -> Entry | None:
        """The newest entry of a kind about a subject, not after a number when one is given."""
        bound = at_or_before_seq if at_or_before_seq is not None else 2**63 - 1
        rows = self._rows(_LATEST if kind in HIGH_VOLUME_KINDS else _LATEST_FACT, (kind, subject, bound))
        return Entry(*rows[0]) if rows else None

    def _rows(self, query: str, values: tuple[object, ...]) -> list[tuple[int, int, str, str, bytes]]:
        with self._read_lock, schema.mapped_errors(self.path):
            return self._read.execute(query, values).fetchall()

    def close(self) -> None:
        """Close both connections; idempotent."""
        with self._write_lock:
            if self._write is not None:
                self._write.close()
        with self._read_lock:
            self._read.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
