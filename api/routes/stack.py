"""``/api/v1/comparison`` and ``/api/v1/watch``: stack against fuel, and the watch of meters in service."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.asked import AskedFor
from api.encoding import At
from api.problems import RESPONSES
from api.routes.v1 import Answer, Format, answered, described, exported, wants_csv
from api.web.pages.comparison import CompareStep, Stack, asked_comparison
from api.web.pages.energy import DayText
from api.web.pages.watch import Days, Node, asked_watch
from gateway.assembly.stack import shipped_facts
from gateway.audit.plant import plant
from gateway.audit.stack_comparison import PackFact, StackComparison, comparison_table, pack_fact
from gateway.audit.watch import WINDOW_DAYS, WatchedNodeView
from gateway.audit.watch_identity import PointIdentities, point_identities

router = APIRouter(prefix="/api/v1", responses=RESPONSES)


class ComparisonAnswer(Answer):
    """Stack against fuel."""

    result: StackComparison


class PacksAnswer(Answer):
    """The rule packs that ship."""

    result: list[PackFact]


class WatchAnswer(Answer):
    """The watch of meters in service."""

    result: list[WatchedNodeView]


class IdentitiesAnswer(Answer):
    """Channels of one meter against one another."""

    result: list[PointIdentities]


@router.get("/comparison", **described(ComparisonAnswer))
def get_comparison(
    request: Request,
    asked: AskedFor,
    *,
    stack: Stack = "",
    first: DayText = "",
    last: DayText = "",
    step: CompareStep = "month",
    format: Format = None,  # noqa: A002  # the address's word
) -> Response:
    """Both sides step by step, the difference against U of the difference, and the causes its relations speak for."""
    found = asked_comparison(asked, stack, first, last, step)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns, table = comparison_table(found)
    rows: list[Sequence[object]] = [[At(_us(row[0])), At(_us(row[1])), *row[2:]] for row in table]
    return exported(asked, ["from", "to", *columns[2:]], rows, f"comparison-{found.first}-{found.last}")


def _us(cell: object) -> int | None:
    return cell if isinstance(cell, int) else None


@router.get("/comparison/packs", **described(PacksAnswer))
def get_packs(asked: AskedFor) -> Response:
    """The rule packs of stack monitoring: whose law, whether a Chinese rule, how far their text is known."""
    return answered(asked, [pack_fact(each) for each in shipped_facts()])


@router.get("/watch", **described(WatchAnswer))
def get_watch(
    request: Request,
    asked: AskedFor,
    *,
    node: Node = "",
    days: Days = WINDOW_DAYS,
    format: Format = None,  # noqa: A002  # the address's word
) -> Response:
    """Every node with its gate and its meters' estimated errors; a reason to check a meter, never a verdict."""
    found = asked_watch(asked, node, days)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["node", "point", "instrument", "from", "to", "hours", "gate_open", "error_percent", "u_percent", "gain"]
    columns += ["limit_percent", "p_beyond", "state", "reasons"]
    rows: list[Sequence[object]] = []
    for view in found:
        opened = view.gate is not None and view.gate.open
        reasons = "; ".join([*view.reasons, *(view.gate.reasons if view.gate else ())])
        for child in view.children:
            each = child.estimate
            numbers = ("", "", "", "", "", "")
            if each is not None:
                numbers = (
                    f"{100 * each.error:.4f}",
                    f"{100 * each.u:.4f}",
                    f"{each.gain:.3f}",
                    f"{100 * each.limit:.3f}",
                    f"{each.p:.4f}",
                    str(each.state),
                )
            place = (view.point.id, child.point.id, child.instrument, At(view.used_from_us), At(view.to_us), view.hours)
            rows.append([*place, int(opened), *numbers, reasons])
    return exported(asked, columns, rows, "watch")


@router.get("/watch/identities", **described(IdentitiesAnswer))
def get_identities(request: Request, asked: AskedFor, *, format: Format = None) -> Response:  # noqa: A002
    """What must hold among the channels of each meter: how many readings, their mean difference, its limits."""
    sources, asking = asked.reader.sources, asked.asking
    found = point_identities(sources, asking, plant(sources, asking))
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["point", "device", "identity", "readings", "mean_percent", "lower_percent", "upper_percent", "agreement"]
    rows: list[Sequence[object]] = [
        [
            *(
                each.point.id,
                each.device,
                str(one.identity),
                one.count,
                "" if one.mean is None else f"{100 * one.mean:.4f}",
            ),
            *(f"{100 * one.lower:.4f}", f"{100 * one.upper:.4f}", str(one.agreement)),
        ]
        for each in found
        for one in each.residuals
    ]
    return exported(asked, columns, rows, "identities")
