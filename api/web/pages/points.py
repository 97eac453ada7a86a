"""计量点与网络图: the network of metering points with what is missing, and equipping rates."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.web.environment import page
from api.web.tree import nested
from gateway.audit.equipping import network

router = APIRouter(include_in_schema=False)


@router.get("/points")
def show(asked: AskedFor) -> HTMLResponse:
    """The network as of the moment."""
    found = network(asked.reader.sources, asked.asking)
    return page(
        asked.view,
        "points.html",
        found=found,
        trees=nested(list(found.points)),
        csv=asked.view.here_at("/api/v1/points", format="csv"),
    )
