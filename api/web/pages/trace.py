"""溯源: from a figure to its evidence."""

from datetime import timedelta

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.asked import Asked, AskedFor, instant
from api.web.environment import page
from api.web.format import digits
from gateway.audit.judging import judged
from gateway.audit.plant import plant
from gateway.audit.touched import Touched, touched
from gateway.audit.trace import Trace, trace
from gateway.domain.time import Period, local_midnight

router = APIRouter(include_in_schema=False)
FIELD = "%Y-%m-%dT%H:%M"


def asked_period(asked: Asked, from_: str, to: str) -> Period:
    """The period of an address: from and to as dates or times; today where left out, a day where ``to`` is left out."""
    zone = asked.reader.zone
    day = asked.asking.today
    start = instant("from", from_, zone, end=False) if from_ else local_midnight(day, zone)
    if to:
        end = instant("to", to, zone, end=False)
    else:
        end = min(start + timedelta(days=1) // timedelta(microseconds=1), max(asked.asking.as_of_us, start))
    return Period(start, max(end, start))


def asked_trace(asked: Asked, point: str, from_: str, to: str, window: str) -> Trace:
    """The trace of an address."""
    opened = instant("window", window, asked.reader.zone, end=False) if window else None
    return trace(asked.reader.sources, asked.asking, point, asked_period(asked, from_, to), window_us=opened)


def _upwards(asked: Asked, **said: str) -> Touched | None:
    """What rests on the one thing that an address names."""
    named = next(((kind, id_) for kind, id_ in said.items() if id_), None)
    return None if named is None else touched(asked.reader.sources, asked.asking, *named)


@router.get("/trace")
def show(
    asked: AskedFor,
    *,
    point: str = Query("", max_length=120),
    from_: str = Query("", alias="from", max_length=40),
    to: str = Query("", max_length=40),
    window: str = Query("", max_length=40),
    instrument: str = Query("", max_length=120),
    certificate: str = Query("", max_length=120),
    standard: str = Query("", max_length=120),
) -> HTMLResponse:
    """The chooser, the walk down from a point's figure, the walk up from an instrument, certificate or standard."""
    there = plant(asked.reader.sources, asked.asking)
    followed = asked_trace(asked, point, from_, to, window) if point else None
    start = asked.view.local(asked.asking.as_of_us, "%Y-%m-%dT00:00")
    return page(
        asked.view,
        "trace.html",
        trace=followed,
        up=_upwards(asked, instrument=instrument, certificate=certificate, standard=standard),
        digits=digits,
        judged=judged(
            asked.reader.sources, asked.asking, point, Period(followed.figure.start_us, followed.figure.end_us)
        )
        if followed
        else None,
        points=[fact.point for _depth, fact in there.walk() if fact.meter],
        from_text=asked.view.local(followed.figure.start_us, FIELD) if followed else start,
        to_text=asked.view.local(followed.figure.end_us, FIELD) if followed else "",
    )
