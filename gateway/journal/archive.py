"""The archive: which file holds which entries, and reading over several of them."""

import heapq
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

from gateway.domain.errors import JournalError
from gateway.journal import canonical
from gateway.journal.archive_index import ArchiveIndex, answers
from gateway.journal.entry import HIGH_VOLUME_KINDS, Entry
from gateway.journal.segment import Segment

FACTS = "facts"
POLLS = "polls"
CHECKPOINTS = "checkpoints"
PRUNED_ACTION = "archive.pruned"
"""The event that says which raw readings were removed after their retention: ``files``, ``before`` (civil date UTC)."""
OPEN_SEGMENTS = 16

_NAME = re.compile(r"^(\d{4}-\d{2}-\d{2})_(\d{12})-(\d{12})\.(facts|polls|checkpoints)$")


@dataclass(frozen=True, slots=True, order=True)
class ArchiveFile:
    """One file: entries ``first`` to ``last`` (the day's whole range) of one kind of content."""

    first: int
    last: int
    kind: str
    day: str
    path: Path


def file_name(day: str, first: int, last: int, kind: str) -> str:
    """The path below ``archive/``: ``2026/2026-11-22_000000000001-000000000999.facts``."""
    return f"{day[:4]}/{day}_{first:012d}-{last:012d}.{kind}"


class Archive:
    """Reads the closed days of one data folder; safe to use from several threads, one at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index = ArchiveIndex(folder.parent / "state")
        self._known: list[ArchiveFile] | None = None  # looked up when first needed
        self._open: dict[Path, Segment] = {}
        self._lock = RLock()

    def refresh(self) -> None:
        """Look again at what files there are."""
        found = []
        for path in self.folder.glob("*/*") if self.folder.is_dir() else []:
            match = _NAME.match(path.name)
            if match is not None:
                found.append(ArchiveFile(int(match[2]), int(match[3]), match[4], match[1], path))
        self._known = sorted(found)

    @property
    def _files(self) -> list[ArchiveFile]:
        if self._known is None:
            self.refresh()
        return self._known or []

    @property
    def files(self) -> list[ArchiveFile]:
        """Every file, in order of the entries."""
        return list(self._files)

    @property
    def last(self) -> int:
        """The newest archived entry's number, 0 when nothing is archived."""
        return max((file.last for file in self._files if file.kind == FACTS), default=0)

    def read(self, after_seq: int, limit: int, kinds: Collection[str] | None) -> list[Entry]:
        """Up to ``limit`` archived entries after a number, in order, of the kinds when given; files of other kinds are
        not opened."""
        with self._lock:
            return self._read(after_seq, limit, kinds)

    def _read(self, after_seq: int, limit: int, kinds: Collection[str] | None) -> list[Entry]:
        wanted = {FACTS, POLLS}
        if kinds is not None:
            wanted = {POLLS if kind in HIGH_VOLUME_KINDS else FACTS for kind in kinds}
        found: list[Entry] = []
        days = sorted({(file.first, file.last) for file in self._files if file.last > after_seq})
        for first, last in days:
            after = after_seq
            while len(found) < limit:
                page = self._read_day(first, last, after, limit, wanted)
                if not page:
                    break
                after = page[-1].seq
                found.extend(entry for entry in page if kinds is None or entry.kind in kinds)
            if len(found) >= limit:
                break
        return found[:limit]

    def _read_day(self, first: int, last: int, after: int, limit: int, wanted: set[str]) -> list[Entry]:
        parts = [
            self._segment(file.path).read(after, limit)
            for file in self._files
            if (file.first, file.last) == (first, last) and file.kind in wanted and file.path.is_file()
        ]
        merged = list(heapq.merge(*parts))[:limit]
        return [entry_from(seq, body) for seq, body in merged]

    def entry(self, seq: int) -> Entry | None:
        """One archived entry; None when it is not here (never was, or was pruned)."""
        with self._lock:
            for file in self._files:
                if file.first <= seq <= file.last and file.kind != CHECKPOINTS and file.path.is_file():
                    found = self._segment(file.path).read(seq - 1, 1)
                    if found and found[0][0] == seq:
                        return entry_from(*found[0])
            return None

    def latest(self, kind: str, subject: str, bound: int) -> Entry | None:
        """The newest archived entry of a kind about a subject, not after ``bound``."""
        with self._lock:
            return self._latest(kind, subject, bound)

    def _latest(self, kind: str, subject: str, bound: int) -> Entry | None:
        content = POLLS if kind in HIGH_VOLUME_KINDS else FACTS
        needle = canonical.encode_any(subject)
        indexed = self._index.files() if answers(kind) else frozenset()
        for file in reversed(self._files):
            if file.path.name in indexed:
                # files are closed in order, so all older ones are in the index too
                seq = self._index.latest(kind, subject, bound)
                return None if seq is None else self.entry(seq)
            if file.kind != content or file.first > bound or not file.path.is_file():
                continue
            for seq, body in self._segment(file.path).read_before(bound):
                if needle in body:
                    entry = entry_from(seq, body)
                    if (entry.kind, entry.subject) == (kind, subject):
                        return entry
        return None

    def complete_index(self, last: int) -> None:
        """Put every segment of facts up to entry ``last`` into the index that is not in it yet, oldest first."""
        indexed = self._index.files()
        for file in self._files:
            if file.kind == FACTS and file.last <= last and file.path.name not in indexed:
                self._index.add(file.path.name, self._facts_of(file))

    def _facts_of(self, file: ArchiveFile) -> list[tuple[str, str, int]]:
        found, after = [], 0
        while page := self._segment(file.path).read(after, 2_000):
            entries = [entry_from(seq, body) for seq, body in page]
            found += [(entry.kind, entry.subject, entry.seq) for entry in entries if answers(entry.kind)]
            after = page[-1][0]
        return found

    def _segment(self, path: Path) -> Segment:
        segment = self._open.get(path)
        if segment is None:
            if len(self._open) >= OPEN_SEGMENTS:
                self._open.clear()
            segment = Segment(path)
            self._open[path] = segment
        return segment


def entry_from(seq: int, body: bytes) -> Entry:
    """An entry from its bytes; its columns are derived from them."""
    parsed = canonical.decode(body)
    try:
        entry = Entry(seq, parsed["at"], parsed["kind"], parsed["subject"], body)
    except KeyError as error:
        raise JournalError("entry %(seq)s of the archive is damaged", seq=str(seq)) from error
    entry._parsed.update(parsed)  # noqa: SLF001  # parsed already, do not do it twice
    return entry
