"""Every checkpoint: form, signature, root; and what several of them together show."""

from dataclasses import dataclass, field
from pathlib import Path

from gateway.verifier import notes
from gateway.verifier.log import LogFacts
from gateway.verifier.report import Report

FIRST_SEAL_US = 600_000_000  # a gateway seals every minute; be generous


@dataclass
class Signed:
    """A checkpoint and where it was found.

    ``outside`` when the user brought it (--against); ``closed`` when it comes from a closed day's file.
    """

    where: str
    checkpoint: notes.Checkpoint
    outside: bool = False
    closed: bool = False


@dataclass
class Options:
    """What the user gave beside the path."""

    key: notes.Key | None = None
    against: list[Signed] = field(default_factory=list)
    reviewers: list[notes.Key] = field(default_factory=list)


class CheckpointCheck:
    """Knows all checkpoints of a folder and judges each when the tree has grown to its size."""

    def __init__(self, root: Path, report: Report, facts: LogFacts, against: list[Signed]) -> None:
        self._root = root
        self._report = report
        self._facts = facts
        self.by_size: dict[int, list[Signed]] = {}
        self.newest = 0  # entries under the newest checkpoint of the folder itself
        self._numbers: list[int] = []
        self._closed = 0  # the highest number among closed days' checkpoints
        self._confirmed = 1  # how many keys have been confirmed by the one before
        for signed in against:
            self.by_size.setdefault(signed.checkpoint.size, []).append(signed)

    def load(self) -> None:
        """Read the checkpoints that stand in the folder."""
        folder = self._root / "seal" / "checkpoints"
        contents: list[bytes] = []
        before = 0
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if path.name.isdigit() and len(path.name) == 8:
                self._numbers.append(int(path.name))
                contents.append(path.read_bytes())
                size = self._take(self._name(path), contents[-1])
                if size is not None and size <= before:
                    self._report.broken("checkpoint.order", self._name(path))
                before = size or before
            elif path.name.endswith(".tmp"):
                self._report.note("note.unfinished", self._name(path))
            else:
                self._report.broken("file.foreign", self._name(path))
        current = self._root / "seal" / "checkpoint"
        content = current.read_bytes() if current.is_file() else None
        if contents and content != contents[-1]:
            if content in contents[-2:-1] or (content is None and len(contents) == 1):
                self._report.note("note.unfinished", "seal/checkpoint")  # a crash between the two writes of a seal
            else:
                self._report.broken("checkpoint.newest", "seal/checkpoint")
        elif not contents and content is not None:
            self._report.broken("checkpoint.newest", "seal/checkpoint")
            self._take("seal/checkpoint", content)

    def load_closed(self, path: Path) -> None:
        """Read a closed day's checkpoints: ``checkpoint <number>``, the note, an empty line, again and again."""
        content = path.read_bytes()
        at = 0
        while at < len(content):
            begin = content.find(b"\n", at) + 1
            end = content.find(b"\n\n", content.find(b"\n\n", begin) + 2)
            if not content.startswith(b"checkpoint ", at) or begin == 0 or end < begin:
                self._report.broken("archive.damaged", self._name(path), reason="form")
                return
            number = content[at + len(b"checkpoint ") : begin - 1]
            self._closed = max(self._closed, int(number) if number.isdigit() else 0)
            where = f"{self._name(path)} {content[at : begin - 1].decode('ascii', 'replace')}"
            self._take(where, content[begin : end + 1], closed=True)
            at = end + 2

    def judge(self, size: int, root: bytes) -> bool:
        """Judge what was signed over ``size`` entries; whether the folder must hold this size's tiles."""
        demanded = False
        for signed in self.by_size[size]:
            self._judge(signed, root)
            demanded |= not signed.outside
        if all(signed.closed for signed in self.by_size[size]):
            del self.by_size[size]  # years of them would fill the memory
        return demanded

    def finish(self, size: int) -> None:
        """Report what only the whole shows."""
        for each_size, signed in sorted(self.by_size.items()):
            for each in signed:
                if each_size > size:
                    self._report.broken("checkpoint.beyond", each.where, size=each_size, have=size)
                elif each_size == 0:
                    self._report.broken("checkpoint.malformed", each.where, reason="empty tree")
        if self.newest == 0:
            # a crash may come between the key's entry and its first checkpoint; a minute later there is no excuse
            keys = self._facts.keys
            late = bool(keys) and self._facts.newest_at > keys[0].at_us + FIRST_SEAL_US
            (self._report.broken if late else self._report.note)("checkpoint.none", "seal")
        for seq, content in self._facts.handed_out:
            try:
                # a witness may have cosigned it: further lines are no fault
                handed_out = Signed(f"entry {seq}", notes.parse_checkpoint(content.encode()), outside=True)
            except notes.NoteError as error:
                self._report.broken("checkpoint.malformed", f"entry {seq}", reason=error)
                continue
            self._signature(handed_out)
        # a copy of the archive does not hold the entry that closed its last day; then the file itself tells
        expected = max((last for _, last in self._facts.closed_numbers), default=0) + 1
        expected = max(expected, self._closed + 1)
        for number in self._numbers:
            if number > expected:
                self._report.broken("checkpoint.gap", "seal/checkpoints", number=expected)
            expected = max(expected, number + 1)

    def _take(self, where: str, content: bytes, *, closed: bool = False) -> int | None:
        try:
            checkpoint = notes.parse_checkpoint(content)
        except notes.NoteError as error:
            self._report.broken("checkpoint.malformed", where, reason=error)
            return None
        if not closed:
            self.newest = max(self.newest, checkpoint.size)
        self.by_size.setdefault(checkpoint.size, []).append(Signed(where, checkpoint, closed=closed))
        return checkpoint.size

    def _judge(self, signed: Signed, root: bytes) -> None:
        checkpoint = signed.checkpoint
        self._report.count("against" if signed.outside else "checkpoints")
        origin = self._facts.birth.get("origin")
        if checkpoint.origin != origin:
            code = "checkpoint.other_log" if signed.outside else "birth.origin"
            self._report.broken(code, signed.where, found=checkpoint.origin, expected=origin)
        if checkpoint.root != root:
            self._report.broken("checkpoint.root", signed.where)
        if self._signature(signed) and not signed.outside:
            self._rotation(signed)

    def _signature(self, signed: Signed) -> bool:
        """A good signature of the key in force, and no wrong one of any key of the log."""
        key = self._facts.key_at(signed.checkpoint.size)
        if key is None:
            return False  # reported once as key.none
        good = False
        for each in self._facts.keys:
            try:
                good |= signed.checkpoint.signed_by(each.key) and each.key == key
            except notes.NoteError as error:
                self._report.broken("checkpoint.signature", signed.where, reason=error)
                return False
        if not good:
            self._report.broken("checkpoint.signature", signed.where, reason=key.name)
        elif not signed.outside and not signed.checkpoint.only_signed_by([each.key for each in self._facts.keys]):
            self._report.broken("checkpoint.lines", signed.where)
        return good

    def _rotation(self, signed: Signed) -> None:
        """The first checkpoint over a new key's entry must also be signed by the key before it."""
        keys = self._facts.keys
        while self._confirmed < len(keys) and keys[self._confirmed].seq <= signed.checkpoint.size:
            if not signed.checkpoint.signed_by(keys[self._confirmed - 1].key):
                self._report.broken("key.rotation", signed.where)
            self._confirmed += 1

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._root))
