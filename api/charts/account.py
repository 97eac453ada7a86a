"""``/charts/emissions``, ``budget``: pictures of the carbon account."""

from fractions import Fraction
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.asked import AskedFor
from api.charts.account_specs import MAX_BARS, bars_with_u, flow_of, remainders, shares
from api.charts.routes import Size, Theme, drawn
from api.charts.specs import Spec, sized
from api.web.account_words import AccountWords
from api.web.pages.balance import Node, asked_trend
from api.web.pages.carbon import asked_budget, asked_carbon
from api.web.pages.energy import DayText, Kind, Step, asked_consumption, asked_flow
from api.web.view import View
from gateway.audit.balance import RemainderTrend
from gateway.audit.budgets import BudgetFact
from gateway.audit.carbon import CarbonAccount
from gateway.audit.flow import Flow

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
    names = (view.t("Emission source"), view.t("Emission"), "U (k = 2)")
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
    return shares(rows, theme=theme, title=view.t("Share of the variance, %(unit)s", unit="%"), names=names)


@router.get("/flow.svg")
@router.get("/flow.json")
async def flow(
    request: Request,
    asked: AskedFor,
    *,
    point: Annotated[str, Query(max_length=120)] = "",
    first: DayText = "",
    last: DayText = "",
    step: Step = "day",
    kind: Kind = "",
    theme: Theme = "light",
    size: Size = "wide",
) -> Response:
    """Energy flow from the border to what uses it."""

    def found() -> Flow:
        return asked_flow(asked, asked_consumption(asked, point, first, last, step), kind)

    return await drawn(request, sized(flow_spec(await run_in_threadpool(found), asked.view, theme), size))


def flow_spec(found: Flow, view: View, theme: str) -> Spec:
    """The chart of the energy flow."""
    words = {kind: view.term("flow_kind", kind) for kind in ("metered", "generated", "unmetered")}
    labels = {node.id: view.named(node.name_zh, node.name_en, node.id) for node in found.nodes}
    unit = view.unit(found.unit)

    def amount(text: str) -> str:
        return f"{view.glance(Fraction(text))} {unit}"

    nodes = [
        {
            "label": labels[node.id],
            "text": f"{labels[node.id]} {amount(node.amount)}",
            "column": node.column,
            "top": node.top,
            "bottom": max(node.bottom, node.top + 0.002),
            "amount": amount(node.amount),
        }
        for node in found.nodes
    ]
    links = [
        {
            "label": f"{labels[link.source]} → {labels.get(link.target, words['unmetered'])}",
            "amount": amount(link.amount),
            "word": words[link.kind],
            "from_column": link.source_column,
            # what nobody measures ends where the eye sees that it leads nowhere
            "to_column": link.target_column if link.target else link.source_column + 0.3,
            "from_top": link.source_top,
            "from_bottom": link.source_bottom,
            "to_top": link.target_top if link.target else link.source_top,
            "to_bottom": link.target_bottom if link.target else link.source_bottom,
        }
        for link in found.links
    ]
    names = {**words, "flow": view.t("Energy flow"), "amount": view.t("Energy")}
    return flow_of(nodes, links, theme=theme, names=names)


@router.get("/remainder.svg")
@router.get("/remainder.json")
async def remainder(
    request: Request,
    asked: AskedFor,
    *,
    first: DayText = "",
    last: DayText = "",
    node: Node = "",
    theme: Theme = "light",
    size: Size = "wide",
) -> Response:
    """A node's remainder day by day."""
    found = await run_in_threadpool(asked_trend, asked, first, last, node)
    return await drawn(request, sized(remainder_spec(found, asked.view, theme), size))


def remainder_spec(found: RemainderTrend | None, view: View, theme: str) -> Spec:
    """The chart of a node's remainders; empty where there is no node."""
    names = {each: view.term("closure", each) for each in ("balanced", "exceeded", "unmetered", "undecided")}
    rows = [
        {
            "day": view.local(each.start_us, "%m-%d"),
            "remainder": None if each.remainder is None else float(each.remainder),
            "low": None if each.limit is None else -float(each.limit),
            "high": None if each.upper is None else float(each.upper),
            "state": names[str(each.closure)],
        }
        for each in (found.days if found else ())
    ]
    words = {**names, "day": view.t("Day"), "remainder": view.t("Remainder"), "limit": view.t("Limit")}
    return remainders(rows, theme=theme, unit=view.unit(found.unit) if found else "", names=words)
