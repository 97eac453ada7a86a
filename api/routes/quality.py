"""``/api/v1/quality``: the queue of suspected events, and decisions about them."""

from fastapi import APIRouter
from fastapi.responses import Response

from api.answers import answered, described
from api.asked import AskedFor
from api.commands.decisions import Decision, decided
from api.writing import Recorded, WritingFor
from gateway.audit.suspected import Queue, queue

router = APIRouter(prefix="/api/v1")


@router.get("/quality/queue", **described("QueueAnswer", Queue, "What waits for a decision, and the newest decisions."))
def get_queue(asked: AskedFor) -> Response:
    """Suspected events that wait for a person, worst first; the newest decisions."""
    return answered(asked, queue(asked.reader.sources, asked.asking))


@router.post("/quality/decisions", response_model=None, status_code=201, responses={201: {"model": Recorded}})
def post_decision(writing: WritingFor, wish: Decision) -> Response:
    """Decide about a conflict (accept or keep) or a suspicion (confirm or dismiss), with a note."""
    return decided(writing, wish)
