"""能量平衡: what a point took against what the points under it took."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.questions.energy import BalanceFor
from api.questions.words import Id
from api.web.environment import page

router = APIRouter(include_in_schema=False)


@router.get("/balance")
def show(asked: AskedFor, wanted: BalanceFor, node: Id = "") -> HTMLResponse:
    """The page."""
    period, found = wanted.balances()
    return page(
        asked.view,
        "balance.html",
        found=found,
        period=period,
        trend=wanted.trend(node),
        csv=asked.view.here_at("/api/v1/balance", format="csv"),
        trend_csv=asked.view.here_at("/api/v1/balance/trend", format="csv"),
    )
