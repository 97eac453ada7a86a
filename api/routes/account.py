"""``/api/v1/account``: the carbon account, uncertainty budgets, results and their comparison."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.answers import ReplyFor, answered, described, tabled
from api.asked import AskedFor
from api.commands.results import Computation, ResultStep, computed, stepped
from api.questions.account import AccountFor, Line, ResultId
from api.questions.words import IdInPath
from api.tables import Table
from api.writing import Recorded, WritingFor
from gateway.audit.accounts import FigureFact, line_fact
from gateway.audit.budgets import MAX_DRAWS, BudgetFact, BudgetRow
from gateway.audit.carbon import CarbonAccount, Exposure, ParameterFact, SourceFact
from gateway.audit.crosschecks import CheckFact
from gateway.audit.results import ComparisonFact, ResultFact, compared, result_version, result_versions

router = APIRouter(prefix="/api/v1")
LEAST_DRAWS = 100
Draws = Annotated[int, Query(ge=0, le=MAX_DRAWS, description="Monte Carlo draws; 0 for none, else at least 100.")]
VersionNumber = Annotated[int, Query(ge=1, le=1_000_000)]


class _Quantity(NamedTuple):
    """A quantity of a source; activity and emission have no parameter behind them."""

    source: SourceFact
    name: str
    figure: FigureFact
    parameter: ParameterFact | None = None


class _Cause(NamedTuple):
    budget: BudgetFact
    row: BudgetRow


class _Change(NamedTuple):
    line: str
    unit: str
    before: str
    after: str
    cause: str
    change: str


FIGURES = Table(FigureFact, "line=id value expanded_k2=expanded unit exact coverage_permille quality factors reasons")
FIGURE_OF_ROW = (
    "value=figure.value expanded_k2=figure.expanded unit=figure.unit exact=figure.exact "
    "coverage_permille=figure.coverage_permille quality=figure.quality factors=figure.factors reasons=figure.reasons"
)
"""The same columns where a row has its figure beside other things."""
SOURCES = Table(
    _Quantity,
    "source=source.id name=source.name kind=source.kind quantity=name",
    FIGURE_OF_ROW,
    "origin=parameter.origin of=parameter.of standing=parameter.standing entry=parameter.entry",
)
EXPOSURE = Table(Exposure, "factor value unit tonnes_co2=tonnes share_permille standing source entry")
BUDGET = Table(
    _Cause,
    "line=budget.line.id kind=row.kind cause=row.label basis=row.basis shape=row.shape u_percent=row.u_percent",
    "contribution=row.contribution unit=budget.line.unit share_permille=row.share_permille",
)
CHECKS = Table(CheckFact, "kind name metered recorded difference limit unit agreement reasons")
RESULTS = Table(ResultFact, "id version state from=from_us to=to_us recorded=at_us entry inputs actor")
CHANGES = Table(_Change, "line unit before after cause change")


@router.get("/account", **tabled("AccountAnswer", CarbonAccount, "The carbon account."))
def get_account(reply: ReplyFor, wanted: AccountFor) -> Response:
    """The carbon account of civil days: both totals by boundary, sources, exposure, tiers; CSV holds the totals."""
    found = wanted.carbon()
    sums = [figure for each in found.boundaries for figure in (each.direct, each.indirect, each.total)]
    rows = [*sums, *found.products, *found.intensities]
    return reply.table(found, FIGURES, rows, f"carbon-{wanted.days}")


@router.get("/account/lines", **tabled("LinesAnswer", list[FigureFact], "Every line of the account."))
def get_lines(reply: ReplyFor, wanted: AccountFor) -> Response:
    """Every figure of the account: energy, standard coal, products, carbon, each with U, coverage and factors."""
    made = wanted.account()
    found = [line_fact(made, name) for name in made.lines]
    return reply.table(found, FIGURES, found, f"account-{wanted.days}")


@router.get(
    "/account/sources", **tabled("SourcesAnswer", list[SourceFact], "Activity × factors = emission, a line a source.")
)
def get_sources(reply: ReplyFor, wanted: AccountFor) -> Response:
    """Activity, factors and emission of every source; CSV has a row for each quantity."""
    found = wanted.carbon().sources
    rows = (each for source in found for each in _quantities(source))
    return reply.table(found, SOURCES, rows, f"carbon-sources-{wanted.days}")


def _quantities(source: SourceFact) -> Iterator[_Quantity]:
    yield _Quantity(source, "activity", source.activity)
    yield from (_Quantity(source, each.name, each.figure, each) for each in source.parameters)
    yield _Quantity(source, "emission", source.emission)


@router.get("/account/exposure", **tabled("ExposureAnswer", list[Exposure], "Tonnes by default factor."))
def get_exposure(reply: ReplyFor, wanted: AccountFor) -> Response:
    """Tonnes of CO2 that hang on each default value, most first."""
    found = wanted.carbon().exposure
    return reply.table(found, EXPOSURE, found, f"default-exposure-{wanted.days}")


@router.get("/account/budget", **tabled("BudgetAnswer", BudgetFact, "A line's uncertainty budget."))
def get_budget(reply: ReplyFor, wanted: AccountFor, line: Line = "", draws: Draws = 0) -> Response:
    """Which meter, certificate or factor dominates a line's uncertainty, what one class better buys; Monte Carlo."""
    found = wanted.budget(line, max(draws, LEAST_DRAWS) if draws else 0)
    return reply.table(found, BUDGET, (_Cause(found, each) for each in found.rows), f"budget-{wanted.days}")


