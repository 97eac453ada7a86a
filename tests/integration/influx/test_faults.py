"""After any fault the sink equals the journal; what the server refuses for good is a dead letter with its reason."""

import asyncio
import contextlib
import gzip
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from gateway.delivery.courier import Courier
from gateway.delivery.port import Layout
from gateway.delivery.state import CourierState
from gateway.series.row import SeriesRow
from tests.campaign import share
from tests.integration.influx import support
from tests.services import InfluxDB

pytestmark = pytest.mark.integration
LAYOUTS = {1: support.power_layout()}


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[InfluxDB]:
    # a write is synced before it is acknowledged; that is also the server's default
    with InfluxDB(tmp_path / "influx", data=['wal-fsync-delay = "0s"']) as server:
        support.Server(server.url).create()
        yield server


@asynccontextmanager
async def running(journal: support.MemoryJournal, url: str, folder: Path, **more: object) -> AsyncIterator[Courier]:
    """A courier at work as a task."""
    async with support.courier_for(journal, support.settings_for(url, **more), folder) as courier:
        task = asyncio.create_task(courier.run())
        try:
            yield courier
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):  # any other end of a courier is a fault of ours
                await task


def arrived(courier: Courier, journal: support.MemoryJournal) -> bool:
    return courier.status.seq == len(journal.entries)


def dead_letters(folder: Path) -> dict[int, str]:
    state = CourierState(folder / "courier-influxdb.sqlite", read_only=True)
    try:
        return {letter.seq: letter.reason for letter in state.dead_letters()}
    finally:
        state.close()


async def test_stopped_for_a_while(influx: InfluxDB, tmp_path: Path) -> None:
    journal = support.MemoryJournal(LAYOUTS)
    async with running(journal, influx.url, tmp_path) as courier:
        journal.append(*support.polls(500))
        await support.until(lambda: arrived(courier, journal))
        influx.stop()
        journal.append(*support.polls(500, first_seq=501, start_s=support.T0_S + 86_400))
        await support.until(lambda: courier.status.state == "retrying")
        assert courier.status.lag == 500
        assert "no answer" in courier.status.detail
        influx.start()
        await support.until(lambda: arrived(courier, journal))
    support.same_numbers(support.Server(influx.url).points(), support.expected(journal.rows, LAYOUTS))
    assert not dead_letters(tmp_path)


async def test_hanging_with_open_sockets(influx: InfluxDB, tmp_path: Path) -> None:
    journal = support.MemoryJournal(LAYOUTS)
    async with running(journal, influx.url, tmp_path, timeout_s=1.5) as courier:
        journal.append(*support.polls(100))
        await support.until(lambda: arrived(courier, journal))
        influx.pause()
        journal.append(*support.polls(100, first_seq=101, start_s=support.T0_S + 86_400))
        await support.until(lambda: courier.status.failures >= 2)
        influx.resume()
        await support.until(lambda: arrived(courier, journal))
    support.same_numbers(support.Server(influx.url).points(), support.expected(journal.rows, LAYOUTS))


async def test_a_line_too_slow_for_the_batch_gets_smaller_ones(influx: InfluxDB, tmp_path: Path) -> None:
    journal = support.MemoryJournal(LAYOUTS)
    journal.append(*support.polls(400))

    async def slow(_request: web.Request, body: bytes) -> web.StreamResponse | None:
        await asyncio.sleep(len(gzip.decompress(body)) / 20_000)  # seconds
        return None

    async with support.FaultProxy(influx.url) as proxy, running(journal, proxy.url, tmp_path, timeout_s=1.0) as courier:
        proxy.standing = slow
        await support.until(lambda: arrived(courier, journal))
    support.same_numbers(support.Server(influx.url).points(), support.expected(journal.rows, LAYOUTS))
    assert not dead_letters(tmp_path)


