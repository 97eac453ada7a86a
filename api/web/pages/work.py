"""Long work: how far one's own imports, exports and reports are, and what they brought."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from api.asked import AskedFor
from api.problems import RESPONSES
from api.web.environment import page
from api.work import Job, JobView, Works
from gateway.domain.errors import UnknownObjectError
from gateway.i18n import text

router = APIRouter()
Id = Annotated[str, Path(max_length=40)]


@router.get("/work", include_in_schema=False)
def show(request: Request, asked: AskedFor) -> Response:
    """One's own pieces of work."""
    works: Works = request.app.state.works
    jobs = [_view(each, asked.view.language) for each in works.of(asked.person)]
    return page(asked.view, "work.html", jobs=jobs, job=None)


@router.get("/work/{job}", include_in_schema=False)
def show_job(request: Request, asked: AskedFor, job: Id) -> Response:
    """One of them; the page looks again by itself until it has ended."""
    works: Works = request.app.state.works
    found = _view(works.job(job, asked.person), asked.view.language)
    answer = page(asked.view, "work.html", jobs=[], job=found)
    if found.state in {"waiting", "running"}:
        answer.headers["refresh"] = "2"
    return answer


@router.get("/work/{job}/file", include_in_schema=False)
def get_file(request: Request, asked: AskedFor, job: Id) -> Response:
    """The file it brought."""
    works: Works = request.app.state.works
    found = works.job(job, asked.person)
    if found.state != "done" or found.file is None or not found.file.is_file():
        raise UnknownObjectError("there is no file of work %(id)s", id=job)
    return FileResponse(found.file, filename=found.file_name, headers={"cache-control": "no-store"})


@router.get("/api/v1/work/{job}", response_model=None, responses={**RESPONSES, 200: {"model": JobView}})
def get_job(request: Request, asked: AskedFor, job: Id) -> Response:
    """How far a piece of one's own long work is."""
    works: Works = request.app.state.works
    found = _view(works.job(job, asked.person), asked.view.language)
    return JSONResponse(found.model_dump(), headers={"cache-control": "no-store"})


def _view(job: Job, language: str) -> JobView:
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
        file=f"/work/{job.id}/file" if job.file is not None and job.state == "done" else "",
        look=f"/api/v1/work/{job.id}",
    )
