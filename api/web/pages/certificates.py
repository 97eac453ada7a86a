"""证书: the list with signature states, one certificate with its chain, and the stored file itself."""

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from api.asked import Asked, AskedFor
from api.web.environment import page
from api.writing import Writing, WritingFor
from gateway.audit.certificate_files import certificate_detail, certificate_rows, names_file
from gateway.audit.traceability import traceability
from gateway.certificates.confirming import Confirmation, confirmation_draft
from gateway.certificates.recording import Act
from gateway.certificates.traceability import FileOf
from gateway.certificates.xml_reading import MAX_FILE_BYTES
from gateway.domain.errors import UnknownObjectError
from gateway.registry.importing import LedgerState

router = APIRouter(include_in_schema=False)
PAGE_ROWS = 100
Digest = Annotated[str, Path(min_length=64, max_length=64, pattern="^[0-9a-f]{64}$")]
MEDIA_TYPES = {"pdf": "application/pdf", "ofd": "application/ofd", "xml": "application/xml"}


@router.get("/certificates")
def show(
    asked: AskedFor,
    *,
    instrument: Annotated[str, Query(max_length=120)] = "",
    authenticity: Annotated[str, Query(max_length=30)] = "",
    kind: Annotated[str, Query(max_length=30)] = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> HTMLResponse:
    """The list and the share of unbroken chains."""
    sources, asking = asked.reader.sources, asked.asking
    rows = certificate_rows(sources, asking, instrument=instrument, authenticity=authenticity, kind=kind)
    return page(
        asked.view,
        "certificates.html",
        rows=rows[offset : offset + PAGE_ROWS],
        total=len(rows),
        offset=offset,
        limit=PAGE_ROWS,
        filters={"instrument": instrument, "authenticity": authenticity, "kind": kind},
        traced=traceability(sources, asking, broken_only=True),
        csv=asked.view.here_at("/api/v1/certificates", format="csv"),
    )


@router.get("/certificates/{number:path}")
def show_certificate(asked: AskedFor, number: Annotated[str, Path(max_length=120)]) -> HTMLResponse:
    """One certificate with its file's state, its results and the chain above it."""
    found = certificate_detail(asked.reader.sources, asked.asking, number, file_reader(asked))
    return page(asked.view, "certificate.html", detail=found)


class ConfirmationWish(BaseModel):
    """计量确认: what the certificate was held against, the conclusion, by whom and on which day."""

    number: str = Field(max_length=120)
    requirement: str = Field(min_length=1, max_length=1_000)
    conclusion: Literal["pass", "fail"]
    person: str = Field(min_length=1, max_length=120)
    on: str = Field(max_length=10)
    valid_until: str = Field("", max_length=10)
    reason: str = Field("", max_length=1_000)


@router.post("/confirmations")
def confirm(writing: WritingFor, wish: Annotated[ConfirmationWish, Form()]) -> Response:
    """A confirmation from the certificate's page."""
    return confirmed(writing, wish)


def confirmed(writing: Writing, wish: ConfirmationWish) -> Response:
    """Put a confirmation on record."""
    draft = confirmation_draft(
        LedgerState.read(writing.journal, writing.organisation),
        writing.organisation,
        wish.number,
        Confirmation(
            requirement=wish.requirement,
            conclusion=wish.conclusion,
            person=wish.person,
            on=wish.on,
            valid_until=wish.valid_until,
        ),
        Act(at_us=writing.at_us, actor=writing.actor, reason=wish.reason, source="confirmation"),
    )
    return writing.done([draft], then=f"/certificates/{quote(wish.number, safe='')}")


@router.get("/files/{digest}")
def get_file(asked: AskedFor, digest: Digest) -> Response:
    """A stored file, as it was handed in: only one that a record of this organisation names."""
    id_ = names_file(asked.reader.sources.registry, asked.asking.organisation, digest)
    content = file_reader(asked)(digest) if id_ is not None else None
    if id_ is None or content is None:
        raise UnknownObjectError("no file of that hash is held")
    kind = _kind(content)
    name = quote(f"{id_}.{kind}", safe="")
    return Response(
        content,
        media_type=MEDIA_TYPES.get(kind, "application/octet-stream"),
        headers={
            # never shown inside our own pages: a stranger's file stays a stranger's file
            "content-disposition": f"attachment; filename*=UTF-8''{name}",
            "content-security-policy": "sandbox; default-src 'none'",
            "cache-control": "private, max-age=31536000, immutable",
            "etag": f'"{digest}"',
        },
    )


def file_reader(asked: Asked) -> FileOf:
    """From a hash to the bytes of a stored file; None where it is not held."""
    blobs = asked.reader.folder.blobs

    def read(digest: str) -> bytes | None:
        path = blobs / digest
        if len(digest) != 64 or not digest.isalnum() or not path.is_file():
            return None
        with path.open("rb") as stream:
            return stream.read(MAX_FILE_BYTES + 1)

    return read


def _kind(content: bytes) -> str:
    if content[:5] == b"%PDF-" or b"%PDF-" in content[:1024]:
        return "pdf"
    if content[:4] == b"PK\x03\x04":
        return "ofd"
    return "xml" if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" else "bin"
