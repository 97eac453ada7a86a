"""``/api/v1``: the instrument ledger, points and network, and what is due; dossiers and chains of traceability."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.answers import ReplyFor, answered, described, tabled
from api.asked import AskedFor
from api.negotiation import XLSX
from api.questions.ledger import LedgerFor
from api.questions.words import Id, IdInPath, Offset
from api.tables import Table
from gateway.audit.calibration_plan import CalibrationPlan, calibration_plan
from gateway.audit.dossier import PIECES, Dossier, Dossiers, dossiers
from gateway.audit.equipping import Network, NetworkPoint, network
from gateway.audit.forms import PLAN_COLUMNS, PLAN_TITLE, months_of, plan_rows
from gateway.audit.ledger import InstrumentDetail, LedgerPage, LedgerRow, instrument_detail
from gateway.audit.look_ahead import LookAhead, look_ahead
from gateway.audit.traceability import Chain, Traceability, traceability
from gateway.registry.sheets import workbook_of

router = APIRouter(prefix="/api/v1")
LEDGER = Table(
    LedgerRow,
    "id=instrument.id name=instrument.name kind=instrument.kind serial=instrument.serial model=instrument.model",
    "maker=instrument.maker accuracy_class=instrument.accuracy_class compulsory point=point.id role device",
    "certificate=certificate.id certificate_kind=certificate.kind performed_on=certificate.performed_on",
    "valid_until=certificate.valid_until result=certificate.result state=due days_left",
    "metrological_state=instrument.metrological_state operational_state=instrument.operational_state stopped_by",
)
POINTS = Table(
    NetworkPoint,
    "point=point.id name_zh=point.name_zh name_en=point.name_en parent=point.parent energy_kind=point.energy_kind",
    "level=point.level direction=point.direction state=equipping instrument accuracy_class",
    "required_class=point.required_class class_suffices due device",
)
OUTLOOK = Table(
    LookAhead,
    "instrument certificate risk_on assumed_on due_on act_by error:.6g expanded:.6g limit:.6g drift:.6g basis",
)


def _entry_of(piece: str, row: Dossier) -> int | None:
    return row.held.get(piece)


DOSSIERS = Table(
    Dossier,
    "instrument name complete",
    *((piece, partial(_entry_of, piece)) for piece in PIECES),
    ("repairs", lambda row: len(row.repairs)),
)


@router.get("/instruments", **tabled("LedgerAnswer", LedgerPage, "A page of the ledger."))
def get_instruments(
    asked: AskedFor,
    reply: ReplyFor,
    wanted: LedgerFor,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
) -> Response:
    """The instrument ledger with due states; CSV holds every row that the filters leave."""
    if reply.is_table:
        return reply.exported(LEDGER.headers, LEDGER.rows(wanted.rows()), f"instruments-{asked.asking.today}")
    found = wanted.page(offset, limit)
    following = {"offset": offset + limit} if offset + len(found.rows) < found.total else {}
    return reply.found(found, **following)


@router.get(
    "/instruments/{instrument:path}", **described("InstrumentAnswer", InstrumentDetail, "One instrument's card.")
)
def get_instrument(asked: AskedFor, instrument: IdInPath) -> Response:
    """One instrument: card, certificates, installations, recorded versions, findings."""
    return answered(asked, instrument_detail(asked.reader.sources, asked.asking, instrument))


@router.get("/points", **tabled("NetworkAnswer", Network, "The metering network."))
def get_points(asked: AskedFor, reply: ReplyFor) -> Response:
    """Metering points, parents first, with what is fitted there; equipping rates by energy kind and level."""
    found = network(asked.reader.sources, asked.asking)
    return reply.table(found, POINTS, found.points, f"points-{asked.asking.today}")


@router.get("/calibration", **tabled("CalibrationAnswer", CalibrationPlan, "The plan."))
def get_calibration(asked: AskedFor, reply: ReplyFor, months: Annotated[int, Query(ge=1, le=60)] = 12) -> Response:
    """What falls due within the months, overdue first; validity of certificates; rates with their definitions."""
    found = calibration_plan(asked.reader.sources, asked.asking, months=months)
    ahead = found.outlook.get
    columns = Table(
        LedgerRow,
        "due=certificate.valid_until instrument=instrument.id name=instrument.name serial=instrument.serial",
        "point=point.id certificate=certificate.id kind=certificate.kind laboratory=certificate.laboratory",
        "cycle_months=instrument.cycle_months",
        ("risk_on", lambda row: getattr(ahead(row.instrument.id), "risk_on", None)),
        "state=due",
    )
    return reply.table(found, columns, found.rows, f"calibration-plan-{found.day}")


@router.get(
    "/calibration/plan", **tabled("PlannedAnswer", list[list[str | int]], "A verification plan: a header and rows.")
)
def get_plan(
    asked: AskedFor,
    reply: ReplyFor,
    year: Annotated[int, Query(ge=2000, le=2200)],
    month: Annotated[int | None, Query(ge=1, le=12)] = None,
    *,
    sheet: bool = False,
) -> Response:
    """The verification plan of a year or month, what should have been done included; ``sheet``: as XLSX."""
    rows = plan_rows(asked.reader.sources, asked.asking, months_of(year, month))
    name = f"plan-{year}" + (f"-{month:02d}" if month else "")
    if sheet:
        headers = {"content-disposition": f'attachment; filename="{asked.view.file_name(name)}.xlsx"'}
        return Response(workbook_of([(PLAN_TITLE, [list(PLAN_COLUMNS), *rows])]), media_type=XLSX, headers=headers)
    if reply.is_table:
        return reply.exported(PLAN_COLUMNS, rows, name)
    return reply.found([list(PLAN_COLUMNS), *rows])


@router.get("/outlook", **tabled("OutlookAnswer", list[LookAhead], "Risk dates by instrument."))
def get_outlook(asked: AskedFor, reply: ReplyFor) -> Response:
    """When |error| + U of each instrument may reach its limit in service, by its own history; earliest first."""
    found = sorted(
        look_ahead(asked.reader.sources, asked.asking).values(),
        key=lambda each: (str(each.act_by or "9999"), each.instrument),
    )
    return reply.table(found, OUTLOOK, found, f"outlook-{asked.asking.today}")


@router.get("/dossiers", **tabled("DossiersAnswer", Dossiers, "Dossiers."))
def get_dossiers(asked: AskedFor, reply: ReplyFor, instrument: Id = "", *, missing: bool = False) -> Response:
    """What each instrument's record holds and lacks (档案); complete of all."""
    found = dossiers(asked.reader.sources, asked.asking, instrument=instrument, only_missing=missing)
    return reply.table(found, DOSSIERS, found.rows, f"dossiers-{asked.asking.today}")


@router.get("/traceability", **tabled("TraceabilityAnswer", Traceability, "Chains."))
def get_traceability(asked: AskedFor, reply: ReplyFor, *, broken: bool = False) -> Response:
    """The chain of each instrument in use; how many nothing breaks, of how many every paper is held."""
    found = traceability(asked.reader.sources, asked.asking, broken_only=broken)
    speak = asked.view.t
    columns = Table(
        Chain,
        "instrument name certificate unbroken proven",
        ("breaks", lambda chain: "; ".join(speak(gap) for gap in chain.breaks)),
        ("papers", lambda chain: "; ".join(speak(gap) for gap in chain.papers)),
    )
    return reply.table(found, columns, found.rows, f"traceability-{asked.asking.today}")
