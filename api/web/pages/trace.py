"""溯源: from a figure to its evidence."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.asked import Asked, AskedFor
from api.questions.evidence import TimesFor
from api.questions.words import Id, Time
from api.web.environment import page
from api.web.format import digits
from gateway.audit.judging import judged
from gateway.audit.plant import plant
from gateway.audit.touched import Touched, touched
from gateway.domain.time import Period

router = APIRouter(include_in_schema=False)
FIELD = "%Y-%m-%dT%H:%M"


def _upwards(asked: Asked, **said: str) -> Touched | None:
    """What rests on the one thing that an address names."""
    named = next(((kind, id_) for kind, id_ in said.items() if id_), None)
    return None if named is None else touched(asked.reader.sources, asked.asking, *named)


@router.get("/trace")
def show(
    asked: AskedFor,
    times: TimesFor,
    *,
    point: Id = "",
    window: Time = "",
    instrument: Id = "",
    certificate: Id = "",
    standard: Id = "",
) -> HTMLResponse:
    """The chooser, the walk down from a point's figure, the walk up from an instrument, certificate or standard."""
    sources, asking, view = asked.reader.sources, asked.asking, asked.view
    there = plant(sources, asking)
    followed, judgement = None, None
    from_text, to_text = view.local(asking.as_of_us, "%Y-%m-%dT00:00"), ""
    if point:
        followed = times.trace(point, window)
        span = Period(followed.figure.start_us, followed.figure.end_us)
        judgement = judged(sources, asking, point, span)
        from_text, to_text = view.local(span.start_us, FIELD), view.local(span.end_us, FIELD)
    return page(
        view,
        "trace.html",
        trace=followed,
        up=_upwards(asked, instrument=instrument, certificate=certificate, standard=standard),
        digits=digits,
        judged=judgement,
        points=[fact.point for _depth, fact in there.walk() if fact.meter],
        from_text=from_text,
        to_text=to_text,
    )
