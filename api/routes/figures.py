"""``/api/v1``: completeness of the readings, energy statistics and balances of nodes."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.answers import ReplyFor, tabled
from api.asked import AskedFor
from api.questions.energy import BalanceFor, EnergyFor
from api.questions.words import Id
from api.tables import Table
from gateway.audit.balance import Balance, DayRemainder, RemainderTrend, Share
from gateway.audit.completeness import MAX_DAYS, Completeness, DayShare, PointDays, completeness
from gateway.audit.consumption import Consumption
from gateway.audit.energy import Energy
from gateway.domain.time import Period

router = APIRouter(prefix="/api/v1")


class _DayOfPoint(NamedTuple):
    row: PointDays
    on: DayShare


class _StepOfPoint(NamedTuple):
    point: str
    energy: Energy


class _Side(NamedTuple):
    """A point's part in a balance; what the balance comes to stands beside its parent alone."""

    balance: Balance
    share: Share
    period: Period

    @property
    def judged(self) -> Balance | None:
        return self.balance if self.share is self.balance.parent else None


class _DayOfNode(NamedTuple):
    trend: RemainderTrend
    on: DayRemainder


COMPLETENESS = Table(
    _DayOfPoint,
    "point=row.point.id device=row.device day=on.day covered_permille=on.covered_permille",
    "missing_quarter_hours=on.missing quality=on.quality",
)
ENERGY = Table(
    _StepOfPoint,
    "point from=energy.start_us to=energy.end_us energy=energy.value unit=energy.unit quarter_hours=energy.windows",
    "missing=energy.missing coverage_permille=energy.coverage_permille quality=energy.quality",
)
BALANCE = Table(
    _Side,
    "parent=balance.parent.point.id point=share.point.id sign=share.sign metered=share.metered from=period.start_us",
    "to=period.end_us energy=share.amount.value unit=share.amount.unit difference=judged.difference",
    "limit=judged.limit judgement=judged.closure",
)
TREND = Table(
    _DayOfNode,
    "point=trend.point.id day=on.start_us remainder=on.remainder limit=on.limit upper=on.upper unit=trend.unit",
    "judgement=on.closure",
)


@router.get("/completeness", **tabled("CompletenessAnswer", Completeness, "Completeness by point and day."))
def get_completeness(asked: AskedFor, reply: ReplyFor, days: Annotated[int, Query(ge=1, le=MAX_DAYS)] = 31) -> Response:
    """How much of each civil day lay between readings, per point; how slots ended, per device."""
    found = completeness(asked.reader.sources, asked.asking, days=days)
    rows = (_DayOfPoint(row, each) for row in found.points for each in row.days)
    return reply.table(found, COMPLETENESS, rows, f"completeness-{found.last}")


@router.get("/energy", **tabled("EnergyAnswer", Consumption, "Energy statistics."))
def get_energy(reply: ReplyFor, wanted: EnergyFor) -> Response:
    """Energy of a point step by step over civil days, and every counted point's total; CSV holds the steps."""
    found = wanted.statistics()
    point = found.chosen.id if found.chosen else ""
    rows = (_StepOfPoint(point, each) for each in found.steps)
    return reply.table(found, ENERGY, rows, f"energy-{found.first}-{found.last}")


@router.get("/balance", **tabled("BalanceAnswer", list[Balance], "Balances."))
def get_balance(reply: ReplyFor, wanted: BalanceFor) -> Response:
    """Each point with points of its energy kind under it: difference, its limit from accuracy classes, judgement."""
    period, found = wanted.balances()
    rows = (_Side(each, share, period) for each in found for share in (each.parent, *each.children))
    return reply.table(found, BALANCE, rows, "balance")


@router.get("/balance/trend", **tabled("TrendAnswer", RemainderTrend, "A node's remainder day by day."))
def get_trend(reply: ReplyFor, wanted: BalanceFor, node: Id = "") -> Response:
    """A node's difference and its limit for each day, and whether it drifts beyond chance."""
    found = wanted.trend(node)
    return reply.table(found, TREND, _days(found), "balance-trend")


def _days(found: RemainderTrend | None) -> Iterator[_DayOfNode]:
    if found is not None:
        yield from (_DayOfNode(found, each) for each in found.days)
