"""计量点与网络图: the network of metering points with what is missing, and equipping rates."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.questions.words import Id, Offset
from api.web.environment import page
from api.web.tree import Branch, nested
from gateway.audit.equipping import NetworkPoint, network
from gateway.domain.errors import UnknownObjectError

router = APIRouter(include_in_schema=False)
PAGE_POINTS = 100


@router.get("/points")
def show(
    asked: AskedFor,
    kind: Id = "",
    state: Annotated[Literal["", "lacking", "equipped"], Query()] = "",
    below: Id = "",
    offset: Offset = 0,
) -> HTMLResponse:
    """The network as of the moment, of one energy kind, from one point downwards, or of one state; parents stay."""
    found = network(asked.reader.sources, asked.asking)
    return page(
        asked.view,
        "points.html",
        found=found,
        trees=_kept(nested(_below(found.points, below)), kind, state),
        kinds=sorted({each.point.energy_kind for each in found.points}),
        offset=offset,
        limit=PAGE_POINTS,
        filters={"kind": kind, "state": state, "below": below},
        csv=asked.view.here_at("/api/v1/points", format="csv"),
    )


def _below(points: Sequence[NetworkPoint], top: str) -> list[NetworkPoint]:
    """The points under one, itself first; all of them where none is named."""
    if not top:
        return list(points)
    found: list[NetworkPoint] = []
    for each in points:
        if each.point.id == top or (found and each.depth > found[0].depth):
            found.append(each)
        elif found:
            break
    if not found:
        raise UnknownObjectError("the ledger has no metering point %(id)s at that moment", id=top)
    return [replace(each, depth=each.depth - found[0].depth) for each in found]


def _kept(trees: list[Branch[NetworkPoint]], kind: str, state: str) -> list[Branch[NetworkPoint]]:
    """Branches that hold something wanted; what stands above it stays, so that it is seen where it hangs."""
    kept = []
    for each in trees:
        children = _kept(each.children, kind, state)
        point = each.row
        if children or ((not kind or point.point.energy_kind == kind) and (not state or point.equipping == state)):
            kept.append(Branch(point, children))
    return kept
