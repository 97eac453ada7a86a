"""The one road of a write: a signed-in person's command appends entries and is answered once they are projected.

A route takes ``WritingFor``, makes drafts in the name of ``writing.actor`` and ends with ``writing.done(drafts,
then=…)``. The answer of a form is the way to ``then`` (303), that of the API 201 with the entries' numbers. Where the
projection has not come that far within ``PROJECTED_WITHIN_S`` it is 202 with the place to look, for both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from anyio import from_thread
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel

from api.asked import Asked, AskedFor
from api.people.acts import Acts
from api.people.guard import SignedIn
from api.people.store import People, Person
from api.questions.evidence import own_entry
from api.questions.words import EntryNumber
from api.web.environment import page
from gateway.domain.errors import UnknownObjectError
from gateway.journal.audit_event import circumstances
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.ports import Clock

PROJECTED_WITHIN_S = 2.0
_LOOK_EVERY_S = 0.02
MAX_DRAFTS = 20_000
"""Entries of one command; a ledger of 5 000 instruments brings about three each."""
router = APIRouter()


class Recorded(BaseModel):
    """What a command brought: the numbers of its entries, and whether every answer shows them already."""

    first: int
    last: int
    projected: bool
    look: str


class Writer:
    """The journal open for appending, from the first command on."""

    def __init__(self, folder: DataFolder, people: People, clock: Clock) -> None:
        self._folder = folder
        self._people = people
        self._clock = clock
        self._journal: Journal | None = None
        self._lock = Lock()

    @property
    def journal(self) -> Journal:
        """The journal; opened when first needed."""
        with self._lock:
            if self._journal is None:
                self._journal = Journal.open(DataFolder.open(self._folder.path))
            return self._journal

    def acts(self) -> Acts:
        """Acts on accounts, with their entries."""
        return Acts(self._people, self._folder, self.journal, self._clock)

    def close(self) -> None:
        """Close the journal; idempotent."""
        with self._lock:
            if self._journal is not None:
                self._journal.close()
                self._journal = None


@dataclass(frozen=True, slots=True)
class Writing:
    """One person's command."""

    request: Request
    asked: Asked
    person: Person

    @property
    def actor(self) -> str:
        """The person's id, as entries name people."""
        return self.person.id

    @property
    def organisation(self) -> str:
        """The person's organisation: what a command may write about."""
        return self.person.organisation

    @property
    def at_us(self) -> int:
        """Now (µs UTC): the time of the entries."""
        return self._clock.utc_us()

    @property
    def journal(self) -> Journal:
        """The journal, for commands that append by themselves; then end with ``answer``."""
        return self._writer.journal

    @property
    def folder(self) -> DataFolder:
        """The data folder."""
        return self.asked.reader.folder

    @property
    def _writer(self) -> Writer:
        writer: Writer = self.request.app.state.writer
        return writer

    @property
    def _clock(self) -> Clock:
        clock: Clock = self.request.app.state.clock
        return clock

    def circumstances(self) -> dict[str, Any]:
        """Clock state, configuration and software of this moment, as every audit event names them."""
        return circumstances(self.folder, self.journal)

    def event(
        self,
        action: str,
        *,
        about: object,
        subject: str | None = None,
        old: object = None,
        new: object = None,
        reason: str = "",
        facts: dict[str, Any] | None = None,
    ) -> Draft:
        """An audit event by this person, about the site unless ``subject`` (``<type>/<id>``) says otherwise."""
        body = {
            "actor": self.actor,
            "action": action,
            "object": about,
            "old": old,
            "new": new,
            "reason": reason,
            "result": "ok",
            **self.circumstances(),
            **(facts or {}),
        }
        return Draft("event", f"{self.organisation}/{subject or f'site/{self.folder.site}'}", self.at_us, body)

    def done(self, drafts: Sequence[Draft], *, then: str) -> Response:
        """Append the drafts in one commit and answer. Each must be about the person's own organisation."""
        if len(drafts) > MAX_DRAFTS:
            raise ValueError(f"{len(drafts)} entries in one command")
        if any(not draft.subject.startswith(f"{self.organisation}/") for draft in drafts):
            raise UnknownObjectError(
                "this data folder holds no organisation %(id)s", id=drafts[0].subject.split("/")[0]
            )
        if not drafts:
            return self._nothing(then)
        return self.answer(self.journal.append(drafts), then=then)

    def _nothing(self, then: str) -> Response:
        head = self.journal.head()
        if self._is_api:
            return JSONResponse(Recorded(first=head + 1, last=head, projected=True, look="").model_dump())
        return RedirectResponse(with_query(then, recorded=0), status_code=303)

    def answer(self, seqs: Sequence[int], *, then: str) -> Response:
        """The answer to a command whose entries have these numbers (at least one)."""
        first, last = seqs[0], seqs[-1]
        projected = self._wait_until_projected(last)
        if self._is_api:
            look = f"/api/v1/writes/{last}"
            made = Recorded(first=first, last=last, projected=projected, look=look)
            headers = {"location": look, "cache-control": "no-store"}
            return JSONResponse(made.model_dump(), status_code=201 if projected else 202, headers=headers)
        there = with_query(then, recorded=last)
        if projected:
            return RedirectResponse(there, status_code=303)
        return _waiting_page(self.asked, last, there)

    @property
    def _is_api(self) -> bool:
        return self.request.url.path.startswith("/api/")

    def _wait_until_projected(self, seq: int) -> bool:
        for _ in range(round(PROJECTED_WITHIN_S / _LOOK_EVERY_S)):
            if is_projected(self.asked, seq):
                return True
            from_thread.run(self._clock.sleep, _LOOK_EVERY_S)
        return is_projected(self.asked, seq)


def writing(request: Request, asked: AskedFor, person: SignedIn) -> Writing:
    """The command of a request."""
    return Writing(request, asked, person)


WritingFor = Annotated[Writing, Depends(writing)]


def is_projected(asked: Asked, seq: int) -> bool:
    """Whether every answer shows an entry: the registry is the last store that a batch is committed to."""
    return asked.reader.sources.registry.applied_seq() >= seq


def with_query(address: str, **values: object) -> str:
    """An address of ours with more query values."""
    parts = urlsplit(address)
    query = "&".join(filter(None, (parts.query, urlencode(values))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def _waiting_page(asked: Asked, seq: int, then: str) -> Response:
    look = f"/writes/{seq}?{urlencode({'then': then})}"
    answer = page(asked.view, "waiting.html", status_code=202, seq=seq, look=look, then=then)
    answer.headers["refresh"] = f"2; url={look}"
    return answer


@router.get("/writes/{seq}", include_in_schema=False)
def show_write(asked: AskedFor, seq: EntryNumber, then: Annotated[str, Query(max_length=2_000)] = "/") -> Response:
    """Goes on to ``then`` once the entry is shown everywhere."""
    own_entry(asked, seq)
    there = then if then.startswith("/") and not then.startswith(("//", "/\\")) else "/"
    return RedirectResponse(there, status_code=303) if is_projected(asked, seq) else _waiting_page(asked, seq, there)


@router.get("/api/v1/writes/{seq}", responses={200: {"model": Recorded}}, response_model=None)
def get_write(asked: AskedFor, seq: EntryNumber) -> Response:
    """Whether an entry that a command appended is shown by every answer."""
    own_entry(asked, seq)
    made = Recorded(first=seq, last=seq, projected=is_projected(asked, seq), look=f"/api/v1/writes/{seq}")
    return JSONResponse(made.model_dump(), headers={"cache-control": "no-store"})
