"""What couriers are given: rows and verdicts in order, nothing ahead of the series, nothing that lost a conflict."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.assembly.platform import SystemClock
from gateway.delivery.port import Layout
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.projection.channels import ChannelDirectory
from gateway.projection.feed import JournalFeed
from gateway.projection.rows import RowReader
from gateway.series.row import SeriesRow
from gateway.series.store import SeriesStore

T0 = 1_790_000_000_000_000
DEVICE = "works/device/scale"
CHANNELS: list[dict[str, Any]] = [
    {"id": "mass", "measurand": "mass", "unit": "kg", "kind": "instantaneous", "decimals": 1},
    {"id": "total", "measurand": "mass", "unit": "kg", "kind": "cumulative", "decimals": 0},
    {"id": "serial", "measurand": "serial_number", "unit": "", "kind": "text", "decimals": 0},
]


def no_plans(_protocol: str, _document: dict[str, Any]) -> Any:
    raise AssertionError("a pushed device has no plan")


def message(*samples: tuple[int, int, int]) -> Draft:
    """Samples as (minute, mass, total)."""
    documents = [
        {
            "device": "scale", "group": "main", "cfg": 2, "at": T0 + minute * 60_000_000, "device_time": None,
            "slot": T0 + minute * 60_000_000, "values": [mass, total, "SN1"], "quality": [0, 0, 0], "findings": [],
        }
        for minute, mass, total in samples
    ]  # fmt: skip
    body = {"topic": "t", "payload": "", "qos": 1, "retained": 0, "received": T0, "findings": [], "samples": documents}
    return Draft("message", "works/endpoint/broker", T0, body)


def verdict(state: str) -> Draft:
    body = {
        "rule": "calibration.expired", "state": state, "opens": None, "severity": "error",
        "about": {"point": "mp-1", "device": "scale", "instrument": None, "installation": None, "certificate": None},
        "from": T0, "to": None if state == "open" else T0 + 5, "facts": {}, "registry": 1, "rules": "1",
    }  # fmt: skip
    return Draft("verdict", "works/point/mp-1", T0, body)


class Road:
    def __init__(self, path: Path) -> None:
        folder = DataFolder.create(
            path, organisation="works", site="s", time_zone="Asia/Shanghai", simulated=True, clock=SystemClock()
        )
        self.journal = Journal.open(folder)
        self.store = SeriesStore(folder.series, organisation="works")
        groups = {"main": {"period_us": 60_000_000, "offset_us": 0, "identity": 0, "channels": CHANNELS, "plan": None}}
        device = {"id": "scale", "endpoint": "broker", "protocol": "mqtt", "profile": "p", "address": {}, "pushed": 1}
        self.journal.append([Draft("configuration", DEVICE, T0, {"device": device, "groups": groups, "hash": "h"})])

    def feed(self) -> JournalFeed:
        return JournalFeed(self.journal, no_plans, self.store, ChannelDirectory(self.journal))

    def project(self) -> None:
        """As the projection does it: the first value for a key wins."""
        rows = []
        for entry in self.journal.read(self.store.applied_seq(), 1000):
            for each in entry.body["samples"] if entry.kind == "message" else ():
                values = (each["values"][0], each["values"][1], None)
                rows.append(SeriesRow("scale", "main", each["at"], each["at"], entry.seq, 2, values, (0, 0, 0)))
        self.store.write(rows, self.journal.head())


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Road]:
    road = Road(tmp_path / "data")
    yield road
    road.journal.close()
    road.store.close()


async def drained(feed: JournalFeed, limit: int) -> tuple[list[SeriesRow], list[Any]]:
    rows: list[SeriesRow] = []
    verdicts: list[Any] = []
    after = 0
    for _ in range(100):
        portion = await feed.read(after, limit)
        rows += portion.rows
        verdicts += portion.verdicts
        if portion.last_seq == after:
            return rows, verdicts
        after = portion.last_seq
    raise AssertionError("the feed does not end")


async def test_rows_and_verdicts_once_and_in_order(road: Road) -> None:
    road.journal.append([message((1, 5, 100), (2, 6, 101)), verdict("open"), message((3, 7, 102)), verdict("closed")])
    road.project()
    for limit in (1, 2, 1000):
        rows, verdicts = await drained(road.feed(), limit)
        assert [(row.slot_us, row.values) for row in rows] == [
            (T0 + 60_000_000, (5, 100, None)), (T0 + 120_000_000, (6, 101, None)), (T0 + 180_000_000, (7, 102, None)),
        ]  # fmt: skip
        assert [(each.device, each.point, each.state, each.severity, each.at_us) for each in verdicts] == [
            ("scale", "mp-1", 1, 2, T0), ("scale", "mp-1", 0, 2, T0 + 5),
        ]  # fmt: skip


async def test_nothing_is_given_before_the_series_has_it(road: Road) -> None:
    feed = road.feed()
    road.journal.append([message((1, 5, 100))])
    road.project()
    road.journal.append([message((2, 6, 101))])
    portion = await feed.read(0, 1000)
    assert ([row.values[0] for row in portion.rows], portion.last_seq, portion.head_seq) == ([5], 3, 4)
    assert (await feed.read(3, 1000)).last_seq == 3
    road.project()
    assert [row.values[0] for row in (await feed.read(3, 1000)).rows] == [6]


async def test_the_loser_of_a_conflict_is_left_out_even_after_a_restart(road: Road) -> None:
    road.journal.append(
        [message((1, 5, 100)), message((2, 6, 101)), message((1, 9, 100), (1, 8, 100)), message((3, 7, 1))]
    )
    road.project()
    for limit in (1, 1000):
        rows, _ = await drained(road.feed(), limit)
        assert [row.values[0] for row in rows] == [5, 6, 7]
    late = await road.feed().read(4, 1000)
    assert [row.values[0] for row in late.rows] == [7]


async def test_a_restart_amid_late_rows_gives_no_refused_one(road: Road) -> None:
    """The first row a new feed sees is itself late: what comes after it, later in time, may still be refused."""
    road.journal.append(
        [message((5, 1, 100)), message((6, 2, 101)), message((4, 3, 99)), message((5, 8, 100)), message((6, 9, 101))]
    )
    road.project()
    rows = (await road.feed().read(4, 1000)).rows  # from the late row on
    assert [row.values[0] for row in rows] == [3]


async def test_late_rows_are_given(road: Road) -> None:
    road.journal.append([message((9, 5, 100)), message((2, 6, 101)), message((1, 4, 99))])
    road.project()
    rows, _ = await drained(road.feed(), 1)
    assert [row.values[0] for row in rows] == [5, 6, 4]


def test_channels_of_a_configuration(road: Road) -> None:
    channels = ChannelDirectory(road.journal)
    assert channels.layout("scale", "main", 2) == Layout(("mass", "total", None), (1, 0, 0))
    assert channels.layout("scale", "main", 2) is channels.layout("scale", "main", 2)
    assert channels.instantaneous("scale", "main", 2) == (0,)
    assert (channels.position("main", 2, "total"), channels.position("main", 2, "none")) == (1, None)


async def test_an_accepted_value_is_sent_again(road: Road) -> None:
    kept, refused = road.journal.append([message((1, 5, 100)), message((1, 9, 200))])
    road.project()
    feed = road.feed()
    rows, _ = await drained(feed, 1000)
    assert [row.values[0] for row in rows] == [5]
    decided = {"group": "main", "slot": T0 + 60_000_000, "entry": refused}
    event = {"actor": "a", "action": "reading.accepted", "object": decided, "old": kept, "new": refused, "reason": ""}
    road.journal.append([Draft("event", DEVICE, T0, event)])
    row = RowReader(road.journal, no_plans).row(refused, "scale", "main", T0 + 60_000_000)
    assert row is not None
    road.store.accept([row], road.journal.head())
    portion = await feed.read(refused, 1000)
    assert [(row.seq, row.values) for row in portion.rows] == [(refused, (9, 200, None))]
