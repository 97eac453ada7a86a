"""The series store: write cost and its growth, latest values, a month's hours, three years' days; InfluxQL beside."""

import contextlib
import json
import random
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.result import Result
from gateway.domain.time import US_PER_DAY, US_PER_MINUTE, Period
from gateway.series.store import SeriesRow, SeriesStore
from tests.services import InfluxDB

METERS = 500
CHANNELS = 3  # a register and two instantaneous quantities
STEP_US = 15 * US_PER_MINUTE
MONTH = Period(1_788_220_800_000_000, 1_788_220_800_000_000 + 30 * US_PER_DAY)  # September 2026, UTC
THREE_YEARS = Period(MONTH.end_us - 1_096 * US_PER_DAY, MONTH.end_us)
ZONE = ZoneInfo("Asia/Shanghai")
REPEATS = 12
ROAD_US = 43.0  # a poll of 40 values on the whole road
_GOOD = (0,) * CHANNELS


def instantaneous(_device: str, _group: str, _cfg: int) -> tuple[int, ...]:
    return (1, 2)


def second_channel(_cfg: int) -> int:
    return 1


def rows_of(devices: list[str], period: Period) -> Iterator[list[SeriesRow]]:
    """Rows slot by slot, one batch an hour of slots."""
    chance = random.Random(7)
    seq = 0
    batch: list[SeriesRow] = []
    for slot in range(period.start_us, period.end_us, STEP_US):
        for place, device in enumerate(devices):
            seq += 1
            register = (slot - THREE_YEARS.start_us) // STEP_US * 25 + place
            values = (register, chance.randrange(20_000, 90_000), chance.randrange(4_900, 5_100))
            batch.append(SeriesRow(device, "main", slot, slot + 40_000, seq, 1, values, _GOOD))
        if len(batch) >= 4 * len(devices):
            yield batch
            batch = []
    if batch:
        yield batch


def best_ms(work: Callable[[], object], repeats: int = REPEATS) -> tuple[float, float]:
    """Best CPU time of this process and best wall time of repeated runs, ms."""
    spent, waited = [], []
    for _ in range(repeats):
        at, cpu = time.perf_counter(), time.process_time()
        work()
        spent.append((time.process_time() - cpu) * 1e3)
        waited.append((time.perf_counter() - at) * 1e3)
    return min(spent), min(waited)


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.sqlite*"))


class InfluxBeside:
    """The same data in InfluxDB 1.6.7, compacted by its own rules, asked in InfluxQL."""

    def __init__(self, server: InfluxDB) -> None:
        self._url = server.url
        self.ask("CREATE DATABASE plant WITH DURATION INF SHARD DURATION 26w")

    def ask(self, text: str) -> bytes:
        address = f"{self._url}/query?{urllib.parse.urlencode({'db': 'plant', 'epoch': 's', 'q': text})}"
        with urllib.request.urlopen(urllib.request.Request(address, data=b""), timeout=300) as answer:
            body: bytes = answer.read()
        assert b'"error"' not in body[:300], body[:300]
        return body

    def write(self, rows: list[SeriesRow]) -> None:
        lines = "\n".join(
            f"reading,device={row.device} c0={row.values[0]},c1={row.values[1]},c2={row.values[2]} {row.slot_us}"
            for row in rows
        )
        address = f"{self._url}/write?db=plant&precision=u"
        with urllib.request.urlopen(urllib.request.Request(address, data=lines.encode()), timeout=300):
            pass


