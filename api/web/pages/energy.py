"""能耗统计: one point step by step and every point's total over civil days."""

from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.asked import Asked, AskedFor, shown_day
from api.problems import UnreadableParameterError
from api.web.account_words import AccountWords
from api.web.environment import page
from gateway.audit.accounts import settled_days
from gateway.audit.consumption import Consumption, consumption
from gateway.audit.energy_account import energy_account_or_none, product_activity
from gateway.audit.flow import Flow, energy_flow
from gateway.domain.time import Period

router = APIRouter(include_in_schema=False)
Step = Annotated[Literal["hour", "day", "month"], Query()]
DayText = Annotated[str, Query(max_length=10)]
Kind = Annotated[str, Query(max_length=60)]
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


def asked_flow(asked: Asked, found: Consumption, kind: str) -> Flow:
    """The energy flow of the days that the statistics cover."""
    return energy_flow(asked.reader.sources, asked.asking, span_of(asked, found), kind or "electricity")


def span_of(asked: Asked, found: Consumption) -> Period:
    """The days of the statistics as a span that ends with what is settled."""
    return settled_days(asked.reader.sources, asked.asking, found.first, found.last)


@router.get("/energy")
def show(
    asked: AskedFor,
    *,
    point: str = Query("", max_length=120),
    first: DayText = "",
    last: DayText = "",
    step: Step = "day",
    kind: Kind = "",
) -> HTMLResponse:
    """The page."""
    found = asked_consumption(asked, point, first, last, step)
    view, span = asked.view, span_of(asked, found)
    flow = asked_flow(asked, found, kind)
    account = energy_account_or_none(asked.reader.sources, asked.asking, span)
    activity = product_activity(asked.reader.sources, asked.asking, span) if account else []
    names = {node.id: view.named(node.name_zh, node.name_en, node.id) for node in flow.nodes}
    ends = {"from": view.iso(span.start_us), "to": view.iso(span.end_us)}
    days = {"first": found.first.isoformat(), "last": found.last.isoformat()}
    return page(
        view,
        "energy.html",
        found=found,
        step=step,
        csv=view.here_at("/api/v1/energy", format="csv"),
        flow=flow,
        flow_names=names,
        account=account,
        activity=activity,
        a=AccountWords(view, products=account.product_names if account else {}),
        trace=lambda name: view.link("/trace", **{"point": name, **ends}),
        export=lambda name, **query: view.link(f"/api/v1/account{name}", format="csv", **days, **query),
    )
