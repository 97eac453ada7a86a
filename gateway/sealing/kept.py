"""All checkpoints this log ever signed: those at hand and those bound into closed days."""

from collections.abc import Iterator

from gateway.domain.errors import JournalError
from gateway.journal.archive import CHECKPOINTS, Archive
from gateway.journal.folder import DataFolder
from gateway.sealing.history import History
from gateway.sealing.note import Checkpoint, Note


def kept_notes(folder: DataFolder) -> Iterator[Note]:
    """Every checkpoint, older days first."""
    for file in Archive(folder.archive).files:
        if file.kind == CHECKPOINTS:
            text = file.path.read_text("utf-8")
            for part in text.split("checkpoint ")[1:]:
                yield Note.parse(part.split("\n", 1)[1].removesuffix("\n"))
    history = History(folder.seal)
    for number in history.numbers():
        yield history.note(number)


def require_own(folder: DataFolder, note: Note) -> None:
    """JournalError unless this log signed the checkpoint: an entry about another's could never be verified again."""
    if not any(str(each) == str(note) for each in kept_notes(folder)):
        raise JournalError(
            "the checkpoint over %(size)s entries is none that this log signed",
            size=str(Checkpoint.parse(note.text).size),
        )
