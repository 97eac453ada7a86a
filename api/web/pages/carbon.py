"""碳排放: totals by boundary, activity × factor a source, default exposure, budget, tiers, laboratory, results."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field, ValidationError

from api.asked import Asked, AskedFor
from api.people.roles import allowed
from api.problems import DeniedError, UnreadableParameterError
from api.web.account_words import AccountWords
from api.web.environment import page
from api.web.pages.energy import DayText, civil_day
from api.writing import Writing, WritingFor
from gateway.accounting.account import account
from gateway.accounting.results import result, result_draft, step_draft
from gateway.audit.accounts import account_of, inputs_of, settled_days, whole_days, year_to_date
from gateway.audit.budgets import BudgetFact, budget_fact, default_line
from gateway.audit.carbon import CarbonAccount, carbon_account
from gateway.audit.results import ComparisonFact, ResultChangedError, compared, result_versions
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import Period

router = APIRouter(include_in_schema=False)
Line = Annotated[str, Query(max_length=200)]
ResultId = Annotated[str, Query(max_length=120)]
MAX_REASON = 500
Action = Literal["submitted", "verified", "frozen", "returned"]
NEXT_ACTS: dict[str, tuple[Action, ...]] = {
    "draft": ("submitted",),
    "submitted": ("verified", "returned"),
    "verified": ("frozen", "returned"),
    "frozen": (),
}
"""What may follow from a state."""


def permission_of(state: str, action: str) -> str:
    """Whose a step is: the plant submits and freezes, a reviewer verifies; what stands verified, only a reviewer
    sends back.
    """
    if action == "verified" or (action == "returned" and state == "verified"):
        return "account.verify"
    return "account.step" if action == "returned" else "account.write"


Version = Annotated[int, Query(ge=0, le=1_000_000)]


def asked_period(asked: Asked, first: str, last: str) -> tuple[date, date, Period]:
    """The civil days of an address, this year's settled ones that are over where nothing is said."""
    since, until = year_to_date(asked.reader.sources, asked.asking) if not (first and last) else (None, None)
    to = civil_day("last", last, until or asked.asking.today)
    begin = civil_day("first", first, min(since, to) if since else to)
    to = min(to, asked.asking.today)
    begin = min(begin, to)
    return begin, to, settled_days(asked.reader.sources, asked.asking, begin, to)


def asked_carbon(asked: Asked, first: str, last: str) -> CarbonAccount:
    """The account of an address; UnknownObjectError where no plan is on record for it."""
    _first, _last, period = asked_period(asked, first, last)
    return carbon_account(asked.reader.sources, asked.asking, period)


def asked_budget(asked: Asked, first: str, last: str, line: str, draws: int = 0) -> BudgetFact:
    """The budget of a line of that account."""
    _first, _last, period = asked_period(asked, first, last)
    return budget_fact(account_of(asked.reader.sources, asked.asking, period), line, draws=draws)


def _comparison(asked: Asked, id_: str, first: int, second: int) -> tuple[ComparisonFact | None, str]:
    if not id_ or not first or not second:
        return None, ""
    try:
        return compared(asked.reader.sources, asked.asking, id_, first, second), ""
    except ResultChangedError as error:
        return None, asked.view.t(error.message, **error.facts)


@router.get("/carbon")
def show(
    asked: AskedFor,
    *,
    first: DayText = "",
    last: DayText = "",
    line: Line = "",
    result: ResultId = "",
    before: Version = 0,
    after: Version = 0,
) -> HTMLResponse:
    """The page."""
    begin, to, period = asked_period(asked, first, last)
    sources, asking = asked.reader.sources, asked.asking
    versions = result_versions(sources, asking)
    comparison, problem = _comparison(asked, result, before, after)
    facts: dict[str, Any] = {
        "a": AccountWords(asked.view),
        "first": begin,
        "last": to,
        "versions": versions,
        "next_acts": lambda state: [each for each in NEXT_ACTS[state] if asked.view.may(permission_of(state, each))],
        "comparison": comparison,
        "problem": problem,
        "trace": lambda point: asked.view.link(
            "/trace",
            **{"point": point, "from": asked.view.iso(period.start_us), "to": asked.view.iso(period.end_us)},
        ),
        "export": lambda name, **query: asked.view.here_at(f"/api/v1/account{name}", format="csv", **query),
    }
    try:
        made = account_of(sources, asking, period)
    except UnknownObjectError as error:
        return page(asked.view, "carbon.html", found=None, lacking=asked.view.t(error.message, **error.facts), **facts)
    wanted = line or default_line(made)
    known = made.lines.get(wanted)
    budget = budget_fact(made, wanted) if known is not None and known.quantity.estimate is not None else None
    found = carbon_account(sources, asking, period)
    names = {each.id: asked.view.named(each.name_zh, each.name_en, each.id) for each in found.boundaries}
    facts["a"] = AccountWords(asked.view, names, found.product_names)
    return page(asked.view, "carbon.html", found=found, budget=budget, line=wanted, lacking="", **facts)


