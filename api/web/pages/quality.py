"""数据质量: completeness by point and day, how slots ended, and the suspected events that wait for a decision."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from api.asked import AskedFor
from api.problems import UnreadableParameterError
from api.web.environment import page
from api.writing import Writing, WritingFor
from gateway.audit.completeness import MAX_DAYS, completeness
from gateway.audit.suspected import CONFLICT, MAX_NOTE_CHARACTERS, judging_draft, queue
from gateway.domain.errors import UnknownObjectError
from gateway.projection.conflicts import decision_drafts

router = APIRouter(include_in_schema=False)
DEFAULT_DAYS = 31
PAGE_POINTS = 60
Verb = Literal["accept", "keep", "confirm", "dismiss"]


class Decision(BaseModel):
    """A decision about a conflict (``entry``; accept, keep) or a suspicion (the rest; confirm, dismiss)."""

    decision: Verb
    note: str = Field(min_length=1, max_length=MAX_NOTE_CHARACTERS)
    entry: int = Field(0, ge=0, le=2**62)
    rule: str = Field("", max_length=120)
    device: str = Field("", max_length=120)
    channel: str = Field("", max_length=120)


@router.get("/quality")
def show(
    asked: AskedFor,
    days: int = Query(DEFAULT_DAYS, ge=1, le=MAX_DAYS),
    offset: int = Query(0, ge=0, le=1_000_000),
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
def decide(
    writing: WritingFor,
    *,
    decision: Annotated[Verb, Form()],
    note: Annotated[str, Form(max_length=MAX_NOTE_CHARACTERS)] = "",
    entry: Annotated[int, Form(ge=0, le=2**62)] = 0,
    rule: Annotated[str, Form(max_length=120)] = "",
    device: Annotated[str, Form(max_length=120)] = "",
    channel: Annotated[str, Form(max_length=120)] = "",
) -> Response:
    """A decision from the queue."""
    if not note.strip():
        raise UnreadableParameterError("a decision needs a note that says why")
    facts = {"decision": decision, "note": note.strip(), "entry": entry}
    return decided(writing, Decision(**facts, rule=rule, device=device, channel=channel))


def decided(writing: Writing, wish: Decision) -> Response:
    """Put a decision on record."""
    sources, asking = writing.asked.reader.sources, writing.asked.asking
    if wish.decision in {"confirm", "dismiss"}:
        draft = judging_draft(
            sources,
            asking,
            rule=wish.rule,
            device=wish.device,
            channel=wish.channel,
            confirmed=wish.decision == "confirm",
            note=wish.note,
            actor=writing.actor,
            at_us=writing.at_us,
            circumstances=writing.circumstances(),
        )
        return writing.done([draft], then="/quality#queue")
    for verdict in sources.registry.verdicts(writing.organisation, rule=CONFLICT):
        if verdict.seq == wish.entry:
            drafts = decision_drafts(
                verdict,
                accept=wish.decision == "accept",
                at_us=writing.at_us,
                actor=writing.actor,
                reason=wish.note,
                circumstances=writing.circumstances(),
            )
            return writing.done(drafts, then="/quality#queue")
    raise UnknownObjectError("entry %(seq)s is no open conflict", seq=str(wish.entry))
