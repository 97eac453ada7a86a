"""计量器具台账: the ledger and an instrument's card."""

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.web.environment import page
from api.web.pages.certificates import file_reader
from gateway.audit.dossier import PIECES, dossiers
from gateway.audit.ledger import instrument_detail, ledger
from gateway.audit.replacements import replacements
from gateway.audit.traceability import certificate_chain

router = APIRouter(include_in_schema=False)
PAGE_ROWS = 50


def duty(text: str) -> bool | None:
    """``1``/``0`` of the filter, anything else: both."""
    return {"1": True, "0": False}.get(text)


@router.get("/instruments")
def show(
    asked: AskedFor,
    *,
    q: str = Query("", max_length=100),
    due: str = Query("", max_length=30),
    kind: str = Query("", max_length=120),
    compulsory: str = Query("", max_length=1),
    offset: int = Query(0, ge=0, le=1_000_000),
) -> HTMLResponse:
    """The filtered ledger, a page of it."""
    found = ledger(
        asked.reader.sources,
        asked.asking,
        text=q,
        due=due,
        kind=kind,
        compulsory=duty(compulsory),
        offset=offset,
        limit=PAGE_ROWS,
    )
    return page(
        asked.view,
        "instruments.html",
        page=found,
        limit=PAGE_ROWS,
        dossiers=dossiers(asked.reader.sources, asked.asking),
        filters={"q": q, "due": due, "kind": kind, "compulsory": compulsory},
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
