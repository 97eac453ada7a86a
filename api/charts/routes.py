"""``/charts/<name>.svg``: pictures of the same queries the pages tabulate."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.asked import AskedFor
from api.charts.specs import Spec, hours_of_a_day, sized
from gateway.audit.overview import Overview, overview

router = APIRouter(prefix="/charts", include_in_schema=False)
Size = Annotated[Literal["wide", "narrow"], Query()]
Theme = Annotated[Literal["light", "dark"], Query()]
CACHE = {"cache-control": "private, max-age=60"}


@router.get("/hours.svg")
async def hours(request: Request, asked: AskedFor, theme: Theme = "light", size: Size = "wide") -> Response:
    """Electricity by the hour."""
    found = await run_in_threadpool(overview, asked.reader.sources, asked.asking)
    spec = hours_spec(found, asked.view.t("Today"), asked.view.t("Yesterday"), asked.view.t("missing"), theme)
    return Response(await request.app.state.charts.svg(sized(spec, size)), media_type="image/svg+xml", headers=CACHE)


def hours_spec(found: Overview, today: str, before: str, missing: str, theme: str) -> Spec:
    """The chart of the first page."""
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
    return hours_of_a_day(rows, theme=theme, unit=unit, today=today, before=before, missing=missing)
