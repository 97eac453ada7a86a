"""``/api/v1/effects/decisions``: what a person decided about readings in question."""

from fastapi import APIRouter
from fastapi.responses import Response

from api.problems import RESPONSES
from api.web.pages.effects import EffectDecision, decided
from api.writing import Recorded, WritingFor
from gateway.audit.look_back_decision import Wish

router = APIRouter(prefix="/api/v1", responses=RESPONSES)


@router.post("/effects/decisions", response_model=None, status_code=201, responses={201: {"model": Recorded}})
def post_decision(writing: WritingFor, wish: EffectDecision) -> Response:
    """Accept what a failure or a withdrawal put in question, or say what corrected or restated it; no figure changes by
    it, and a later decision stands in for an earlier one."""
    return decided(writing, Wish(**wish.model_dump()))
