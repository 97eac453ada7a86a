"""2.x and 3 Core as documented (contract fakes, no real servers), and influxdb-client against a real 1.6.7."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.delivery.influx.detect import choose_dialect, ping
from gateway.delivery.influx.settings import InfluxSettings
from gateway.delivery.influx.setup import set_up
from gateway.delivery.port import Layout
from gateway.delivery.state import CourierState
from tests.integration.influx import support
from tests.integration.influx.contract_fakes import ContractFake, ContractFake2, ContractFake3, Shim
from tests.services import InfluxDB

LAYOUTS = {1: support.power_layout()}


def settings(fake: ContractFake, **more: Any) -> InfluxSettings:
    return InfluxSettings(
        **{"url": fake.url, "bucket": "plant", "org": "works", "token": "token", "timeout_s": 10} | more
    )


def held(fake: ContractFake) -> dict[tuple[str, int], dict[str, Any]]:
    """What the fake keeps, as numbers."""
    found = {}
    for (key, at), fields in fake.points.items():
        device = dict(tag.split("=", 1) for tag in key.split(",")[1:])["device"]
        found[device, at] = {
            name: int(value[:-1]) if value.endswith("i") else float(value) for name, value in fields.items()
        }
    return found


def letters(folder: Path) -> set[int]:
    state = CourierState(folder / "courier-influxdb.sqlite", read_only=True)
    try:
        return {letter.seq for letter in state.dead_letters()}
    finally:
        state.close()


@pytest.mark.parametrize("kind", [ContractFake2, ContractFake3])
async def test_contract_fake_takes_every_point_through_v2(kind: type[ContractFake], tmp_path: Path) -> None:
    journal = support.MemoryJournal(LAYOUTS)
    journal.append(*support.polls(500))
    async with kind() as fake, support.courier_for(journal, settings(fake), tmp_path) as courier:
        assert choose_dialect(settings(fake), await ping(settings(fake))) == "v2"
        await courier.drain()
        support.same_numbers(held(fake), support.expected(journal.rows, LAYOUTS))
        request = fake.requests[0]
        assert request.headers["User-Agent"].startswith("influxdb-client-python")
        assert request.headers["Content-Encoding"] == "gzip"
        assert (request.query["bucket"], request.query["org"]) == ("plant", "works")


async def test_contract_fake_2_refuses_a_body_whole_for_one_bad_line(tmp_path: Path) -> None:
    journal = support.MemoryJournal(LAYOUTS)
    journal.append(*support.polls(300))
    poison = {17, 18, 300}
    refuse = lambda line: "unable to parse" if any(f"seq={n}i" in line for n in poison) else None  # noqa: E731
    async with ContractFake2(refuse=refuse) as fake, support.courier_for(journal, settings(fake), tmp_path) as courier:
        await courier.drain()
        good = [row for row in journal.rows if row.seq not in poison]
        support.same_numbers(held(fake), support.expected(good, LAYOUTS))
    assert letters(tmp_path) == poison


@pytest.mark.parametrize("kind", [ContractFake2, ContractFake3])
async def test_contract_fake_keeps_the_good_points_of_a_partial_write(kind: type[ContractFake], tmp_path: Path) -> None:
    journal = support.MemoryJournal(LAYOUTS)
    journal.append(*support.polls(300))
    refused = {3, 150, 299}
    refuse = lambda line: "field type conflict" if any(f"seq={n}i" in line for n in refused) else None  # noqa: E731
    async with kind(refuse=refuse) as fake, support.courier_for(journal, settings(fake), tmp_path) as courier:
        await courier.drain()
        good = [row for row in journal.rows if row.seq not in refused]
        support.same_numbers(held(fake), support.expected(good, LAYOUTS))
        assert len(fake.requests) < len(journal.rows) // 2, "line by line"
    assert letters(tmp_path) == refused


@pytest.mark.parametrize(
    "planted",
    [
        web.json_response({"code": "too many requests"}, status=429, headers={"Retry-After": "0"}),
        web.json_response({"code": "unavailable"}, status=503, headers={"Retry-After": "0"}),
        web.json_response({"code": "internal error"}, status=500),
        web.json_response({"code": "not found", "message": "bucket not found"}, status=404),
        web.json_response({"code": "unauthorized"}, status=401),
        web.json_response({"code": "forbidden"}, status=403),
    ],
    ids=lambda response: str(response.status),
)
async def test_contract_fake_2_in_trouble(planted: web.Response, tmp_path: Path) -> None:
    journal = support.MemoryJournal(LAYOUTS)
    journal.append(*support.polls(50))
    async with ContractFake2() as fake, support.courier_for(journal, settings(fake), tmp_path) as courier:
        fake.planted = [planted]
        await courier.drain()
        support.same_numbers(held(fake), support.expected(journal.rows, LAYOUTS))
        assert len(fake.requests) == 2
    assert not letters(tmp_path)


async def test_contract_fake_2_body_limit(tmp_path: Path) -> None:
    journal = support.MemoryJournal(LAYOUTS)
    journal.append(*support.polls(2_000))
    async with ContractFake2() as fake, support.courier_for(journal, settings(fake), tmp_path) as courier:
        fake.max_body_bytes = 6_000
        await courier.drain()
        support.same_numbers(held(fake), support.expected(journal.rows, LAYOUTS))


@pytest.mark.parametrize(
    ("version", "block", "dialect"),
    [
        ("1.6.7~rc0", {"database": "d"}, "v1"),
        ("1.7.11", {"bucket": "d/rp"}, "v1"),
        ("1.8.10", {"database": "d"}, "v1"),
        ("1.8.10", {"bucket": "d/rp"}, "v2"),
        ("v2.7.12", {"bucket": "b"}, "v2"),
        ("v2.7.12", {"database": "d"}, "v2"),
        ("3.2.1", {"database": "d"}, "v2"),
        ("", {"database": "d"}, "v1"),
        ("", {"bucket": "b"}, "v2"),
        ("odd", {"bucket": "b", "dialect": "v1"}, "v1"),
    ],
)
async def test_contract_fake_versions_choose_the_dialect(version: str, block: dict[str, Any], dialect: str) -> None:
    class Some(ContractFake2):
        async def ping(self, _request: web.Request) -> web.Response:
            return web.Response(status=204, headers={"X-Influxdb-Version": version} if version else {})

    async with Some() as fake:
        wanted = InfluxSettings(url=fake.url, **block)
        assert choose_dialect(wanted, await ping(wanted)) == dialect
        assert not fake.requests, "nothing is written to find out"


async def test_contract_fake_2_bucket_is_made_once() -> None:
    made: list[dict[str, Any]] = []

    class Administered(ContractFake2):
        def routes(self, app: web.Application) -> None:
            super().routes(app)
            app.router.add_get("/api/v2/orgs", self._orgs)
            app.router.add_post("/api/v2/buckets", self._buckets)

        async def _orgs(self, request: web.Request) -> web.Response:
            return web.json_response({"orgs": [{"id": "0a1b", "name": request.query["org"]}]})

        async def _buckets(self, request: web.Request) -> web.Response:
            if made:
                return web.json_response({"code": "conflict", "message": "bucket with name plant exists"}, status=422)
            made.append(await request.json())
            return web.json_response({"id": "1"}, status=201)

    async with Administered() as fake:
        first = await set_up(settings(fake), retention_h=24, shard_h=48)
        again = await set_up(settings(fake), retention_h=24, shard_h=48)
    assert (first.created, again.created) == (True, False)
    rule = {"type": "expire", "everySeconds": 86_400, "shardGroupDurationSeconds": 172_800}
    assert made == [{"orgID": "0a1b", "name": "plant", "retentionRules": [rule]}]


async def test_contract_fake_3_database_is_made() -> None:
    made: list[dict[str, Any]] = []

    class Administered(ContractFake3):
        def routes(self, app: web.Application) -> None:
            super().routes(app)
            app.router.add_post("/api/v3/configure/database", self._configure)

        async def _configure(self, request: web.Request) -> web.Response:
            made.append(await request.json())
            return web.Response(status=200)

    async with Administered() as fake:
        assert (await set_up(settings(fake), retention_h=None)).created
    assert made == [{"db": "plant"}]


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[InfluxDB]:
    with InfluxDB(tmp_path / "influx") as server:
        support.Server(server.url).create()
        yield server


@pytest.mark.integration
async def test_influxdb_client_against_a_real_server(influx: InfluxDB, tmp_path: Path) -> None:
    """influxdb-client writes to 1.6.7 through a shim that only translates path, bucket and token."""
    layouts = {1: support.power_layout(), 2: Layout(("c0", "c2"), (2, 2))}
    journal = support.MemoryJournal(layouts)
    journal.append(*support.polls(3_000))
    async with Shim(influx.url) as shim:
        wanted = support.settings_for(shim.url, bucket="plant", database=None, token="t", dialect="v2")
        async with support.courier_for(journal, wanted, tmp_path) as courier:
            await courier.drain()
            support.same_numbers(support.Server(influx.url).points(), support.expected(journal.rows, layouts))
            influx.kill()
            journal.append(*support.polls(100, first_seq=3_001, start_s=support.T0_S + 86_400))
            influx.start()
            await courier.drain()
        assert all(agent.startswith("influxdb-client-python") for agent in shim.agents)
    support.same_numbers(support.Server(influx.url).points(), support.expected(journal.rows, layouts))


@pytest.mark.integration
async def test_influxdb_client_and_a_partial_write_of_a_real_server(influx: InfluxDB, tmp_path: Path) -> None:
    support.Server(influx.url).write(f'reading,device=other,site=elsewhere c1="a text" {support.T0_S * 1000}')
    layouts = {1: support.power_layout(), 2: Layout(("c0", "c2"), (2, 2))}
    journal = support.MemoryJournal(layouts)
    for row in support.polls(100):
        cfg, values = (1, (1, 2, 3, None)) if row.seq in {9, 33} else (2, (1, 2))
        journal.append(type(row)(row.device, "main", row.slot_us, 0, row.seq, cfg, values, (0,) * len(values)))
    async with Shim(influx.url) as shim:
        wanted = support.settings_for(shim.url, bucket="plant", database=None, token="t", dialect="v2")
        async with support.courier_for(journal, wanted, tmp_path) as courier:
            await courier.drain()
    good = [row for row in journal.rows if row.seq not in {9, 33}]
    support.same_numbers(support.Server(influx.url).points(), support.expected(good, layouts))
    assert letters(tmp_path) == {9, 33}
