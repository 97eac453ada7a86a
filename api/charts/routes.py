"""``/charts/<name>.svg``: pictures of the same queries the pages tabulate."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from api.asked import AskedFor
from api.charts.specs import Spec, hours_of_a_day, sized, steps, validity
from api.web.pages.energy import DayText, Step, asked_consumption
from api.web.view import View
from gateway.audit.calibration_plan import CalibrationPlan, calibration_plan
from gateway.audit.consumption import Consumption
from gateway.audit.overview import Overview, overview

router = APIRouter(prefix="/charts", include_in_schema=False)
Size = Annotated[Literal["wide", "narrow"], Query()]
Theme = Annotated[Literal["light", "dark"], Query()]
MAX_LINES = 300
CACHE = {"cache-control": "private, max-age=60"}


@router.get("/engine.js")
async def engine(request: Request) -> Response:
    """The drawing engine for the browser; fetched only when a reader asks for an interactive chart."""
    script = await request.app.state.charts.engine()
    return Response(
        script, media_type="text/javascript; charset=utf-8", headers={"cache-control": "private, max-age=86400"}
    )


async def drawn(request: Request, spec: Spec) -> Response:
    """The specification itself at ``.json``, its picture at ``.svg``: one chart, the same in every medium."""
    if request.url.path.endswith(".json"):
        return JSONResponse(spec, headers=CACHE)
    return Response(await request.app.state.charts.svg(spec), media_type="image/svg+xml", headers=CACHE)


@router.get("/hours.svg")
@router.get("/hours.json")
async def hours(request: Request, asked: AskedFor, theme: Theme = "light", size: Size = "wide") -> Response:
    """Electricity by the hour."""
    found = await run_in_threadpool(overview, asked.reader.sources, asked.asking)
    spec = hours_spec(found, asked.view, theme)
    return await drawn(request, sized(spec, size))


def hours_spec(found: Overview, view: View, theme: str) -> Spec:
    """The chart of the first page."""
    today, before, missing = view.t("Today"), view.t("Yesterday"), view.t("missing")
    rows: list[dict[str, object]] = []
    unit = found.intake.today.unit if found.intake else ""
    for each in found.hours:
        for series, energy in ((today, each.today), (before, each.before)):
            if energy is None:
                continue
            gap = energy.value is None
            rows.append(
                {
                    "hour": f"{each.hour:02d}",
                    "series": missing if gap else series,
                    "energy": None if energy.value is None else float(energy.value),
                    "gap": int(gap),
                }
            )
    return hours_of_a_day(
        rows, theme=theme, unit=view.unit(unit), hour=view.t("Hour"), today=today, before=before, missing=missing
    )


@router.get("/energy.svg")
@router.get("/energy.json")
async def energy(
    request: Request,
    asked: AskedFor,
    *,
    point: str = Query("", max_length=120),
    first: DayText = "",
    last: DayText = "",
    step: Step = "day",
    theme: Theme = "light",
    size: Size = "wide",
) -> Response:
    """Energy of a point step by step."""
    found = await run_in_threadpool(asked_consumption, asked, point, first, last, step)
    return await drawn(request, sized(energy_spec(found, asked.view, theme), size))


def energy_spec(found: Consumption, view: View, theme: str) -> Spec:
    """The chart of the energy statistics."""
    known, partial, missing = view.t("whole"), view.t("in part"), view.t("missing")
    pattern = {"hour": "%m-%d %H:00", "day": "%m-%d", "month": "%Y-%m"}[found.step]
    rows = [
        {
            "step": view.local(each.start_us, pattern),
            "energy": None if each.value is None else float(each.value),
            "state": missing if each.value is None else known if each.complete else partial,
        }
        for each in found.steps
    ]
    unit = view.unit(found.total.unit) if found.total else ""
    return steps(rows, theme=theme, unit=unit, step=view.t("From"), known=known, partial=partial, missing=missing)


@router.get("/validity.svg")
@router.get("/validity.json")
async def certificates(request: Request, asked: AskedFor, *, theme: Theme = "light", size: Size = "wide") -> Response:
    """How long certificates hold."""
    found = await run_in_threadpool(calibration_plan, asked.reader.sources, asked.asking)
    return await drawn(request, sized(validity_spec(found, asked.view, theme), size))


def validity_spec(found: CalibrationPlan, view: View, theme: str) -> Spec:
    """The chart of verification and calibration; of each certificate the last ten years."""
    verification, calibration, over = view.t("verification"), view.t("calibration"), view.t("replaced or over")
    oldest = found.day.replace(year=found.day.year - 10, day=1)
    rows = [
        {
            "instrument": each.instrument,
            "since": max(each.since, oldest).isoformat(),
            "until": (each.until or found.day).isoformat(),
            "state": over
            if not each.in_force or (each.until is not None and each.until < found.day)
            else verification
            if each.kind in {"verification", "rejection_notice"}
            else calibration,
        }
        for each in found.validities
        if (each.until or found.day) > oldest
    ]
    names = {"verification": verification, "calibration": calibration, "over": over}
    names["broken"] = broken = view.t("out of control")
    shown = {row["instrument"] for row in rows[:MAX_LINES]}
    windows = [
        {
            "instrument": each.instrument,
            "since": max(each.since, oldest).isoformat(),
            "until": (each.to or found.day).isoformat(),
            "state": broken,
            "why": view.rule(each.rule),
        }
        for each in found.out_of_control
        if (each.to or found.day) > oldest and each.instrument in shown
    ]
    return validity(
        rows[:MAX_LINES],
        windows=windows[:MAX_LINES],
        theme=theme,
        day=found.day.isoformat(),
        titles=(view.t("Instrument"), view.t("From"), view.t("Valid until")),
        **names,
    )
