"""``/api/v1``: completeness, network, energy, balance and calibration plan, as JSON and CSV."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.asked import AskedFor
from api.encoding import At
from api.problems import RESPONSES
from api.routes.v1 import Answer, Format, Id, answered, described, exported, wants_csv
from api.web.pages.balance import asked_balances
from api.web.pages.energy import DayText, Step, asked_consumption
from gateway.audit.balance import Balance
from gateway.audit.calibration_plan import CalibrationPlan, calibration_plan
from gateway.audit.completeness import MAX_DAYS, Completeness, completeness
from gateway.audit.consumption import Consumption
from gateway.audit.equipping import Network, network

router = APIRouter(prefix="/api/v1", responses=RESPONSES)


class CompletenessAnswer(Answer):
    """Completeness by point and day."""

    result: Completeness


class NetworkAnswer(Answer):
    """The metering network."""

    result: Network


class EnergyAnswer(Answer):
    """Energy statistics."""

    result: Consumption


class BalanceAnswer(Answer):
    """Balances."""

    result: list[Balance]


class CalibrationAnswer(Answer):
    """The plan."""

    result: CalibrationPlan


@router.get("/completeness", **described(CompletenessAnswer))
def get_completeness(
    request: Request,
    asked: AskedFor,
    *,
    days: Annotated[int, Query(ge=1, le=MAX_DAYS)] = 31,
    format: Format = None,  # noqa: A002  # the address's word
) -> Response:
    """How much of each civil day lay between readings, per point; how slots ended, per device."""
    found = completeness(asked.reader.sources, asked.asking, days=days)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["point", "device", "day", "covered_permille", "missing_quarter_hours", "quality"]
    rows = [
        [row.point.id, row.device, each.day.isoformat(), each.covered_permille, each.missing, each.quality]
        for row in found.points
        for each in row.days
    ]
    return exported(asked, columns, rows, f"completeness-{found.last}")


@router.get("/points", **described(NetworkAnswer))
def get_points(request: Request, asked: AskedFor, *, format: Format = None) -> Response:  # noqa: A002
    """Metering points, parents first, with what is fitted there; equipping rates by energy kind and level."""
    found = network(asked.reader.sources, asked.asking)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["point", "name_zh", "name_en", "parent", "energy_kind", "level", "direction", "state", "instrument"]
    columns += ["accuracy_class", "required_class", "class_suffices", "due", "device"]
    rows: list[Sequence[object]] = [
        [
            *(each.point.id, each.point.name_zh, each.point.name_en, each.point.parent, each.point.energy_kind),
            *(each.point.level, each.point.direction, each.equipping, each.instrument, each.accuracy_class),
            *(each.point.required_class, each.class_suffices, each.due, each.device),
        ]
        for each in found.points
    ]
    return exported(asked, columns, rows, f"points-{asked.asking.today}")


@router.get("/energy", **described(EnergyAnswer))
def get_energy(
    request: Request,
    asked: AskedFor,
    *,
    point: Id = "",
    first: DayText = "",
    last: DayText = "",
    step: Step = "day",
    format: Format = None,  # noqa: A002
) -> Response:
    """Energy of a point step by step over civil days, and every counted point's total; CSV holds the steps."""
    found = asked_consumption(asked, point, first, last, step)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["point", "from", "to", "energy", "unit", "quarter_hours", "missing", "coverage_permille", "quality"]
    rows: list[Sequence[object]] = [
        [
            *(found.chosen.id if found.chosen else "", At(each.start_us), At(each.end_us), each.value, each.unit),
            *(each.windows, each.missing, each.coverage_permille, each.quality),
        ]
        for each in found.steps
    ]
    return exported(asked, columns, rows, f"energy-{found.first}-{found.last}")


@router.get("/balance", **described(BalanceAnswer))
def get_balance(
    request: Request,
    asked: AskedFor,
    *,
    first: DayText = "",
    last: DayText = "",
    format: Format = None,  # noqa: A002
) -> Response:
    """Each point with points of its energy kind under it: difference, its limit from accuracy classes, judgement."""
    period, found = asked_balances(asked, first, last)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["parent", "point", "sign", "metered", "from", "to", "energy", "unit", "difference", "limit", "judgement"]
    rows: list[Sequence[object]] = []
    for each in found:
        for share in (each.parent, *each.children):
            own = share is each.parent
            rows.append(
                [
                    *(each.parent.point.id, share.point.id, share.sign, share.metered),
                    *(At(period.start_us), At(period.end_us), share.amount.value, share.amount.unit),
                    *((each.difference, each.limit, each.closure) if own else (None, None, "")),
                ]
            )
    return exported(asked, columns, rows, "balance")


@router.get("/calibration", **described(CalibrationAnswer))
def get_calibration(
    request: Request,
    asked: AskedFor,
    *,
    months: Annotated[int, Query(ge=1, le=60)] = 12,
    format: Format = None,  # noqa: A002
) -> Response:
    """What falls due within the months, overdue first; validity of certificates; rates with their definitions."""
    found = calibration_plan(asked.reader.sources, asked.asking, months=months)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = [
        "due",
        "instrument",
        "name",
        "serial",
        "point",
        "certificate",
        "kind",
        "laboratory",
        "cycle_months",
        "risk_on",
        "state",
    ]
    rows: list[Sequence[object]] = [
        [
            *(row.certificate.valid_until if row.certificate else "", row.instrument.id, row.instrument.name),
            *(row.instrument.serial, row.point.id if row.point else ""),
            *((row.certificate.id, row.certificate.kind, row.certificate.laboratory) if row.certificate else ("",) * 3),
            *(row.instrument.cycle_months, _risk_on(found, row.instrument.id), row.due),
        ]
        for row in found.rows
    ]
    return exported(asked, columns, rows, f"calibration-plan-{found.day}")


def _risk_on(found: CalibrationPlan, instrument: str) -> date | None:
    ahead = found.outlook.get(instrument)
    return None if ahead is None else ahead.risk_on
