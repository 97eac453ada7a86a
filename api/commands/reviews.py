"""Acts of a review, by form and by API: put on record at the gateway, or signed on the reviewer's own machine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, File, Form, Path, UploadFile
from fastapi.responses import Response

from api.problems import UnreadableParameterError
from api.reviewing import gathered_for, marker_of, reviewed
from api.writing import Recorded, Writing, WritingFor
from gateway.assembly.review_desk import keep
from gateway.assembly.review_machine import require_machine, reviewer_key, sign_act
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.review.acts import MAX_TEXT, Attachment, ReviewError, act_draft
from gateway.review.gathered import Gathered
from gateway.review.state import Review, Reviews

MAX_UPLOADS = 8
RouteT = TypeVar("RouteT", bound=Callable[..., Response])
Id = Annotated[str, Path(max_length=60)]
Named = Annotated[str, Form(max_length=60)]
Short = Annotated[str, Form(max_length=200)]
Long = Annotated[str, Form(max_length=MAX_TEXT)]
_NOT_YET: dict[int | str, dict[str, Any]] = {202: {"model": Recorded, "description": "on record, not yet shown"}}


class Commands:
    """Commands that a page's form and the API have in common: each at both addresses, with one function."""

    def __init__(self) -> None:
        self.pages = APIRouter(include_in_schema=False)
        self.api = APIRouter(prefix="/api/v1", responses=_NOT_YET)

    def at(self, path: str, **described: Any) -> Callable[[RouteT], RouteT]:
        """Register a command; ``described`` as a route's own, where it differs from others."""

        def register(route: RouteT) -> RouteT:
            self.pages.post(path)(route)
            self.api.post(path, **{"status_code": 201, "response_model": Recorded, **described})(route)
            return route

        return register


def uploaded(files: Annotated[list[UploadFile], File()] = []) -> list[Attachment]:  # noqa: B006  # never changed
    """Uploaded files; empty fields of a form are none."""
    named = [each for each in files if each.filename]
    if len(named) > MAX_UPLOADS:
        raise UnreadableParameterError("at most %(limit)s files at once", limit=str(MAX_UPLOADS))
    return [
        Attachment(str(each.filename)[:120], each.file.read(), each.content_type or "application/octet-stream")
        for each in named
    ]


Documents = Annotated[list[Attachment], Depends(uploaded)]


def reviews_of(writing: Writing) -> Reviews:
    """Everything on record about reviews."""
    return gathered_for(writing.asked).reviews


def require_gateway(writing: Writing) -> None:
    """ReviewError in a package opened for reading, which takes no entries."""
    if marker_of(writing.asked) is not None:
        raise ReviewError(
            "%(path)s is a package opened for reading; this belongs into the gateway's own folder",
            path=str(writing.folder.path),
        )


def recorded(writing: Writing, draft: Draft, *, then: str, documents: Sequence[Attachment] = ()) -> Response:
    """Put an act on record at the gateway, with its documents."""
    require_gateway(writing)
    keep(DataFolder.open(writing.folder.path), documents)
    return writing.done([draft], then=then)


@dataclass(frozen=True, slots=True)
class ReviewCommand:
    """A command about one review."""

    writing: WritingFor
    review: Id

    @property
    def home(self) -> str:
        """The review's page."""
        return f"/reviews/{self.review}"

    def facts(self) -> tuple[Gathered, Review]:
        """The review with its facts; UnknownObjectError when none of that id is on record."""
        return reviewed(self.writing.asked, self.review)

    def found(self) -> Review:
        """The review alone."""
        return self.facts()[1]

    def record(self, action: str, said: dict[str, Any], documents: Sequence[Attachment] = ()) -> Response:
        """Put an act on record at the gateway."""
        draft = act_draft(
            self.writing.organisation,
            ("review", self.review),
            action,
            at_us=self.writing.at_us,
            actor=self.writing.actor,
            object_=said,
            documents=documents,
        )
        return recorded(self.writing, draft, then=self.home, documents=documents)

    def sign(
        self, action: str, said: dict[str, Any], documents: Sequence[Attachment] = (), *, then: str = ""
    ) -> Response:
        """Sign an act with the reviewer's key, here and now; ReviewError where this is not the reviewer's machine."""
        writing = self.writing
        folder = DataFolder.open(writing.folder.path)
        key = reviewer_key(require_machine(folder), None)
        clock = writing.request.app.state.clock
        sign_act(
            folder, writing.journal, clock, key, review=self.review, action=action, object_=said, documents=documents
        )
        return writing.answer([writing.journal.head()], then=then or self.home)


ReviewCommandFor = Annotated[ReviewCommand, Depends()]
