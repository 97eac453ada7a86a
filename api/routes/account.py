"""``/api/v1/account``: carbon and energy accounts, budgets, results and their comparison, as JSON and CSV."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from api.asked import Asked, AskedFor
from api.encoding import At
from api.problems import RESPONSES
from api.routes.v1 import Answer, Format, answered, described, exported, wants_csv
from api.web.pages.carbon import (
    Computation,
    Line,
    ResultId,
    ResultStep,
    asked_budget,
    asked_carbon,
    asked_period,
    computed,
    stepped,
)
from api.web.pages.energy import DayText
from api.writing import Recorded, WritingFor
from gateway.audit.accounts import FigureFact, account_of
from gateway.audit.budgets import MAX_DRAWS, BudgetFact
from gateway.audit.carbon import CarbonAccount, CheckFact, Exposure, SourceFact, line_fact
from gateway.audit.results import ComparisonFact, ResultFact, compared, result_version, result_versions

router = APIRouter(prefix="/api/v1", responses=RESPONSES)
Draws = Annotated[int, Query(ge=0, le=MAX_DRAWS, description="Monte Carlo draws; 0 for none, else at least 100.")]
VersionNumber = Annotated[int, Query(ge=1, le=1_000_000)]


class AccountAnswer(Answer):
    """The carbon account."""

    result: CarbonAccount


class LinesAnswer(Answer):
    """Every line of the account."""

    result: list[FigureFact]


class SourcesAnswer(Answer):
    """Activity × factors = emission, a line a source."""

    result: list[SourceFact]


class ExposureAnswer(Answer):
    """Tonnes by default factor."""

    result: list[Exposure]


class BudgetAnswer(Answer):
    """A line's uncertainty budget."""

    result: BudgetFact


class ChecksAnswer(Answer):
    """Cross-checks."""

    result: list[CheckFact]


class ResultsAnswer(Answer):
    """Result versions."""

    result: list[ResultFact]


class ResultAnswer(Answer):
    """One result version."""

    result: ResultFact


class ComparisonAnswer(Answer):
    """Two versions compared."""

    result: ComparisonFact


FIGURE_COLUMNS = ["line", "value", "expanded_k2", "unit", "exact", "coverage_permille", "quality", "factors", "reasons"]


def figure_cells(each: FigureFact) -> list[object]:
    """A figure's cells under ``FIGURE_COLUMNS``."""
    return [
        *(each.id, each.value, each.expanded, each.unit, each.exact, each.coverage_permille, each.quality),
        *("; ".join(each.factors), "; ".join(each.reasons)),
    ]


def span_name(asked: Asked, first: str, last: str) -> str:
    """The days of an address, for the name of an export."""
    begin, to, _ = asked_period(asked, first, last)
    return f"{begin}-{to}"


@router.get("/account", **described(AccountAnswer))
def get_account(
    request: Request,
    asked: AskedFor,
    *,
    first: DayText = "",
    last: DayText = "",
    format: Format = None,  # noqa: A002  # the address's word
) -> Response:
    """The carbon account of civil days: both totals by boundary, sources, exposure, tiers; CSV holds the totals."""
    found = asked_carbon(asked, first, last)
    if not wants_csv(request, format):
        return answered(asked, found)
    rows = [figure_cells(each) for all_ in found.boundaries for each in (all_.direct, all_.indirect, all_.total)]
    rows += [figure_cells(each) for each in (*found.products, *found.intensities)]
    return exported(asked, FIGURE_COLUMNS, rows, f"carbon-{span_name(asked, first, last)}")


@router.get("/account/lines", **described(LinesAnswer))
def get_lines(
    request: Request,
    asked: AskedFor,
    *,
    first: DayText = "",
    last: DayText = "",
    format: Format = None,  # noqa: A002
) -> Response:
    """Every figure of the account: energy, standard coal, products, carbon, each with U, coverage and factors."""
    _first, _last, period = asked_period(asked, first, last)
    made = account_of(asked.reader.sources, asked.asking, period)
    found = [line_fact(made, name) for name in made.lines]
    if not wants_csv(request, format):
        return answered(asked, found)
    rows = [figure_cells(each) for each in found]
    return exported(asked, FIGURE_COLUMNS, rows, f"account-{span_name(asked, first, last)}")


@router.get("/account/sources", **described(SourcesAnswer))
def get_sources(
    request: Request,
    asked: AskedFor,
    *,
    first: DayText = "",
    last: DayText = "",
    format: Format = None,  # noqa: A002
) -> Response:
    """Activity, factors and emission of every source; CSV has a row for each quantity."""
    found = asked_carbon(asked, first, last)
    if not wants_csv(request, format):
        return answered(asked, found.sources)
    columns = ["source", "name", "kind", "quantity", *FIGURE_COLUMNS[1:], "origin", "of", "standing", "entry"]
    rows: list[Sequence[object]] = []
    for source in found.sources:
        head = [source.id, source.name, source.kind]
        rows.append([*head, "activity", *figure_cells(source.activity)[1:], "", "", "", None])
        for each in source.parameters:
            cells = figure_cells(each.figure)[1:]
            rows.append([*head, each.name, *cells, each.origin, each.of, each.standing, each.entry])
        rows.append([*head, "emission", *figure_cells(source.emission)[1:], "", "", "", None])
    return exported(asked, columns, rows, f"carbon-sources-{span_name(asked, first, last)}")


