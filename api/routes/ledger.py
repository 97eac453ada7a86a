"""``/api/v1``: every object of the ledger, certificates and their files, dossiers, chains, replacements, imports."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Path, Query, Request, UploadFile
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from api.asked import AskedFor
from api.encoding import At, plain
from api.problems import RESPONSES
from api.routes.v1 import Answer, Format, Id, Word, answered, described, exported, wants_csv
from api.web.pages import certificates as certificate_pages
from api.web.pages.certificates import ConfirmationWish, Digest, confirmed, file_reader
from api.web.pages.handing_in import (
    CERTIFICATE_FIELDS,
    looked_at,
    looked_at_certificate,
    recorded_ledger,
    uploaded,
)
from api.web.pages.registry import file_named
from api.web.pages.replacements import OrderId, OrderWish, StepWish, ordered, stepped
from api.writing import Recorded, WritingFor
from gateway.assembly.ledger_desk import keep_certificate
from gateway.audit.certificate_files import CertificateDetail, CertificateRow, certificate_detail, certificate_rows
from gateway.audit.dossier import PIECES, Dossiers, dossiers
from gateway.audit.forms import PLAN_COLUMNS, PLAN_TITLE, months_of, plan_rows
from gateway.audit.replacements import OrderView, replacement, replacements
from gateway.audit.traceability import Traceability, traceability
from gateway.certificates.xml_reading import MAX_FILE_BYTES as MAX_CERTIFICATE_BYTES
from gateway.domain.errors import UnknownObjectError
from gateway.registry.exporting import cells_of
from gateway.registry.record import Record
from gateway.registry.replacing import Step
from gateway.registry.sheets import workbook_of
from gateway.registry.tables import MAX_FILE_BYTES

router = APIRouter(prefix="/api/v1", responses=RESPONSES)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_SAID = 50
Kind = Annotated[str, Path(max_length=30)]
Written: dict[int | str, dict[str, Any]] = {201: {"model": Recorded}}


class RegistryAnswer(Answer):
    """Objects of a kind."""

    result: list[Record]


class CertificatesAnswer(Answer):
    """Certificates."""

    result: list[CertificateRow]


class CertificateAnswer(Answer):
    """One certificate."""

    result: CertificateDetail


class DossiersAnswer(Answer):
    """Dossiers."""

    result: Dossiers


class TraceabilityAnswer(Answer):
    """Chains."""

    result: Traceability


class ReplacementsAnswer(Answer):
    """Check orders."""

    result: list[OrderView]


class ReplacementAnswer(Answer):
    """One check order."""

    result: OrderView


class PlannedAnswer(Answer):
    """A verification plan: a header and rows."""

    result: list[list[str | int]]


class ChangedField(BaseModel):
    """A field that would say something else."""

    field: str
    old: str
    new: str


class PlacedProblem(BaseModel):
    """Something wrong or doubtful, with its place as a spreadsheet counts it."""

    file: str
    row: int
    column: int
    text: str


class PlannedChange(BaseModel):
    """An object that would be put on record."""

    source: str
    kind: str
    id: str
    new: bool
    fields: list[ChangedField]


class LookedAt(BaseModel):
    """What an import would do; ``problems`` stop it, ``doubts`` do not."""

    rows: int
    same: int
    problems: list[PlacedProblem]
    doubts: list[PlacedProblem]
    changes: list[PlannedChange]


class StepRecorded(StepWish):
    """A step, as ``StepWish``."""


class EvidenceAnswer(BaseModel):
    """What was found about a certificate file, and what putting it on record would change."""

    sha256: str
    file_kind: str
    authenticity: str
    signer: str
    signed_at: str
    note: str
    schema_check: str = Field(description="Whether the published schema was at hand and fits.")
    changes: list[PlannedChange]


@router.get("/registry/{kind}", **described(RegistryAnswer))
def get_registry(request: Request, asked: AskedFor, kind: Kind, *, format: Format = None) -> Response:  # noqa: A002
    """Every object of a kind as of the moment: organisations, sites, points, instruments, standards, certificates,
    installations, documents, people. CSV has the columns of its import file."""
    file = file_named(kind)
    asking = asked.asking
    found = asked.reader.sources.registry.objects(asking.organisation, file.kind, asking.as_of_us, asking.known_seq)
    if not wants_csv(request, format):
        return answered(asked, found)
    header = [column.field for column in file.columns]
    rows: list[Sequence[object]] = [cells_of(file, each, asked.reader.zone) for each in found]
    return exported(asked, header, rows, f"{kind}-{asking.today}")


@router.get("/registry/{kind}/{id:path}", **described(RegistryAnswer))
def get_registry_object(asked: AskedFor, kind: Kind, id: Annotated[str, Path(max_length=120)]) -> Response:  # noqa: A002
    """Every recorded version of one object, oldest first, withdrawn ones too."""
    file = file_named(kind)
    asking = asked.asking
    found = asked.reader.sources.registry.history(asking.organisation, file.kind, id, asking.known_seq)
    if not found:
        raise UnknownObjectError("'%(id)s' is not on record as a %(kind)s", id=id, kind=file.kind)
    return answered(asked, found)


@router.get("/certificates", **described(CertificatesAnswer))
def get_certificates(
    request: Request,
    asked: AskedFor,
    *,
    instrument: Id = "",
    authenticity: Word = "",
    kind: Word = "",
    format: Format = None,  # noqa: A002
) -> Response:
    """Certificates, newest performance first, with the state of their files' signatures."""
    found = certificate_rows(
        asked.reader.sources, asked.asking, instrument=instrument, authenticity=authenticity, kind=kind
    )
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["number", "kind", "instrument", "serial", "laboratory", "performed_on", "valid_until", "result"]
    columns += ["confirmed_result", "signature", "counts", "superseded_by", "document", "entry"]
    rows: list[Sequence[object]] = [
        [
            *(each.certificate.id, each.certificate.kind, each.certificate.instrument, each.certificate.serial),
            *(each.certificate.laboratory, each.certificate.performed_on, each.certificate.valid_until),
            *(each.certificate.result, each.certificate.confirmed_result, each.authenticity, each.counts),
            *(each.superseded_by, each.certificate.document, each.seq),
        ]
        for each in found
    ]
    return exported(asked, columns, rows, f"certificates-{asked.asking.today}")


