"""计量点与网络图: the network of metering points with what is missing, and equipping rates."""

from dataclasses import dataclass, field

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.web.environment import page
from gateway.audit.equipping import NetworkPoint, network

router = APIRouter(include_in_schema=False)


@dataclass(slots=True)
class Node:
    """A point with what hangs under it."""

    row: NetworkPoint
    children: list["Node"] = field(default_factory=list)


def grown(rows: list[NetworkPoint]) -> list[Node]:
    """The tree from rows with depths, parents first."""
    roots: list[Node] = []
    open_at: list[Node] = []
    for row in rows:
        node = Node(row)
        del open_at[row.depth :]
        (open_at[-1].children if open_at else roots).append(node)
        open_at.append(node)
    return roots


@router.get("/points")
def show(asked: AskedFor) -> HTMLResponse:
    """The network as of the moment."""
    found = network(asked.reader.sources, asked.asking)
    return page(
        asked.view,
        "points.html",
        found=found,
        trees=grown(list(found.points)),
        csv=asked.view.here_at("/api/v1/points", format="csv"),
    )
