"""能量平衡: what a point took against what the points under it took."""

from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.asked import Asked, AskedFor
from api.web.environment import page
from api.web.pages.energy import DayText, civil_day
from gateway.audit.balance import Balance, balances
from gateway.domain.time import Period

router = APIRouter(include_in_schema=False)


def asked_balances(asked: Asked, first: str, last: str) -> tuple[Period, list[Balance]]:
    """The balances of an address: whole civil days, yesterday where nothing is said."""
    to = min(civil_day("last", last, asked.asking.today - timedelta(days=1)), asked.asking.today)
    since = min(civil_day("first", first, to), to)
    end = min(asked.asking.day(to).end_us, asked.asking.settling_us)
    period = Period(asked.asking.day(since).start_us, max(end, asked.asking.day(since).start_us))
    return period, balances(asked.reader.sources, asked.asking, period)


@router.get("/balance")
def show(asked: AskedFor, *, first: DayText = "", last: DayText = "") -> HTMLResponse:
    """The page."""
    period, found = asked_balances(asked, first, last)
    return page(
        asked.view,
        "balance.html",
        found=found,
        period=period,
        csv=asked.view.here_at("/api/v1/balance", format="csv"),
    )
