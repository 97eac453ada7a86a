"""``/api/v1``: what the pages show, as JSON; lists also as CSV (``format=csv`` or ``Accept: text/csv``)."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel

from api.asked import Asked, AskedFor
from api.encoding import At, plain, sheet, table
from api.negotiation import XLSX, chosen_form, entity_tag, tagged
from api.problems import RESPONSES
from api.web.pages.instruments import duty
from api.web.pages.trace import asked_trace
from gateway.audit.decoding import entry_fact, entry_or_none
from gateway.audit.delivery import SinkState, sink_states
from gateway.audit.energy import Energy
from gateway.audit.findings import FindingView, findings
from gateway.audit.ledger import InstrumentDetail, LedgerPage, instrument_detail, ledger
from gateway.audit.live import LiveDetail, LivePoint, live, live_detail
from gateway.audit.overview import Overview, overview
from gateway.audit.record import JournalPage, journal_page, seal_state
from gateway.audit.trace import Trace
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import iso
from gateway.sealing.proof import Prover

router = APIRouter(prefix="/api/v1", responses=RESPONSES)
Format = Annotated[
    Literal["json", "csv", "xlsx"] | None, Query(description="json, csv or xlsx; where it is left out by Accept")
]
Id = Annotated[str, Query(max_length=120)]
Word = Annotated[str, Query(max_length=120)]


class Frame(BaseModel):
    """The frame of every answer: whose, effective when, as known when, in which zone, real or simulated."""

    organisation: str
    as_of: str
    known_seq: int | None
    time_zone: str
    simulated: bool


class Answer(BaseModel):
    """``frame`` and the result. Exact amounts are text: a decimal, or a ratio such as ``10/3``."""

    frame: Frame
    result: Any


def answered(asked: Asked, result: object) -> Response:
    """The JSON answer."""
    frame = Frame(
        organisation=asked.asking.organisation,
        as_of=iso(asked.asking.as_of_us),
        known_seq=asked.asking.known_seq,
        time_zone=asked.asking.zone.key,
        simulated=asked.view.simulated,
    )
    made = JSONResponse({"frame": frame.model_dump(), "result": plain(result)})
    return tagged(asked.request, made, entity_tag(_standing(asked, bytes(made.body), frame.as_of)))


def _standing(asked: Asked, body: bytes, as_of: str) -> bytes:
    """An answer's body without the moment of asking, unless that was asked for."""
    if "as_of" in asked.view.query:
        return body
    return body.replace(f'"as_of":"{as_of}"'.encode(), b"", 1)


def wants_csv(request: Request, wanted: str | None) -> bool:
    """Whether the reader asked for a table: CSV or XLSX."""
    return chosen_form(request, wanted) != "json"


def exported(asked: Asked, columns: Sequence[str], rows: Sequence[Sequence[object]], name: str) -> Response:
    """The table as CSV or XLSX; its name says when the readings are simulated."""
    form = chosen_form(asked.request, asked.view.query.get("format"))
    named = f"SIMULATED-{name}" if asked.view.simulated else name
    made = (sheet if form == "xlsx" else table)(columns, rows, named, asked.reader.zone)
    return tagged(asked.request, made, entity_tag(bytes(made.body)))


def linked(asked: Asked, answer: Response, **following: int) -> Response:
    """The answer with a link (RFC 8288) to what follows it, where ``following`` says by which parameter."""
    if following:
        answer.headers["link"] = f'<{asked.view.here(**following)}>; rel="next"'
    return answer


NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "The reader has this answer (If-None-Match)."}}


def described(model: Any) -> dict[str, Any]:  # a type
    """The documented shape of an answer with this result."""
    content = {"text/csv": {"schema": {"type": "string"}}, XLSX: {"schema": {"type": "string", "format": "binary"}}}
    return {"response_model": None, "responses": {200: {"model": model, "content": content}, **NOT_MODIFIED}}


class OverviewAnswer(Answer):
    """The first page."""

    result: Overview


class LiveAnswer(Answer):
    """The tree of points with their newest values."""

    result: list[LivePoint]


class LiveDetailAnswer(Answer):
    """One point."""

    result: LiveDetail


class LedgerAnswer(Answer):
    """A page of the ledger."""

    result: LedgerPage


class InstrumentAnswer(Answer):
    """One instrument's card."""

    result: InstrumentDetail


class FindingsAnswer(Answer):
    """Findings."""

    result: list[FindingView]


class JournalAnswer(Answer):
    """A page of the journal."""

    result: JournalPage


class DeliveryAnswer(Answer):
    """Every sink and how its courier is doing."""

    result: list[SinkState]


class TraceAnswer(Answer):
    """A figure's whole walk."""

    result: Trace


@router.get("/overview", **described(OverviewAnswer))
def get_overview(asked: AskedFor) -> Response:
    """Today's energy, completeness, due certificates, open findings."""
    return answered(asked, overview(asked.reader.sources, asked.asking))


