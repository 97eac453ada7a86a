"""The application: pages, ``/api/v1`` and charts over one data folder, read-only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from api import problems
from api.charts import routes as charts
from api.charts.render import ChartRenderer
from api.reading import Readers
from api.routes import figures, v1
from api.security import ALLOWED_HOSTS, SecurityHeaders
from api.web.environment import STATIC
from api.web.pages import ROUTERS
from gateway.journal.folder import DataFolder
from gateway.ports import Clock


def create_app(folder: Path | DataFolder, *, clock: Clock) -> FastAPI:
    """The application over a data folder; DataFolderError when it is not ours. Its projections may come later."""
    if not isinstance(folder, DataFolder):
        folder = DataFolder.open(folder, read_only=True)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        yield
        await app.state.charts.close()
        app.state.readers.close()

    app = FastAPI(
        title="Meterproof",
        version=version("meterproof"),
        description="Energy and carbon metering: figures with their evidence. Read-only.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    app.state.clock = clock
    app.state.readers = Readers(folder)
    app.state.charts = ChartRenderer()
    problems.install(app)
    app.include_router(v1.router)
    app.include_router(figures.router)
    app.include_router(charts.router)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(SecurityHeaders)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=ALLOWED_HOSTS)
    return app
