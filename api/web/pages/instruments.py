"""计量器具台账: the ledger and an instrument's card."""

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.web.environment import page
from gateway.audit.ledger import instrument_detail, ledger

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
        filters={"q": q, "due": due, "kind": kind, "compulsory": compulsory},
        csv=asked.view.here_at("/api/v1/instruments", format="csv"),
    )


@router.get("/instruments/{instrument:path}")
def show_instrument(asked: AskedFor, instrument: str) -> HTMLResponse:
    """One instrument's card."""
    return page(asked.view, "instrument.html", detail=instrument_detail(asked.reader.sources, asked.asking, instrument))