@router.get("/certificates/{number:path}", **described(CertificateAnswer))
def get_certificate(asked: AskedFor, number: Annotated[str, Path(max_length=120)]) -> Response:
    """One certificate: file, signature, confirmation, results, supersession, and the chain above it with its gaps."""
    return answered(asked, certificate_detail(asked.reader.sources, asked.asking, number, file_reader(asked)))


@router.get("/files/{digest}", response_model=None, responses={200: {"content": {"application/octet-stream": {}}}})
def get_stored_file(asked: AskedFor, digest: Digest) -> Response:
    """The stored file of that SHA-256, byte for byte, where a certificate or document names it."""
    return certificate_pages.get_file(asked, digest)


@router.get("/dossiers", **described(DossiersAnswer))
def get_dossiers(
    request: Request,
    asked: AskedFor,
    *,
    instrument: Id = "",
    missing: bool = False,
    format: Format = None,  # noqa: A002
) -> Response:
    """What each instrument's record holds and lacks (档案); complete of all."""
    found = dossiers(asked.reader.sources, asked.asking, instrument=instrument, only_missing=missing)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["instrument", "name", "complete", *PIECES, "repairs"]
    rows: list[Sequence[object]] = [
        [each.instrument, each.name, each.complete, *(each.held.get(piece) for piece in PIECES), len(each.repairs)]
        for each in found.rows
    ]
    return exported(asked, columns, rows, f"dossiers-{asked.asking.today}")


