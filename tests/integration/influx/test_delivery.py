"""Readings into a real InfluxDB 1.6.7 and back: every point, every value, every name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.delivery.port import Layout, VerdictRow
from gateway.series.row import SeriesRow
from tests.integration.influx import support
from tests.services import InfluxDB

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    with InfluxDB(tmp_path_factory.mktemp("influx")) as server:
        yield server


@pytest.fixture
def server(influx: InfluxDB) -> Iterator[support.Server]:
    server = support.Server(influx.url)
    server.create()
    yield server
    server.query("DROP DATABASE plant")


async def test_every_point_arrives_with_every_value(server: support.Server, tmp_path: Path) -> None:
    layouts = {1: support.power_layout()}
    journal = support.MemoryJournal(layouts)
    journal.append(*support.polls(2_000))
    async with support.courier_for(journal, support.settings_for(server.url), tmp_path) as courier:
        await courier.drain()
    support.same_numbers(server.points(), support.expected(journal.rows, layouts))
    assert courier.status.seq == 2_000
    assert courier.status.dead_letters == 0


async def test_a_second_courier_goes_on_where_the_first_stopped(server: support.Server, tmp_path: Path) -> None:
    layouts = {1: support.power_layout()}
    journal = support.MemoryJournal(layouts)
    journal.append(*support.polls(100))
    async with support.courier_for(journal, support.settings_for(server.url), tmp_path) as courier:
        await courier.drain()
    journal.append(*support.polls(50, first_seq=101, start_s=support.T0_S + 7200))
    async with support.courier_for(journal, support.settings_for(server.url), tmp_path) as second:
        await second.drain()
    assert second.status.points == 50
    support.same_numbers(server.points(), support.expected(journal.rows, layouts))


async def test_odd_names_and_numbers_come_through(server: support.Server, tmp_path: Path) -> None:
    layouts = {1: Layout(("time", "q", "a b", "c,d=e", 'x"y', "100%", "ü"), (0, 0, 0, 3, 9, 0, 1))}
    journal = support.MemoryJournal(layouts)
    values = (5, -7, 2**53 - 1, -(10**15), 1, 0, 3)
    journal.append(SeriesRow("kiln 1", "main", support.T0_S * 1_000_000, 0, 1, 1, values, (0,) * 7))
    async with support.courier_for(journal, support.settings_for(server.url), tmp_path) as courier:
        await courier.drain()
    [fields] = server.points().values()
    assert fields == {
        "time_": 5, "q_": -7, "a b": 2**53 - 1, "c,d=e": -(10**12), 'x"y': 1e-9, "100%": 0, "ü": 0.3, "q": 0, "seq": 1,
    }  # fmt: skip
    keys = dict(server.query("SHOW FIELD KEYS FROM reading")[0]["values"])
    assert {name for name, kind in keys.items() if kind == "integer"} == {"seq", "q"}
    assert {kind for name, kind in keys.items() if name not in {"seq", "q"}} == {"float"}


async def test_verdicts_have_a_measurement_of_their_own(server: support.Server, tmp_path: Path) -> None:
    journal = support.MemoryJournal({1: support.power_layout()})
    at_us = support.T0_S * 1_000_000
    journal.append(
        VerdictRow("kiln", "", "calibration.expired", 1, 2, at_us, 1),
        VerdictRow("kiln", "", "calibration.expired", 0, 2, at_us + 60_000_000, 2),
        VerdictRow("", "mp-01", "point.unequipped", 1, 2, at_us, 3),
    )
    async with support.courier_for(journal, support.settings_for(server.url), tmp_path) as courier:
        await courier.drain()
    found = {
        (series["tags"]["device"], series["tags"]["point"], series["tags"]["rule"]): [
            row[1:] for row in series["values"]
        ]
        for series in server.query('SELECT "open", seq, severity FROM verdict GROUP BY device, "point", rule')
    }
    assert found == {
        ("kiln", "", "calibration.expired"): [[1, 1, 2], [0, 2, 2]],
        ("", "mp-01", "point.unequipped"): [[1, 3, 2]],
    }
