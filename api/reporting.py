"""Reports as pages and API make them: the wish of an address, its document and files, making and issuing."""

from datetime import date
from typing import Literal

from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.asked import Asked
from api.encoding import download
from api.job import Job
from api.people.roles import allowed
from api.problems import DeniedError
from api.questions.words import civil_day
from api.setting import issue_report, set_report
from api.work import begin
from api.writing import Writing
from gateway.assembly.reporting import ReportWish, report
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import iso
from gateway.reports.catalogue import MEDIA_TYPES, kind_of
from gateway.reports.document import Document
from gateway.reports.issuing import issued_report
from gateway.reports.rendering import rendered

FileForm = Literal["json", "xlsx", "pdf", "docx", "csv"]
Language = Literal["zh", "en"]
STAGES = {"gathering": "Gathering the figures …", "drawing": "Drawing …", "setting": "Setting the pages …"}
"""What the program that makes a file says of itself, in the order it comes to it."""


class ReportSaid(BaseModel, extra="forbid"):
    """A report as somebody asks for it."""

    kind: str = Field(max_length=40, examples=["form-b10"])
    language: Language = "zh"
    first: str = Field("", max_length=10, examples=["2026-01-01"])
    last: str = Field("", max_length=10, examples=["2026-12-31"])
    review: str = Field("", max_length=60)

    def wish(self, asked: Asked) -> ReportWish:
        """The report meant."""
        day = asked.asking.today
        return ReportWish(
            kind=kind_of(self.kind).id,
            language=self.language,
            first=civil_day("first", self.first, day) if self.first else None,
            last=civil_day("last", self.last, day) if self.last else None,
            review=self.review,
        )


class MakeWish(ReportSaid):
    """What to make in the background."""

    form: FileForm = "pdf"


class IssueWish(ReportSaid):
    """What to put on record, and why."""

    kind: str = Field(max_length=40, examples=["forms"])
    reason: str = Field("", max_length=400)


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


def as_file(asked: Asked, content: bytes, form: str, name: str) -> Response:
    """A report's file under its name."""
    return download(content, f"{asked.view.file_name(name)}.{form}", MEDIA_TYPES[form])


def begin_making(asked: Asked, said: MakeWish) -> Response:
    """Begin making a file as long work of the person who asks; it writes nothing, so whoever may read reports may."""
    if not allowed(asked.person.roles, "reports"):
        raise DeniedError("Your roles do not include this page or act; ask your administrator.")
    wish, form = said.wish(asked), said.form
    data, options, title = asked.reader.folder.path, child_options(asked, wish), kind_of(wish.kind).title
    name = f"{asked.view.file_name(asked.view.t(title))}.{form}"

    def doing(job: Job) -> None:
        def told(stage: str) -> None:
            if stage in STAGES:
                job.progress(list(STAGES).index(stage), len(STAGES), STAGES[stage])

        content = set_report(data, options, form, told)
        target = job.room / f"report.{form}"
        target.write_bytes(content)
        job.finish_with(address="/reports", file=target, file_name=name)

    return begin(asked.request, asked.person, title, doing, again="/reports")


def begin_issue(writing: Writing, said: IssueWish) -> Response:
    """Put a report on record as of now, in the person's name, and answer once it is shown."""
    wish, folder = said.wish(writing.asked), writing.folder
    if writing.organisation != folder.organisation:
        raise UnknownObjectError("this data folder holds no organisation %(id)s", id=folder.organisation)
    seq = issue_report(folder.path, _asked_options(wish), actor=writing.actor, reason=said.reason)
    return writing.answer([seq], then="/reports")


def issued_file(asked: Asked, report_id: str, version: int, form: str) -> Response:
    """The bytes kept under the hash the entry names."""
    found = issued_report(asked.reader.sources.registry, asked.asking.organisation, report_id, version)
    path = asked.reader.folder.blobs / found.file(form).sha256
    if not path.is_file():
        raise UnknownObjectError("the file of the report '%(id)s' is not in the data folder", id=report_id)
    return as_file(asked, path.read_bytes(), form, f"{found.title}-{version}")
