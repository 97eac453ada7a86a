"""Sent, written, verified: what is lost or altered in the sink is found and sent again; the journal stays."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gateway.delivery.courier import Courier
from gateway.delivery.influx.query import QueryError
from gateway.delivery.influx.sink import InfluxSink
from gateway.delivery.port import Layout
from gateway.delivery.reconciliation import Reconciliation, Report
from gateway.delivery.state import CourierState
from gateway.domain.time import US_PER_DAY, Period
from gateway.series.row import SeriesRow
from gateway.series.store import SeriesStore
from tests.integration.influx import support
from tests.services import InfluxDB

pytestmark = pytest.mark.integration
DAYS = Period(support.T0_S * 1_000_000, support.T0_S * 1_000_000 + 3 * US_PER_DAY)


class Plant:
    """A store, a sink and the courier between them."""

    def __init__(self, folder: Path, url: str) -> None:
        self.layouts = {1: support.power_layout()}
        self.journal = support.MemoryJournal(self.layouts)
        self.store = SeriesStore(folder / "series", organisation="works")
        self.state = CourierState(folder / "courier.sqlite")
        self.sink = InfluxSink(support.settings_for(url), support.SITE)
        self.courier = Courier(
            self.journal,
            self.sink,
            self.state,
            clock=support.RealClock(),
            random=support.SeededRandom(),
            settings=support.QUICK,
        )

    async def poll(self, rows: list[SeriesRow]) -> None:
        self.journal.append(*rows)
        self.store.write(rows)
        await self.courier.drain()

    async def reconcile(self, *, values: bool = False, repair: bool = False) -> Report:
        work = Reconciliation(self.store, self.sink, self.state, self.journal.layout, support.RealClock())
        return await work.run(DAYS, values=values, courier=self.courier if repair else None)


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    with InfluxDB(tmp_path_factory.mktemp("influx")) as server:
        yield server


@pytest.fixture
async def plant(influx: InfluxDB, tmp_path: Path) -> Iterator[Plant]:
    server = support.Server(influx.url)
    server.create()
    plant = Plant(tmp_path, influx.url)
    async with AsyncExitStack() as closing:
        closing.push_async_callback(plant.courier.close)
        yield plant
    server.query("DROP DATABASE plant")


async def test_an_untouched_sink_is_verified(plant: Plant, influx: InfluxDB) -> None:
    rows = support.polls(3_000, step_s=300)
    nothing = SeriesRow("meter-1", "main", rows[0].slot_us + 7_000_000, 0, 3_001, 1, (None,) * 4, (3,) * 4)
    await plant.poll([*rows, nothing])
    for values in (False, True):
        report = await plant.reconcile(values=values)
        assert report.differences == []
        assert (report.sent, report.written, report.verified, report.days) == (3_000, 3_000, 3_000, 4)
    verified = plant.state.verified(0, 2**60)
    assert sum(each.rows for each in verified) == 3_000
    assert all(each.equal for each in verified)


async def test_entries_after_the_cursor_are_not_expected_yet(plant: Plant) -> None:
    await plant.poll(support.polls(100))
    plant.store.write(support.polls(100, first_seq=101, start_s=support.T0_S + 7200))
    assert (await plant.reconcile()).verified == 100


async def test_lost_points_are_found_and_sent_again(plant: Plant, influx: InfluxDB) -> None:
    await plant.poll(support.polls(500, step_s=600))
    server = support.Server(influx.url)
    server.query(f"DELETE FROM reading WHERE device = 'meter-2' AND time < {support.T0_S + 6000}s")
    report = await plant.reconcile()
    [difference] = report.differences
    assert (difference.device, len(difference.missing), difference.sink.rows - difference.journal.rows) == (
        "meter-2",
        10,
        -10,
    )
    assert (report.sent, report.written) == (500, 490)
    repaired = await plant.reconcile(repair=True)
    assert repaired.differences == []
    assert repaired.verified == 500
    support.same_numbers(server.points(), support.expected(plant.journal.rows, plant.layouts))


async def test_a_whole_lost_database_is_written_again(plant: Plant, influx: InfluxDB) -> None:
    await plant.poll(support.polls(400))
    server = support.Server(influx.url)
    server.query("DROP DATABASE plant")
    server.create()
    report = await plant.reconcile(repair=True)
    assert (report.resent, report.differences) == (400, [])
    support.same_numbers(server.points(), support.expected(plant.journal.rows, plant.layouts))


async def test_an_altered_value_is_seen_when_values_are_compared(plant: Plant, influx: InfluxDB) -> None:
    rows = support.polls(100)
    await plant.poll(rows)
    server = support.Server(influx.url)
    victim = rows[42]
    tags = f"reading,device={victim.device},group=main,site={support.SITE}"
    server.write(f"{tags} c0=1.25 {victim.slot_us // 1000}")
    assert (await plant.reconcile()).differences == [], "totals cannot see it"
    [difference] = (await plant.reconcile(values=True)).differences
    assert difference.differing == (victim.slot_us // 1000,)
    assert (await plant.reconcile(values=True, repair=True)).differences == []
    support.same_numbers(server.points(), support.expected(rows, plant.layouts))


async def test_foreign_points_are_listed_and_stay(plant: Plant, influx: InfluxDB) -> None:
    rows = support.polls(50)
    await plant.poll(rows)
    server = support.Server(influx.url)
    at_ms = rows[3].slot_us // 1000 + 1
    server.write(f"reading,device=meter-3,group=main,site={support.SITE} c0=5,seq=9i {at_ms}")
    server.write(f"reading,device=nobody,group=main,site={support.SITE} c0=5,seq=9i {at_ms}")
    report = await plant.reconcile(repair=True)
    assert [(each.device, each.foreign) for each in report.differences] == [("meter-3", (at_ms,)), ("nobody", (at_ms,))]
    assert report.resent == 0
    assert len(server.points()) == 52


async def test_dead_letters_are_no_difference_until_they_can_be_written(plant: Plant, influx: InfluxDB) -> None:
    server = support.Server(influx.url)
    server.write(f'reading,device=other,site=elsewhere c1="a text" {support.T0_S * 1000}')
    plant.layouts[2] = Layout(("c0", "c2"), (2, 2))
    rows = []
    for r in support.polls(60):
        cfg, values = (1, (1, 2, 3, None)) if r.seq % 10 else (2, (1, 2))
        rows.append(SeriesRow(r.device, "main", r.slot_us, r.observed_us, r.seq, cfg, values, (0,) * len(values)))
    await plant.poll(rows)
    report = await plant.reconcile()
    assert (report.dead_letters, report.verified, report.differences) == (54, 6, [])
    server.query("DROP DATABASE plant")
    server.create()
    mended = await plant.reconcile(repair=True)
    assert mended.differences == []
    assert plant.state.dead_count() == 0, "written after all"
    assert (await plant.reconcile(values=True)).verified == 60


async def test_a_sink_that_cannot_be_asked_says_so(plant: Plant, influx: InfluxDB) -> None:
    await plant.poll(support.polls(10))
    support.Server(influx.url).query("DROP DATABASE plant")
    with pytest.raises(QueryError, match="database not found"):
        await plant.reconcile()
    support.Server(influx.url).create()
