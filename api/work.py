"""Long work: begun by a person, done beside the requests, looked at whenever one likes, left without harm.

A route ends with ``begin(writing.request, person, …)``; the answer leads to the job's page (303) or, of the API, names
the place to look (202). Jobs live in this process and are forgotten with it; what they have done stands in the journal.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import anyio
from anyio import from_thread
from fastapi import Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel

from api.people.store import Person
from api.problems import BusyError
from gateway.domain.errors import ConfigurationError, MeterproofError, UnknownObjectError
from gateway.i18n import text
from gateway.ports import Clock, Random

MAX_JOBS = 100
MAX_RUNNING = 2
MAX_RUNNING_OF_ONE = 2
State = Literal["waiting", "running", "done", "failed"]


class JobView(BaseModel):
    """A job as it stands: ``done`` of ``total`` steps (null where nobody knows how many)."""

    id: str
    title: str
    state: State
    begun_us: int
    ended_us: int | None
    done: int
    total: int | None
    step: str
    said: list[str]
    address: str
    file: str
    look: str


@dataclass(slots=True)
class Job:
    """One piece of long work. Texts are English sentences with their facts, translated where shown."""

    id: str
    person: str
    organisation: str
    title: str
    facts: dict[str, object]
    begun_us: int
    state: State = "waiting"
    ended_us: int | None = None
    done: int = 0
    total: int | None = None
    step: str = ""
    said: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    address: str = ""
    file: Path | None = None
    file_name: str = ""

    def progress(self, done: int, total: int | None = None, step: str = "") -> None:
        """Say how far it is; called by the work itself."""
        self.done, self.total, self.step = done, total, step or self.step

    def finish_with(self, *, address: str = "", file: Path | None = None, file_name: str = "") -> None:
        """Where the result is seen, or the file that it brought."""
        self.address, self.file, self.file_name = address, file, file_name


Doing = Callable[[Job], None]


class Works:
    """The jobs of one server."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._jobs: dict[str, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._limit = anyio.CapacityLimiter(MAX_RUNNING)

    def begin(self, person: Person, title: str, doing: Doing, **facts: object) -> Job:
        """Begin a piece of work; called from a route's worker thread."""
        running = [each for each in self._jobs.values() if each.person == person.id and each.ended_us is None]
        if len(running) >= MAX_RUNNING_OF_ONE:
            raise BusyError("two pieces of long work of yours are under way already; wait for one to end")
        job = Job(
            id=self._random.token(9).hex(),
            person=person.id,
            organisation=person.organisation,
            title=title,
            facts=facts,
            begun_us=self._clock.utc_us(),
        )
        self._forget()
        self._jobs[job.id] = job
        from_thread.run_sync(self._start, job, doing)
        return job

    def _start(self, job: Job, doing: Doing) -> None:
        task = asyncio.get_running_loop().create_task(self._run(job, doing))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, job: Job, doing: Doing) -> None:
        def work() -> None:
            job.state = "running"
            doing(job)

        try:
            await anyio.to_thread.run_sync(work, limiter=self._limit)
            job.state = "done"
        except ConfigurationError as error:
            job.state, job.lines = "failed", list(error.lines)[:200]
            job.said.append((error.message, error.facts))
        except MeterproofError as error:
            job.state = "failed"
            job.said.append((error.message, error.facts))
        except Exception as error:  # noqa: BLE001  # whatever it is, the person who waits has to hear of it
            job.state = "failed"
            job.said.append(("the work broke off: %(reason)s", {"reason": f"{type(error).__name__}: {error}"}))
        finally:
            job.ended_us = self._clock.utc_us()

    def _forget(self) -> None:
        ended = [each for each in self._jobs.values() if each.ended_us is not None]
        for each in ended[: max(0, len(self._jobs) - MAX_JOBS + 1)]:
            self._jobs.pop(each.id)
            if each.file is not None:
                each.file.unlink(missing_ok=True)

    def of(self, person: Person) -> list[Job]:
        """A person's jobs, newest first."""
        return [each for each in reversed(self._jobs.values()) if each.person == person.id]

    def job(self, id_: str, person: Person) -> Job:
        """A job of this person; nobody sees another's."""
        found = self._jobs.get(id_)
        if found is None or found.person != person.id:
            raise UnknownObjectError("there is no work %(id)s", id=id_)
        return found

    async def close(self) -> None:
        """Wait for what runs; for shutdown."""
        if self._tasks:
            await asyncio.wait(self._tasks)


def begin(request: Request, person: Person, title: str, doing: Doing, **facts: object) -> Response:
    """Begin long work and lead to its page."""
    works: Works = request.app.state.works
    job = works.begin(person, title, doing, **facts)
    if request.url.path.startswith("/api/"):
        look = f"/api/v1/jobs/{job.id}"
        return JSONResponse({"id": job.id, "look": look}, status_code=202, headers={"location": look})
    return RedirectResponse(f"/jobs/{quote(job.id)}", status_code=303)


def job_view(job: Job, language: str) -> JobView:
    """A job in the reader's language."""
    return JobView(
        id=job.id,
        title=text(language, job.title, **job.facts),
        state=job.state,
        begun_us=job.begun_us,
        ended_us=job.ended_us,
        done=job.done,
        total=job.total,
        step=text(language, job.step) if job.step else "",
        said=[*job.lines, *(text(language, message, **facts) for message, facts in job.said)],
        address=job.address,
        file=f"/jobs/{job.id}/file" if job.file is not None and job.state == "done" else "",
        look=f"/api/v1/jobs/{job.id}",
    )
