"""Ledger files and certificate files handed in: read, looked at in the name of a person, put on record."""

from collections.abc import Callable, Sequence

from fastapi import UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.importing import LedgerImport
from api.problems import UnreadableParameterError
from api.staging import shown_name
from api.work import begin
from api.writing import MAX_DRAFTS, Writing
from gateway.assembly.ledger_desk import (
    Handed,
    HandedCertificate,
    look_at_certificate,
    look_at_ledger,
    reader_of,
)
from gateway.certificates.recording import Act

MAX_FILES = 8
AT_ONCE_BYTES = 128 * 1024
"""Of a ledger that is put on record while its form waits, some hundred instruments; a larger one is long work."""
Contents = list[tuple[str, bytes]]


class CertificateSaid(BaseModel):
    """What a reader says of a certificate beside its file."""

    number: str = Field("", max_length=120)
    kind: str = Field("", max_length=30)
    instrument: str = Field("", max_length=120)
    serial: str = Field("", max_length=120)
    laboratory: str = Field("", max_length=200)
    performed_on: str = Field("", max_length=10)
    valid_until: str = Field("", max_length=10)
    result: str = Field("", max_length=10)
    accuracy_class: str = Field("", max_length=30)
    standards: str = Field("", max_length=1_000)
    qr_address: str = Field("", max_length=1_000)

    def fields(self) -> dict[str, str]:
        """By name."""
        return {name: getattr(self, name) for name in CERTIFICATE_FIELDS}


CERTIFICATE_FIELDS = tuple(CertificateSaid.model_fields)


def uploaded(files: Sequence[UploadFile], limit: int) -> Contents:
    """Names and bytes of what was handed in; UnreadableParameterError for too many, too large or none."""
    if len(files) > MAX_FILES:
        raise UnreadableParameterError("at most %(limit)s files at once", limit=str(MAX_FILES))
    contents = [(shown_name(each.filename), each.file.read(limit + 1)) for each in files]
    if not any(content for _name, content in contents):
        raise UnreadableParameterError("no file was handed in")
    for name, content in contents:
        if len(content) > limit:
            raise UnreadableParameterError("%(name)s is larger than %(limit)s bytes", name=name, limit=str(limit))
    return contents


def looked_at(writing: Writing, contents: Contents, reason: str, said: Sequence[tuple[str, str]]) -> Handed:
    """A ledger, looked at in the name of the person."""
    try:
        return look_at_ledger(
            writing.folder,
            writing.journal,
            reader_of(writing.folder, contents),
            said=said,
            at_us=writing.at_us,
            actor=writing.actor,
            reason=reason,
        )
    except ValueError as error:
        raise UnreadableParameterError("'%(name)s' is no column of the ledger", name=str(error)[:60]) from error


def recorded_ledger(
    writing: Writing,
    contents: Contents,
    reason: str,
    said: Sequence[tuple[str, str]],
    *,
    refused: Callable[[Handed], Response],
) -> Response:
    """Put a ledger on record, all of it; ``refused`` answers while a problem stands. A large one is long work, whose
    page says how far it is and may be left."""
    then = "/instruments"
    if sum(len(content) for _name, content in contents) > AT_ONCE_BYTES:
        names = ", ".join(name for name, _content in contents)
        work = LedgerImport(writing, contents, reason, said, then=then)
        return begin(writing.request, writing.person, "Ledger from %(files)s", work, again="/handing-in", files=names)
    handed = looked_at(writing, contents, reason, said)
    if handed.seen.problems:
        return refused(handed)
    if len(handed.drafts) > MAX_DRAFTS:
        message = "these are %(count)s entries, more than one form writes; use 'meterproof ledger import'"
        raise UnreadableParameterError(message, count=str(len(handed.drafts)))
    return writing.done(handed.drafts, then=then)


def looked_at_certificate(
    writing: Writing, name: str, content: bytes, said: dict[str, str], reason: str, *, keep_untrusted: bool
) -> HandedCertificate:
    """A certificate file, looked at in the name of the person."""
    act = Act(at_us=writing.at_us, actor=writing.actor, reason=reason, source=name)
    return look_at_certificate(writing.folder, writing.journal, content, said, act, keep_untrusted=keep_untrusted)