@router.get("/account/checks", **tabled("ChecksAnswer", list[CheckFact], "Cross-checks."))
def get_checks(reply: ReplyFor, wanted: AccountFor) -> Response:
    """Invoices against meters and stock against flow, each against the uncertainty of the metering."""
    found = wanted.carbon().checks
    return reply.table(found, CHECKS, found, f"cross-checks-{wanted.days}")


@router.get("/account/results", **tabled("ResultsAnswer", list[ResultFact], "Result versions."))
def get_results(asked: AskedFor, reply: ReplyFor) -> Response:
    """Result versions on record with their states, newest first."""
    found = result_versions(asked.reader.sources, asked.asking)
    return reply.table(found, RESULTS, found, "results")


@router.get("/account/results/{result:path}", **described("ResultAnswer", ResultFact, "One result version."))
def get_result(asked: AskedFor, result: IdInPath, version: VersionNumber | None = None) -> Response:
    """One version of a result as recorded, the newest where none is named."""
    return answered(asked, result_version(asked.reader.sources, asked.asking, result, version))


@router.get("/account/comparison", **tabled("ResultComparisonAnswer", ComparisonFact, "Two versions compared."))
def get_comparison(
    asked: AskedFor, reply: ReplyFor, result: ResultId, before: VersionNumber, after: VersionNumber
) -> Response:
    """Why two versions of a result differ: data, laboratory values, plan, each factor; steps add up exactly."""
    found = compared(asked.reader.sources, asked.asking, result, before, after)
    return reply.table(found, CHANGES, _changes(found), f"comparison-{result}-{before}-{after}")


def _changes(found: ComparisonFact) -> Iterator[_Change]:
    for each in found.changes:
        yield _Change(each.line, each.unit, each.before, each.after, "", each.change)
        yield from (_Change(each.line, each.unit, "", "", cause, change) for cause, change in each.steps)


@router.post("/account/results", response_model=None, status_code=201, responses={201: {"model": Recorded}})
def post_result(writing: WritingFor, wish: Computation) -> Response:
    """Compute civil days and put the next version of a result on record, a draft."""
    return computed(writing, wish, then="/carbon#results")


@router.post("/account/results/step", response_model=None, status_code=201, responses={201: {"model": Recorded}})
def post_step(writing: WritingFor, wish: ResultStep) -> Response:
    """Submit, verify, freeze or return a version of a result."""
    return stepped(writing, wish, then="/carbon#results")
