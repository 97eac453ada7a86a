"""VictoriaMetrics behind the same port. A contract fake of its v2 write path: everything is answered 204."""

import gzip
from pathlib import Path

from aiohttp import web

from gateway.delivery.courier import Courier, CourierSettings
from gateway.delivery.port import SinkContext
from gateway.delivery.state import CourierState
from gateway.delivery.victoria import PLUGIN
from tests.integration.influx import support


async def test_contract_fake_of_victoriametrics_takes_readings_and_no_verdicts(tmp_path: Path) -> None:
    bodies: list[bytes] = []
    queries: list[dict[str, str]] = []

    async def write(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        queries.append(dict(request.query))
        assert "Authorization" in request.headers
        return web.Response(status=204)

    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/api/v2/write", write)
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    clock = support.RealClock()
    sink = PLUGIN.open(
        {"url": url, "token_env": "T"}, SinkContext(site="works", clock=clock, environment={"T": "secret"})
    )
    journal = support.MemoryJournal({1: support.power_layout()})
    journal.append(*support.polls(40))
    journal.append(support.VerdictRow("kiln", "", "calibration.expired", 1, 2, support.T0_S * 1_000_000, 41))
    courier = Courier(
        journal,
        sink,
        CourierState(tmp_path / "state.sqlite"),
        clock=clock,
        random=support.SeededRandom(),
        settings=CourierSettings(),
    )
    await courier.drain()
    lines = b"\n".join(gzip.decompress(body) for body in bodies).decode().split("\n")
    assert len(lines) == 40
    assert all(line.startswith("reading,device=meter-") for line in lines)
    assert {query["precision"] for query in queries} == {"ms"}
    assert courier.status.seq == 41
    assert await sink.missing([]) is None
    await courier.close()
    await runner.cleanup()
