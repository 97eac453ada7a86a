"""``/api/v1/touched``: upwards from an instrument, a certificate or a standard to amounts, results and reports."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.asked import AskedFor
from api.encoding import At
from api.problems import RESPONSES
from api.routes.v1 import Answer, Format, answered, described, exported, wants_csv
from gateway.audit.touched import Touched, touched

router = APIRouter(prefix="/api/v1", responses=RESPONSES)
ThingKind = Annotated[Literal["instrument", "certificate", "standard"], Query(description="What is asked about.")]
ThingId = Annotated[
    str, Query(min_length=1, max_length=120, description="Management number, certificate number or id.")
]


class TouchedAnswer(Answer):
    """What rests on it."""

    result: Touched


@router.get("/touched", **described(TouchedAnswer))
def get_touched(
    request: Request,
    asked: AskedFor,
    *,
    kind: ThingKind,
    id: ThingId,  # noqa: A002  # the address's word
    format: Format = None,  # noqa: A002
) -> Response:
    """Amounts settled in its time, and results and issued reports whose time it touches; CSV holds the amounts."""
    found = touched(asked.reader.sources, asked.asking, kind, id)
    if not wants_csv(request, format):
        return answered(asked, found)
    columns = [
        "instrument",
        "role",
        "installation",
        "certificate",
        "point",
        "from",
        "to",
        "open_ended",
        "amount",
        "unit",
    ]
    columns += ["quarter_hours", "missing", "installation_entry"]
    rows: list[Sequence[object]] = [
        [
            *(each.instrument, each.role, each.installation, each.certificate, each.point, At(each.from_us)),
            *(At(each.to_us), each.open_ended, each.value, each.unit, each.quarter_hours, each.missing),
            each.installation_seq,
        ]
        for each in found.spans
    ]
    return exported(asked, columns, rows, f"touched-{kind}-{id}")
