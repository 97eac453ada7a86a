"""The application: pages, ``/api/v1`` and charts over one data folder, all behind the guard of ``api.people``."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from api import described, events, problems, writing
from api.charts import routes as charts
from api.charts.render import ChartRenderer
from api.people import pages as people_pages
from api.people.guard import Identity, authorised
from api.people.store import AUTH_FILE, People
from api.reading import Readers
from api.routes import (
    account,
    energy_account,
    evidence,
    figures,
    instruments,
    ledger,
    ledger_writing,
    overview,
    quality,
    reports,
    review_signing,
    review_writing,
    reviews,
    settings,
    stack,
    work,
)
from api.security import ALLOWED_HOSTS, MAX_BODY_BYTES, SecurityHeaders
from api.web.environment import STATIC
from api.web.pages import ROUTERS
from api.work import Works
from api.writing import Writer
from gateway.assembly.platform import SystemRandom
from gateway.journal.folder import DataFolder
from gateway.ports import Clock

EVERY_ROUTER = (
    people_pages.router,
    writing.router,
    overview.router,
    evidence.router,
    figures.router,
    stack.router,
    instruments.router,
    ledger.router,
    ledger_writing.router,
    quality.router,
    reviews.router,
    review_writing.commands.api,
    review_writing.commands.pages,
    review_signing.commands.api,
    review_signing.commands.pages,
    reports.router,
    account.router,
    energy_account.router,
    settings.router,
    work.router,
    events.router,
    charts.router,
    *ROUTERS,
)
"""All routes; each needs its line in ``api.people.permits``."""


def create_app(folder: Path | DataFolder, *, clock: Clock, host_names: Sequence[str] = ()) -> FastAPI:
    """The application over a data folder; DataFolderError when it is not ours. Its projections may come later.

    ``host_names``: names it is reached by beside those of this machine itself.
    """
    if not isinstance(folder, DataFolder):
        folder = DataFolder.open(folder, read_only=True)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        yield
        app.state.streams.close()
        await app.state.works.close()
        await app.state.charts.close()
        app.state.readers.close()
        app.state.writer.close()
        app.state.people.close()

    app = FastAPI(
        title="Meterproof",
        version=version("meterproof"),
        description="Energy and carbon metering: figures with their evidence. Authorization: Bearer <token>.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=life,
        dependencies=[Depends(authorised)],
    )
    app.openapi = partial(described.openapi, app)  # type: ignore[method-assign]  # as FastAPI wants it extended
    app.state.clock = clock
    app.state.readers = Readers(folder)
    app.state.charts = ChartRenderer()
    app.state.random = SystemRandom()
    app.state.people = People(folder.path / AUTH_FILE, clock, app.state.random)
    app.state.writer = Writer(folder, app.state.people, clock)
    app.state.works = Works(clock, app.state.random, folder.state / "jobs")
    app.state.streams = events.Streams()
    problems.install(app)
    app.add_api_route("/api/v1/openapi.json", _described, include_in_schema=False)
    for router in EVERY_ROUTER:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Identity)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY_BYTES)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*ALLOWED_HOSTS, *host_names])
    app.add_middleware(problems.ProblemDocuments)
    app.add_middleware(SecurityHeaders)
    return app


def _described(request: Request) -> JSONResponse:
    """The OpenAPI document."""
    return JSONResponse(request.app.openapi())