@pytest.mark.campaign
async def test_killed_while_writing(influx: InfluxDB, tmp_path: Path) -> None:
    journal = support.MemoryJournal(LAYOUTS)
    chance = random.Random(11)
    interrupted = 0
    async with running(journal, influx.url, tmp_path) as courier:
        for kill in range(share(full=200, ci=8)):
            first = len(journal.entries) + 1
            journal.append(*support.polls(3_000, first_seq=first, start_s=support.T0_S + kill * 86_400))
            await asyncio.sleep(chance.uniform(0, 0.08))
            interrupted += not arrived(courier, journal)
            influx.kill()
            await support.until(lambda: courier.status.state == "retrying" or arrived(courier, journal))
            influx.start()
        await support.until(lambda: arrived(courier, journal))
    assert interrupted, "no kill fell into a write"
    support.same_numbers(support.Server(influx.url).points(), support.expected(journal.rows, LAYOUTS))


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (support.says(401, "authorization failed"), "holding"),
        (support.says(403, "not allowed"), "holding"),
        (support.says(404, "database not found"), "holding"),
        (support.says(500, "retention policy not found: x"), "holding"),
        (support.says(302), "holding"),
        (support.says(408), "retrying"),
        (support.says(429, Retry_After="0"), "retrying"),
        (support.says(500, "engine: cache maximum memory size exceeded"), "retrying"),
        (support.says(502), "retrying"),
        (support.says(503, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"), "retrying"),
        (support.resets, "retrying"),
    ],
    ids=["401", "403", "404", "500-policy", "302", "408", "429", "500", "502", "503", "reset"],
)
async def test_trouble_on_the_way(influx: InfluxDB, tmp_path: Path, fault: support.Fault, state: str) -> None:
    journal = support.MemoryJournal(LAYOUTS)
    journal.append(*support.polls(200))
    async with support.FaultProxy(influx.url) as proxy, running(journal, proxy.url, tmp_path) as courier:
        proxy.standing = fault
        await support.until(lambda: courier.status.state == state and courier.status.failures >= 2)
        assert courier.status.seq == 0, "the cursor stands while nothing is settled"
        proxy.standing = None
        await support.until(lambda: arrived(courier, journal))
        assert courier.status.failures == 0
    support.same_numbers(support.Server(influx.url).points(), support.expected(journal.rows, LAYOUTS))
    assert not dead_letters(tmp_path)


async def test_retry_after_is_waited_for(influx: InfluxDB, tmp_path: Path) -> None:
    journal = support.MemoryJournal(LAYOUTS)
    journal.append(*support.polls(10))
    async with support.FaultProxy(influx.url) as proxy, running(journal, proxy.url, tmp_path) as courier:
        proxy.faults = [support.says(429, Retry_After="0.2")]
        started = asyncio.get_running_loop().time()
        await support.until(lambda: arrived(courier, journal))
        assert asyncio.get_running_loop().time() - started >= 0.2
        assert proxy.writes == 2


async def test_an_answer_that_was_lost_is_written_again_without_harm(influx: InfluxDB, tmp_path: Path) -> None:
    journal = support.MemoryJournal(LAYOUTS)
    journal.append(*support.polls(200))
    async with support.FaultProxy(influx.url) as proxy, running(journal, proxy.url, tmp_path, timeout_s=1.5) as courier:

        async def stored_but_not_said(request: web.Request, body: bytes) -> web.StreamResponse | None:
            await proxy.forward(request, body)
            return await support.hangs(request, body)

        proxy.faults = [stored_but_not_said]
        await support.until(lambda: arrived(courier, journal))
    support.same_numbers(support.Server(influx.url).points(), support.expected(journal.rows, LAYOUTS))


async def test_too_large_is_halved_and_remembered(influx: InfluxDB, tmp_path: Path) -> None:
    journal = support.MemoryJournal(LAYOUTS)
    journal.append(*support.polls(1_000))

    async def at_most_20_kb(_request: web.Request, body: bytes) -> web.StreamResponse | None:
        return web.Response(status=413) if len(gzip.decompress(body)) > 20_000 else None

    async with support.FaultProxy(influx.url) as proxy:
        proxy.standing = at_most_20_kb
        async with running(journal, proxy.url, tmp_path) as courier:
            await support.until(lambda: arrived(courier, journal))
        journal.append(*support.polls(1_000, first_seq=1_001, start_s=support.T0_S + 86_400))
        proxy.writes = 0
        async with running(journal, proxy.url, tmp_path) as courier:
            await support.until(lambda: arrived(courier, journal))
        assert proxy.writes <= 12, "the size the server takes was learned"
    support.same_numbers(support.Server(influx.url).points(), support.expected(journal.rows, LAYOUTS))
    assert not dead_letters(tmp_path)


