"""追溯影响: what failures and withdrawals put in question, how far totals, results and reports may be off, and what a
person decided about it."""

import re
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response

from api.asked import AskedFor
from api.commands.effects import MAX_NAME, Word, decided
from api.problems import UnreadableParameterError
from api.questions.words import Id
from api.web.environment import page
from api.web.format import digits
from api.writing import WritingFor
from gateway.audit.look_back import look_back
from gateway.audit.look_back_decision import MAX_REASON_CHARACTERS, Wish

router = APIRouter(include_in_schema=False)
_SEPARATORS = re.compile(r"[\s,;，；、#]+")


@router.get("/effects")
def show(asked: AskedFor, certificate: Id = "") -> HTMLResponse:
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
    result: Annotated[str, Form(max_length=MAX_NAME)] = "",
) -> Response:
    """A decision from the page's form."""
    named = [each for each in _SEPARATORS.split(entries) if each]
    if not all(each.isascii() and each.isdigit() and 0 < int(each) <= 2**62 for each in named):
        raise UnreadableParameterError("entries are numbers of journal entries, such as 4711")
    wish = Wish(verdict=verdict, decision=decision, reason=reason, entries=[int(each) for each in named], result=result)
    return decided(writing, wish)
