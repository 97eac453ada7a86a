"""计量器具台账: the ledger and an instrument's card."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.questions.ledger import LedgerFor, file_reader
from api.questions.words import Offset
from api.web.environment import page
from gateway.audit.dossier import PIECES, dossiers
from gateway.audit.ledger import instrument_detail
from gateway.audit.replacements import replacements
from gateway.audit.traceability import certificate_chain

router = APIRouter(include_in_schema=False)
PAGE_ROWS = 50


@router.get("/instruments")
def show(asked: AskedFor, wanted: LedgerFor, offset: Offset = 0) -> HTMLResponse:
    """The filtered ledger, a page of it."""
    return page(
        asked.view,
        "instruments.html",
        page=wanted.page(offset, PAGE_ROWS),
        limit=PAGE_ROWS,
        dossiers=dossiers(asked.reader.sources, asked.asking),
        filters={"q": wanted.q, "due": wanted.due, "kind": wanted.kind, "compulsory": wanted.compulsory},
        csv=asked.view.here_at("/api/v1/instruments", format="csv"),
    )


@router.get("/instruments/{instrument:path}")
def show_instrument(asked: AskedFor, instrument: str) -> HTMLResponse:
    """One instrument's card, its dossier, the chain of the certificate that counts, and check orders about it."""
    sources, asking = asked.reader.sources, asked.asking
    detail = instrument_detail(sources, asking, instrument)
    counting = detail.row.certificate
    return page(
        asked.view,
        "instrument.html",
        detail=detail,
        dossier=dossiers(sources, asking, instrument=instrument).rows[0],
        pieces=PIECES,
        chain=certificate_chain(sources, asking, counting.id, file_reader(asked))[0] if counting else (),
        orders=replacements(sources, asking, instrument=instrument),
    )
