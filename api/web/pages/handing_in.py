"""导入: ledger files and certificate files handed in, looked at, and put on record when somebody says so."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from api.asked import AskedFor
from api.importing import LedgerImport
from api.problems import UnreadableParameterError
from api.staging import keep, kept, shown_name
from api.web.environment import page
from api.work import begin
from api.writing import MAX_DRAFTS, Writing, WritingFor
from gateway.assembly.ledger_desk import (
    Handed,
    HandedCertificate,
    keep_certificate,
    look_at_certificate,
    look_at_ledger,
    reader_of,
)
from gateway.certificates.recording import Act
from gateway.certificates.xml_reading import MAX_FILE_BYTES as MAX_CERTIFICATE_BYTES
from gateway.domain.ledger import CertificateKind
from gateway.registry.columns import LEDGER_FILES
from gateway.registry.headers import MAX_HEADERS
from gateway.registry.ledger_template import template_workbook
from gateway.registry.tables import MAX_FILE_BYTES

router = APIRouter(include_in_schema=False)
MAX_FILES = 8
AT_ONCE_BYTES = 128 * 1024
"""Of a ledger that is put on record while its form waits, some hundred instruments; a larger one is long work."""
SHOWN_ROWS = 300
Reason = Annotated[str, Form(max_length=1_000)]
CERTIFICATE_FIELDS = (
    "number",
    "kind",
    "instrument",
    "serial",
    "laboratory",
    "performed_on",
    "valid_until",
    "result",
    "accuracy_class",
    "standards",
    "qr_address",
)
Contents = list[tuple[str, bytes]]
NOT_READ = "-"
"""Chosen for a header: the column is not read."""


class CertificateForm(BaseModel):
    """What the preview of a certificate hands on to its confirmation."""

    file: str = Field(max_length=64)
    name: str = Field("", max_length=200)
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
    keep_untrusted: bool = False
    reason: str = Field("", max_length=1_000)


@router.get("/handing-in")
def show(asked: AskedFor) -> HTMLResponse:
    """The two forms."""
    return page(asked.view, "handing_in.html", kinds=[each.value for each in CertificateKind])


@router.get("/handing-in/template.xlsx")
def get_template(asked: AskedFor) -> Response:
    """The blank workbook in the reader's language."""
    return Response(
        template_workbook(asked.view.language),
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"content-disposition": 'attachment; filename="ledger-template.xlsx"'},
    )


@router.post("/handing-in/ledger")
def look(writing: WritingFor, files: Annotated[list[UploadFile], File()], reason: Reason = "") -> Response:
    """Look at ledger files; nothing is written but the files kept for the confirmation."""
    contents = uploaded(files, MAX_FILE_BYTES)
    return _ledger_page(writing, contents, reason, ())


@router.post("/handing-in/ledger/confirm")
def confirm(
    writing: WritingFor,
    *,
    file: Annotated[list[str], Form(max_length=MAX_FILES)],
    name: Annotated[list[str], Form(max_length=MAX_FILES)],
    header: Annotated[list[str], Form(max_length=MAX_HEADERS)] = [],  # noqa: B006  # never changed
    column: Annotated[list[str], Form(max_length=MAX_HEADERS)] = [],  # noqa: B006  # never changed
    act: Annotated[str, Form(max_length=10)] = "",
    reason: Reason = "",
) -> Response:
    """Look again with what was said of headers, or put on record what was looked at."""
    if len(file) != len(name):
        raise UnreadableParameterError("no file was handed in")
    contents = [(shown_name(each), kept(writing.folder, digest)) for each, digest in zip(name, file, strict=True)]
    pairs = zip(header, column, strict=False)
    said = [(each, "" if chosen == NOT_READ else chosen) for each, chosen in pairs if chosen]
    if act != "record":
        return _ledger_page(writing, contents, reason, said)
    return recorded_ledger(writing, contents, reason, said, then="/instruments")


