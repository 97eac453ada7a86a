"""实时: the tree of points with their newest values; one point with every channel and its raw registers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.web.environment import page
from gateway.audit.findings import findings
from gateway.audit.live import LivePoint, live, live_detail

router = APIRouter(include_in_schema=False)


@dataclass(slots=True)
class Branch:
    """A point with what hangs under it, for the tree."""

    row: LivePoint
    children: list["Branch"] = field(default_factory=list)


def nested(rows: Sequence[LivePoint]) -> list[Branch]:
    """The tree from rows with depths, parents first."""
    roots: list[Branch] = []
    open_at: list[Branch] = []
    for row in rows:
        branch = Branch(row)
        del open_at[row.depth :]
        (open_at[-1].children if open_at else roots).append(branch)
        open_at.append(branch)
    return roots


@router.get("/live")
def show(asked: AskedFor, root: str = Query("", max_length=120)) -> HTMLResponse:
    """All points, or those under one."""
    tree = live(asked.reader.sources, asked.asking)
    rows = live(asked.reader.sources, asked.asking, root=root) if root else tree
    return page(
        asked.view,
        "live.html",
        nested=nested(tree),
        tree_size=len(tree),
        rows=rows,
        root=root,
        csv=asked.view.here_at("/api/v1/live", format="csv"),
    )


@router.get("/live/{point:path}")
def show_point(asked: AskedFor, point: str, raw: bool = False) -> HTMLResponse:  # a query flag
    """One point."""
    detail = live_detail(asked.reader.sources, asked.asking, point, raw=raw)
    listed = [each for each in findings(asked.reader.sources, asked.asking, point=point) if each.severity != "info"]
    return page(asked.view, "live_point.html", detail=detail, listed=listed[:10])
