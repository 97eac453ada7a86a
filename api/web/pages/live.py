"""实时: the tree of points with their newest values; one point with every channel and its raw registers."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.questions.words import Id
from api.web.environment import page
from api.web.tree import nested
from gateway.audit.findings import findings
from gateway.audit.live import live, live_detail

router = APIRouter(include_in_schema=False)


@router.get("/live")
def show(asked: AskedFor, root: Id = "") -> HTMLResponse:
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