def measure() -> list[Result]:
    """D4 (from hour roll-ups), D5, and the growth of the write cost."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as closing:
        folder = Path(name)
        influx = InfluxBeside(closing.enter_context(InfluxDB(folder / "influx")))
        store = SeriesStore(folder / "series", organisation="works")
        closing.callback(store.close)
        return [*_growth(folder), *_reads(store, influx, folder / "series")]


def _reads(store: SeriesStore, influx: InfluxBeside, folder: Path) -> Iterator[Result]:
    devices = [f"meter-{number:03}" for number in range(METERS)]
    early = Period(THREE_YEARS.start_us, MONTH.start_us)
    rows = 0
    for batch in [*rows_of(devices[:1], early)]:
        store.write(batch)
        influx.write(batch)
        rows += len(batch)
    for batch in rows_of(devices, MONTH):
        store.write(batch)
        influx.write(batch)
        rows += len(batch)
    hot_bytes = folder_bytes(folder)
    started = time.process_time()
    hours = 0
    while done := store.close_hours(MONTH.end_us, instantaneous):
        hours += done
    closing_us = (time.process_time() - started) / hours * 1e6
    started = time.process_time()
    days = 0
    while done := store.pack_days(MONTH.end_us - US_PER_DAY):
        days += done
    packing_us = (time.process_time() - started) / days * 1e6
    latest, wall = best_ms(lambda: store.latest(devices))
    assert len(store.latest(devices)) == METERS
    _, beside = best_ms(lambda: influx.ask("SELECT last(c0), last(c1), last(c2) FROM reading GROUP BY device"))
    yield Result(
        "D5", "latest rows of 500 meters", latest, "ms", beside, 2.0, latest <= 2.0,
        f"CPU, best of {REPEATS} (wall {wall:.2f}); whole rows, closed days packed; beside: InfluxQL last(), wall",
    )  # fmt: skip
    store.pack_days(MONTH.end_us)
    yield from _hours(store, influx, devices)
    store.close()
    note = (
        f"{rows} rows of {CHANNELS} values; hot {hot_bytes / rows:.0f} B a row; {closing_us:.0f} µs CPU an hour closed"
    )
    yield Result(
        "D4", "packed: bytes a value on disk", folder_bytes(folder) / rows / CHANNELS, "B", None, 16.0,
        folder_bytes(folder) / rows / CHANNELS <= 16.0,
        f"{note}, {packing_us:.0f} µs a series-day packed; hours, seq and times included",
    )  # fmt: skip


def _hours(store: SeriesStore, influx: InfluxBeside, devices: list[str]) -> Iterator[Result]:
    cells = 0

    def month() -> None:
        nonlocal cells
        cells = sum(len(store.hours(device, "main", second_channel, MONTH).starts) for device in devices)

    best, wall = best_ms(month)
    assert cells == METERS * 30 * 24
    span = f"time >= {MONTH.start_us // 1000}ms AND time < {MONTH.end_us // 1000}ms"
    text = f"SELECT mean(c1), min(c1), max(c1) FROM reading WHERE {span} GROUP BY time(1h), device"
    _, beside = best_ms(lambda: json.loads(influx.ask(text)), 3)
    yield Result(
        "D4", "month of 500 meters, hourly, from roll-ups", best, "ms", beside, 300.0, best <= 300.0,
        f"CPU, best of {REPEATS} (wall {wall:.0f}); {cells} cells with count, minimum, maximum, sum; beside: InfluxQL,"
        " answer parsed, wall",
    )  # fmt: skip
    daily, wall = best_ms(lambda: store.days(devices[0], "main", second_channel, THREE_YEARS, ZONE))
    count = len(store.days(devices[0], "main", second_channel, THREE_YEARS, ZONE).starts)
    assert count == 1_097, count
    span = f"time >= {THREE_YEARS.start_us // 1000}ms AND time < {THREE_YEARS.end_us // 1000}ms"
    text = (
        f"SELECT mean(c1), min(c1), max(c1) FROM reading WHERE device = '{devices[0]}' AND {span}"
        " GROUP BY time(1d) tz('Asia/Shanghai')"
    )
    _, beside = best_ms(lambda: json.loads(influx.ask(text)), 3)
    yield Result(
        "D5", "one meter, three years, daily", daily, "ms", beside, 20.0, daily <= 20.0,
        f"CPU, best of {REPEATS} (wall {wall:.1f}); {count} civil days from packed hours; beside: InfluxQL, wall",
    )  # fmt: skip


def _growth(folder: Path) -> Iterator[Result]:
    """CPU of writing a row of 40 values: 10 and 1 000 meters, an empty store and one with three years in it."""
    costs = {}
    for meters in (10, 1_000):
        store = SeriesStore(folder / f"growth-{meters}", organisation="works")
        costs[meters, "empty"] = _write_cost(store, meters, MONTH.start_us)
        for month in range(36):
            _write_cost(store, meters, MONTH.start_us - (month + 1) * 31 * US_PER_DAY, batches=1)
        costs[meters, "full"] = _write_cost(store, meters, MONTH.start_us + 10 * US_PER_DAY)
        store.close()
    part = (max(costs.values()) - min(costs.values())) / ROAD_US
    shown = ", ".join(f"{meters} meters {state}: {cost:.1f}" for (meters, state), cost in costs.items())
    yield Result(
        "A6", "series store: growth of the write cost, as part of the whole road", part, "", None, 0.2, part <= 0.2,
        f"(greatest - least) / {ROAD_US:.0f} µs a poll; rows of 40 values, batches of 5 000, µs CPU a row: {shown}",
    )  # fmt: skip


def _write_cost(store: SeriesStore, meters: int, start_us: int, batches: int = 10) -> float:
    """µs of CPU a row."""
    good = (0,) * 40
    spent, rows = 0.0, 0
    for batch in range(batches):
        made = [
            SeriesRow(f"m{number % meters}", "main", at := start_us + (batch * 5_000 + number) // meters * 1_000_000,
                      at, rows + number, 1, tuple(range(number, number + 40)), good)
            for number in range(5_000)
        ]  # fmt: skip
        started = time.process_time()
        store.write(made)
        spent += time.process_time() - started
        rows += len(made)
    return spent / rows * 1e6


if __name__ == "__main__":
    for each in measure():
        print(each)
