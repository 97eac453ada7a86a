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
from gateway.journal.archive import Archive
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
_FIRST_AT = "SELECT seq FROM entry WHERE seq >= ? AND at >= ? ORDER BY seq LIMIT 1"
_FORGET = "DELETE FROM entry WHERE seq IN (SELECT seq FROM entry WHERE seq > 1 AND seq <= ? ORDER BY seq LIMIT ?)"
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
        self._archive = Archive(folder.archive)

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

    def read(
        self, after_seq: int, limit: int = 1000, kinds: Iterable[str] | None = None, *, max_bytes: int | None = None
    ) -> list[Entry]:
        """Up to ``limit`` entries after a number, in order; of the given kinds only, when given.

        With ``max_bytes`` a page also ends with the entry whose body reaches it, so that large bodies are read few at
        a time; a short page then does not mean that the journal ends. Archived entries are counted by ``limit`` alone.
        """
        limit = min(limit, MAX_PAGE_ENTRIES)
        wanted = None if kinds is None else frozenset(kinds)
        while True:
            archived = self._archived()
            if after_seq < archived:
                found = [entry for entry in self._archive.read(after_seq, limit, wanted) if entry.seq <= archived]
                if len(found) == limit:
                    return found
                return found + self.read(archived, limit - len(found), wanted, max_bytes=max_bytes)
            if wanted is None:
                rows = self._rows(_PAGE, (after_seq, limit), max_bytes)
            else:
                rows = self._rows(_PAGE_OF_KINDS, (after_seq, json.dumps(sorted(wanted)), limit), max_bytes)
            if self._archived() <= after_seq:  # else some rows went to the archive while we looked
                return [Entry(*row) for row in rows]

    def first_at_or_after(self, seq: int, at_us: int) -> int | None:
        """The first hot number from ``seq`` on whose instant is not before ``at_us``; None when there is none."""
        rows = self._rows(_FIRST_AT, (seq, at_us))
        return int(rows[0][0]) if rows else None

    def leaves(self, after_seq: int, limit: int = 1000) -> list[tuple[int, bytes, bytes]]:
        """Number, stored leaf hash and body bytes of up to ``limit`` hot entries after a number, in order."""
        with self._read_lock, schema.mapped_errors(self.path):
            rows = self._read.execute(_LEAVES, (after_seq, min(limit, MAX_PAGE_ENTRIES))).fetchall()
        return [(int(seq), bytes(leaf), bytes(body)) for seq, leaf, body in rows]

    def entry(self, seq: int) -> Entry:
        """One entry; JournalError when there is none of that number."""
        rows = self._rows(_ONE, (seq,))
        if rows:
            return Entry(*rows[0])
        self._archive.refresh()
        archived = self._archive.entry(seq)
        if archived is None:
            raise JournalError("the journal has no entry %(seq)s", seq=str(seq))
        return archived

    def latest(self, kind: str, subject: str, at_or_before_seq: int | None = None) -> Entry | None:
        """The newest entry of a kind about a subject, not after a number when one is given."""
        bound = at_or_before_seq if at_or_before_seq is not None else 2**63 - 1
        rows = self._rows(_LATEST if kind in HIGH_VOLUME_KINDS else _LATEST_FACT, (kind, subject, bound))
        if rows:
            return Entry(*rows[0])
        return self._archive.latest(kind, subject, bound) if self._archived() else None

    def _archived(self) -> int:
        """The newest number that is no longer hot. Entry 1, the birth, always stays hot."""
        second = self._rows("SELECT seq FROM entry WHERE seq > 1 ORDER BY seq LIMIT 1", ())
        archived = int(second[0][0]) - 1 if second else 0
        if archived > 1 and self._archive.last < archived:
            self._archive.refresh()
        return archived if archived > 1 else 0

    def forget_archived(self, last: int, limit: int = 5000) -> int:
        """Remove hot copies of archived entries, oldest first, at most ``limit`` in one transaction; how many went.

        Only the archivist calls this, after it has read the archive files back.
        """
        connection = self._write
        if connection is None or self._archive_covers() < last:
            raise JournalError("entries up to %(seq)s are not in the archive", seq=str(last))
        with self._write_lock, schema.mapped_errors(self.path):
            return connection.execute(_FORGET, (last, limit)).rowcount

    def _archive_covers(self) -> int:
        self._archive.refresh()
        return self._archive.last

    def _rows(
        self, query: str, values: tuple[object, ...], max_bytes: int | None = None
    ) -> list[tuple[int, int, str, str, bytes]]:
        with self._read_lock, schema.mapped_errors(self.path):
            cursor = self._read.execute(query, values)
            if max_bytes is None:
                return cursor.fetchall()
            found, size = [], 0
            for row in cursor:
                found.append(row)
                size += len(row[-1])
                if size >= max_bytes:
                    break
            cursor.close()  # ends the reading transaction
            return found

    def close(self) -> None:
        """Close both connections; idempotent. The writer goes last, because only it may fold in the write-ahead log."""
        with self._read_lock:
            self._read.close()
        with self._write_lock:
            if self._write is not None:
                self._write.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
