"""能耗统计: one point step by step and every point's total over civil days."""

from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.asked import Asked, AskedFor, shown_day
from api.problems import UnreadableParameterError
from api.web.environment import page
from gateway.audit.consumption import Consumption, consumption

router = APIRouter(include_in_schema=False)
Step = Annotated[Literal["hour", "day", "month"], Query()]
DayText = Annotated[str, Query(max_length=10)]
DEFAULT_DAYS = 30


def civil_day(name: str, text: str, otherwise: date) -> date:
    """A civil date of an address; ``otherwise`` where it is left out."""
    if not text:
        return otherwise
    try:
        return shown_day(date.fromisoformat(text))
    except ValueError as error:
        raise UnreadableParameterError("'%(name)s' is no date such as 2026-03-01", name=name) from error


def asked_consumption(asked: Asked, point: str, first: str, last: str, step: str) -> Consumption:
    """The statistics of an address; the last 30 days by day where nothing is said."""
    to = civil_day("last", last, asked.asking.today)
    since = civil_day("first", first, to - timedelta(days=DEFAULT_DAYS - 1))
    return consumption(asked.reader.sources, asked.asking, first=since, last=to, step=step, point=point)


@router.get("/energy")
def show(
    asked: AskedFor,
    *,
    point: str = Query("", max_length=120),
    first: DayText = "",
    last: DayText = "",
    step: Step = "day",
) -> HTMLResponse:
    """The page."""
    found = asked_consumption(asked, point, first, last, step)
    return page(
        asked.view, "energy.html", found=found, step=step, csv=asked.view.here_at("/api/v1/energy", format="csv")
    )