@router.get("/overview/hours", **described(OverviewAnswer))
def get_hours(request: Request, asked: AskedFor, format: Format = None) -> Response:  # noqa: A002  # the address's word
    """Electricity taken in by the hour, today and the day before."""
    found = overview(asked.reader.sources, asked.asking)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["hour", "day", "from", "to", "energy", "unit", "windows", "missing", "coverage_permille"]
    rows: list[Sequence[object]] = []
    for hour in found.hours:
        for day, each in (("today", hour.today), ("before", hour.before)):
            if each is not None:
                rows.append([hour.hour, day, *_energy_cells(each)])
    return exported(asked, columns, rows, f"hours-{found.day}")


def _energy_cells(each: Energy) -> list[object]:
    return [
        At(each.start_us),
        At(each.end_us),
        each.value,
        each.unit,
        each.windows,
        each.missing,
        each.coverage_permille,
    ]


@router.get("/live", **described(LiveAnswer))
def get_live(request: Request, asked: AskedFor, root: Id = "", format: Format = None) -> Response:  # noqa: A002
    """Every metering point with its newest values, parents first."""
    rows = live(asked.reader.sources, asked.asking, root=root)
    if not wants_csv(request, format):
        return answered(asked, rows)
    columns = ["point", "name_zh", "name_en", "device", "instrument", "last_reading", "stale", "missed_slots"]
    columns += ["register", "register_unit", "flow", "flow_unit", "flow_measurand"]
    listed = [
        [
            *(each.point.id, each.point.name_zh, each.point.name_en, each.device, each.instrument),
            *(At(each.last_us), each.stale, each.missed),
            *((each.register.value, each.register.unit) if each.register else (None, "")),
            *((each.flow.value, each.flow.unit, each.flow.measurand) if each.flow else (None, "", "")),
        ]
        for each in rows
    ]
    return exported(asked, columns, listed, "live")


@router.get("/live/{point:path}", **described(LiveDetailAnswer))
def get_live_point(asked: AskedFor, point: Annotated[str, Path(max_length=120)], *, raw: bool = False) -> Response:
    """One point's channels; with ``raw`` the journal entries behind them, decoded field by field."""
    return answered(asked, live_detail(asked.reader.sources, asked.asking, point, raw=raw))


@router.get("/instruments", **described(LedgerAnswer))
def get_instruments(
    request: Request,
    asked: AskedFor,
    *,
    q: Annotated[str, Query(max_length=100)] = "",
    due: Word = "",
    kind: Word = "",
    compulsory: Annotated[str, Query(max_length=1)] = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
    format: Format = None,  # noqa: A002
) -> Response:
    """The instrument ledger with due states; CSV holds every row that the filters leave."""
    sources, asking = asked.reader.sources, asked.asking
    wanted = {"text": q, "due": due, "kind": kind, "compulsory": duty(compulsory)}
    if not wants_csv(request, format):
        listed = ledger(sources, asking, **wanted, offset=offset, limit=limit)  # type: ignore[arg-type]
        following = {"offset": offset + limit} if offset + len(listed.rows) < listed.total else {}
        return linked(asked, answered(asked, listed), **following)
    columns = [
        "id",
        "name",
        "kind",
        "serial",
        "model",
        "maker",
        "accuracy_class",
        "compulsory",
        "point",
        "role",
        "device",
    ]
    columns += ["certificate", "certificate_kind", "performed_on", "valid_until", "result", "state", "days_left"]
    columns += ["metrological_state", "operational_state", "stopped_by"]
    rows: list[Sequence[object]] = []
    at = 0
    while page := ledger(sources, asking, **wanted, offset=at).rows:  # type: ignore[arg-type]
        for row in page:
            card, found = row.instrument, row.certificate
            rows.append(
                [
                    *(card.id, card.name, card.kind, card.serial, card.model, card.maker, card.accuracy_class),
                    *(row.compulsory, row.point.id if row.point else "", row.role, row.device),
                    *(
                        (found.id, found.kind, found.performed_on, found.valid_until, found.result)
                        if found
                        else [""] * 5
                    ),
                    *(row.due, row.days_left),
                    *(card.metrological_state, card.operational_state, row.stopped_by),
                ]
            )
        at += len(page)
    return exported(asked, columns, rows, f"instruments-{asked.asking.today}")


@router.get("/instruments/{instrument:path}", **described(InstrumentAnswer))
def get_instrument(asked: AskedFor, instrument: Annotated[str, Path(max_length=120)]) -> Response:
    """One instrument: card, certificates, installations, recorded versions, findings."""
    return answered(asked, instrument_detail(asked.reader.sources, asked.asking, instrument))


