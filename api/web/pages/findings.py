"""Findings: what a reviewer would find too."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.questions.evidence import FindingsFor, FindingsQuestion
from api.web.environment import page
from gateway.audit.findings import READING_DAYS

router = APIRouter(include_in_schema=False)


@router.get("/findings")
def show(asked: AskedFor, wanted: FindingsFor) -> HTMLResponse:
    """The filtered list."""
    unfiltered = FindingsQuestion(asked)
    everything = unfiltered.listed()
    return page(
        asked.view,
        "findings.html",
        listed=everything if wanted == unfiltered else wanted.listed(),
        rules=sorted({each.rule for each in everything}),
        days=READING_DAYS,
        filters={"severity": wanted.severity, "rule": wanted.rule, "state": wanted.state},
        csv=asked.view.here_at("/api/v1/findings", format="csv"),
    )
