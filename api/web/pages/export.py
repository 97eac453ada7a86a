"""Evidence packages: chosen on the journal's page, made as long work, handed out as one file for an offline check."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from api.asked import instant
from api.job import Job
from api.people.store import Person
from api.problems import UnreadableParameterError
from api.work import begin
from api.writing import WritingFor
from gateway.assembly.sealing_now import sealed_up_to
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import US_PER_S
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.ports import Clock
from gateway.sealing.package import PackageWriter
from gateway.sealing.selection import Wish

router = APIRouter(include_in_schema=False)
MAX_POINTS = 1_000
MAX_SPAN_US = timedelta(days=3_700) // timedelta(microseconds=1)


@router.post("/journal/export")
def export(
    writing: WritingFor,
    *,
    from_: Annotated[str, Form(alias="from", max_length=40)] = "",
    to: Annotated[str, Form(max_length=40)] = "",
    points: Annotated[str, Form(max_length=20_000)] = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Begin a package of a period; ``to`` is its last day, ``points`` empty means everything."""
    return begin_export(writing, from_, to, points, reason)


def begin_export(writing: WritingFor, from_: str, to: str, points: str, reason: str) -> Response:
    """Begin a package."""
    folder, person = writing.folder, writing.person
    if person.organisation != folder.organisation:
        raise UnknownObjectError("this data folder holds no organisation %(id)s", id=folder.organisation)
    zone = writing.asked.reader.zone
    if not from_ or not to:
        raise UnreadableParameterError("a package needs its first and its last day")
    begin_us, end_us = instant("from", from_, zone, end=False), instant("to", to, zone, end=True) + 1
    if not begin_us < end_us <= begin_us + MAX_SPAN_US:
        raise UnreadableParameterError("'%(name)s' must lie after the beginning, and within ten years", name="to")
    chosen = tuple(filter(None, (each.strip() for each in points.replace("，", ",").split(","))))
    if len(chosen) > MAX_POINTS:
        raise UnreadableParameterError("'%(name)s' names more than a thousand points", name="points")
    wish = Wish(begin_us, end_us, chosen, ())
    clock: Clock = writing.request.app.state.clock
    made = _Export(DataFolder.open(folder.path), clock, person, wish, reason)
    title = "Evidence package from %(first)s to %(last)s"
    return begin(writing.request, person, title, made, again="/journal#export", first=from_[:16], last=to[:16])


class _Export:
    """The work itself."""

    def __init__(self, folder: DataFolder, clock: Clock, person: Person, wish: Wish, reason: str) -> None:
        self._folder, self._clock, self._person, self._wish, self._reason = folder, clock, person, wish, reason

    def __call__(self, job: Job) -> None:
        job.progress(0, None, "Collecting and sealing; this can take a minute while the gateway runs.")
        stamp = self._clock.utc_us() // US_PER_S
        mark = "SIMULATED-" if self._folder.simulated else ""
        target = job.room / f"{mark}{self._folder.organisation}-{stamp}-{job.id[:6]}.zip"
        with Journal.open(self._folder) as journal:
            sealed = sealed_up_to(self._folder, journal, self._clock)
            done = PackageWriter(self._folder, journal, self._clock, sealed, self._person.id).write(
                self._wish, target, self._reason
            )
        job.said.append(
            (
                "%(path)s written: %(entries)s entries, %(documents)s documents, %(figures)s figures.",
                {
                    "path": target.name,
                    "entries": str(done.entries),
                    "documents": str(done.documents),
                    "figures": str(done.figures),
                },
            )
        )
        job.said.append(("Public key, to be handed over on another way: %(key)s", {"key": done.vkey}))
        job.finish_with(file=target, file_name=target.name)
