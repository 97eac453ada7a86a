"""``/api/v1/reports``: which there are, making one as JSON, CSV, XLSX, PDF or DOCX, issuing, what was issued."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel

from api.answers import answered, described
from api.asked import AskedFor
from api.negotiation import chosen_form, entity_tag, tagged
from api.questions.words import DaysFor
from api.reporting import (
    FileForm,
    IssueWish,
    Language,
    MakeWish,
    ReportSaid,
    as_file,
    asked_report,
    begin_issue,
    begin_making,
    file_of,
    issued_file,
)
from api.writing import Recorded, WritingFor
from gateway.domain.time import iso
from gateway.reports.catalogue import KINDS, MEDIA_TYPES, kind_of
from gateway.reports.issuing import issued, issued_report
from gateway.reports.plain import plain_document

router = APIRouter(prefix="/api/v1")
OFFERED = {name: MEDIA_TYPES[name].partition(";")[0] for name in ("json", "xlsx", "pdf", "docx", "csv")}
KindId = Annotated[
    str, Path(max_length=40, examples=["form-b3"], description="Id of a report, as /reports lists them.")
]
Version = Annotated[int, Path(ge=1, le=1_000_000)]
ReviewId = Annotated[str, Query(max_length=60, description="The review the report is of.")]
Spoken = Annotated[Language, Query(description="Language of the report.")]
Wanted = Annotated[
    FileForm | None, Query(alias="format", description="The file's form; where it is left out by Accept.")
]
FILES = {OFFERED[name]: {"schema": {"type": "string", "format": "binary"}} for name in ("xlsx", "pdf", "docx")}


class KindFact(BaseModel):
    """One report that can be made."""

    id: str
    title: str
    group: str
    needs_period: bool
    needs_review: bool


class FileFact(BaseModel):
    """One file of an issued report."""

    format: str
    sha256: str
    size: int


class IssuedFact(BaseModel):
    """An issued report: its entry and its files."""

    id: str
    version: int
    title: str
    language: str
    seq: int
    at: str
    as_of: str
    known_seq: int
    actor: str
    reason: str
    review: str
    figure_count: int
    files: list[FileFact]


class Begun(BaseModel):
    """Long work that was begun: look at ``look`` until it is done."""

    id: str
    look: str


@router.get("/reports", **described("KindsAnswer", list[KindFact], "What can be made, in which files."))
def get_reports(asked: AskedFor) -> Response:
    """Every report that can be made, by group."""
    kinds = [
        KindFact(
            id=each.id,
            title=asked.view.t(each.title),
            group=each.group,
            needs_period=each.needs_period,
            needs_review=each.needs_review,
        )
        for each in KINDS.values()
    ]
    return answered(asked, [each.model_dump() for each in kinds])


@router.get("/reports/issued", **described("IssuedAnswer", list[IssuedFact], "Issued reports, newest first."))
def get_issued(
    asked: AskedFor,
    *,
    before: Annotated[int, Query(ge=0, le=2**62, description="Cursor: reports of entries before this one.")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Issued reports, newest first, with the entry and the hashes of their files; a link leads to older ones."""
    found = issued(asked.reader.sources.registry, asked.asking.organisation, asked.asking.known_seq)
    wanted = [each for each in found if not before or each.seq < before]
    listed = [
        IssuedFact(
            id=each.id,
            version=each.version,
            title=each.title,
            language=each.language,
            seq=each.seq,
            at=iso(each.at_us),
            as_of=iso(each.as_of_us),
            known_seq=each.known_seq,
            actor=each.actor,
            reason=each.reason,
            review=each.review,
            figure_count=each.figure_count,
            files=[FileFact(format=file.format, sha256=file.sha256, size=file.size) for file in each.files],
        )
        for each in wanted[:limit]
    ]
    following = {"before": listed[-1].seq} if len(wanted) > limit else {}
    return answered(asked, [each.model_dump() for each in listed], **following)


@router.get(
    "/reports/issued/{kind}/{version}/{form}",
    response_model=None,
    responses={200: {"description": "The file.", "content": {**FILES, "application/json": {}, "text/csv": {}}}},
)
def get_issued_file(asked: AskedFor, kind: KindId, version: Version, form: FileForm) -> Response:
    """A file of an issued report, just as it was put on record; its hash is the entity tag."""
    found = issued_report(asked.reader.sources.registry, asked.asking.organisation, kind, version)
    tag = f'"{found.file(form).sha256}"'
    return tagged(asked.request, issued_file(asked, kind, version, form), tag)


@router.post("/reports/made", response_model=None, status_code=202, responses={202: {"model": Begun}})
def post_made(asked: AskedFor, wish: MakeWish) -> Response:
    """Begin making a report as long work; the address in ``location`` says how far it is and where the file is."""
    return begin_making(asked, wish)


@router.post(
    "/reports/issued",
    response_model=None,
    status_code=201,
    responses={201: {"model": Recorded}, 202: {"model": Recorded}},
)
def post_issued(writing: WritingFor, wish: IssueWish) -> Response:
    """Issue a report: its files are kept by hash, and an entry with its figures names them."""
    return begin_issue(writing, wish)


@router.get(
    "/reports/{kind}",
    **described(
        "ReportAnswer",
        dict[str, Any],
        "A report's JSON form: blocks, figures with U and evidence, methods.",
        {**FILES, "text/csv": {}},
    ),
)
def get_report(
    asked: AskedFor,
    kind: KindId,
    days: DaysFor,
    *,
    language: Spoken = "zh",
    review: ReviewId = "",
    wanted: Wanted = None,
) -> Response:
    """Make a report now: figures with U and evidence as JSON, or the file in the form asked for."""
    said = ReportSaid(kind=kind, language=language, first=days.first, last=days.last, review=review)
    wish = said.wish(asked)
    form = chosen_form(asked.request, wanted, OFFERED)
    if form == "json":
        return answered(asked, plain_document(asked_report(asked, wish)))
    content = file_of(asked, wish, form)
    name = asked.view.t(kind_of(kind).title)
    return tagged(asked.request, as_file(asked, content, form, name), entity_tag(content))
