"""能耗统计: one point step by step and every point's total over civil days."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.questions.energy import EnergyFor, Kind
from api.web.account_words import AccountWords
from api.web.environment import page
from gateway.audit.energy_account import energy_account_or_none
from gateway.audit.product_activity import product_activity

router = APIRouter(include_in_schema=False)


@router.get("/energy")
def show(asked: AskedFor, wanted: EnergyFor, kind: Kind = "") -> HTMLResponse:
    """The page."""
    found = wanted.statistics()
    view, span = asked.view, wanted.span()
    flow = wanted.flow(kind)
    account = energy_account_or_none(asked.reader.sources, asked.asking, span)
    activity = product_activity(asked.reader.sources, asked.asking, span) if account else []
    names = {node.id: view.named(node.name_zh, node.name_en, node.id) for node in flow.nodes}
    ends = {"from": view.iso(span.start_us), "to": view.iso(span.end_us)}
    days = {"first": found.first.isoformat(), "last": found.last.isoformat()}
    return page(
        view,
        "energy.html",
        found=found,
        step=wanted.step,
        csv=view.here_at("/api/v1/energy", format="csv"),
        flow=flow,
        flow_names=names,
        account=account,
        activity=activity,
        a=AccountWords(view, products=account.product_names if account else {}),
        trace=lambda name: view.link("/trace", **{"point": name, **ends}),
        export=lambda name, **query: view.link(f"/api/v1/account{name}", format="csv", **days, **query),
    )
