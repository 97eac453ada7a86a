"""Delivery into InfluxDB 1.6.7: values a second beside the server's ceiling and influxdb-client; the outage drain."""

import asyncio
import contextlib
import gzip
import http.client
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from influxdb_client import InfluxDBClient, Point, WriteOptions

from benchmarks.result import Result
from gateway.delivery.courier import CourierSettings
from gateway.delivery.influx.lines import LineBuilder
from tests.integration.influx import stream, support
from tests.services import LOOPBACK, InfluxDB, accepts, free_port

POINTS = 60_000
ROUNDS = 3
BATCH = 3_000
CLIENT_POINTS = 6_000
OUTAGE_HOURS = float(os.environ.get("METERPROOF_OUTAGE_HOURS", "24"))
GROWTH_MIB = 40


def measure() -> list[Result]:
    """D1 and D2. METERPROOF_OUTAGE_HOURS shortens the outage (24 h take some ten minutes)."""
    alone = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    with alone:  # a process of its own: its memory is the courier's, not what earlier rounds left behind
        drained = alone.submit(_outage).result()
    return [*_delivered(), drained]


def _outage() -> Result:
    return asyncio.run(_drained())


def _delivered() -> Iterator[Result]:
    ceilings, ours, cpu = [], [], []
    for _ in range(ROUNDS):  # interleaved, so that a busy machine is busy for both
        ceilings.append(_ceiling())
        rate, spent_us = asyncio.run(_ours())
        ours.append(rate)
        cpu.append(spent_us)
    shares = sorted(rate / ceiling for rate, ceiling in zip(ours, ceilings, strict=True))
    share = shares[len(shares) // 2]
    yield Result(
        "D1", "values delivered, as share of the server's ceiling", share, "", None, 0.6, share >= 0.6,
        f"median of {ROUNDS} rounds, {shares[0]:.2f}..{shares[-1]:.2f}; {POINTS} points of 40 values, one connection,"
        f" gzip 1, lines built from rows; ceiling: prebuilt, compressed beforehand, same lines, batch {BATCH}",
    )  # fmt: skip
    client, client_us = _client_batching()
    best = max(ours)
    yield Result(
        "D1", "values/s delivered", best, "values/s", client, None, best > client,
        f"ceiling {max(ceilings):,.0f}; beside: influxdb-client batching, Point, against a server that only says 204;"
        f" CPU a point: {min(cpu):.1f} µs, influxdb-client {client_us:.0f} µs",
    )  # fmt: skip


@contextlib.contextmanager
def _influx() -> Iterator[tuple[InfluxDB, Path]]:
    with tempfile.TemporaryDirectory() as name, InfluxDB(Path(name) / "influx") as server:
        support.Server(server.url).create("WITH DURATION INF SHARD DURATION 26w")
        yield server, Path(name)


def _ceiling() -> float:
    """Values/s that the server takes from one connection that has everything ready."""
    builder = LineBuilder(support.SITE)
    lines = [builder.reading(stream.row_of(seq), stream.LAYOUT) or b"" for seq in range(1, POINTS + 1)]
    bodies = [gzip.compress(b"\n".join(lines[at : at + BATCH]), 1) for at in range(0, POINTS, BATCH)]
    with _influx() as (server, _):
        connection = http.client.HTTPConnection(LOOPBACK, server.port)
        started = time.perf_counter()
        for body in bodies:
            connection.request("POST", "/write?db=plant&precision=ms", body, {"Content-Encoding": "gzip"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 204
        took_s = time.perf_counter() - started
        connection.close()
        _complete(support.Server(server.url), POINTS)
    return POINTS * stream.CHANNELS / took_s


async def _ours() -> tuple[float, float]:
    """Values/s and µs of CPU a point of the courier."""
    journal = stream.Stream(POINTS)
    rows = [stream.row_of(seq) for seq in range(1, POINTS + 1)]  # decoding is the feed's cost, not the courier's

    class Ready(stream.Stream):
        async def read(self, after_seq: int, limit: int) -> stream.Portion:
            last = min(after_seq + limit, self.head)
            return stream.Portion(last, self.head, rows[after_seq:last])

    journal = Ready(POINTS)
    with _influx() as (server, folder):
        settings = CourierSettings(max_points=BATCH)
        wanted = support.settings_for(server.url, timeout_s=30)
        async with support.courier_for(journal, wanted, folder, settings=settings) as courier:
            started, spent = time.perf_counter(), time.process_time()
            await courier.drain()
            took_s, spent = time.perf_counter() - started, time.process_time() - spent
        _complete(support.Server(server.url), POINTS)
    return POINTS * stream.CHANNELS / took_s, spent / POINTS * 1e6


def _complete(server: support.Server, points: int) -> None:
    [series] = server.query("SELECT count(seq), sum(seq) FROM reading")
    assert series["values"][0][1:] == [points, points * (points + 1) // 2]


def _client_batching() -> tuple[float, float]:
    """Values/s and µs of CPU a point of influxdb-client in batching mode; the server answers at once, keeps nothing."""
    port = free_port()
    nothing = subprocess.Popen([sys.executable, "-m", "benchmarks._nothing", str(port)])
    try:
        while not accepts(port):
            time.sleep(0.05)
        names = [f"c{n}" for n in range(stream.CHANNELS)]
        rows = [stream.row_of(seq) for seq in range(1, CLIENT_POINTS + 1)]
        started, spent = time.perf_counter(), time.process_time()
        with (
            InfluxDBClient(f"http://{LOOPBACK}:{port}", token="t", org="o", enable_gzip=True) as client,
            client.write_api(WriteOptions(batch_size=BATCH, flush_interval=500)) as api,
        ):
            for row in rows:
                point = Point("reading").tag("site", support.SITE).tag("device", row.device).tag("group", "main")
                for name, value in zip(names, row.values, strict=True):
                    point.field(name, (value or 0) / 100)
                api.write("plant", "o", point.field("seq", row.seq).time(row.slot_us // 1000, "ms"))
        took_s, spent = time.perf_counter() - started, time.process_time() - spent
    finally:
        nothing.terminate()
        nothing.wait()
    return CLIENT_POINTS * stream.CHANNELS / took_s, spent / CLIENT_POINTS * 1e6


async def _drained() -> Result:
    """An outage's backlog, written while the stream goes on; every value is read back and compared."""
    with _influx() as (server, folder):
        journal = stream.Stream(int(OUTAGE_HOURS * 3600) * stream.METERS)
        backlog = base = journal.head
        wanted = support.settings_for(server.url, timeout_s=60)
        async with support.courier_for(journal, wanted, folder, settings=CourierSettings(idle_s=0.1)) as courier:
            task = asyncio.create_task(courier.run())
            started = time.monotonic()
            memory: list[int] = []
            while courier.status.seq < journal.head - 2 * stream.METERS:
                journal.head = base + int((time.monotonic() - started) * stream.METERS)
                memory.append(stream.rss_bytes() >> 20)
                await asyncio.sleep(0.1)
            took_s = time.monotonic() - started
            await support.until(lambda: courier.status.seq == journal.head)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        _complete(support.Server(server.url), journal.head)
        points, wrong = stream.unequal(support.Server(server.url), journal.head)
        assert (points, wrong) == (journal.head, 0)
    ratio = (backlog + journal.head - base) / took_s / stream.METERS
    settled = memory[len(memory) // 10 :]
    middle = len(settled) // 2
    growth = max(settled[middle:]) - max(settled[:middle])  # the second half against the first: nothing piles up
    return Result(
        "D2", "drain after an outage, times the intake", ratio, "x", 1.0, 10.0, ratio >= 10 and growth < GROWTH_MIB,
        f"{OUTAGE_HOURS:g} h at 2 000 readings/s: {backlog} points in {took_s:.0f} s while the stream went on;"
        f" {points * stream.CHANNELS} values read back equal; memory {min(settled)}..{max(settled)} MiB,"
        f" highest of the second half {growth:+d} MiB beside the first",
    )  # fmt: skip


if __name__ == "__main__":
    for each in measure():
        print(each)
