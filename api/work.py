"""Long work: begun by a person, done beside the requests, looked at whenever one likes, left without harm.

A route ends with ``begin(writing.request, person, …)``; the answer leads to the job's page (303) or, of the API, names
the place to look (202). Jobs run in this process and end with it; what came of them is found again (``finished_work``).
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import anyio
from anyio import from_thread
from fastapi import Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from api import finished_work
from api.job import Job
from api.people.store import Person
from api.problems import BusyError
from gateway.domain.errors import ConfigurationError, MeterproofError, UnknownObjectError
from gateway.ports import Clock, Random

MAX_RUNNING = 2
MAX_RUNNING_OF_ONE = 2
Doing = Callable[[Job], None]


class Works:
    """The jobs of one server."""

    def __init__(self, clock: Clock, random: Random, place: Path) -> None:
        """``place`` is the folder that keeps what came of the work."""
        self._clock = clock
        self._random = random
        self._place = place
        self._jobs = {each.id: each for each in finished_work.found(place)}
        self._tasks: set[asyncio.Task[None]] = set()
        self._limit = anyio.CapacityLimiter(MAX_RUNNING)

    def begin(self, person: Person, title: str, doing: Doing, again: str = "", **facts: object) -> Job:
        """Begin a piece of work; called from a route's worker thread."""
        running = [each for each in self._jobs.values() if each.person == person.id and is_under_way(each)]
        if len(running) >= MAX_RUNNING_OF_ONE:
            raise BusyError("two pieces of long work of yours are under way already; wait for one to end")
        id_ = self._random.token(9).hex()
        job = Job(
            id=id_,
            person=person.id,
            organisation=person.organisation,
            title=title,
            facts=facts,
            begun_us=self._clock.utc_us(),
            room=self._place / id_,
            again=again,
        )
        self._jobs[job.id] = job
        self._forget()
        finished_work.write(job)
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
            await anyio.to_thread.run_sync(finished_work.write, job)

    def _forget(self) -> None:
        ended = (each for each in self._jobs.values() if not is_under_way(each))
        for each in finished_work.outlived(ended, self._clock.utc_us()):
            self._jobs.pop(each.id)
            finished_work.drop(each)

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


def is_under_way(job: Job) -> bool:
    """Whether it still waits or runs."""
    return job.state in {"waiting", "running"}


def begin(request: Request, person: Person, title: str, doing: Doing, *, again: str = "", **facts: object) -> Response:
    """Begin long work and lead to its page; ``again`` is the page on which it can be begun anew."""
    works: Works = request.app.state.works
    job = works.begin(person, title, doing, again, **facts)
    if request.url.path.startswith("/api/"):
        look = f"/api/v1/jobs/{job.id}"
        return JSONResponse({"id": job.id, "look": look}, status_code=202, headers={"location": look})
    return RedirectResponse(f"/jobs/{quote(job.id)}", status_code=303)
