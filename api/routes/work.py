"""``/api/v1/jobs``: how far a piece of one's own long work is."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response

from api.asked import AskedFor
from api.job import JobView, job_view
from api.work import Works

router = APIRouter(prefix="/api/v1")


@router.get("/jobs/{job}", response_model=None, responses={200: {"model": JobView}})
def get_job(request: Request, asked: AskedFor, job: Annotated[str, Path(max_length=40)]) -> Response:
    """How far a piece of one's own long work is, what it said, and the address of its file."""
    works: Works = request.app.state.works
    found = job_view(works.job(job, asked.person), asked.view.language)
    return JSONResponse(found.model_dump(), headers={"cache-control": "no-store"})
