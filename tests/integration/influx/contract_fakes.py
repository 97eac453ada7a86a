"""Contract fakes: InfluxDB 2.x and 3 Core as their documentation describes them; no such server can be had here.

What they do is written down from the vendors' documentation (state of August 2026), never from our own client. A test
against one of these proves that we keep our side of the documented contract; it does not prove that a real 2.x or 3.x
server does. Sources: write API and error codes of the InfluxDB OSS 2.x and 3 Core documentation.
"""

import gzip
import json
import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

LINE = re.compile(r"^(?P<key>[^ ]+) (?P<fields>.+) (?P<time>-?\d+)$")
Refusal = Callable[[str], str | None]


async def _served(app: web.Application) -> tuple[web.AppRunner, str]:
    """What serves an application on a free port, and where."""
    runner = web.AppRunner(app, auto_decompress=False, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


class ContractFake:
    """A server in memory: points by series key and time, fields merged, the last value kept."""

    version = ""
    build = ""

    def __init__(self, token: str = "token", refuse: Refusal | None = None) -> None:
        self.token = token
        self.refuse = refuse or (lambda _line: None)
        self.points: dict[tuple[str, int], dict[str, str]] = {}
        self.requests: list[web.Request] = []
        self.planted: list[web.Response] = []
        self.max_body_bytes = 1 << 30
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> "ContractFake":
        app = web.Application(client_max_size=1 << 28)
        self.routes(app)
        self._runner, self.url = await _served(app)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/ping", self.ping)
        app.router.add_post("/api/v2/write", self.write)
        app.router.add_get("/query", self.query)

    async def ping(self, request: web.Request) -> web.Response:
        raise NotImplementedError

    def authorised(self, request: web.Request) -> bool:
        raise NotImplementedError

    def answer(self, good: list[str], bad: list[tuple[int, str, str]]) -> web.Response:
        raise NotImplementedError

    async def write(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        body = await request.read()
        if self.planted:
            return self.planted.pop(0)
        if not self.authorised(request):
            return web.json_response({"code": "unauthorized", "message": "unauthorized access"}, status=401)
        assert request.query["precision"] == "ms", "the precision is always sent"
        if len(body) > self.max_body_bytes:
            return web.json_response({"code": "request too large", "message": "body too large"}, status=413)
        text = gzip.decompress(body).decode() if request.headers.get("Content-Encoding") == "gzip" else body.decode()
        good, bad = [], []
        for number, line in enumerate(text.split("\n"), 1):
            reason = self.refuse(line) if LINE.match(line) else "unable to parse"
            if reason is None:
                good.append(line)
            else:
                bad.append((number, line, reason))
        return self.answer(good, bad)

    def keep(self, lines: list[str]) -> None:
        for line in lines:
            match = LINE.match(line)
            assert match is not None
            fields = dict(field.split("=", 1) for field in match["fields"].split(","))
            self.points.setdefault((match["key"], int(match["time"])), {}).update(fields)

    async def query(self, request: web.Request) -> web.Response:
        """``SELECT "seq" … GROUP BY "device", "group"`` over a bucket with its 1.x mapping."""
        if not self.authorised(request):
            return web.json_response({"error": "unauthorized"}, status=401)
        asked = re.search(r'SELECT "seq" FROM "(\w+)" .* time >= (-?\d+)ms AND time < (-?\d+)ms', request.query["q"])
        assert asked is not None, request.query["q"]
        series: dict[tuple[str, str], list[list[int]]] = {}
        for (key, at), fields in sorted(self.points.items()):
            measurement, *tags = key.split(",")
            named = dict(tag.split("=", 1) for tag in tags)
            if measurement == asked[1] and int(asked[2]) <= at < int(asked[3]):
                values = series.setdefault((named["device"], named["group"]), [])
                values.append([at, int(fields["seq"].rstrip("i"))])
        rows: list[dict[str, Any]] = [
            {"name": asked[1], "tags": {"device": device, "group": group}, "columns": ["time", "seq"], "values": values}
            for (device, group), values in series.items()
        ]
        return web.Response(text=json.dumps({"results": [{"statement_id": 0, "series": rows}]}))


class ContractFake2(ContractFake):
    """2.x OSS: a malformed line refuses the whole body (400); a type conflict or a point out of retention is 422 and
    the rest is kept; back-pressure is 429 or 503 with Retry-After; ``Token``; ``/ping`` is 204 and open."""

    version = "v2.7.12"
    build = "OSS"

    async def ping(self, _request: web.Request) -> web.Response:
        return web.Response(status=204, headers={"X-Influxdb-Version": self.version, "X-Influxdb-Build": self.build})

    def authorised(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Token {self.token}"

    def answer(self, good: list[str], bad: list[tuple[int, str, str]]) -> web.Response:
        if any(reason == "unable to parse" for _, _, reason in bad):
            return web.json_response({"code": "invalid", "message": "unable to parse line protocol"}, status=400)
        self.keep(good)
        if bad:
            message = f"failure writing points to database: partial write: {bad[0][2]} dropped={len(bad)}"
            return web.json_response({"code": "unprocessable entity", "message": message}, status=422)
        return web.Response(status=204)


class ContractFake3(ContractFake):
    """3 Core: ``/ping`` answers 200 with JSON and may want the token; a bad line is 400 with its number and reason
    under ``data`` and the good ones are kept (accept_partial); ``Bearer`` or ``Token``."""

    version = "3.2.1"
    build = "Core"

    async def ping(self, request: web.Request) -> web.Response:
        if not self.authorised(request):
            return web.json_response({"error": "unauthorized"}, status=401)
        headers = {"X-Influxdb-Version": self.version, "X-Influxdb-Build": self.build}
        return web.json_response({"version": self.version}, headers=headers)

    def authorised(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") in {f"Token {self.token}", f"Bearer {self.token}"}

    def answer(self, good: list[str], bad: list[tuple[int, str, str]]) -> web.Response:
        self.keep(good)
        if bad:
            faults = [
                {"original_line": line, "line_number": number, "error_message": reason} for number, line, reason in bad
            ]
            return web.json_response({"error": "partial write of line protocol occurred", "data": faults}, status=400)
        return web.Response(status=204)


class Shim:
    """The v2 write path in front of a real 1.6.7, thin enough to see through: path, bucket and token are translated."""

    def __init__(self, v1_url: str) -> None:
        self._v1_url = v1_url
        self.writes = 0
        self.agents: set[str] = set()
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._session: Any = None

    async def __aenter__(self) -> "Shim":
        import aiohttp  # noqa: PLC0415  # only this class is a client

        self._session = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=1 << 28)
        app.router.add_post("/api/v2/write", self._write)
        app.router.add_get("/{path:.*}", self._get)
        self._runner, self.url = await _served(app)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()
        await self._session.close()

    async def _write(self, request: web.Request) -> web.Response:
        self.writes += 1
        self.agents.add(request.headers.get("User-Agent", ""))
        database, _, policy = request.query["bucket"].partition("/")
        parameters = {"db": database, "precision": request.query["precision"]} | ({"rp": policy} if policy else {})
        user, _, password = request.headers["Authorization"].removeprefix("Token ").partition(":")
        parameters |= {"u": user, "p": password} if password else {}
        headers = {"Content-Encoding": request.headers.get("Content-Encoding", "identity")}
        async with self._session.post(
            f"{self._v1_url}/write", params=parameters, data=await request.read(), headers=headers
        ) as answer:
            body = await answer.read()
            if answer.status == 204:
                return web.Response(status=204)
            message = json.loads(body).get("error", "")
            partial = message.startswith(("partial write: f", "partial write: p"))
            code = "unprocessable entity" if partial else "invalid"
            status = 422 if partial else answer.status
            return web.json_response({"code": code, "message": message}, status=status)

    async def _get(self, request: web.Request) -> web.Response:
        async with self._session.get(f"{self._v1_url}{request.path}", params=request.query) as answer:
            kept = {key: value for key, value in answer.headers.items() if key.lower().startswith("x-influx")}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)
