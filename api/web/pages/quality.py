"""数据质量: completeness by point and day, how slots ended, and what the readings showed."""

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.web.environment import page
from gateway.audit.completeness import MAX_DAYS, completeness

router = APIRouter(include_in_schema=False)
DEFAULT_DAYS = 31


@router.get("/quality")
def show(asked: AskedFor, days: int = Query(DEFAULT_DAYS, ge=1, le=MAX_DAYS)) -> HTMLResponse:
    """The heat map and the tables."""
    found = completeness(asked.reader.sources, asked.asking, days=days)
    return page(
        asked.view, "quality.html", found=found, days=days, csv=asked.view.here_at("/api/v1/completeness", format="csv")
    )
