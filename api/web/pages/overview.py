"""总览: the first page."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.web.environment import page
from gateway.audit.overview import overview
from gateway.domain.time import US_PER_DAY, local_midnight

router = APIRouter(include_in_schema=False)


@router.get("/")
def show(asked: AskedFor) -> HTMLResponse:
    """Today's energy, completeness, due certificates, open findings."""
    found = overview(asked.reader.sources, asked.asking)
    start = local_midnight(asked.asking.today, asked.asking.zone)
    return page(asked.view, "overview.html", overview=found, slots_since_us=start // US_PER_DAY * US_PER_DAY)
