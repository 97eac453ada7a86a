"""The answers of ``/api/v1``: JSON in its frame, or, where a reader prefers it, the table as CSV or XLSX."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, create_model

from api.asked import Asked, AskedFor
from api.encoding import plain, sheet, table
from api.negotiation import XLSX, chosen_form, entity_tag, tagged
from api.tables import RowT, Table
from gateway.domain.time import iso

WantedForm = Annotated[
    Literal["json", "csv", "xlsx"] | None,
    Query(alias="format", description="json, csv or xlsx; where it is left out by Accept"),
]
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "The reader has this answer (If-None-Match)."}}
_TABLES = {"text/csv": {"schema": {"type": "string"}}, XLSX: {"schema": {"type": "string", "format": "binary"}}}


class Frame(BaseModel):
    """The frame of every answer: whose, effective when, as known when, in which zone, real or simulated."""

    organisation: str
    as_of: str
    known_seq: int | None
    time_zone: str
    simulated: bool


class Answer(BaseModel):
    """``frame`` and the result. Exact amounts are text: a decimal, or a ratio such as ``10/3``."""

    model_config = ConfigDict(defer_build=True)  # only the OpenAPI document needs its shape

    frame: Frame
    result: Any


def described(name: str, result: Any, meaning: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
    """How a route documents an answer with a result of this type, ``content``: and in which forms beside JSON."""
    model = create_model(name, __base__=Answer, __doc__=meaning, result=(result, ...))
    shape = {"model": model, "content": content} if content else {"model": model}
    return {"response_model": None, "responses": {200: shape, **NOT_MODIFIED}}


def tabled(name: str, result: Any, meaning: str) -> dict[str, Any]:
    """How a route documents an answer that comes as a table too."""
    return described(name, result, meaning, _TABLES)


def answered(asked: Asked, result: object, **following: int) -> Response:
    """The JSON answer; with a link (RFC 8288) to what follows it, where ``following`` says by which parameter."""
    frame = Frame(
        organisation=asked.asking.organisation,
        as_of=iso(asked.asking.as_of_us),
        known_seq=asked.asking.known_seq,
        time_zone=asked.asking.zone.key,
        simulated=asked.view.simulated,
    )
    made = JSONResponse({"frame": frame.model_dump(), "result": plain(result)})
    answer = tagged(asked.request, made, entity_tag(_standing(asked, bytes(made.body), frame.as_of)))
    if following:
        answer.headers["link"] = f'<{asked.view.here(**following)}>; rel="next"'
    return answer


def _standing(asked: Asked, body: bytes, as_of: str) -> bytes:
    """An answer's body without the moment of asking, unless that was asked for."""
    if "as_of" in asked.view.query:
        return body
    return body.replace(f'"as_of":"{as_of}"'.encode(), b"", 1)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a route that has a table says to its reader, in the form that ``format=`` or ``Accept`` chose."""

    asked: Asked
    form: str

    @property
    def is_table(self) -> bool:
        """Whether the reader wants CSV or XLSX."""
        return self.form != "json"

    def found(self, result: object, **following: int) -> Response:
        """The result as JSON."""
        return answered(self.asked, result, **following)

    def exported(self, headers: Sequence[str], rows: Iterable[Sequence[object]], name: str) -> Response:
        """The table as CSV or XLSX; its name says when the readings are simulated."""
        named = self.asked.view.file_name(name)
        made = (sheet if self.form == "xlsx" else table)(headers, rows, named, self.asked.reader.zone)
        return tagged(self.asked.request, made, entity_tag(bytes(made.body)))

    def table(self, result: object, columns: Table[RowT], things: Iterable[RowT], name: str) -> Response:
        """The result as JSON, or the table of these things."""
        return self.exported(columns.headers, columns.rows(things), name) if self.is_table else self.found(result)


def reply(asked: AskedFor, wanted: WantedForm = None) -> Reply:
    """The reply to a request."""
    return Reply(asked, chosen_form(asked.request, wanted))


ReplyFor = Annotated[Reply, Depends(reply)]
