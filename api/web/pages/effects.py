"""追溯影响: what failures and withdrawals put in question, how far totals, results and reports may be off, and what a
person decided about it."""

import re
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from api.asked import AskedFor
from api.problems import UnreadableParameterError
from api.web.environment import page
from api.web.format import digits
from api.writing import Writing, WritingFor
from gateway.audit.look_back import look_back
from gateway.audit.look_back_decision import MAX_ENTRIES, MAX_REASON_CHARACTERS, Wish, decision_draft

router = APIRouter(include_in_schema=False)
Word = Literal["accepted", "corrected", "restated"]
EntrySeq = Annotated[int, Field(ge=1, le=2**62)]
_SEPARATORS = re.compile(r"[\s,;，；、#]+")
_MAX_NAME = 120


class EffectDecision(BaseModel):
    """A decision about the span in question that the verdict with this entry opened: ``accepted``; ``corrected`` with
    the ``entries`` that say what was done; ``restated`` with the ``result`` that restates (``2026-03/2``)."""

    verdict: EntrySeq
    decision: Word
    reason: str = Field(min_length=1, max_length=MAX_REASON_CHARACTERS)
    entries: list[EntrySeq] = Field(default_factory=list, max_length=MAX_ENTRIES)
    result: str = Field("", max_length=_MAX_NAME)


@router.get("/effects")
def show(asked: AskedFor, certificate: str = Query("", max_length=120)) -> HTMLResponse:
    """Everything in question, or what one certificate put in question."""
    return page(
        asked.view,
        "effects.html",
        found=look_back(asked.reader.sources, asked.asking, certificate),
        certificate=certificate,
        digits=digits,
        csv=asked.view.here_at("/api/v1/effects", format="csv"),
    )


@router.post("/effects/decide")
def decide(
    writing: WritingFor,
    *,
    verdict: Annotated[int, Form(ge=1, le=2**62)],
    decision: Annotated[Word, Form()],
    reason: Annotated[str, Form(max_length=MAX_REASON_CHARACTERS)] = "",
    entries: Annotated[str, Form(max_length=1_000)] = "",
    result: Annotated[str, Form(max_length=_MAX_NAME)] = "",
) -> Response:
    """A decision from the page's form."""
    named = [each for each in _SEPARATORS.split(entries) if each]
    if not all(each.isascii() and each.isdigit() and 0 < int(each) <= 2**62 for each in named):
        raise UnreadableParameterError("entries are numbers of journal entries, such as 4711")
    wish = Wish(verdict=verdict, decision=decision, reason=reason, entries=[int(each) for each in named], result=result)
    return decided(writing, wish)


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
