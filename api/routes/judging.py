"""``/api/v1``: how an amount is judged, what a failure put in question, when instruments reach their limit."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.asked import AskedFor
from api.encoding import At
from api.problems import RESPONSES
from api.routes.v1 import Answer, Format, answered, described, exported, wants_csv
from api.web.pages.trace import asked_period
from gateway.audit.judging import Judged, judged
from gateway.audit.look_ahead import LookAhead, look_ahead
from gateway.audit.look_back import LookBack, look_back

router = APIRouter(prefix="/api/v1", responses=RESPONSES)
Number = Annotated[str, Query(max_length=120, description="Number of a certificate; every one where left out.")]
PointId = Annotated[str, Query(max_length=120)]
Time = Annotated[str, Query(max_length=40)]


class JudgedAnswer(Answer):
    """A judged amount."""

    result: Judged


class EffectsAnswer(Answer):
    """What is in question."""

    result: LookBack


class OutlookAnswer(Answer):
    """Risk dates by instrument."""

    result: list[LookAhead]


@router.get("/judgement", **described(JudgedAnswer))
def get_judgement(
    asked: AskedFor, *, point: PointId, from_: Annotated[str, Query(alias="from", max_length=40)] = "", to: Time = ""
) -> Response:
    """A point's amount over a time with error, U, policy, what its certificate shows and its worst word."""
    return answered(asked, judged(asked.reader.sources, asked.asking, point, asked_period(asked, from_, to)))


@router.get("/effects", **described(EffectsAnswer))
def get_effects(
    request: Request,
    asked: AskedFor,
    *,
    certificate: Number = "",
    format: Format = None,  # noqa: A002
) -> Response:
    """Spans in question with bound and estimate on every total, and the results and reports made before it was known;
    CSV holds the effects on amounts and figures, one a line."""
    found = look_back(asked.reader.sources, asked.asking, certificate)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = ["of", "id", "from", "to", "value", "questioned", "unit", "bound", "estimate", "u", "U_k2", "significant"]
    columns += ["verdict_entry", "decision"]
    effects = [
        *((each.certificate, one, each) for each in found.spans for one in ([each.total] if each.total else [])),
        *((each.certificate, one, each) for each in found.spans for one in each.months),
        *((each.name, one, None) for each in found.results for one in each.figures),
    ]
    rows: list[Sequence[object]] = [
        [
            *(of, one.id, At(one.from_us), At(one.to_us), one.value, one.questioned, one.unit),
            *(_text(one.bound), _text(one.estimate), _text(one.u), _text(one.expanded), one.significant),
            *((span.entry_seq, span.state) if span else (None, "")),
        ]
        for of, one, span in effects
    ]
    return exported(asked, columns, rows, f"effects-{asked.asking.today}")


@router.get("/outlook", **described(OutlookAnswer))
def get_outlook(request: Request, asked: AskedFor, *, format: Format = None) -> Response:  # noqa: A002
    """When |error| + U of each instrument may reach its limit in service, by its own history; earliest first."""
    found = sorted(
        look_ahead(asked.reader.sources, asked.asking).values(),
        key=lambda each: (str(each.act_by or "9999"), each.instrument),
    )
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = [
        "instrument",
        "certificate",
        "risk_on",
        "due_on",
        "act_by",
        "error",
        "expanded",
        "limit",
        "drift",
        "basis",
    ]
    rows: list[Sequence[object]] = [
        [
            *(each.instrument, each.certificate, each.risk_on, each.assumed_on, each.due_on, each.act_by),
            *(_text(each.error), _text(each.expanded), _text(each.limit), _text(each.drift), each.basis),
        ]
        for each in found
    ]
    return exported(asked, columns, rows, f"outlook-{asked.asking.today}")


def _text(number: float | None) -> str | None:
    return None if number is None else f"{number:.6g}"
