"""``/api/v1/account/energy`` and what belongs to it: stock, cost, activity data, flow."""

from collections.abc import Iterator
from typing import NamedTuple

from fastapi import APIRouter
from fastapi.responses import Response

from api.answers import ReplyFor, tabled
from api.asked import AskedFor
from api.questions.account import AccountFor
from api.questions.energy import Kind
from api.routes.account import FIGURE_OF_ROW
from api.tables import Table
from gateway.audit.accounts import FigureFact
from gateway.audit.energy_account import (
    CostRow,
    CostSlot,
    EnergyAccount,
    GroupRow,
    SupplyRow,
)
from gateway.audit.flow import Flow, FlowLink, energy_flow
from gateway.audit.product_activity import ActivityRow, product_activity

router = APIRouter(prefix="/api/v1")


class _Figure(NamedTuple):
    """A figure of a group; the totals are of none."""

    family: str
    name: str
    figure: FigureFact
    group: GroupRow | None = None


class _Slot(NamedTuple):
    cost: CostRow
    slot: CostSlot


ENERGY = Table(_Figure, "family name", FIGURE_OF_ROW, "share_permille=group.share_permille points=group.points")
SUPPLY = Table(
    SupplyRow,
    "kind unit bought=bought.exact bought_u_k2=bought.expanded delivered=delivered.exact into_stock=stock_change",
    "consumed used=used.exact difference",
)
COST = Table(
    _Slot,
    "tariff=cost.tariff point=cost.point slot=slot.name energy=slot.energy unit=cost.unit money=slot.money",
    "currency=cost.currency",
)
PRODUCTS = Table(
    ActivityRow,
    "product role item amount=amount.exact u_k2=amount.expanded unit=amount.unit per_unit=per_unit.exact",
    "per_unit_u_k2=per_unit.expanded per_unit_unit=per_unit.unit coverage_permille=amount.coverage_permille",
    "factors=amount.factors",
)


@router.get("/account/energy", **tabled("EnergyAccountAnswer", EnergyAccount, "The energy account."))
def get_energy_account(reply: ReplyFor, wanted: AccountFor) -> Response:
    """Standard coal by kind, level, process and equipment, stock, cost, virtual points; CSV holds the groups."""
    found = wanted.energy()
    return reply.table(found, ENERGY, _figures(found), f"energy-account-{wanted.days}")


def _figures(found: EnergyAccount) -> Iterator[_Figure]:
    yield _Figure("total", "tce", found.total)
    if found.primary is not None:
        yield _Figure("total", "tce-primary", found.primary)
    for each in found.groups:
        for figure in (each.tce, each.physical, each.primary):
            if figure is not None:
                yield _Figure(each.family, each.name, figure, each)


@router.get("/account/supply", **tabled("SupplyAnswer", list[SupplyRow], "Bought, in stock, consumed."))
def get_supply(reply: ReplyFor, wanted: AccountFor) -> Response:
    """Bought, delivered, laid in stock and consumed by energy kind, beside what meters say was used."""
    found = wanted.energy().supply
    return reply.table(found, SUPPLY, found, f"supply-{wanted.days}")


@router.get("/account/cost", **tabled("CostAnswer", list[CostRow], "Cost by time of use."))
def get_cost(reply: ReplyFor, wanted: AccountFor) -> Response:
    """Cost by time-of-use tariff, slot by slot."""
    found = wanted.energy().costs
    rows = (_Slot(each, slot) for each in found for slot in each.slots)
    return reply.table(found, COST, rows, f"cost-{wanted.days}")


@router.get("/account/products", **tabled("ProductsAnswer", list[ActivityRow], "Activity data per product."))
def get_products(asked: AskedFor, reply: ReplyFor, wanted: AccountFor) -> Response:
    """Activity data per product with U, whole and for one tonne: what a carbon footprint is made from."""
    found = product_activity(asked.reader.sources, asked.asking, wanted.period)
    return reply.table(found, PRODUCTS, found, f"activity-per-product-{wanted.days}")


@router.get("/account/flow", **tabled("FlowAnswer", Flow, "Energy flow."))
def get_flow(asked: AskedFor, reply: ReplyFor, wanted: AccountFor, kind: Kind = "electricity") -> Response:
    """Energy flow of one kind: from the border through the network, with own generation and unmetered shares."""
    found = energy_flow(asked.reader.sources, asked.asking, wanted.period, kind)
    columns = Table(
        FlowLink,
        "from=source to=target kind energy=amount",
        ("unit", lambda _link: found.unit),
        "share_permille",
    )
    return reply.table(found, columns, found.links, f"energy-flow-{wanted.days}")
