"""The gateway's folder while an act of a review is put on record, and what the commands read from files."""

import mimetypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from gateway.assembly.review_desk import keep, project_now
from gateway.assembly.review_machine import Marker
from gateway.cli.asked import read_bytes
from gateway.i18n import text
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.review.acts import MAX_DOCUMENT_BYTES, Attachment, ReviewError


@dataclass(frozen=True, slots=True)
class Desk:
    """A gateway's folder while an act is put on record."""

    folder: DataFolder
    journal: Journal
    actor: str
    language: str

    @property
    def organisation(self) -> str:
        """Whose log it is."""
        return self.folder.organisation

    def record(self, *drafts: Draft, documents: Sequence[Attachment] = ()) -> None:
        """Keep the files, append, project where no gateway does, and say so."""
        keep(self.folder, documents)
        seqs = self.journal.append(list(drafts))
        project_now(self.folder, self.journal)
        click.echo(text(self.language, "put on record as entry %(seq)s", seq=seqs[-1]))


@contextmanager
def desk_of(language: str, data: Path, actor: str) -> Iterator[Desk]:
    """The gateway's folder open for an act; ReviewError for an opened package."""
    folder = DataFolder.open(data)
    if Marker.of(folder) is not None:
        raise ReviewError(
            "%(path)s is a package opened for reading; this belongs into the gateway's own folder", path=str(data)
        )
    with Journal.open(folder) as journal:
        yield Desk(folder, journal, actor, language)


def attached(files: Sequence[Path]) -> list[Attachment]:
    """Files with their types by their names."""
    return [
        Attachment(
            each.name,
            read_bytes(each, MAX_DOCUMENT_BYTES),
            mimetypes.guess_type(each.name)[0] or "application/octet-stream",
        )
        for each in files
    ]
