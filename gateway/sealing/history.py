"""Every checkpoint ever signed, a file each: ``checkpoints/00000017``, numbered without gaps so that a lost one shows.

Older days are bound into the archive; the newest checkpoint also stands in ``checkpoint``.
"""

from pathlib import Path

from gateway.domain.errors import JournalError
from gateway.journal.folder import make_folder
from gateway.sealing.note import Checkpoint, Note
from gateway.sealing.tiles import write_durably


class History:
    """The signed checkpoints of one data folder."""

    def __init__(self, seal: Path) -> None:
        self._latest = seal / "checkpoint"
        self.folder = seal / "checkpoints"
        self._last: int | None = None  # what add counts on from, so that it need not list the folder each minute

    def numbers(self) -> list[int]:
        """The numbers of the checkpoints that stand here, in order."""
        if not self.folder.is_dir():
            return []
        return sorted(int(path.name) for path in self.folder.iterdir() if path.name.isdigit())

    def path(self, number: int) -> Path:
        """Where a checkpoint stands."""
        return self.folder / f"{number:08d}"

    def note(self, number: int) -> Note:
        """One checkpoint as signed; JournalError when it is missing or malformed."""
        return _read(self.path(number))

    def latest(self) -> Note | None:
        """The newest checkpoint; None when nothing was ever signed."""
        numbers = self.numbers()
        if numbers:
            return self.note(numbers[-1])
        return _read(self._latest) if self._latest.is_file() else None

    def add(self, note: Note) -> None:
        """Keep a new checkpoint durably: first in the history, then as the newest. Only the sealer adds."""
        make_folder(self.folder)
        if self._last is None:
            self._last = max(self.numbers(), default=0)
        content = str(note).encode()
        write_durably(self.path(self._last + 1), content)
        self._last += 1
        write_durably(self._latest, content)

    def mend(self) -> None:
        """After a crash between the two writes of ``add``: finish them. Unfinished files are dropped."""
        for folder in (self.folder, self._latest.parent):
            if folder.is_dir():
                for path in folder.glob("*.tmp"):
                    path.unlink()
        numbers = self.numbers()
        if numbers:
            content = self.path(numbers[-1]).read_bytes()
            if not self._latest.is_file() or self._latest.read_bytes() != content:
                write_durably(self._latest, content)


def _read(path: Path) -> Note:
    try:
        return Note.parse(path.read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise JournalError(
            "the checkpoint %(path)s cannot be read: %(reason)s", path=str(path), reason=str(error)
        ) from error


def checkpoint_of(note: Note) -> Checkpoint:
    """The checkpoint that a note holds."""
    return Checkpoint.parse(note.text)