@router.get("/traceability", **described(TraceabilityAnswer))
def get_traceability(
    request: Request,
    asked: AskedFor,
    *,
    broken: bool = False,
    format: Format = None,  # noqa: A002
) -> Response:
    """The chain of each instrument in use; how many nothing breaks, of how many every paper is held."""
    found = traceability(asked.reader.sources, asked.asking, broken_only=broken)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["instrument", "name", "certificate", "unbroken", "proven", "breaks", "papers"]
    rows: list[Sequence[object]] = [
        [
            *(each.instrument, each.name, each.certificate, each.unbroken, each.proven),
            *("; ".join(asked.view.t(gap) for gap in gaps) for gaps in (each.breaks, each.papers)),
        ]
        for each in found.rows
    ]
    return exported(asked, columns, rows, f"traceability-{asked.asking.today}")


@router.get("/calibration/plan", **described(PlannedAnswer))
def get_plan(
    request: Request,
    asked: AskedFor,
    *,
    year: Annotated[int, Query(ge=2000, le=2200)],
    month: Annotated[int | None, Query(ge=1, le=12)] = None,
    sheet: bool = False,
    format: Format = None,  # noqa: A002
) -> Response:
    """The verification plan of a year or month, what should have been done included; ``sheet``: as XLSX."""
    rows = plan_rows(asked.reader.sources, asked.asking, months_of(year, month))
    name = f"plan-{year}" + (f"-{month:02d}" if month else "")
    if sheet:
        shown = f"SIMULATED-{name}" if asked.view.simulated else name
        headers = {"content-disposition": f'attachment; filename="{shown}.xlsx"'}
        return Response(workbook_of([(PLAN_TITLE, [list(PLAN_COLUMNS), *rows])]), media_type=XLSX, headers=headers)
    if not wants_csv(request, format):
        return answered(asked, [list(PLAN_COLUMNS), *rows])
    return exported(asked, PLAN_COLUMNS, rows, name)


@router.get("/replacements", **described(ReplacementsAnswer))
def get_replacements(
    request: Request,
    asked: AskedFor,
    *,
    state: Word = "",
    instrument: Id = "",
    point: Id = "",
    format: Format = None,  # noqa: A002
) -> Response:
    """Check orders (失准更换), open ones first; ``state=open`` for these alone."""
    found = replacements(
        asked.reader.sources, asked.asking, only_open=state == "open", instrument=instrument, point=point
    )
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["order", "point", "instrument", "state", "open", "outcome", "ordered", "steps", "evidence"]
    rows: list[Sequence[object]] = [
        [
            *(each.id, each.point, each.instrument, each.state, each.open, each.outcome, At(each.ordered_us)),
            *("; ".join(step.step for step in each.steps), "; ".join(each.evidence)),
        ]
        for each in found
    ]
    return exported(asked, columns, rows, f"replacements-{asked.asking.today}")


@router.get("/replacements/{order}", **described(ReplacementAnswer))
def get_replacement(asked: AskedFor, order: OrderId) -> Response:
    """One check order with its steps and what may come next."""
    return answered(asked, replacement(asked.reader.sources, asked.asking, order))


@router.post("/replacements", response_model=None, status_code=201, responses=Written)
def post_replacement(writing: WritingFor, wish: OrderWish) -> Response:
    """Order that a meter be checked."""
    return ordered(writing, wish)


@router.post("/replacements/{order}/{step}", response_model=None, status_code=201, responses=Written)
def post_step(writing: WritingFor, order: OrderId, step: Step, wish: StepRecorded) -> Response:
    """Record a step: dismounted, sent, result, fitted, closed, cancelled. Out of order: 409 with what is missing."""
    fields = {name: str(value) for name, value in wish.model_dump().items() if name not in {"when", "reason"}}
    return stepped(writing, order, step, when=wish.when, reason=wish.reason, fields=fields)


