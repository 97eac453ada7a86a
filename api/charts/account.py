"""``/charts/emissions``, ``budget``: pictures of the carbon account."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.asked import AskedFor
from api.charts.account_specs import MAX_BARS, bars_with_u, shares
from api.charts.routes import Size, Theme, drawn
from api.charts.specs import Spec, sized
from api.web.account_words import AccountWords
from api.web.pages.carbon import asked_budget, asked_carbon
from api.web.pages.energy import DayText
from api.web.view import View
from gateway.audit.budgets import BudgetFact
from gateway.audit.carbon import CarbonAccount

router = APIRouter(prefix="/charts", include_in_schema=False)


@router.get("/emissions.svg")
@router.get("/emissions.json")
async def emissions(
    request: Request,
    asked: AskedFor,
    *,
    first: DayText = "",
    last: DayText = "",
    theme: Theme = "light",
    size: Size = "wide",
) -> Response:
    """Emissions by source with U."""
    found = await run_in_threadpool(asked_carbon, asked, first, last)
    return await drawn(request, sized(emissions_spec(found, asked.view, theme), size))


def emissions_spec(found: CarbonAccount, view: View, theme: str) -> Spec:
    """The chart of the carbon page: most tonnes first."""
    rows = []
    for source in found.sources:
        value = source.emission.number
        if value is None:
            continue
        u = float(source.emission.expanded) if source.emission.expanded else None
        rows.append(
            {
                "label": source.name,
                "value": value,
                "low": None if u is None else value - u,
                "high": None if u is None else value + u,
                "interval": "" if u is None else f"± {source.emission.expanded}",
            }
        )
    rows.sort(key=lambda row: -abs(float(row["value"])))  # type: ignore[arg-type]
    names = (view.t("Source"), view.t("Emission"), "U (k = 2)")
    return bars_with_u(rows[:MAX_BARS], theme=theme, unit="tCO₂", names=names)


@router.get("/budget.svg")
@router.get("/budget.json")
async def budget(
    request: Request,
    asked: AskedFor,
    *,
    first: DayText = "",
    last: DayText = "",
    line: Annotated[str, Query(max_length=200)] = "",
    theme: Theme = "light",
    size: Size = "wide",
) -> Response:
    """Shares of the variance by cause."""
    found = await run_in_threadpool(asked_budget, asked, first, last, line)
    return await drawn(request, sized(budget_spec(found, asked.view, theme), size))


def budget_spec(found: BudgetFact, view: View, theme: str) -> Spec:
    """The chart of a budget: the ten largest causes and what is left."""
    rows = [
        {
            "label": AccountWords(view).effect(row.label) or view.term("effect_kind", row.kind),
            "share": row.share_permille / 10,
            "kind": view.term("effect_kind", row.kind),
        }
        for row in found.rows[:10]
    ]
    names = (view.t("Cause"), "", view.t("Share of the variance"))
    return shares(rows, theme=theme, title=view.t("Share of the variance, %%"), names=names)
