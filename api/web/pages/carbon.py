"""碳排放: totals by boundary, activity × factor a source, default exposure, budget, tiers, laboratory, results."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from api.asked import Asked, AskedFor
from api.commands.results import (
    MAX_REASON,
    NEXT_ACTS,
    Computation,
    ResultStep,
    computed,
    permission_of,
    stepped,
)
from api.problems import UnreadableParameterError
from api.questions.account import AccountFor, Line, ResultId
from api.web.account_words import AccountWords
from api.web.environment import page
from api.writing import WritingFor
from gateway.audit.budgets import budget_fact, default_line
from gateway.audit.results import ComparisonFact, ResultChangedError, compared, result_versions
from gateway.domain.errors import UnknownObjectError

router = APIRouter(include_in_schema=False)
Version = Annotated[int, Query(ge=0, le=1_000_000)]


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
    wanted: AccountFor,
    *,
    line: Line = "",
    result: ResultId = "",
    before: Version = 0,
    after: Version = 0,
) -> HTMLResponse:
    """The page."""
    sources, asking, period = asked.reader.sources, asked.asking, wanted.period
    versions = result_versions(sources, asking)
    comparison, problem = _comparison(asked, result, before, after)
    facts: dict[str, Any] = {
        "a": AccountWords(asked.view),
        "first": wanted.first,
        "last": wanted.last,
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
        made = wanted.account()
    except UnknownObjectError as error:
        return page(asked.view, "carbon.html", found=None, lacking=asked.view.t(error.message, **error.facts), **facts)
    chosen = line or default_line(made)
    known = made.lines.get(chosen)
    budget = budget_fact(made, chosen) if known is not None and known.quantity.estimate is not None else None
    found = wanted.carbon()
    names = {each.id: asked.view.named(each.name_zh, each.name_en, each.id) for each in found.boundaries}
    facts["a"] = AccountWords(asked.view, names, found.product_names)
    return page(asked.view, "carbon.html", found=found, budget=budget, line=chosen, lacking="", **facts)


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
def step(writing: WritingFor, wish: Annotated[ResultStep, Form()]) -> Response:
    """A step from the page's form."""
    return stepped(writing, wish, then="/carbon#results")
