"""证书: the list with signature states, one certificate with its chain, and the stored file itself."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response

from api.asked import AskedFor
from api.commands.confirmations import ConfirmationWish, confirmed
from api.questions.ledger import CertificatesFor, Digest, file_reader, stored_file
from api.questions.words import IdInPath, Offset
from api.web.environment import page
from api.writing import WritingFor
from gateway.audit.certificate_files import certificate_detail
from gateway.audit.traceability import traceability

router = APIRouter(include_in_schema=False)
PAGE_ROWS = 100


@router.get("/certificates")
def show(asked: AskedFor, wanted: CertificatesFor, offset: Offset = 0) -> HTMLResponse:
    """The list and the share of unbroken chains."""
    rows = wanted.rows()
    return page(
        asked.view,
        "certificates.html",
        rows=rows[offset : offset + PAGE_ROWS],
        total=len(rows),
        offset=offset,
        limit=PAGE_ROWS,
        filters={"instrument": wanted.instrument, "authenticity": wanted.authenticity, "kind": wanted.kind},
        traced=traceability(asked.reader.sources, asked.asking, broken_only=True),
        csv=asked.view.here_at("/api/v1/certificates", format="csv"),
    )


@router.get("/certificates/{number:path}")
def show_certificate(asked: AskedFor, number: IdInPath) -> HTMLResponse:
    """One certificate with its file's state, its results and the chain above it."""
    found = certificate_detail(asked.reader.sources, asked.asking, number, file_reader(asked))
    return page(asked.view, "certificate.html", detail=found)


@router.post("/confirmations")
def confirm(writing: WritingFor, wish: Annotated[ConfirmationWish, Form()]) -> Response:
    """A confirmation from the certificate's page."""
    return confirmed(writing, wish)


@router.get("/files/{digest}")
def get_file(asked: AskedFor, digest: Digest) -> Response:
    """A stored file, as it was handed in: only one that a record of this organisation names."""
    return stored_file(asked, digest)