async def test_the_servers_own_limit(tmp_path: Path) -> None:
    journal = support.MemoryJournal({1: support.power_layout(40)})
    journal.append(*support.polls(2_000, channels=40))
    with InfluxDB(tmp_path / "influx", http=["max-body-size = 60000"]) as influx:
        support.Server(influx.url).create()
        async with running(journal, influx.url, tmp_path) as courier:
            await support.until(lambda: arrived(courier, journal))
        support.same_numbers(support.Server(influx.url).points(), support.expected(journal.rows, journal.layouts))


async def test_type_conflict_keeps_the_good_and_buries_the_rest(influx: InfluxDB, tmp_path: Path) -> None:
    server = support.Server(influx.url)
    server.write(f'reading,device=other,site={support.SITE} c1="a text" {support.T0_S * 1000}')
    layouts = {1: support.power_layout(), 2: Layout(("c0", "c2"), (2, 2))}
    journal = support.MemoryJournal(layouts)
    rows = support.polls(300)
    harmless = {7, 90, 91, 222}  # these have no c1
    for number, row in enumerate(rows, 1):
        journal.append(
            SeriesRow(row.device, row.group, row.slot_us, row.observed_us, number, 2, (1, 2), (0, 0))
            if number in harmless
            else SeriesRow(row.device, row.group, row.slot_us, row.observed_us, number, 1, (1, 2, 3, None), (0,) * 4)
        )
    async with running(journal, influx.url, tmp_path) as courier:
        await support.until(lambda: arrived(courier, journal))
    good = [row for row in journal.rows if row.seq in harmless]
    found = {key: fields for key, fields in server.points().items() if key[0] != "other"}
    support.same_numbers(found, support.expected(good, layouts))
    letters = dead_letters(tmp_path)
    assert letters.keys() == {row.seq for row in journal.rows} - harmless
    assert all("field type conflict" in reason for reason in letters.values())


async def test_beyond_the_retention_policy(influx: InfluxDB, tmp_path: Path) -> None:
    server = support.Server(influx.url)
    server.query("CREATE RETENTION POLICY short ON plant DURATION 1d REPLICATION 1 DEFAULT")
    now_s = support.RealClock().utc_us() // 1_000_000 // 60 * 60
    journal = support.MemoryJournal(LAYOUTS)
    old = support.polls(40, start_s=now_s - 40 * 86_400)
    fresh = support.polls(20, first_seq=41, start_s=now_s - 7_200)
    mixed = [row for pair in zip(old[:20], fresh, strict=True) for row in pair] + old[20:]
    for seq, row in enumerate(mixed, 1):
        journal.append(SeriesRow(row.device, row.group, row.slot_us, 0, seq, 1, row.values, row.quality))
    async with running(journal, influx.url, tmp_path) as courier:
        await support.until(lambda: arrived(courier, journal))
        assert courier.status.requests < len(mixed) // 2, "line by line"
    kept = [row for row in journal.rows if row.slot_us > (now_s - 86_400) * 1_000_000]
    support.same_numbers(server.points(), support.expected(kept, LAYOUTS))
    letters = dead_letters(tmp_path)
    assert letters.keys() == {row.seq for row in journal.rows} - {row.seq for row in kept}
    assert all("retention policy" in reason for reason in letters.values())


@pytest.mark.parametrize("poison", [{1}, {200}, {37, 38, 150}])
async def test_a_poison_line_is_found_among_good_ones(influx: InfluxDB, tmp_path: Path, poison: set[int]) -> None:
    layouts = {1: support.power_layout(), 2: Layout(("k" * 70_000, "c1", "c2", None), (2, 2, 2, 0))}
    journal = support.MemoryJournal(layouts)
    for row in support.polls(200):
        cfg = 2 if row.seq in poison else 1  # a field key beyond 64 KiB cannot be parsed
        journal.append(SeriesRow(row.device, row.group, row.slot_us, 0, row.seq, cfg, (1, 2, 3, None), (0,) * 4))
    async with running(journal, influx.url, tmp_path) as courier:
        await support.until(lambda: arrived(courier, journal))
        assert courier.status.dead_letters == len(poison)
    good = [row for row in journal.rows if row.seq not in poison]
    support.same_numbers(support.Server(influx.url).points(), support.expected(good, layouts))
    assert dead_letters(tmp_path).keys() == poison


