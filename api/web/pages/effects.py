"""追溯影响: what failures and withdrawals put in question, and how far totals, results and reports may be off."""

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.web.environment import page
from api.web.format import digits
from gateway.audit.look_back import look_back

router = APIRouter(include_in_schema=False)


@router.get("/effects")
def show(asked: AskedFor, certificate: str = Query("", max_length=120)) -> HTMLResponse:
    """Everything in question, or what one certificate put in question."""
    return page(
        asked.view,
        "effects.html",
        found=look_back(asked.reader.sources, asked.asking, certificate),
        certificate=certificate,
        digits=digits,
        csv=asked.view.here_at("/api/v1/effects", format="csv"),
    )
