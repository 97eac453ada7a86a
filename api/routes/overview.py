"""``/api/v1``: the first page and the points with their newest values."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fastapi import APIRouter
from fastapi.responses import Response

from api.answers import ReplyFor, answered, described, tabled
from api.asked import AskedFor
from api.questions.words import Id, IdInPath
from api.tables import Table
from gateway.audit.energy import Energy
from gateway.audit.live import LiveDetail, LivePoint, live, live_detail
from gateway.audit.overview import HourOfDay, Overview, overview

router = APIRouter(prefix="/api/v1")


class _Hour(NamedTuple):
    hour: int
    day: str
    energy: Energy


HOURS = Table(
    _Hour,
    "hour day from=energy.start_us to=energy.end_us energy=energy.value unit=energy.unit windows=energy.windows",
    "missing=energy.missing coverage_permille=energy.coverage_permille",
)
LIVE = Table(
    LivePoint,
    "point=point.id name_zh=point.name_zh name_en=point.name_en device instrument last_reading=last_us stale",
    "missed_slots=missed register=register.value register_unit=register.unit flow=flow.value flow_unit=flow.unit",
    "flow_measurand=flow.measurand",
)


@router.get("/overview", **described("OverviewAnswer", Overview, "The first page."))
def get_overview(asked: AskedFor) -> Response:
    """Today's energy, completeness, due certificates, open findings."""
    return answered(asked, overview(asked.reader.sources, asked.asking))


@router.get("/overview/hours", **tabled("OverviewAnswer", Overview, "The first page."))
def get_hours(asked: AskedFor, reply: ReplyFor) -> Response:
    """Electricity taken in by the hour, today and the day before."""
    found = overview(asked.reader.sources, asked.asking)
    return reply.table(found, HOURS, _hours(found.hours), f"hours-{found.day}")


def _hours(hours: Sequence[HourOfDay]) -> Iterator[_Hour]:
    for each in hours:
        for day, energy in (("today", each.today), ("before", each.before)):
            if energy is not None:
                yield _Hour(each.hour, day, energy)


@router.get("/live", **tabled("LiveAnswer", list[LivePoint], "The tree of points with their newest values."))
def get_live(asked: AskedFor, reply: ReplyFor, root: Id = "") -> Response:
    """Every metering point with its newest values, parents first."""
    found = live(asked.reader.sources, asked.asking, root=root)
    return reply.table(found, LIVE, found, "live")


@router.get("/live/{point:path}", **described("LiveDetailAnswer", LiveDetail, "One point."))
def get_live_point(asked: AskedFor, point: IdInPath, *, raw: bool = False) -> Response:
    """One point's channels; with ``raw`` the journal entries behind them, decoded field by field."""
    return answered(asked, live_detail(asked.reader.sources, asked.asking, point, raw=raw))