async def test_a_batch_that_is_refused_whole_is_bisected(influx: InfluxDB, tmp_path: Path) -> None:
    """As 2.x does it: one bad line, and nothing of the body is kept."""
    journal = support.MemoryJournal(LAYOUTS)
    journal.append(*support.polls(300))
    poison = {(5, 6), (299, 300)}

    async def all_or_nothing(_request: web.Request, body: bytes) -> web.StreamResponse | None:
        text = gzip.decompress(body).decode()
        bad = any(f"seq={seq}i" in text for pair in poison for seq in pair)
        return web.json_response({"code": "invalid", "message": "unable to parse"}, status=400) if bad else None

    async with support.FaultProxy(influx.url) as proxy:
        proxy.standing = all_or_nothing
        async with running(journal, proxy.url, tmp_path) as courier:
            await support.until(lambda: arrived(courier, journal))
        assert proxy.writes < len(journal.rows) // 2, "line by line"
    lost = {seq for pair in poison for seq in pair}
    good = [row for row in journal.rows if row.seq not in lost]
    support.same_numbers(support.Server(influx.url).points(), support.expected(good, LAYOUTS))
    assert dead_letters(tmp_path).keys() == lost


async def test_partial_write_without_the_right_to_read(influx: InfluxDB, tmp_path: Path) -> None:
    """The sink cannot be asked what it kept: halves are written again until the refused lines stand alone."""
    support.Server(influx.url).write(f'reading,device=other,site={support.SITE} c1="a text" {support.T0_S * 1000}')
    layouts = {1: support.power_layout(), 2: Layout(("c0", "c2"), (2, 2))}
    journal = support.MemoryJournal(layouts)
    for row in support.polls(64):
        cfg, values = (1, (1, 2, 3, None)) if row.seq in {9, 33} else (2, (1, 2))
        journal.append(SeriesRow(row.device, "main", row.slot_us, 0, row.seq, cfg, values, (0,) * len(values)))
    async with support.FaultProxy(influx.url) as proxy:
        proxy.deny_queries = True
        async with running(journal, proxy.url, tmp_path) as courier:
            await support.until(lambda: arrived(courier, journal))
    found = {key: fields for key, fields in support.Server(influx.url).points().items() if key[0] != "other"}
    good = [row for row in journal.rows if row.seq not in {9, 33}]
    support.same_numbers(found, support.expected(good, layouts))
    assert dead_letters(tmp_path).keys() == {9, 33}


async def test_wrong_password_holds_until_it_is_mended(tmp_path: Path) -> None:
    journal = support.MemoryJournal(LAYOUTS)
    journal.append(*support.polls(20))
    with InfluxDB(tmp_path / "influx", http=["auth-enabled = true"]) as influx:
        admin = support.Server(influx.url)
        admin.query("CREATE USER meter WITH PASSWORD 'right' WITH ALL PRIVILEGES")
        admin.query("CREATE DATABASE plant", u="meter", p="right")
        async with running(journal, influx.url, tmp_path, username="meter", password="wrong") as courier:
            await support.until(lambda: courier.status.state == "holding")
            assert "401" in courier.status.detail
            assert "wrong" not in courier.status.detail
        async with running(journal, influx.url, tmp_path, username="meter", password="right") as courier:
            await support.until(lambda: arrived(courier, journal))
        [series] = admin.query("SELECT count(seq) FROM reading", u="meter", p="right")
        assert series["values"][0][1] == 20


async def test_the_series_budget_is_kept(influx: InfluxDB, tmp_path: Path) -> None:
    journal = support.MemoryJournal(LAYOUTS)
    journal.append(*support.polls(100, devices=10))
    async with running(journal, influx.url, tmp_path, max_series=7) as courier:
        await support.until(lambda: arrived(courier, journal))
    server = support.Server(influx.url)
    assert len(server.query("SHOW TAG VALUES FROM reading WITH KEY = device")[0]["values"]) == 7
    letters = dead_letters(tmp_path)
    assert len(letters) == 30
    assert all("max_series" in reason for reason in letters.values())
