"""数据质量: completeness by point and day, how slots ended, and the suspected events that wait for a decision."""

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import Field

from api.asked import AskedFor
from api.commands.decisions import Decision, decided
from api.problems import UnreadableParameterError
from api.questions.words import Offset
from api.web.environment import page
from api.writing import WritingFor
from gateway.audit.completeness import MAX_DAYS, completeness
from gateway.audit.suspected import MAX_NOTE_CHARACTERS, queue

router = APIRouter(include_in_schema=False)
DEFAULT_DAYS = 31
PAGE_POINTS = 60


class DecisionForm(Decision):
    """A decision as a form sends it: without a note, which may be said to be missing."""

    note: str = Field("", max_length=MAX_NOTE_CHARACTERS)


@router.get("/quality")
def show(
    asked: AskedFor,
    days: int = Query(DEFAULT_DAYS, ge=1, le=MAX_DAYS),
    offset: Offset = 0,
) -> HTMLResponse:
    """The queue, a page of the heat map, and the tables."""
    found = completeness(asked.reader.sources, asked.asking, days=days)
    return page(
        asked.view,
        "quality.html",
        found=found,
        queue=queue(asked.reader.sources, asked.asking),
        days=days,
        offset=offset,
        limit=PAGE_POINTS,
        csv=asked.view.here_at("/api/v1/completeness", format="csv"),
    )


@router.post("/quality/decide")
def decide(writing: WritingFor, wish: Annotated[DecisionForm, Form()]) -> Response:
    """A decision from the queue."""
    note = wish.note.strip()
    if not note:
        raise UnreadableParameterError("a decision needs a note that says why")
    return decided(writing, wish.model_copy(update={"note": note}))
