"""A journal in memory to deliver from, a plain reader of the server (no code of the product), a fault proxy."""

import asyncio
import json
import random
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from gateway.delivery.courier import Courier, CourierSettings
from gateway.delivery.influx.settings import InfluxSettings
from gateway.delivery.influx.sink import InfluxSink
from gateway.delivery.port import Feed, Layout, Portion, VerdictRow
from gateway.delivery.state import CourierState
from gateway.series.row import SeriesRow

SITE = "kiln-line"
T0_S = 1_790_000_000 // 900 * 900
QUICK = CourierSettings(
    idle_s=0.02, backoff_first_s=0.02, backoff_most_s=0.1, hold_s=0.05, retry_after_most_s=0.2, status_every_s=0.1
)


class RealClock:
    """The machine's clocks."""

    def utc_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    async def sleep(self, duration_s: float) -> None:
        await asyncio.sleep(duration_s)


class SeededRandom:
    """Chance from a seed."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)

    def token(self, size_bytes: int) -> bytes:
        return self._random.randbytes(size_bytes)


class MemoryJournal:
    """Entries that hold one row each, numbered from 1; implements the Feed of couriers."""

    def __init__(self, layouts: dict[int, Layout]) -> None:
        self.layouts = layouts
        self.entries: list[SeriesRow | VerdictRow] = []

    def append(self, *entries: SeriesRow | VerdictRow) -> None:
        self.entries.extend(entries)

    @property
    def rows(self) -> list[SeriesRow]:
        return [entry for entry in self.entries if isinstance(entry, SeriesRow)]

    async def read(self, after_seq: int, limit: int) -> Portion:
        part = self.entries[after_seq : after_seq + limit]
        rows = [entry for entry in part if isinstance(entry, SeriesRow)]
        verdicts = [entry for entry in part if isinstance(entry, VerdictRow)]
        return Portion(after_seq + len(part), len(self.entries), rows, verdicts)

    def layout(self, device: str, group: str, cfg_seq: int) -> Layout:
        return self.layouts[cfg_seq]


def power_layout(channels: int = 3, decimals: int = 2) -> Layout:
    """``c0`` … with the same resolution, and a text channel at the end that no sink takes."""
    return Layout((*(f"c{n}" for n in range(channels)), None), (decimals,) * channels + (0,))


def polls(
    count: int, *, devices: int = 5, channels: int = 3, first_seq: int = 1, start_s: int = T0_S, step_s: int = 60
) -> list[SeriesRow]:
    """Rows of a small plant, one entry each; some values missing, some not good."""
    chance = random.Random(first_seq)
    rows = []
    for number in range(count):
        slot_us = (start_s + number // devices * step_s) * 1_000_000
        values: list[int | None] = [chance.randrange(-(10**6), 10**9) for _ in range(channels)]
        quality = [0] * (channels + 1)
        if number % 11 == 3:
            values[number % channels], quality[number % channels] = None, 3 | 1 << 2
        rows.append(
            SeriesRow(
                f"meter-{number % devices}", "main", slot_us, slot_us + 1234, first_seq + number, 1,
                (*values, None), tuple(quality),
            )
        )  # fmt: skip
    return rows


class Server:
    """Plain HTTP to a 1.x server through urllib: the oracle of these tests."""

    def __init__(self, url: str, database: str = "plant") -> None:
        self.url = url
        self.database = database

    def query(self, text: str, **more: str) -> list[dict[str, Any]]:
        parameters = urllib.parse.urlencode({"db": self.database, "epoch": "ms", "q": text} | more)
        request = urllib.request.Request(f"{self.url}/query?{parameters}", data=b"")
        with urllib.request.urlopen(request, timeout=60) as answer:
            document = json.load(answer)
        [result] = document["results"]
        assert "error" not in result, result
        return list(result.get("series", []))

    def create(self, clause: str = "") -> None:
        self.query(f'CREATE DATABASE "{self.database}" {clause}')

    def write(self, lines: str, precision: str = "ms") -> None:
        address = f"{self.url}/write?db={self.database}&precision={precision}"
        with urllib.request.urlopen(urllib.request.Request(address, data=lines.encode()), timeout=60):
            pass

    def points(self) -> dict[tuple[str, int], dict[str, Any]]:
        """Every reading: by device and ms, its fields without nulls."""
        found: dict[tuple[str, int], dict[str, Any]] = {}
        for series in self.query(f"SELECT * FROM reading WHERE site = '{SITE}' GROUP BY device"):
            for values in series["values"]:
                fields = dict(zip(series["columns"], values, strict=True))
                at = fields.pop("time")
                del fields["site"], fields["group"]
                found[series["tags"]["device"], at] = {key: value for key, value in fields.items() if value is not None}
        return found


def expected(rows: Iterable[SeriesRow], layouts: dict[int, Layout]) -> dict[tuple[str, int], dict[str, Any]]:
    """What a server must hold for rows, worked out without the product's line builder."""
    wanted = {}
    for row in rows:
        layout = layouts[row.cfg_seq]
        fields: dict[str, Any] = {
            name: float(f"{value}e-{decimals}")
            for name, value, decimals in zip(layout.names, row.values, layout.decimals, strict=True)
            if name is not None and value is not None
        }
        status = max(word & 3 for word in row.quality)
        flags = 0
        for word in row.quality:
            flags |= word >> 2
        wanted[row.device, row.slot_us // 1000] = fields | {"q": status | flags << 2, "seq": row.seq}
    return wanted


def same_numbers(found: dict[tuple[str, int], dict[str, Any]], wanted: dict[tuple[str, int], dict[str, Any]]) -> None:
    """Equal point by point; JSON writes 5.0 as 5, which compares equal."""
    assert found.keys() == wanted.keys(), (len(found), len(wanted))
    for key, fields in wanted.items():
        assert found[key] == fields, key


def settings_for(url: str, **more: Any) -> InfluxSettings:
    """Settings of the test database with short waits."""
    return InfluxSettings(**{"url": url, "database": "plant", "timeout_s": 10.0} | more)


@asynccontextmanager
async def courier_for(journal: Feed, target: InfluxSettings, folder: Path, **more: Any) -> AsyncIterator[Courier]:
    """A courier over a new sink, with the state file in the folder."""
    state = CourierState(folder / "courier-influxdb.sqlite")
    options = {"clock": RealClock(), "random": SeededRandom(), "settings": QUICK} | more
    courier = Courier(journal, InfluxSink(target, SITE), state, **options)
    try:
        yield courier
    finally:
        await courier.close()


async def until(condition: Callable[[], bool], timeout_s: float = 180.0) -> None:
    """Wait for a condition; AssertionError when it does not come true."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(0.01)


Fault = Callable[[web.Request, bytes], Awaitable[web.StreamResponse | None]]


class FaultProxy:
    """An HTTP proxy before a real server. ``faults`` are used up one a write; None in it passes that request on."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.faults: list[Fault | None] = []
        self.standing: Fault | None = None  # for every write, once ``faults`` is empty
        self.writes = 0
        self.deny_queries = False
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "FaultProxy":
        self._session = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=1 << 28)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, auto_decompress=False, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        assert self._session is not None
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if request.path == "/write":
            self.writes += 1
            fault = self.faults.pop(0) if self.faults else self.standing
            answer = await fault(request, body) if fault is not None else None
            if answer is not None:
                return answer
        elif request.path == "/query" and self.deny_queries:
            return web.json_response({"error": "not authorized to execute statement"}, status=403)
        return await self.forward(request, body)

    async def forward(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """Pass the request on as it is."""
        assert self._session is not None
        headers = {
            key: value for key, value in request.headers.items() if key.lower() not in {"host", "content-length"}
        }
        try:
            async with self._session.request(
                request.method, self._target + request.path, params=request.query, data=body, headers=headers
            ) as answer:
                kept = {key: value for key, value in answer.headers.items() if key.lower().startswith("x-influx")}
                return web.Response(
                    status=answer.status, body=await answer.read(), headers=kept, content_type=answer.content_type
                )
        except aiohttp.ClientError:
            return web.Response(status=502, text="no server")


def says(status: int, text: str = "", **headers: str) -> Fault:
    """Answer with a status and never pass the request on."""

    async def answer(_request: web.Request, _body: bytes) -> web.StreamResponse:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return web.json_response({"error": text or f"planted {status}"}, status=status, headers=named)

    return answer


async def resets(request: web.Request, _body: bytes) -> web.StreamResponse | None:
    """Cut the connection without an answer; the server never saw the request."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hangs(_request: web.Request, _body: bytes) -> web.StreamResponse | None:
    """Take the request and never answer."""
    await asyncio.sleep(30)
    return web.Response(status=504)
