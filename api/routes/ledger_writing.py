"""``/api/v1``: ledger files and certificates looked at and put on record; confirmations; check orders."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from api.commands.confirmations import ConfirmationWish, confirmed
from api.commands.handing_in import (
    CERTIFICATE_FIELDS,
    looked_at,
    looked_at_certificate,
    recorded_ledger,
    uploaded,
)
from api.commands.replacing import OrderId, OrderWish, StepWish, ordered, stepped
from api.encoding import plain
from api.problems import UnreadableParameterError
from api.web.view import View
from api.writing import Recorded, WritingFor
from gateway.assembly.ledger_desk import Handed, keep_certificate
from gateway.certificates.xml_reading import MAX_FILE_BYTES as MAX_CERTIFICATE_BYTES
from gateway.registry.reading_files import LedgerProblem
from gateway.registry.replacing import Step
from gateway.registry.tables import MAX_FILE_BYTES

router = APIRouter(prefix="/api/v1")
MAX_SAID = 50
Files = Annotated[list[UploadFile], File()]
Pairs = Annotated[list[str], Form(max_length=MAX_SAID)]
Reason = Annotated[str, Form(max_length=1_000)]
WRITTEN: Mapping[str, Any] = {"response_model": None, "status_code": 201, "responses": {201: {"model": Recorded}}}


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


@router.post("/replacements", **WRITTEN)
def post_replacement(writing: WritingFor, wish: OrderWish) -> Response:
    """Order that a meter be checked."""
    return ordered(writing, wish)


@router.post("/replacements/{order}/{step}", **WRITTEN)
def post_step(writing: WritingFor, order: OrderId, step: Step, wish: StepWish) -> Response:
    """Record a step: dismounted, sent, result, fitted, closed, cancelled. Out of order: 409 with what is missing."""
    return stepped(writing, order, step, wish)


@router.post("/ledger/preview", response_model=LookedAt)
def post_preview(writing: WritingFor, files: Files, maps: Pairs = []) -> Response:  # noqa: B006  # never changed
    """What importing ledger files (CSV, XLSX) would do; nothing is written. ``maps``: ``HEADER=column``."""
    seen = looked_at(writing, uploaded(files, MAX_FILE_BYTES), "", _mapped(maps)).seen
    view = writing.asked.view
    shown = {
        "rows": seen.rows,
        "same": seen.same,
        "problems": [_placed(each, view) for each in seen.problems],
        "doubts": [_placed(each, view) for each in seen.doubts],
        "changes": plain(seen.changes),
    }
    return JSONResponse(shown, headers={"cache-control": "no-store"})


@router.post("/ledger/import", **WRITTEN)
def post_ledger(
    writing: WritingFor,
    files: Files,
    reason: Reason = "",
    maps: Pairs = [],  # noqa: B006  # never changed
) -> Response:
    """Put ledger files on record: all of it, or nothing while a problem stands (422 with the first of them)."""

    def refused(handed: Handed) -> Response:
        first = handed.seen.problems[0]
        place = ":".join(str(part) for part in (first.file, first.row, first.column) if part)
        sentence = writing.asked.view.t(first.message, **first.facts)
        raise UnreadableParameterError("%(place)s: %(sentence)s", place=place, sentence=sentence)

    return recorded_ledger(writing, uploaded(files, MAX_FILE_BYTES), reason, _mapped(maps), refused=refused)


@router.post("/certificates/preview", response_model=EvidenceAnswer)
def post_certificate_preview(
    writing: WritingFor,
    file: Annotated[UploadFile, File()],
    said: Pairs = [],  # noqa: B006  # never changed
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


@router.post("/certificates", **WRITTEN)
def post_certificate(
    writing: WritingFor,
    file: Annotated[UploadFile, File()],
    said: Pairs = [],  # noqa: B006  # never changed
    keep_untrusted: Annotated[bool, Form()] = False,
    reason: Reason = "",
) -> Response:
    """Put a certificate file on record."""
    ((name, content),) = uploaded([file], MAX_CERTIFICATE_BYTES)
    handed = looked_at_certificate(writing, name, content, _fields(said), reason, keep_untrusted=keep_untrusted)
    return writing.done(keep_certificate(writing.folder, handed), then="/certificates")


@router.post("/confirmations", **WRITTEN)
def post_confirmation(writing: WritingFor, wish: ConfirmationWish) -> Response:
    """Confirm a calibration for its use (计量确认): requirement, conclusion, person, day."""
    return confirmed(writing, wish)


def _mapped(maps: Sequence[str]) -> list[tuple[str, str]]:
    pairs = [each.rpartition("=") for each in maps]
    return [(header, column) for header, equals, column in pairs if equals and header.strip()]


def _fields(said: Sequence[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in said]
    return {name: value[:1_000] for name, equals, value in pairs if equals and name in CERTIFICATE_FIELDS}


def _placed(problem: LedgerProblem, view: View) -> dict[str, object]:
    text = view.t(problem.message, **problem.facts)
    return {"file": problem.file, "row": problem.row, "column": problem.column, "text": text}
