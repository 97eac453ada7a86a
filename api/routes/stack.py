"""``/api/v1/comparison`` and ``/api/v1/watch``: stack against fuel, and the watch of meters in service."""

from typing import NamedTuple

from fastapi import APIRouter
from fastapi.responses import Response

from api.answers import ReplyFor, answered, described, tabled
from api.asked import AskedFor
from api.encoding import At
from api.questions.account import StackFor
from api.questions.evidence import WatchFor
from api.tables import Table
from gateway.assembly.stack import shipped_facts
from gateway.audit.plant import plant
from gateway.audit.stack_comparison import PackFact, StackComparison, comparison_table, pack_fact
from gateway.audit.watch import WatchedNodeView, WatchedPoint
from gateway.audit.watch_identity import PointIdentities, point_identities
from gateway.metrology.watch_identity import IdentityResidual

router = APIRouter(prefix="/api/v1")


class _Watched(NamedTuple):
    node: WatchedNodeView
    meter: WatchedPoint


class _Identity(NamedTuple):
    of: PointIdentities
    one: IdentityResidual


def _percent(share: float | None, decimals: int) -> str:
    return "" if share is None else f"{100 * share:.{decimals}f}"


def _reasons(row: _Watched) -> str:
    return "; ".join([*row.node.reasons, *(row.node.gate.reasons if row.node.gate else ())])


WATCH = Table(
    _Watched,
    "node=node.point.id point=meter.point.id instrument=meter.instrument from=node.used_from_us to=node.to_us",
    "hours=node.hours",
    ("gate_open", lambda row: row.node.gate is not None and row.node.gate.open),
    ("error_percent", lambda row: row.meter.estimate and _percent(row.meter.estimate.error, 4)),
    ("u_percent", lambda row: row.meter.estimate and _percent(row.meter.estimate.u, 4)),
    "gain=meter.estimate.gain:.3f",
    ("limit_percent", lambda row: row.meter.estimate and _percent(row.meter.estimate.limit, 3)),
    "p_beyond=meter.estimate.p:.4f state=meter.estimate.state",
    ("reasons", _reasons),
)
IDENTITIES = Table(
    _Identity,
    "point=of.point.id device=of.device identity=one.identity readings=one.count",
    ("mean_percent", lambda row: _percent(row.one.mean, 4)),
    ("lower_percent", lambda row: _percent(row.one.lower, 4)),
    ("upper_percent", lambda row: _percent(row.one.upper, 4)),
    "agreement=one.agreement",
)


@router.get("/comparison", **tabled("StackComparisonAnswer", StackComparison, "Stack against fuel."))
def get_comparison(reply: ReplyFor, wanted: StackFor) -> Response:
    """Both sides step by step, the difference against U of the difference, and the causes its relations speak for."""
    found = wanted.comparison()
    if not reply.is_table:
        return reply.found(found)
    columns, rows = comparison_table(found)
    timed = ([*(At(each) if isinstance(each, int) else each for each in row[:2]), *row[2:]] for row in rows)
    return reply.exported(["from", "to", *columns[2:]], timed, f"comparison-{found.first}-{found.last}")


@router.get("/comparison/packs", **described("PacksAnswer", list[PackFact], "The rule packs that ship."))
def get_packs(asked: AskedFor) -> Response:
    """The rule packs of stack monitoring: whose law, whether a Chinese rule, how far their text is known."""
    return answered(asked, [pack_fact(each) for each in shipped_facts()])


@router.get("/watch", **tabled("WatchAnswer", list[WatchedNodeView], "The watch of meters in service."))
def get_watch(reply: ReplyFor, wanted: WatchFor) -> Response:
    """Every node with its gate and its meters' estimated errors; a reason to check a meter, never a verdict."""
    found = wanted.nodes(wanted.plant())
    rows = (_Watched(node, meter) for node in found for meter in node.children)
    return reply.table(found, WATCH, rows, "watch")


@router.get(
    "/watch/identities",
    **tabled("IdentitiesAnswer", list[PointIdentities], "Channels of one meter against one another."),
)
def get_identities(asked: AskedFor, reply: ReplyFor) -> Response:
    """What must hold among the channels of each meter: how many readings, their mean difference, its limits."""
    sources, asking = asked.reader.sources, asked.asking
    found = point_identities(sources, asking, plant(sources, asking))
    rows = (_Identity(each, one) for each in found for one in each.residuals)
    return reply.table(found, IDENTITIES, rows, "identities")