class Computation(BaseModel):
    """A wish for a version of a result over civil days, both included."""

    result: str = Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    first: date
    last: date
    reason: str = Field("", max_length=MAX_REASON)


class ResultStep(BaseModel):
    """A step of a result's version."""

    result: str = Field(min_length=1, max_length=60)
    version: int = Field(ge=1, le=1_000_000)
    action: Action
    reason: str = Field("", max_length=MAX_REASON)


def computed(writing: Writing, wish: Computation, *, then: str) -> Response:
    """Compute and put a version on record, as known up to what is projected now."""
    sources, asking = writing.asked.reader.sources, writing.asked.asking
    if wish.last > asking.today or wish.first > wish.last:
        raise UnreadableParameterError("the days are not over yet, or run backwards")
    known = sources.registry.applied_seq()
    made = account(inputs_of(sources, asking, whole_days(asking, wish.first, wish.last), known))
    versions = [each.version for each in result_versions(sources, asking) if each.id == wish.result]
    draft = result_draft(
        made,
        wish.result,
        max(versions, default=0) + 1,
        known_seq=known,
        at_us=writing.at_us,
        actor=writing.actor,
        reason=wish.reason,
    )
    return writing.done([draft], then=then)


def stepped(writing: Writing, wish: ResultStep, *, then: str) -> Response:
    """Move a version on, or send it back; ResultStateError when that does not follow from its state, DeniedError when
    the step is another role's.
    """
    found = result(writing.asked.reader.sources.registry, writing.organisation, wish.result, wish.version)
    if not allowed(writing.person.roles, permission_of(found.state, wish.action)):
        raise DeniedError("Your roles do not include this page or act; ask your administrator.")
    draft = step_draft(
        found, writing.organisation, wish.action, at_us=writing.at_us, actor=writing.actor, reason=wish.reason
    )
    return writing.done([draft], then=then)


def _told(error: ValidationError) -> UnreadableParameterError:
    names = sorted({str(part) for each in error.errors() for part in each["loc"]})
    return UnreadableParameterError("this cannot be used: %(names)s", names=", ".join(names))


@router.post("/carbon/results")
def compute(
    writing: WritingFor,
    *,
    name: Annotated[str, Form(max_length=60, alias="result")] = "",
    first: Annotated[str, Form(max_length=10)] = "",
    last: Annotated[str, Form(max_length=10)] = "",
    reason: Annotated[str, Form(max_length=MAX_REASON)] = "",
) -> Response:
    """A version from the page's form."""
    try:
        wish = Computation.model_validate({"result": name, "first": first, "last": last, "reason": reason})
    except ValidationError as error:
        raise _told(error) from error
    return computed(writing, wish, then=f"/carbon?first={wish.first}&last={wish.last}#results")


@router.post("/carbon/results/step")
def step(
    writing: WritingFor,
    *,
    name: Annotated[str, Form(max_length=60, alias="result")] = "",
    version: Annotated[int, Form(ge=1, le=1_000_000)],
    action: Annotated[Action, Form()],
    reason: Annotated[str, Form(max_length=MAX_REASON)] = "",
) -> Response:
    """A step from the page's form."""
    wish = ResultStep(result=name, version=version, action=action, reason=reason)
    return stepped(writing, wish, then="/carbon#results")
