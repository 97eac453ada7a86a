"""报表: what can be made, making it (long work goes on by itself), issuing it, and what was issued."""

from datetime import date
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form
from fastapi import Path as PathValue
from fastapi.responses import HTMLResponse, Response

from api.asked import Asked, AskedFor
from api.people.roles import allowed
from api.problems import DeniedError
from api.setting import issue_report, set_report
from api.web.environment import page
from api.web.pages.energy import civil_day
from api.work import Job, begin
from api.writing import Writing, WritingFor
from gateway.assembly.reporting import ReportWish, report
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import iso
from gateway.reports.catalogue import GROUPS, KINDS, MEDIA_TYPES, kind_of
from gateway.reports.document import Document
from gateway.reports.issuing import issued, issued_report
from gateway.reports.rendering import rendered
from gateway.review.state import read_reviews

router = APIRouter(include_in_schema=False)
Kind = Annotated[str, PathValue(max_length=40)]
Spoken = Literal["zh", "en"]
FileForm = Literal["xlsx", "pdf", "docx", "csv", "json"]
STAGES = ("gathering", "drawing", "setting")
STAGE_WORDS = {"gathering": "Gathering the figures …", "drawing": "Drawing …", "setting": "Setting the pages …"}


def asked_wish(asked: Asked, kind: str, language: str, *, first: str, last: str, review: str) -> ReportWish:
    """The report an address asks for."""
    day = asked.asking.today
    return ReportWish(
        kind=kind_of(kind).id,
        language=language,
        first=civil_day("first", first, day) if first else None,
        last=civil_day("last", last, day) if last else None,
        review=review,
    )


def asked_report(asked: Asked, wish: ReportWish) -> Document:
    """The document of an address, dated the moment it asks about: the same question gives the same bytes."""
    return report(asked.reader, asked.asking, wish, at_us=asked.asking.as_of_us)


def child_options(asked: Asked, wish: ReportWish) -> list[str]:
    """The same wish for the program that sets PDF files, at the same moment."""
    options = [*_asked_options(wish), "--at", iso(asked.asking.as_of_us)]
    if asked.asking.known_seq is not None:
        options += ["--known", str(asked.asking.known_seq)]
    if asked.person.organisation != asked.reader.folder.organisation:
        options += ["--organisation", asked.person.organisation]
    return options


def _asked_options(wish: ReportWish) -> list[str]:
    options = [wish.kind, "--language", wish.language]
    for name, day in (("--first", wish.first), ("--last", wish.last)):
        options += [name, day.isoformat()] if isinstance(day, date) else []
    return [*options, *(["--review", wish.review] if wish.review else [])]


def file_of(asked: Asked, wish: ReportWish, form: str) -> bytes:
    """The file of a report: PDF and DOCX by the child, everything else here."""
    if form in {"pdf", "docx"}:
        return set_report(asked.reader.folder.path, child_options(asked, wish), form)
    return rendered(asked_report(asked, wish), form, {})


def as_file(content: bytes, form: str, name: str, *, simulated: bool) -> Response:
    """A download; its name says when the readings are simulated."""
    named = f"SIMULATED-{name}" if simulated else name
    return Response(
        content,
        media_type=MEDIA_TYPES[form],
        headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(named, safe='')}.{form}"},
    )


@router.get("/reports")
def show(asked: AskedFor) -> HTMLResponse:
    """What can be made, what is being made, what was issued."""
    reader, view = asked.reader, asked.view
    reviews = read_reviews(
        reader.sources.registry, asked.asking.organisation, reader.folder.origin, asked.asking.known_seq
    )
    groups = [(title, [each for each in KINDS.values() if each.group == id_]) for id_, title in GROUPS.items()]
    year = asked.asking.today.year
    return page(
        view,
        "reports.html",
        groups=groups,
        issued=issued(reader.sources.registry, asked.asking.organisation, asked.asking.known_seq)[:200],
        reviews=sorted(reviews.reviews),
        first=f"{year}-01-01",
        last=asked.asking.today.isoformat(),
        may_issue=allowed(asked.person.roles, "reports.write"),
    )


@router.post("/reports/make")
def make(
    asked: AskedFor,
    *,
    kind: Annotated[str, Form(max_length=40)],
    form: Annotated[FileForm, Form()] = "pdf",
    language: Annotated[Spoken, Form()] = "zh",
    first: Annotated[str, Form(max_length=10)] = "",
    last: Annotated[str, Form(max_length=10)] = "",
    review: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """Begin making a report; its page says how far it is, and may be left."""
    return begin_making(asked, asked_wish(asked, kind, language, first=first, last=last, review=review), form)


def begin_making(asked: Asked, wish: ReportWish, form: str) -> Response:
    """Begin making a file as long work of the person who asks; it writes nothing, so whoever may read reports may."""
    if not allowed(asked.person.roles, "reports"):
        raise DeniedError("Your roles do not include this page or act; ask your administrator.")
    data, options, title = asked.reader.folder.path, child_options(asked, wish), kind_of(wish.kind).title
    name = f"{'SIMULATED-' if asked.view.simulated else ''}{asked.view.t(title)}.{form}"

    def doing(job: Job) -> None:
        def told(stage: str) -> None:
            if stage in STAGES:
                job.progress(STAGES.index(stage), len(STAGES), STAGE_WORDS[stage])

        content = set_report(data, options, form, told)
        folder = data / "state" / "reports"
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{job.id}.{form}"
        target.write_bytes(content)
        job.finish_with(address="/reports", file=target, file_name=name)

    return begin(asked.request, asked.person, title, doing)


@router.post("/reports/issue")
def issue(
    writing: WritingFor,
    *,
    kind: Annotated[str, Form(max_length=40)],
    language: Annotated[Spoken, Form()] = "zh",
    first: Annotated[str, Form(max_length=10)] = "",
    last: Annotated[str, Form(max_length=10)] = "",
    review: Annotated[str, Form(max_length=60)] = "",
    reason: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """Put a report on record: its files by hash, its figures in the entry."""
    asked = writing.asked
    wish = asked_wish(asked, kind, language, first=first, last=last, review=review)
    return begin_issue(writing, wish, reason)


def begin_issue(writing: Writing, wish: ReportWish, reason: str) -> Response:
    """Put a report on record as of now, in the person's name, and answer once it is shown."""
    folder = writing.folder
    if writing.organisation != folder.organisation:
        raise UnknownObjectError("this data folder holds no organisation %(id)s", id=folder.organisation)
    seq = issue_report(folder.path, _asked_options(wish), actor=writing.actor, reason=reason)
    return writing.answer([seq], then="/reports")


@router.get("/reports/issued/{kind}/{version}/{form}")
def download(
    asked: AskedFor,
    kind: Kind,
    version: Annotated[int, PathValue(ge=1, le=1_000_000)],
    form: FileForm,
) -> Response:
    """A file of an issued report, just as it was put on record."""
    return issued_file(asked, kind, version, form)


def issued_file(asked: Asked, report_id: str, version: int, form: str) -> Response:
    """The bytes kept under the hash the entry names."""
    found = issued_report(asked.reader.sources.registry, asked.asking.organisation, report_id, version)
    path = asked.reader.folder.blobs / found.file(form).sha256
    if not path.is_file():
        raise UnknownObjectError("the file of the report '%(id)s' is not in the data folder", id=report_id)
    return as_file(path.read_bytes(), form, f"{found.title}-{version}", simulated=asked.view.simulated)
