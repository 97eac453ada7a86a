"""Decisions about what a failure or a withdrawal put in question."""

from dataclasses import replace
from typing import Annotated, Literal

from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.writing import Writing
from gateway.audit.look_back_decision import MAX_ENTRIES, MAX_REASON_CHARACTERS, Wish, decision_draft

Word = Literal["accepted", "corrected", "restated"]
EntrySeq = Annotated[int, Field(ge=1, le=2**62)]
MAX_NAME = 120


class EffectDecision(BaseModel):
    """A decision about the span in question that the verdict with this entry opened: ``accepted``; ``corrected`` with
    the ``entries`` that say what was done; ``restated`` with the ``result`` that restates (``2026-03/2``)."""

    verdict: EntrySeq
    decision: Word
    reason: str = Field(min_length=1, max_length=MAX_REASON_CHARACTERS)
    entries: list[EntrySeq] = Field(default_factory=list, max_length=MAX_ENTRIES)
    result: str = Field("", max_length=MAX_NAME)


def decided(writing: Writing, wish: Wish) -> Response:
    """Put a decision on record. It rests on what is known now, whatever moment the address asks for."""
    at_us = writing.at_us
    draft = decision_draft(
        writing.asked.reader.sources,
        replace(writing.asked.asking, as_of_us=at_us, known_seq=None),
        wish,
        actor=writing.actor,
        at_us=at_us,
        circumstances=writing.circumstances(),
    )
    return writing.done([draft], then=f"/effects#span-{wish.verdict}")
