"""失准监视: what the balances of the nodes say of the meters in service, and the form that orders a check."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.questions.evidence import SHOWN_NODES, WatchFor
from api.web.environment import page
from api.web.view import View
from gateway.audit.replacements import replacements
from gateway.audit.watch import WatchedNodeView, WatchedPoint, node_points
from gateway.audit.watch_identity import point_identities
from gateway.audit.watch_words import evidence_of, reason_text, state_text

router = APIRouter(include_in_schema=False)
STATE_STYLE = {"suspect": "bad", "clear": "good", "undetermined": "warn", "not_observable": "none"}


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
def show(asked: AskedFor, wanted: WatchFor) -> HTMLResponse:
    """The page."""
    sources, asking = asked.reader.sources, asked.asking
    there = wanted.plant()
    orders = {each.instrument: each.id for each in replacements(sources, asking, only_open=True)}
    return page(
        asked.view,
        "watch.html",
        found=wanted.nodes(there),
        identities=[] if wanted.node else point_identities(sources, asking, there),
        nodes=node_points(there),
        node=wanted.node,
        days=wanted.days,
        shown=SHOWN_NODES,
        orders=orders,
        w=WatchWords(asked.view),
        csv=asked.view.here_at("/api/v1/watch", format="csv"),
        identities_csv=asked.view.here_at("/api/v1/watch/identities", format="csv"),
    )