@router.get("/account/exposure", **described(ExposureAnswer))
def get_exposure(
    request: Request,
    asked: AskedFor,
    *,
    first: DayText = "",
    last: DayText = "",
    format: Format = None,  # noqa: A002
) -> Response:
    """Tonnes of CO2 that hang on each default value, most first."""
    found = asked_carbon(asked, first, last).exposure
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["factor", "value", "unit", "tonnes_co2", "share_permille", "standing", "source", "entry"]
    rows = [
        [
            *(each.factor, each.value, each.unit, each.tonnes),
            *(each.share_permille, each.standing, each.source, each.entry),
        ]
        for each in found
    ]
    return exported(asked, columns, rows, f"default-exposure-{span_name(asked, first, last)}")


@router.get("/account/budget", **described(BudgetAnswer))
def get_budget(
    request: Request,
    asked: AskedFor,
    *,
    line: Line = "",
    first: DayText = "",
    last: DayText = "",
    draws: Draws = 0,
    format: Format = None,  # noqa: A002
) -> Response:
    """Which meter, certificate or factor dominates a line's uncertainty, what one class better buys; Monte Carlo."""
    found = asked_budget(asked, first, last, line, max(draws, 100) if draws else 0)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["line", "kind", "cause", "basis", "shape", "u_percent", "contribution", "unit", "share_permille"]
    rows = [
        [
            *(found.line.id, each.kind, each.label, each.basis, each.shape, each.u_percent, each.contribution),
            *(found.line.unit, each.share_permille),
        ]
        for each in found.rows
    ]
    return exported(asked, columns, rows, f"budget-{span_name(asked, first, last)}")


@router.get("/account/checks", **described(ChecksAnswer))
def get_checks(
    request: Request,
    asked: AskedFor,
    *,
    first: DayText = "",
    last: DayText = "",
    format: Format = None,  # noqa: A002
) -> Response:
    """Invoices against meters and stock against flow, each against the uncertainty of the metering."""
    found = asked_carbon(asked, first, last).checks
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["kind", "name", "metered", "recorded", "difference", "limit", "unit", "agreement", "reasons"]
    rows = [
        [
            *(each.kind, each.name, each.metered, each.recorded, each.difference, each.limit, each.unit),
            *(each.agreement, "; ".join(each.reasons)),
        ]
        for each in found
    ]
    return exported(asked, columns, rows, f"cross-checks-{span_name(asked, first, last)}")


@router.get("/account/results", **described(ResultsAnswer))
def get_results(request: Request, asked: AskedFor, *, format: Format = None) -> Response:  # noqa: A002
    """Result versions on record with their states, newest first."""
    found = result_versions(asked.reader.sources, asked.asking)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["id", "version", "state", "from", "to", "recorded", "entry", "inputs", "actor"]
    rows = [
        [
            *(each.id, each.version, each.state, At(each.from_us), At(each.to_us), At(each.at_us), each.entry),
            *(each.inputs, each.actor),
        ]
        for each in found
    ]
    return exported(asked, columns, rows, "results")


@router.get("/account/results/{result:path}", **described(ResultAnswer))
def get_result(
    asked: AskedFor, result: Annotated[str, Path(max_length=120)], version: VersionNumber | None = None
) -> Response:
    """One version of a result as recorded, the newest where none is named."""
    return answered(asked, result_version(asked.reader.sources, asked.asking, result, version))


@router.get("/account/comparison", **described(ComparisonAnswer))
def get_comparison(
    request: Request,
    asked: AskedFor,
    *,
    result: ResultId,
    before: VersionNumber,
    after: VersionNumber,
    format: Format = None,  # noqa: A002
) -> Response:
    """Why two versions of a result differ: data, laboratory values, plan, each factor; steps add up exactly."""
    found = compared(asked.reader.sources, asked.asking, result, before, after)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["line", "unit", "before", "after", "cause", "change"]
    rows: list[Sequence[object]] = []
    for each in found.changes:
        rows.append([each.line, each.unit, each.before, each.after, "", each.change])
        rows += [[each.line, each.unit, "", "", cause, change] for cause, change in each.steps]
    return exported(asked, columns, rows, f"comparison-{result}-{before}-{after}")


@router.post("/account/results", response_model=None, status_code=201, responses={201: {"model": Recorded}})
def post_result(writing: WritingFor, wish: Computation) -> Response:
    """Compute civil days and put the next version of a result on record, a draft."""
    return computed(writing, wish, then="/carbon#results")


@router.post("/account/results/step", response_model=None, status_code=201, responses={201: {"model": Recorded}})
def post_step(writing: WritingFor, wish: ResultStep) -> Response:
    """Submit, verify, freeze or return a version of a result."""
    return stepped(writing, wish, then="/carbon#results")
