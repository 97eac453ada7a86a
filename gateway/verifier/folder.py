"""Check a data folder, or a copy of its archive: every entry, the whole tree, every checkpoint, every file."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from hashlib import sha256
from heapq import merge
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from gateway.verifier.archive import ArchiveFile, SegmentError, archive_files, file_hash, read_segment
from gateway.verifier.checkpoints import CheckpointCheck, Options
from gateway.verifier.log import MALFORMED, LogFacts
from gateway.verifier.merkle import leaf_hash
from gateway.verifier.report import Report
from gateway.verifier.tiles import TileCheck

APPLICATION_ID = 0x4D505246
PAGE = 2_000
MAX_FILLED = 1_000_000
NO_HASH = bytes(32)
OBJECTS = {("table", "entry"), ("index", "entry_fact")}
COLUMNS = (("at", int), ("kind", str), ("subject", str), ("body", bytes), ("leaf", bytes))


Entry = dict[str, Any]


class Passing(NamedTuple):
    """One entry on its way through: its number, bytes (None when only the tree knows it), hash, columns when hot."""

    seq: int
    body: bytes | None
    leaf: bytes
    columns: tuple[int, str, str] | None = None


class FolderCheck:
    """One pass over all entries in order; see ``run``."""

    def __init__(
        self, path: Path, report: Report, options: Options, listeners: Sequence[Callable[[int, Entry], None]] = ()
    ) -> None:
        self.path = path
        self._listeners = listeners
        self.report = report
        self.options = options
        self.facts = LogFacts(report, options.reviewers)
        self.tiles = TileCheck(path, report)
        self.checkpoints = CheckpointCheck(path, report, self.facts, options.against)
        self._has_journal = (path / "journal.sqlite").is_file()
        self._files: list[ArchiveFile] = []
        self._holes: list[tuple[int, int]] = []  # ranges of closed days whose entries are not here
        self._hot_first = 2**63
        self._entries = 0
        self._hashes_only = 0

    def run(self) -> LogFacts:
        """Check everything; the collected facts, for those who go on comparing."""
        self.report.about["kind"] = "data folder" if self._has_journal else "archive copy"
        self.checkpoints.load()
        self.tiles.sealed = self.checkpoints.newest
        self._files, foreign = archive_files(self.path / "archive")
        for path in foreign:
            self._left_over(path)
        for passing in self.entries():
            self._next(passing)
        self._finish()
        return self.facts

    def entries(self) -> Iterator[Passing]:
        """All entries in order: closed days from the archive, the rest from the journal."""
        archived = self._archived()
        return chain(self._closed_days(archived), self._after(archived))

    def _archived(self) -> int:
        """Up to where entries are read from the archive. What still is hot is read hot, because a crash may have left a
        day's files half written. The birth always stays hot."""
        last = max((file.last for file in self._files if file.kind == "facts"), default=0)
        if not self._has_journal:
            return last
        try:
            with ExitStack() as stack:
                connection = stack.enter_context(closing(self._opened(stack)))
                (hot,) = connection.execute("SELECT min(seq) FROM entry WHERE seq > 1").fetchone()
        except sqlite3.Error:
            return last  # reported when the rows are read
        self._hot_first = last + 1 if hot is None else int(hot)
        return min(last, self._hot_first - 1) if self._hot_first > 2 else 0

    def parsed_again(self) -> Iterator[tuple[int, Entry]]:
        """All entries once more, for who has to look twice; nothing is reported again."""
        quiet = FolderCheck(self.path, Report(), Options())
        quiet.checkpoints.load()
        quiet._files = self._files
        for passing in quiet.entries():
            entry = None
            with suppress(*MALFORMED):  # named when it passed the first time
                entry = quiet.facts.entry(passing.seq, passing.body) if passing.body is not None else None
            if entry is not None:
                yield passing.seq, entry

    def _closed_days(self, archived: int) -> Iterator[Passing]:
        expected = 1
        for first, last in sorted({(file.first, file.last) for file in self._files if file.first <= archived}):
            if first != expected:
                self.report.broken("entry.gap", "archive", first=expected, last=first - 1)
            parts = []
            for file in self._files:
                if (file.first, file.last) == (first, last):
                    if file.kind == "checkpoints":
                        self.checkpoints.load_closed(file.path)
                    else:
                        parts.append(self._segment(file))
            at, end = first, min(last, archived)
            for seq, body in merge(*parts):
                if seq > end:
                    break
                yield from self._hashes(at, seq - 1)
                at = seq + 1
                yield Passing(seq, body, leaf_hash(body))
            yield from self._hashes(at, end)
            expected = last + 1

    def _segment(self, file: ArchiveFile) -> Iterator[tuple[int, bytes]]:
        self.report.count("segments")
        try:
            yield from read_segment(file.path, file.first, file.last)
        except SegmentError as error:
            self.report.broken("archive.damaged", self._name(file.path), reason=error)

    def _hashes(self, first: int, last: int) -> Iterator[Passing]:
        """Entries of a closed day whose bodies are not here: the tree still knows their hashes."""
        if first <= last:
            self._holes.append((first, last))
            yield from self._from_tiles(first, last)

    def _from_tiles(self, first: int, last: int) -> Iterator[Passing]:
        """Hashes as far as the tree's files know them: a name or a number that promises more is not followed."""
        for seq in range(first, last + 1):
            leaf = self.tiles.leaf(seq - 1)
            if leaf == NO_HASH:
                self.report.broken("entry.gap", "seal/tile", first=seq, last=last)
                return
            yield Passing(seq, None, leaf)

    def _after(self, archived: int) -> Iterator[Passing]:
        sealed = self.checkpoints.newest
        if self._has_journal:
            yield from self._hot(archived)
        elif archived < sealed:
            self.report.note("note.hashes", "archive", first=archived + 1, last=sealed)
            yield from self._from_tiles(archived + 1, sealed)

    def _hot(self, archived: int) -> Iterator[Passing]:
        try:
            with ExitStack() as stack:
                connection = stack.enter_context(closing(self._opened(stack)))
                if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
                    self.report.broken("journal.damaged", "journal.sqlite", reason="application id")
                for kind, name in connection.execute("SELECT type, name FROM sqlite_master").fetchall():
                    if (kind, name) not in OBJECTS and not name.startswith("sqlite_"):
                        self.report.broken("journal.foreign", "journal.sqlite", name=f"{kind} {name}")
                born = False
                for row in _rows(connection):
                    born |= row[0] == 1
                    if self._columns_have_types(row):
                        yield from self._hot_row(row, archived)
                if archived and not born:
                    self.report.broken("entry.gap", "journal.sqlite", first=1, last=1)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self.report.broken("journal.damaged", "journal.sqlite", reason=error)

    def _opened(self, stack: ExitStack) -> sqlite3.Connection:
        """The journal, without changing a byte of it: one that a crash left to be recovered is recovered in a copy."""
        path = self.path / "journal.sqlite"
        beside = [each for each in (f"{path}-wal", f"{path}-journal") if Path(each).exists()]
        # with nothing beside it nobody writes, and no lock file need be made on a read-only medium
        connection = _connect(path, "mode=ro" if beside else "mode=ro&immutable=1")
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            copy = Path(stack.enter_context(TemporaryDirectory()))
            for name in [str(path), *beside]:
                shutil.copyfile(name, copy / Path(name).name)
            connection = _connect(copy / path.name, "mode=rw")
        return connection

    def _columns_have_types(self, row: tuple[Any, ...]) -> bool:
        fits = True
        for (name, expected), value in zip(COLUMNS, row[1:], strict=True):
            if type(value) is not expected:
                self.report.broken("entry.column", f"entry {row[0]}", column=name)
                fits = fits and name != "body"
        return fits

    def _hot_row(self, row: tuple[Any, ...], archived: int) -> Iterator[Passing]:
        seq, at, kind, subject, body, stored = row
        leaf = leaf_hash(body)
        if stored != leaf:
            self.report.broken("entry.leaf", f"entry {seq}")
        if not 1 <= seq <= archived:
            yield Passing(seq, body, leaf, (at, kind, subject))
            return
        # the birth always stays hot; other copies of closed entries wait to be dropped
        if self.tiles.leaf(seq - 1) != leaf:
            self.report.broken("entry.twice", f"entry {seq}")
        self._compare_columns(seq, (at, kind, subject), LogFacts(Report()).entry(seq, body))

    def _compare_columns(self, seq: int, columns: tuple[int, str, str], parsed: dict[str, Any] | None) -> None:
        if parsed is not None and columns != (parsed["at"], parsed["kind"], parsed["subject"]):
            for name, value in zip(("at", "kind", "subject"), columns, strict=True):
                if parsed[name] != value:
                    self.report.broken("entry.column", f"entry {seq}", column=name)

    def _next(self, passing: Passing) -> None:
        seq, body = passing.seq, passing.body
        walk = self.tiles.walk
        expected = walk.size + 1
        if seq < expected:
            self.report.broken("entry.order", f"entry {seq}", previous=expected - 1)
            return
        if seq > expected:
            self.report.broken("entry.gap", "journal", first=expected, last=seq - 1)
            # fill with zeros, so that later entries keep their places and each is judged on its own
            for _ in range(min(seq - expected, MAX_FILLED)):
                walk.add(NO_HASH)
        walk.add(passing.leaf)
        if body is None:
            self._hashes_only += 1
        else:
            self._entries += 1
            self._body(seq, body, passing.columns)
        if seq in self.checkpoints.by_size and self.checkpoints.judge(seq, walk.root()):
            self.tiles.at_checkpoint()

    def _body(self, seq: int, body: bytes, columns: tuple[int, str, str] | None) -> None:
        parsed = None
        try:
            parsed = self.facts.entry(seq, body)
            for listen in self._listeners if parsed is not None else ():
                listen(seq, parsed or {})
        except MALFORMED as error:
            self.report.broken("entry.meaning", f"entry {seq}", reason=f"{type(error).__name__} {error}")
        if columns is not None:
            self._compare_columns(seq, columns, parsed)

    def _finish(self) -> None:
        report, size, sealed = self.report, self.tiles.walk.size, self.checkpoints.newest
        self.tiles.finish()
        self.facts.finish()
        if size == 0:
            report.broken("journal.empty", str(self.path))
        self._birth()
        self.checkpoints.finish(size)
        self._keys()
        self._archive_files()
        self._documents()
        report.count("entries", self._entries)
        if self._hashes_only:
            report.count("hashes_only", self._hashes_only)
        report.count("sealed", sealed)
        if sealed < size and self._has_journal:
            report.note("note.unsealed", "journal.sqlite", first=sealed + 1, last=size)
        if not self.options.against:
            report.note("note.witness", "seal")

    def _birth(self) -> None:
        birth, about = self.facts.birth, self.report.about
        if birth.get("action") != "folder.born" or birth.get("simulated") not in {0, 1}:
            self.report.broken("birth.wrong", "entry 1")
            return
        about["origin"] = birth.get("origin")
        about["site"] = f"{birth.get('organisation')}/{birth.get('site')}"
        about["simulated"] = "simulated" if birth["simulated"] == 1 else "real"
        if birth["simulated"] == 1:
            self.report.note("note.virtual", "entry 1")

    def _keys(self) -> None:
        keys, given = [each.key for each in self.facts.keys], self.options.key
        if not keys:
            if self.checkpoints.by_size:
                self.report.broken("key.none", "journal")
            return
        if given is not None and given != keys[0]:
            self.report.broken("key.given", "--key")
        path = self.path / "seal" / "key.pub"
        content = path.read_bytes() if path.is_file() else b""
        # the newest key; or the one before, when a rotation was interrupted
        if content not in [f"{key}\n".encode() for key in keys[-2:]]:
            self.report.broken("key.differs", "seal/key.pub")
        self.report.about["key"] = str(keys[-1])
        if given is None:
            self.report.note("note.trust", "seal/key.pub")

    def _archive_files(self) -> None:
        here = {f"{file.path.parent.name}/{file.path.name}": file for file in self._files}
        for name, (seq, digest) in self.facts.closings.items():
            file = here.pop(name, None)
            if file is None:
                if name not in self.facts.pruned:
                    self.report.broken("archive.missing", f"archive/{name} (entry {seq})")
            elif file_hash(file.path) != digest:
                self.report.broken("archive.hash", self._name(file.path))
        for file in here.values():
            # closed by an entry that a copy does not hold, or never closed because of a crash; its bodies were checked
            if not self._has_journal or file.last >= self._hot_first:
                self.report.note("note.unfinished", self._name(file.path))
            else:
                self.report.broken("archive.unclosed", self._name(file.path))
        for first, last in self._holes:
            ranges = [
                f"_{file.first:012d}-{file.last:012d}." for file in self._files if file.first <= first <= file.last
            ]
            if not any(part in name for part in ranges for name in self.facts.pruned):
                self.report.broken("entry.gap", "archive", first=first, last=last)
        if self._holes:
            self.report.note("note.pruned", "archive")

    def _documents(self) -> None:
        folder = self.path / "blobs"
        here = {path.name: path for path in folder.iterdir()} if folder.is_dir() else {}
        for name, path in here.items():
            self.report.count("blobs")
            if path.suffix == ".tmp":
                self._left_over(path)
            elif not path.is_file() or sha256(path.read_bytes()).hexdigest() != name:
                self.report.broken("blob.differs", self._name(path))
        for name, seq in self.facts.documents.items():
            if name not in here and self._has_journal:
                self.report.broken("blob.missing", f"blobs/{name}", seq=seq)

    def _left_over(self, path: Path) -> None:
        if path.name.endswith(".tmp"):
            self.report.note("note.unfinished", self._name(path))
        else:
            self.report.broken("file.foreign", self._name(path))

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.path))


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    """All rows in short transactions, so that a gateway at work is not held up."""
    after = -(2**63)
    query = "SELECT seq, at, kind, subject, body, leaf FROM entry WHERE seq > ? ORDER BY seq LIMIT ?"
    while rows := connection.execute(query, (after, PAGE)).fetchall():
        yield from rows
        after = rows[-1][0]
