"""Reading back with InfluxQL through ``GET /query``: the one language that 1.x, 2.x and 3.x all serve.

Only the portable subset is used: SELECT of fields or aggregates, equality of tags, half-open time, GROUP BY tags. An
error may stand in a body with status 200.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from gateway.delivery.influx.outcomes import message_of
from gateway.delivery.influx.settings import InfluxSettings
from gateway.delivery.influx.transport import open_session

MAX_ANSWER_BYTES = 256 * 1024 * 1024
_CHUNK = 1 << 20


class QueryError(Exception):
    """The sink cannot be asked: not reachable, not allowed, or it does not understand."""


@dataclass(frozen=True, slots=True)
class ResultSeries:
    """One series of an answer."""

    name: str
    tags: Mapping[str, str]
    columns: Sequence[str]
    values: Sequence[Sequence[Any]]


class _Series(msgspec.Struct):
    name: str = ""
    tags: dict[str, str] = {}
    columns: list[str] = []
    values: list[list[Any]] = []


class _Result(msgspec.Struct):
    series: list[_Series] = []
    error: str = ""


class _Answer(msgspec.Struct):
    results: list[_Result] = []
    error: str = ""


_DECODER = msgspec.json.Decoder(_Answer)


def quoted(identifier: str) -> str:
    """An identifier in double quotes."""
    return '"' + identifier.replace("\\", "\\\\").replace('"', '\\"') + '"'


def literal(value: str) -> str:
    """A string in single quotes."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


class InfluxQuery:
    """A reader of one database."""

    def __init__(self, settings: InfluxSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def select(self, query: str) -> list[ResultSeries]:
        """Run one SELECT or SHOW; times come back in ms. QueryError says why not."""
        if self._session is None:
            self._session = open_session(self._settings)
        parameters = {"db": self._settings.v1_database, "epoch": "ms", "q": query}
        if self._settings.v1_retention_policy:
            parameters["rp"] = self._settings.v1_retention_policy
        try:
            async with self._session.get(
                f"{self._settings.url}/query", params=parameters, allow_redirects=False
            ) as response:
                body = await _limited(response)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise QueryError(f"no answer: {type(error).__name__}") from error
        if status != 200:
            raise QueryError(f"{status} {message_of(body)}".strip())
        try:
            answer = _DECODER.decode(body)
        except msgspec.MsgspecError as error:
            raise QueryError("the answer is not the JSON of an InfluxQL query") from error
        fault = answer.error or next((result.error for result in answer.results if result.error), "")
        if fault:
            raise QueryError(fault)
        return [
            ResultSeries(series.name, series.tags, series.columns, series.values)
            for result in answer.results
            for series in result.series
        ]

    async def close(self) -> None:
        """Close connections; idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    parts = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        parts += chunk
        if len(parts) > MAX_ANSWER_BYTES:
            raise QueryError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
    return bytes(parts)
