"""报表: what can be made, making it (long work goes on by itself), issuing it, and what was issued."""

from typing import Annotated

from fastapi import APIRouter, Form, Path
from fastapi.responses import HTMLResponse, Response

from api.asked import AskedFor
from api.people.roles import allowed
from api.reporting import FileForm, IssueWish, MakeWish, begin_issue, begin_making, issued_file
from api.web.environment import page
from api.writing import WritingFor
from gateway.reports.catalogue import GROUPS, KINDS
from gateway.reports.issuing import issued
from gateway.review.state import read_reviews

router = APIRouter(include_in_schema=False)


class MakeForm(MakeWish, extra="ignore"):
    """The wish as a form sends it, with its token."""


class IssueForm(IssueWish, extra="ignore"):
    """The wish as a form sends it, with its token."""


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
def make(asked: AskedFor, wish: Annotated[MakeForm, Form()]) -> Response:
    """Begin making a report; its page says how far it is, and may be left."""
    return begin_making(asked, wish)


@router.post("/reports/issue")
def issue(writing: WritingFor, wish: Annotated[IssueForm, Form()]) -> Response:
    """Put a report on record: its files by hash, its figures in the entry."""
    return begin_issue(writing, wish)


@router.get("/reports/issued/{kind}/{version}/{form}")
def download(
    asked: AskedFor,
    kind: Annotated[str, Path(max_length=40)],
    version: Annotated[int, Path(ge=1, le=1_000_000)],
    form: FileForm,
) -> Response:
    """A file of an issued report, just as it was put on record."""
    return issued_file(asked, kind, version, form)
