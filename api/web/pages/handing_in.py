"""导入: ledger files and certificate files handed in, looked at, and put on record when somebody says so."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import HTMLResponse, Response
from pydantic import Field

from api.asked import AskedFor
from api.commands.handing_in import (
    MAX_FILES,
    CertificateSaid,
    Contents,
    looked_at,
    looked_at_certificate,
    recorded_ledger,
    uploaded,
)
from api.negotiation import XLSX
from api.problems import UnreadableParameterError
from api.staging import keep, kept, shown_name
from api.web.environment import page
from api.writing import Writing, WritingFor
from gateway.assembly.ledger_desk import Handed, keep_certificate
from gateway.certificates.xml_reading import MAX_FILE_BYTES as MAX_CERTIFICATE_BYTES
from gateway.domain.ledger import CertificateKind
from gateway.registry.columns import LEDGER_FILES
from gateway.registry.headers import MAX_HEADERS
from gateway.registry.ledger_template import template_workbook
from gateway.registry.tables import MAX_FILE_BYTES

router = APIRouter(include_in_schema=False)
SHOWN_ROWS = 300
Reason = Annotated[str, Form(max_length=1_000)]
Said = Sequence[tuple[str, str]]
NOT_READ = "-"
"""Chosen for a header: the column is not read."""


class CertificateForm(CertificateSaid):
    """A certificate file with what its reader says of it."""

    file: UploadFile
    keep_untrusted: bool = False
    reason: str = Field("", max_length=1_000)


class ConfirmedForm(CertificateSaid):
    """What the preview of a certificate hands on to its confirmation."""

    file: str = Field(max_length=64)
    name: str = Field("", max_length=200)
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
        media_type=XLSX,
        headers={"content-disposition": 'attachment; filename="ledger-template.xlsx"'},
    )


@router.post("/handing-in/ledger")
def look(writing: WritingFor, files: Annotated[list[UploadFile], File()], reason: Reason = "") -> Response:
    """Look at ledger files; nothing is written but the files kept for the confirmation."""
    contents = uploaded(files, MAX_FILE_BYTES)
    return _ledger_page(writing, contents, reason, (), looked_at(writing, contents, reason, ()))


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
    shown = partial(_ledger_page, writing, contents, reason, said)
    if act != "record":
        return shown(looked_at(writing, contents, reason, said))
    return recorded_ledger(writing, contents, reason, said, refused=shown)


def _ledger_page(writing: Writing, contents: Contents, reason: str, said: Said, handed: Handed) -> Response:
    return page(
        writing.asked.view,
        "handed_ledger.html",
        handed=handed,
        staged=[(name, keep(writing.folder, content)) for name, content in contents],
        said=said,
        columns=sorted({(column.field, column.zh) for file in LEDGER_FILES for column in file.columns}),
        labels=labels(writing.asked.view.language),
        reason=reason,
        shown=SHOWN_ROWS,
    )


@router.post("/handing-in/certificate")
def look_certificate(writing: WritingFor, wish: Annotated[CertificateForm, Form()]) -> Response:
    """Look at one certificate file with what its reader says of it."""
    ((name, content),) = uploaded([wish.file], MAX_CERTIFICATE_BYTES)
    said = wish.fields()
    handed = looked_at_certificate(writing, name, content, said, wish.reason, keep_untrusted=wish.keep_untrusted)
    return page(
        writing.asked.view,
        "handed_certificate.html",
        handed=handed,
        name=name,
        digest=keep(writing.folder, content),
        labels=labels(writing.asked.view.language),
        said=said,
        keep_untrusted=wish.keep_untrusted,
        reason=wish.reason,
    )


@router.post("/handing-in/certificate/confirm")
def confirm_certificate(writing: WritingFor, wish: Annotated[ConfirmedForm, Form()]) -> Response:
    """Put the certificate on record."""
    content, name = kept(writing.folder, wish.file), shown_name(wish.name)
    handed = looked_at_certificate(
        writing, name, content, wish.fields(), wish.reason, keep_untrusted=wish.keep_untrusted
    )
    return writing.done(keep_certificate(writing.folder, handed), then="/certificates")


def labels(language: str) -> dict[tuple[str, str], str]:
    """What a field of a kind is called in the language; the field's own id in English."""
    if language != "zh":
        return {}
    return {(file.kind, column.field): column.zh for file in LEDGER_FILES for column in file.columns}
