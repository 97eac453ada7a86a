"""检定校准: what is due when, validity over time, rates as of a day."""

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.web.environment import page
from gateway.audit.calibration_plan import calibration_plan
from gateway.audit.replacements import replacements
from gateway.audit.traceability import traceability

router = APIRouter(include_in_schema=False)


@router.get("/calibration")
def show(asked: AskedFor, months: int = Query(12, ge=1, le=60)) -> HTMLResponse:
    """The plan."""
    found = calibration_plan(asked.reader.sources, asked.asking, months=months)
    return page(
        asked.view,
        "calibration.html",
        found=found,
        months=months,
        open_orders=len(replacements(asked.reader.sources, asked.asking, only_open=True)),
        traced=traceability(asked.reader.sources, asked.asking, broken_only=True),
        csv=asked.view.here_at("/api/v1/calibration", format="csv"),
    )
