"""差异研究: the stack's continuous monitoring against fuel-side accounting."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.questions.account import StackFor
from api.web.account_words import AccountWords
from api.web.environment import page
from api.web.view import View
from gateway.assembly.stack import shipped_facts
from gateway.audit.stack_comparison import pack_fact
from gateway.audit.stack_words import (
    TEXT_STATES,
    cause_text,
    judgement_text,
    kind_of_test_text,
    parameter_text,
    reason_text,
    relation_text,
    state_text,
)
from gateway.domain.errors import UnknownObjectError
from gateway.i18n import text

router = APIRouter(include_in_schema=False)
AGREEMENT_STYLE = {"agrees": "good", "differs": "bad", "undecided": "none"}


class ComparisonWords:
    """The comparison in the reader's words."""

    def __init__(self, view: View) -> None:
        self._language = view.language

    def judgement(self, agreement: str) -> str:
        """Within or beyond U."""
        return judgement_text(self._language, agreement)

    def style(self, agreement: str) -> str:
        """Its style."""
        return AGREEMENT_STYLE[str(agreement)]

    def relation(self, name: str) -> str:
        """A relation."""
        return relation_text(self._language, name)

    def cause(self, name: str) -> str:
        """A cause."""
        return cause_text(self._language, name)

    def state(self, state: str) -> str:
        """An hour's state."""
        return state_text(self._language, state)

    def reason(self, reason: str) -> str:
        """What was said against hours."""
        return reason_text(self._language, reason)

    def test(self, type_: str, parameter: str) -> str:
        """A test of a parameter."""
        return f"{kind_of_test_text(self._language, type_)} · {parameter_text(self._language, parameter)}"

    def known(self, state: str) -> str:
        """How far a pack's text is known."""
        return text(self._language, TEXT_STATES[state])


@router.get("/comparison")
def show(asked: AskedFor, wanted: StackFor) -> HTMLResponse:
    """The page; where no plan is on record it says what to do."""
    found, lacking = None, ""
    try:
        found = wanted.comparison()
    except UnknownObjectError as error:
        lacking = asked.view.t(error.message, **error.facts)
    days = found or wanted.account
    return page(
        asked.view,
        "comparison.html",
        found=found,
        lacking=lacking,
        first=days.first,
        last=days.last,
        step=wanted.step,
        packs=[pack_fact(each) for each in shipped_facts()],
        a=AccountWords(asked.view),
        w=ComparisonWords(asked.view),
        csv=asked.view.here_at("/api/v1/comparison", format="csv"),
    )
