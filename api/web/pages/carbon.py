"""碳排放: totals by boundary, activity × factor a source, default exposure, budget, tiers, laboratory, results."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.asked import Asked, AskedFor
from api.web.account_words import AccountWords
from api.web.environment import page
from api.web.pages.energy import DayText, civil_day
from gateway.audit.accounts import account_of, whole_days, year_to_date
from gateway.audit.budgets import BudgetFact, budget_fact, default_line
from gateway.audit.carbon import CarbonAccount, carbon_account
from gateway.audit.results import ComparisonFact, ResultChangedError, compared, result_versions
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import Period

router = APIRouter(include_in_schema=False)
Line = Annotated[str, Query(max_length=200)]
ResultId = Annotated[str, Query(max_length=120)]
Version = Annotated[int, Query(ge=0, le=1_000_000)]


def asked_period(asked: Asked, first: str, last: str) -> tuple[date, date, Period]:
    """The civil days of an address, this year's settled ones that are over where nothing is said."""
    since, until = year_to_date(asked.reader.sources, asked.asking) if not (first and last) else (None, None)
    to = civil_day("last", last, until or asked.asking.today)
    begin = civil_day("first", first, min(since, to) if since else to)
    to = min(to, asked.asking.today)
    begin = min(begin, to)
    return begin, to, whole_days(asked.asking, begin, to)


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
