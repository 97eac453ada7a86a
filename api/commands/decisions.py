"""Decisions about suspected events."""

from typing import Literal

from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.writing import Writing
from gateway.audit.suspected import CONFLICT, MAX_NOTE_CHARACTERS, judging_draft
from gateway.domain.errors import UnknownObjectError
from gateway.projection.conflicts import decision_drafts

Verb = Literal["accept", "keep", "confirm", "dismiss"]


class Decision(BaseModel):
    """A decision about a conflict (``entry``; accept, keep) or a suspicion (the rest; confirm, dismiss)."""

    decision: Verb
    note: str = Field(min_length=1, max_length=MAX_NOTE_CHARACTERS)
    entry: int = Field(0, ge=0, le=2**62)
    rule: str = Field("", max_length=120)
    device: str = Field("", max_length=120)
    channel: str = Field("", max_length=120)


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
