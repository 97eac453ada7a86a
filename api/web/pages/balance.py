"""能量平衡: what a point took against what the points under it took."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.asked import Asked, AskedFor
from api.web.environment import page
from api.web.pages.energy import DayText, civil_day
from gateway.audit.balance import Balance, RemainderTrend, balances, remainder_days
from gateway.domain.time import Period

router = APIRouter(include_in_schema=False)
Node = Annotated[str, Query(max_length=120)]
TREND_DAYS = 30
LEAST_DAYS = 4


def asked_balances(asked: Asked, first: str, last: str) -> tuple[Period, list[Balance]]:
    """The balances of an address: whole civil days, yesterday where nothing is said."""
    to = min(civil_day("last", last, asked.asking.today - timedelta(days=1)), asked.asking.today)
    since = min(civil_day("first", first, to), to)
    end = min(asked.asking.day(to).end_us, asked.asking.settling_us)
    period = Period(asked.asking.day(since).start_us, max(end, asked.asking.day(since).start_us))
    return period, balances(asked.reader.sources, asked.asking, period)


def asked_trend(asked: Asked, first: str, last: str, node: str) -> RemainderTrend | None:
    """A node's remainder day by day: the days of an address where they are enough, else the last thirty."""
    to = min(civil_day("last", last, asked.asking.today - timedelta(days=1)), asked.asking.today)
    since = min(civil_day("first", first, to), to)
    if (to - since).days + 1 < LEAST_DAYS:
        since = to - timedelta(days=TREND_DAYS - 1)
    return remainder_days(asked.reader.sources, asked.asking, since, to, node)


@router.get("/balance")
def show(asked: AskedFor, *, first: DayText = "", last: DayText = "", node: Node = "") -> HTMLResponse:
    """The page."""
    period, found = asked_balances(asked, first, last)
    return page(
        asked.view,
        "balance.html",
        found=found,
        period=period,
        trend=asked_trend(asked, first, last, node),
        csv=asked.view.here_at("/api/v1/balance", format="csv"),
        trend_csv=asked.view.here_at("/api/v1/balance/trend", format="csv"),
    )