@router.post("/ledger/preview", response_model=LookedAt)
def post_preview(
    writing: WritingFor,
    files: Annotated[list[UploadFile], File()],
    maps: Annotated[list[str], Form(max_length=MAX_SAID)] = [],  # noqa: B006  # never changed
) -> Response:
    """What importing ledger files (CSV, XLSX) would do; nothing is written. ``maps``: ``HEADER=column``."""
    handed = looked_at(writing, uploaded(files, MAX_FILE_BYTES), "", _said(maps))
    seen, view = handed.seen, writing.asked.view
    shown = {
        "rows": seen.rows,
        "same": seen.same,
        "problems": [_placed(each, view.t(each.message, **each.facts)) for each in seen.problems],
        "doubts": [_placed(each, view.t(each.message, **each.facts)) for each in seen.doubts],
        "changes": plain(seen.changes),
    }
    return JSONResponse(shown, headers={"cache-control": "no-store"})


@router.post("/ledger/import", response_model=None, status_code=201, responses=Written)
def post_ledger(
    writing: WritingFor,
    files: Annotated[list[UploadFile], File()],
    reason: Annotated[str, Form(max_length=1_000)] = "",
    maps: Annotated[list[str], Form(max_length=MAX_SAID)] = [],  # noqa: B006  # never changed
) -> Response:
    """Put ledger files on record: all of it, or nothing while a problem stands (422 with the first of them)."""
    return recorded_ledger(writing, uploaded(files, MAX_FILE_BYTES), reason, _said(maps), then="/instruments")


@router.post("/certificates/preview", response_model=EvidenceAnswer)
def post_certificate_preview(
    writing: WritingFor,
    file: Annotated[UploadFile, File()],
    said: Annotated[list[str], Form(max_length=MAX_SAID)] = [],  # noqa: B006  # never changed
    keep_untrusted: Annotated[bool, Form()] = False,
) -> Response:
    """Look at a certificate file (DCC, PDF, OFD); nothing is written. ``said``: ``field=value`` beside the file."""
    ((name, content),) = uploaded([file], MAX_CERTIFICATE_BYTES)
    handed = looked_at_certificate(writing, name, content, _fields(said), "", keep_untrusted=keep_untrusted)
    report = handed.evidence.signature
    shown = {
        "sha256": handed.evidence.sha256,
        "file_kind": handed.evidence.file_kind,
        "authenticity": str(report.authenticity),
        "signer": report.signer,
        "signed_at": report.signed_at,
        "note": writing.asked.view.t(report.note) if report.note else "",
        "schema_check": str(handed.evidence.schema),
        "changes": plain(handed.changes),
    }
    return JSONResponse(shown, headers={"cache-control": "no-store"})


@router.post("/certificates", response_model=None, status_code=201, responses=Written)
def post_certificate(
    writing: WritingFor,
    file: Annotated[UploadFile, File()],
    said: Annotated[list[str], Form(max_length=MAX_SAID)] = [],  # noqa: B006  # never changed
    keep_untrusted: Annotated[bool, Form()] = False,
    reason: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """Put a certificate file on record."""
    ((name, content),) = uploaded([file], MAX_CERTIFICATE_BYTES)
    handed = looked_at_certificate(writing, name, content, _fields(said), reason, keep_untrusted=keep_untrusted)
    return writing.done(keep_certificate(writing.folder, handed), then="/certificates")


@router.post("/confirmations", response_model=None, status_code=201, responses=Written)
def post_confirmation(writing: WritingFor, wish: ConfirmationWish) -> Response:
    """Confirm a calibration for its use (计量确认): requirement, conclusion, person, day."""
    return confirmed(writing, wish)


def _said(maps: Sequence[str]) -> list[tuple[str, str]]:
    pairs = [each.rpartition("=") for each in maps]
    return [(header, column) for header, equals, column in pairs if equals and header.strip()]


def _fields(said: Sequence[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in said]
    return {name: value[:1_000] for name, equals, value in pairs if equals and name in CERTIFICATE_FIELDS}


def _placed(problem: Any, sentence: str) -> dict[str, object]:
    return {"file": problem.file, "row": problem.row, "column": problem.column, "text": sentence}
