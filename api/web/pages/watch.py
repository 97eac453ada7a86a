"""失准监视: what the balances of the nodes say of the meters in service, and the form that orders a check."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.asked import Asked, AskedFor
from api.web.environment import page
from api.web.view import View
from gateway.audit.plant import plant
from gateway.audit.replacements import replacements
from gateway.audit.watch import MAX_WINDOW_DAYS, WINDOW_DAYS, WatchedNodeView, WatchedPoint, node_points, watched_nodes
from gateway.audit.watch_identity import point_identities
from gateway.audit.watch_words import evidence_of, reason_text, state_text
from gateway.domain.errors import UnknownObjectError

router = APIRouter(include_in_schema=False)
Node = Annotated[str, Query(max_length=120)]
Days = Annotated[int, Query(ge=7, le=MAX_WINDOW_DAYS)]
SHOWN = 12
"""Nodes estimated for one page; a plant with more of them is asked node by node."""
STATE_STYLE = {"suspect": "bad", "clear": "good", "undetermined": "warn", "not_observable": "none"}


def asked_watch(asked: Asked, node: str, days: int) -> list[WatchedNodeView]:
    """The watch of an address; UnknownObjectError for a node that is no metering point."""
    sources, asking = asked.reader.sources, asked.asking
    there = plant(sources, asking)
    if node and node not in there.points:
        raise UnknownObjectError("the ledger has no metering point %(id)s at that moment", id=node)
    return watched_nodes(sources, asking, days=days, node=node, most=SHOWN, there=there)


class WatchWords:
    """The watch in the reader's words."""

    def __init__(self, view: View) -> None:
        self._language = view.language

    def state(self, state: str) -> str:
        """A meter's state."""
        return state_text(self._language, state)

    def style(self, state: str) -> str:
        """Its style."""
        return STATE_STYLE[str(state)]

    def reason(self, reason: str) -> str:
        """Why a node is not judged, or which identity."""
        return reason_text(self._language, reason)

    def evidence(self, node: WatchedNodeView, child: WatchedPoint) -> str:
        """What a check order about a meter carries, a line each."""
        return "\n".join(evidence_of(node, child, self._language))


@router.get("/watch")
def show(asked: AskedFor, *, node: Node = "", days: Days = WINDOW_DAYS) -> HTMLResponse:
    """The page."""
    sources, asking = asked.reader.sources, asked.asking
    there = plant(sources, asking)
    orders = {each.instrument: each.id for each in replacements(sources, asking, only_open=True)}
    return page(
        asked.view,
        "watch.html",
        found=asked_watch(asked, node, days),
        identities=[] if node else point_identities(sources, asking, there),
        nodes=node_points(there),
        node=node,
        days=days,
        shown=SHOWN,
        orders=orders,
        w=WatchWords(asked.view),
        csv=asked.view.here_at("/api/v1/watch", format="csv"),
        identities_csv=asked.view.here_at("/api/v1/watch/identities", format="csv"),
    )