@router.get("/findings", **described(FindingsAnswer))
def get_findings(
    request: Request,
    asked: AskedFor,
    *,
    severity: Word = "",
    rule: Word = "",
    point: Id = "",
    instrument: Id = "",
    device: Id = "",
    state: Word = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=2_000)] = 500,
    format: Format = None,  # noqa: A002
) -> Response:
    """Open verdicts and what readings showed, worst first; CSV holds every row that the filters leave."""
    listed = findings(
        asked.reader.sources,
        asked.asking,
        severity=severity,
        rule=rule,
        point=point,
        instrument=instrument,
        device=device,
        only_open=state == "open",
    )
    if not wants_csv(request, format):
        following = {"offset": offset + limit} if offset + limit < len(listed) else {}
        return linked(asked, answered(asked, listed[offset : offset + limit]), **following)
    columns = [
        "rule",
        "title",
        "severity",
        "open",
        "from",
        "to",
        "count",
        "point",
        "device",
        "instrument",
        "certificate",
    ]
    columns += ["channel", "facts", "entry"]
    rows = [
        [
            *(each.rule, asked.view.rule(each.rule), each.severity, each.open, At(each.from_us), At(each.to_us)),
            *(each.count, each.point, each.device, each.instrument, each.certificate, each.channel),
            *("; ".join(f"{name}={value}" for name, value in each.facts.items()), each.entry_seq),
        ]
        for each in listed
    ]
    return exported(asked, columns, rows, "findings")


@router.get("/trace", **described(TraceAnswer))
def get_trace(
    request: Request,
    asked: AskedFor,
    *,
    point: Annotated[str, Query(min_length=1, max_length=120)],
    from_: Annotated[str, Query(alias="from", max_length=40)] = "",
    to: Annotated[str, Query(max_length=40)] = "",
    window: Annotated[str, Query(max_length=40)] = "",
    format: Format = None,  # noqa: A002
) -> Response:
    """From a point's energy over a time to its evidence; ``window`` opens one quarter hour. CSV holds the intervals."""
    followed = asked_trace(asked, point, from_, to, window)
    if not wants_csv(request, format):
        return answered(asked, followed)
    columns = ["from", "to", "device", "channel", "start_register", "end_register", "meter_energy", "ratio", "energy"]
    columns += ["unit", "coverage_permille", "method", "quality", "installation_entry", "settlement_entry"]
    rows = [
        [
            *(At(each.start_us), At(each.end_us), each.device, each.channel, each.start_register, each.end_register),
            *(each.meter_energy, each.ratio, each.value, each.unit, each.coverage_permille, each.method, each.quality),
            *(each.installation_seq, each.settlement.seq if each.settlement else None),
        ]
        for each in followed.intervals
    ]
    return exported(asked, columns, rows, f"trace-{point}")


@router.get("/journal", **described(JournalAnswer))
def get_journal(
    asked: AskedFor,
    *,
    before: Annotated[int, Query(ge=0, le=2**62)] = 0,
    kind: Annotated[str, Query(max_length=30)] = "",
) -> Response:
    """Journal entries newest first, before a number, and how far the journal is sealed."""
    found = journal_page(asked.reader.sources, asked.asking, before=before, kind=kind)
    following = {"before": found.older_before} if found.older_before else {}
    return linked(asked, answered(asked, found), **following)


@router.get("/delivery", **described(DeliveryAnswer))
def get_delivery(asked: AskedFor) -> Response:
    """Sinks beside the embedded store: state, how far behind the journal, last day verified, points refused."""
    return answered(asked, sink_states(asked.reader.folder.state, asked.reader.sources.journal.head()))


@router.get("/journal/{seq}", response_model=None, responses={200: {"model": Answer}})
def get_entry(asked: AskedFor, seq: Annotated[int, Path(ge=1, le=2**62)]) -> Response:
    """One journal entry with its leaf hash."""
    entry = entry_or_none(asked.reader.sources, seq)
    if entry is None or not entry.subject.startswith(f"{asked.asking.organisation}/"):
        raise UnknownObjectError("the journal has no entry %(seq)s", seq=str(seq))
    return answered(asked, {"entry": entry_fact(entry), "body": entry.body})


@router.get("/journal/{seq}/proof", response_model=None, responses={200: {"content": {"text/plain": {}}}})
def get_proof(asked: AskedFor, seq: Annotated[int, Path(ge=1, le=2**62)]) -> Response:
    """The offline proof (c2sp.org/tlog-proof@v1) that an entry stands in the newest checkpoint; 404 until sealed."""
    entry = entry_or_none(asked.reader.sources, seq)
    if entry is None or not entry.subject.startswith(f"{asked.asking.organisation}/"):
        raise UnknownObjectError("the journal has no entry %(seq)s", seq=str(seq))
    if seq > seal_state(asked.reader.sources).size:
        raise UnknownObjectError("entry %(seq)s is not sealed yet", seq=str(seq))
    name = f'attachment; filename="entry-{seq}.tlog-proof"'
    return PlainTextResponse(Prover(asked.reader.folder).prove(seq), headers={"content-disposition": name})
