"""``/charts/comparison``: the difference of stack and fuel with its limit, step by step."""

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.asked import AskedFor
from api.charts.account_specs import MAX_BARS, bars_with_u
from api.charts.routes import Size, Theme, drawn
from api.charts.specs import Spec, sized
from api.web.pages.comparison import CompareStep, Stack, asked_comparison
from api.web.pages.energy import DayText
from api.web.view import View
from gateway.audit.stack_comparison import StackComparison

router = APIRouter(prefix="/charts", include_in_schema=False)
PATTERNS = {"hour": "%m-%d %H:00", "day": "%m-%d", "month": "%Y-%m", "year": "%Y"}


@router.get("/comparison.svg")
@router.get("/comparison.json")
async def differences(
    request: Request,
    asked: AskedFor,
    *,
    stack: Stack = "",
    first: DayText = "",
    last: DayText = "",
    step: CompareStep = "month",
    theme: Theme = "light",
    size: Size = "wide",
) -> Response:
    """The differences of the newest steps."""
    found = await run_in_threadpool(asked_comparison, asked, stack, first, last, step)
    return await drawn(request, sized(differences_spec(found, asked.view, theme), size))


def differences_spec(found: StackComparison, view: View, theme: str) -> Spec:
    """A bar a step: stack less fuel in percent of the fuel side, with U of that difference."""
    rows = []
    for each in found.steps[-MAX_BARS:]:
        fuel = each.fuel.number
        if each.relative_percent is None or not fuel:
            continue
        spread = 100 * float(each.limit) / abs(fuel) if each.limit else None
        rows.append(
            {
                "label": view.local(each.start_us, PATTERNS[found.step]),
                "value": each.relative_percent,
                "low": None if spread is None else each.relative_percent - spread,
                "high": None if spread is None else each.relative_percent + spread,
                "interval": "" if spread is None else f"± {spread:.2g}",
            }
        )
    names = (view.t("From"), view.t("Stack less fuel"), "U (k = 2)")
    return bars_with_u(rows, theme=theme, unit="%", names=names)