@router.post("/handing-in/certificate")
def look_certificate(
    writing: WritingFor,
    *,
    file: Annotated[UploadFile, File()],
    number: Annotated[str, Form(max_length=120)] = "",
    kind: Annotated[str, Form(max_length=30)] = "",
    instrument: Annotated[str, Form(max_length=120)] = "",
    serial: Annotated[str, Form(max_length=120)] = "",
    laboratory: Annotated[str, Form(max_length=200)] = "",
    performed_on: Annotated[str, Form(max_length=10)] = "",
    valid_until: Annotated[str, Form(max_length=10)] = "",
    result: Annotated[str, Form(max_length=10)] = "",
    accuracy_class: Annotated[str, Form(max_length=30)] = "",
    standards: Annotated[str, Form(max_length=1_000)] = "",
    qr_address: Annotated[str, Form(max_length=1_000)] = "",
    keep_untrusted: Annotated[bool, Form()] = False,
    reason: Reason = "",
) -> Response:
    """Look at one certificate file with what its reader says of it."""
    ((name, content),) = uploaded([file], MAX_CERTIFICATE_BYTES)
    known = (number, kind, instrument, serial, laboratory, performed_on, valid_until, result)
    said = dict(zip(CERTIFICATE_FIELDS, (*known, accuracy_class, standards, qr_address), strict=True))
    handed = looked_at_certificate(writing, name, content, said, reason, keep_untrusted=keep_untrusted)
    digest = keep(writing.folder, content)
    return page(
        writing.asked.view,
        "handed_certificate.html",
        handed=handed,
        name=name,
        digest=digest,
        labels=labels(writing.asked.view.language),
        said=said,
        keep_untrusted=keep_untrusted,
        reason=reason,
    )


@router.post("/handing-in/certificate/confirm")
def confirm_certificate(writing: WritingFor, wish: Annotated[CertificateForm, Form()]) -> Response:
    """Put the certificate on record."""
    said = {name: str(getattr(wish, name)) for name in CERTIFICATE_FIELDS}
    content, name = kept(writing.folder, wish.file), shown_name(wish.name)
    handed = looked_at_certificate(writing, name, content, said, wish.reason, keep_untrusted=wish.keep_untrusted)
    return writing.done(keep_certificate(writing.folder, handed), then="/certificates")


def labels(language: str) -> dict[tuple[str, str], str]:
    """What a field of a kind is called in the language; the field's own id in English."""
    if language != "zh":
        return {}
    return {(file.kind, column.field): column.zh for file in LEDGER_FILES for column in file.columns}


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
    writing: Writing, contents: Contents, reason: str, said: Sequence[tuple[str, str]], *, then: str
) -> Response:
    """Put a ledger on record; refused while a problem stands. A large one is long work that can be left."""
    if sum(len(content) for _name, content in contents) > AT_ONCE_BYTES:
        return begin_import(writing, contents, reason, said, then=then)
    handed = looked_at(writing, contents, reason, said)
    if handed.seen.problems and writing.request.url.path.startswith("/api/"):
        first = handed.seen.problems[0]
        place = ":".join(str(part) for part in (first.file, first.row, first.column) if part)
        sentence = writing.asked.view.t(first.message, **first.facts)
        raise UnreadableParameterError("%(place)s: %(sentence)s", place=place, sentence=sentence)
    if handed.seen.problems:
        return _ledger_page(writing, contents, reason, said)
    if len(handed.drafts) > MAX_DRAFTS:
        message = "these are %(count)s entries, more than one form writes; use 'meterproof ledger import'"
        raise UnreadableParameterError(message, count=str(len(handed.drafts)))
    return writing.done(handed.drafts, then=then)


def begin_import(
    writing: Writing, contents: Contents, reason: str, said: Sequence[tuple[str, str]], *, then: str
) -> Response:
    """Begin to put a ledger on record; its page says how far it is, and may be left."""
    names = ", ".join(name for name, _content in contents)
    work = LedgerImport(writing, contents, reason, said, then=then)
    return begin(writing.request, writing.person, "Ledger from %(files)s", work, files=names)


def looked_at_certificate(
    writing: Writing, name: str, content: bytes, said: dict[str, str], reason: str, *, keep_untrusted: bool
) -> HandedCertificate:
    """A certificate file, looked at in the name of the person."""
    act = Act(at_us=writing.at_us, actor=writing.actor, reason=reason, source=name)
    return look_at_certificate(writing.folder, writing.journal, content, said, act, keep_untrusted=keep_untrusted)


def _ledger_page(writing: Writing, contents: Contents, reason: str, said: Sequence[tuple[str, str]]) -> HTMLResponse:
    handed = looked_at(writing, contents, reason, said)
    staged = [(name, keep(writing.folder, content)) for name, content in contents]
    columns = sorted({(column.field, column.zh) for file in LEDGER_FILES for column in file.columns})
    return page(
        writing.asked.view,
        "handed_ledger.html",
        handed=handed,
        staged=staged,
        said=said,
        columns=columns,
        labels=labels(writing.asked.view.language),
        reason=reason,
        shown=SHOWN_ROWS,
    )
