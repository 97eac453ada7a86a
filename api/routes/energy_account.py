"""``/api/v1/account/energy`` and what belongs to it: stock, cost, activity data, flow, remainders of nodes."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.asked import Asked, AskedFor
from api.encoding import At
from api.problems import RESPONSES
from api.routes.account import FIGURE_COLUMNS, figure_cells, span_name
from api.routes.v1 import Answer, Format, answered, described, exported, wants_csv
from api.web.pages.balance import Node, asked_trend
from api.web.pages.carbon import asked_period
from api.web.pages.energy import DayText, Kind
from gateway.audit.balance import RemainderTrend
from gateway.audit.energy_account import (
    ActivityRow,
    CostRow,
    EnergyAccount,
    SupplyRow,
    energy_account,
    product_activity,
)
from gateway.audit.flow import Flow, energy_flow

router = APIRouter(prefix="/api/v1", responses=RESPONSES)


class EnergyAccountAnswer(Answer):
    """The energy account."""

    result: EnergyAccount


class SupplyAnswer(Answer):
    """Bought, in stock, consumed."""

    result: list[SupplyRow]


class CostAnswer(Answer):
    """Cost by time of use."""

    result: list[CostRow]


class ProductsAnswer(Answer):
    """Activity data per product."""

    result: list[ActivityRow]


class FlowAnswer(Answer):
    """Energy flow."""

    result: Flow


def _energy(asked: Asked, first: str, last: str) -> EnergyAccount:
    _first, _last, period = asked_period(asked, first, last)
    return energy_account(asked.reader.sources, asked.asking, period)


@router.get("/account/energy", **described(EnergyAccountAnswer))
def get_energy_account(
    request: Request,
    asked: AskedFor,
    *,
    first: DayText = "",
    last: DayText = "",
    format: Format = None,  # noqa: A002
) -> Response:
    """Standard coal by kind, level, process and equipment, stock, cost, virtual points; CSV holds the groups."""
    found = _energy(asked, first, last)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["family", "name", *FIGURE_COLUMNS[1:], "share_permille", "points"]
    rows: list[Sequence[object]] = [["total", "tce", *figure_cells(found.total)[1:], None, ""]]
    if found.primary is not None:
        rows.append(["total", "tce-primary", *figure_cells(found.primary)[1:], None, ""])
    for each in found.groups:
        for figure in (each.tce, each.physical, each.primary):
            if figure is not None:
                cells = figure_cells(figure)[1:]
                rows.append([each.family, each.name, *cells, each.share_permille, "; ".join(each.points)])
    return exported(asked, columns, rows, f"energy-account-{span_name(asked, first, last)}")


@router.get("/account/supply", **described(SupplyAnswer))
def get_supply(
    request: Request,
    asked: AskedFor,
    *,
    first: DayText = "",
    last: DayText = "",
    format: Format = None,  # noqa: A002
) -> Response:
    """Bought, delivered, laid in stock and consumed by energy kind, beside what meters say was used."""
    found = _energy(asked, first, last).supply
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["kind", "unit", "bought", "bought_u_k2", "delivered", "into_stock", "consumed", "used", "difference"]
    rows = [
        [
            *(each.kind, each.unit, each.bought.exact, each.bought.expanded),
            *(each.delivered.exact if each.delivered else "", each.stock_change, each.consumed),
            *(each.used.exact if each.used else "", each.difference),
        ]
        for each in found
    ]
    return exported(asked, columns, rows, f"supply-{span_name(asked, first, last)}")


@router.get("/account/cost", **described(CostAnswer))
def get_cost(
    request: Request,
    asked: AskedFor,
    *,
    first: DayText = "",
    last: DayText = "",
    format: Format = None,  # noqa: A002
) -> Response:
    """Cost by time-of-use tariff, slot by slot."""
    found = _energy(asked, first, last).costs
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["tariff", "point", "slot", "energy", "unit", "money", "currency"]
    rows = [
        [each.tariff, each.point, slot.name, slot.energy, each.unit, slot.money, each.currency]
        for each in found
        for slot in each.slots
    ]
    return exported(asked, columns, rows, f"cost-{span_name(asked, first, last)}")


@router.get("/account/products", **described(ProductsAnswer))
def get_products(
    request: Request,
    asked: AskedFor,
    *,
    first: DayText = "",
    last: DayText = "",
    format: Format = None,  # noqa: A002
) -> Response:
    """Activity data per product with U, whole and for one tonne: what a carbon footprint is made from."""
    _first, _last, period = asked_period(asked, first, last)
    found = product_activity(asked.reader.sources, asked.asking, period)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["product", "role", "item", "amount", "u_k2", "unit", "per_unit", "per_unit_u_k2", "per_unit_unit"]
    columns += ["coverage_permille", "factors"]
    rows = [
        [
            *(each.product, each.role, each.item, each.amount.exact, each.amount.expanded, each.amount.unit),
            *((each.per_unit.exact, each.per_unit.expanded, each.per_unit.unit) if each.per_unit else ("", "", "")),
            *(each.amount.coverage_permille, "; ".join(each.amount.factors)),
        ]
        for each in found
    ]
    return exported(asked, columns, rows, f"activity-per-product-{span_name(asked, first, last)}")


@router.get("/account/flow", **described(FlowAnswer))
def get_flow(
    request: Request,
    asked: AskedFor,
    *,
    kind: Kind = "electricity",
    first: DayText = "",
    last: DayText = "",
    format: Format = None,  # noqa: A002
) -> Response:
    """Energy flow of one kind: from the border through the network, with own generation and unmetered shares."""
    _first, _last, period = asked_period(asked, first, last)
    found = energy_flow(asked.reader.sources, asked.asking, period, kind)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["from", "to", "kind", "energy", "unit", "share_permille"]
    rows = [[each.source, each.target, each.kind, each.amount, found.unit, each.share_permille] for each in found.links]
    return exported(asked, columns, rows, f"energy-flow-{span_name(asked, first, last)}")


class TrendAnswer(Answer):
    """A node's remainder day by day."""

    result: RemainderTrend


@router.get("/balance/trend", **described(TrendAnswer))
def get_trend(
    request: Request,
    asked: AskedFor,
    *,
    node: Node = "",
    first: DayText = "",
    last: DayText = "",
    format: Format = None,  # noqa: A002
) -> Response:
    """A node's difference and its limit for each day, and whether it drifts beyond chance."""
    found = asked_trend(asked, first, last, node)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["point", "day", "remainder", "limit", "upper", "unit", "judgement"]
    rows: list[Sequence[object]] = []
    if found is not None:
        rows = [
            [found.point.id, At(each.start_us), each.remainder, each.limit, each.upper, found.unit, each.closure]
            for each in found.days
        ]
    return exported(asked, columns, rows, "balance-trend")
