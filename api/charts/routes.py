"""``/charts/<name>.svg``: pictures of the same questions that the pages tabulate; at ``.json`` their specifications."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from api.asked import AskedFor
from api.charts.account import budget_spec, differences_spec, emissions_spec
from api.charts.energy import energy_spec, flow_spec, hours_spec, remainder_spec, validity_spec
from api.charts.specs import Spec, sized
from api.questions.account import AccountFor, Line, StackFor
from api.questions.energy import BalanceFor, EnergyFor, Kind
from api.questions.words import Id
from api.web.view import View
from gateway.audit.calibration_plan import calibration_plan
from gateway.audit.overview import overview

router = APIRouter(prefix="/charts", include_in_schema=False)
FoundT = TypeVar("FoundT")
CACHE = {"cache-control": "private, max-age=60"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture for one reader."""

    asked: AskedFor
    theme: Annotated[Literal["light", "dark"], Query()] = "light"
    size: Annotated[Literal["wide", "narrow"], Query()] = "wide"

    async def of(self, ask: Callable[[], FoundT], specified: Callable[[FoundT, View, str], Spec]) -> Response:
        """The picture of what is found: its specification at ``.json``, else drawn; the same in every medium."""
        request = self.asked.request
        found = await run_in_threadpool(ask)
        spec = sized(specified(found, self.asked.view, self.theme), self.size)
        if request.url.path.endswith(".json"):
            return JSONResponse(spec, headers=CACHE)
        return Response(await request.app.state.charts.svg(spec), media_type="image/svg+xml", headers=CACHE)


PictureFor = Annotated[Picture, Depends()]


@router.get("/engine.js")
async def engine(request: Request) -> Response:
    """The drawing engine for the browser; fetched only when a reader asks for an interactive chart."""
    script = await request.app.state.charts.engine()
    return Response(
        script, media_type="text/javascript; charset=utf-8", headers={"cache-control": "private, max-age=86400"}
    )


@router.get("/hours.svg")
@router.get("/hours.json")
async def hours(asked: AskedFor, picture: PictureFor) -> Response:
    """Electricity by the hour."""
    return await picture.of(partial(overview, asked.reader.sources, asked.asking), hours_spec)


@router.get("/energy.svg")
@router.get("/energy.json")
async def energy(picture: PictureFor, wanted: EnergyFor) -> Response:
    """Energy of a point step by step."""
    return await picture.of(wanted.statistics, energy_spec)


@router.get("/flow.svg")
@router.get("/flow.json")
async def flow(picture: PictureFor, wanted: EnergyFor, kind: Kind = "") -> Response:
    """Energy flow from the border to what uses it."""
    return await picture.of(partial(wanted.flow, kind), flow_spec)


@router.get("/remainder.svg")
@router.get("/remainder.json")
async def remainder(picture: PictureFor, wanted: BalanceFor, node: Id = "") -> Response:
    """A node's remainder day by day."""
    return await picture.of(partial(wanted.trend, node), remainder_spec)


@router.get("/validity.svg")
@router.get("/validity.json")
async def certificates(asked: AskedFor, picture: PictureFor) -> Response:
    """How long certificates hold."""
    return await picture.of(partial(calibration_plan, asked.reader.sources, asked.asking), validity_spec)


@router.get("/emissions.svg")
@router.get("/emissions.json")
async def emissions(picture: PictureFor, wanted: AccountFor) -> Response:
    """Emissions by source with U."""
    return await picture.of(wanted.carbon, emissions_spec)


@router.get("/budget.svg")
@router.get("/budget.json")
async def budget(picture: PictureFor, wanted: AccountFor, line: Line = "") -> Response:
    """Shares of the variance by cause."""
    return await picture.of(partial(wanted.budget, line), budget_spec)


@router.get("/comparison.svg")
@router.get("/comparison.json")
async def differences(picture: PictureFor, wanted: StackFor) -> Response:
    """The differences of the newest steps."""
    return await picture.of(wanted.comparison, differences_spec)
