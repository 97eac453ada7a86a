"""Long work: how far one's own imports, exports and reports are, and what they brought."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse, Response

from api.asked import AskedFor
from api.job import job_view
from api.web.environment import page
from api.work import Works
from gateway.domain.errors import UnknownObjectError

router = APIRouter(include_in_schema=False)
Id = Annotated[str, Path(max_length=40)]


@router.get("/jobs")
def show(request: Request, asked: AskedFor) -> Response:
    """One's own pieces of work."""
    works: Works = request.app.state.works
    jobs = [job_view(each, asked.view.language) for each in works.of(asked.person)]
    return page(asked.view, "work.html", jobs=jobs, job=None)


@router.get("/jobs/{job}")
def show_job(request: Request, asked: AskedFor, job: Id) -> Response:
    """One of them; the page looks again by itself until it has ended."""
    works: Works = request.app.state.works
    found = job_view(works.job(job, asked.person), asked.view.language)
    answer = page(asked.view, "work.html", jobs=[], job=found)
    if found.state in {"waiting", "running"}:
        answer.headers["refresh"] = "2"
    return answer


@router.get("/jobs/{job}/file")
def get_file(request: Request, asked: AskedFor, job: Id) -> Response:
    """The file it brought."""
    works: Works = request.app.state.works
    found = works.job(job, asked.person)
    if found.state != "done" or found.file is None or not found.file.is_file():
        raise UnknownObjectError("there is no file of work %(id)s", id=job)
    return FileResponse(found.file, filename=found.file_name, headers={"cache-control": "no-store"})
