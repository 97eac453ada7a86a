"""Findings: what a reviewer would find too."""

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.web.environment import page
from gateway.audit.findings import READING_DAYS, findings

router = APIRouter(include_in_schema=False)


@router.get("/findings")
def show(
    asked: AskedFor,
    *,
    severity: str = Query("", max_length=10),
    rule: str = Query("", max_length=120),
    state: str = Query("", max_length=10),
    point: str = Query("", max_length=120),
    instrument: str = Query("", max_length=120),
    device: str = Query("", max_length=120),
) -> HTMLResponse:
    """The filtered list."""
    everything = findings(asked.reader.sources, asked.asking)
    listed = findings(
        asked.reader.sources,
        asked.asking,
        severity=severity,
        rule=rule,
        point=point,
        instrument=instrument,
        device=device,
        only_open=state == "open",
    )
    return page(
        asked.view,
        "findings.html",
        listed=listed,
        rules=sorted({each.rule for each in everything}),
        days=READING_DAYS,
        filters={"severity": severity, "rule": rule, "state": state},
        csv=asked.view.here_at("/api/v1/findings", format="csv"),
    )
