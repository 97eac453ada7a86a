"""Points in a real InfluxDB against the sealed entries: a changed, a missing and a foreign one are named."""

import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from gateway.domain.time import Period
from gateway.journal.journal import Journal
from gateway.series.store import SeriesStore
from gateway.verifier.checkpoints import Options
from gateway.verifier.folder import FolderCheck
from gateway.verifier.influx import influx_comparison
from gateway.verifier.report import Report
from tests.plant_folder import NOW, ORGANISATION, START, build_folder
from tests.services import InfluxDB

DATABASE, SITE = "plant", "probe's site"

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def plant(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("influx") / "plant"
    build_folder(path)
    return path


@pytest.fixture
def server(tmp_path):
    with InfluxDB(tmp_path) as running:
        yield running


def post(server: InfluxDB, path: str, body: bytes, **query: str) -> None:
    address = f"{server.url}{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(urllib.request.Request(address, data=body, method="POST"), timeout=30) as answer:
        assert answer.status in {200, 204}


def lines(plant: Path) -> list[str]:
    """The points, written here by hand from the series store and the configuration entries."""
    with Journal.open(plant, read_only=True) as journal:
        configurations = {entry.seq: entry.body for entry in journal.read(0, 10_000, {"configuration"})}
    store = SeriesStore(plant / "series", organisation=ORGANISATION, read_only=True)
    found = []
    for device, group in store.series():
        for row in store.rows(device, group, Period(START - 10**12, NOW + 10**12)):
            channels = configurations[row.cfg_seq]["groups"][group]["channels"]
            fields = [
                f"{channel['id']}={value / 10 ** channel['decimals']!r}"
                for channel, value in zip(channels, row.values, strict=True)
                if value is not None
            ]
            tags = f"reading,device={device},group={group},site=probe's\\ site"
            flags = 0
            for each in row.quality:
                flags |= each & ~3
            word = flags + max(each & 3 for each in row.quality)
            found.append(f"{tags} {','.join(fields)},q={word}i,seq={row.seq}i {row.slot_us // 1000}")
    store.close()
    return found


def check(plant: Path, server: InfluxDB) -> Report:
    report = Report()
    comparison = influx_comparison(report, server.url, DATABASE, SITE)
    folder = FolderCheck(plant, report, Options(), [comparison.take])
    folder.run()
    comparison.finish(folder.parsed_again)
    return report


def test_equal_points_pass_and_every_difference_is_named(plant, server):
    post(server, "/query", b"", q=f'CREATE DATABASE "{DATABASE}"')
    points = lines(plant)
    post(server, "/write", "\n".join(points).encode(), db=DATABASE, precision="ms")
    report = check(plant, server)
    assert report.problems == []
    assert report.counts["values"] > 1_000

    head, fields, at = points[100].rsplit(" ", 2)
    name, _, value = fields.split(",")[0].partition("=")
    post(server, "/write", f"{head} {name}={float(value) + 0.01!r} {at}".encode(), db=DATABASE, precision="ms")
    (problem,) = check(plant, server).problems
    assert problem.code == "value.differs"
    assert problem.facts["channel"] == name
    assert at in problem.where
    post(server, "/write", points[100].encode(), db=DATABASE, precision="ms")

    post(server, "/write", f"{head} q=3i {at}".encode(), db=DATABASE, precision="ms")
    assert [each.facts["channel"] for each in check(plant, server).problems] == ["q"]
    post(server, "/write", points[100].encode(), db=DATABASE, precision="ms")

    before_all = points[100].rsplit(" ", 2)[0] + f" {name}=1.0 1000000000000"
    post(server, "/write", before_all.encode(), db=DATABASE, precision="ms")
    assert [each.code for each in check(plant, server).problems] == ["value.foreign"]
    post(server, "/query", b"", db=DATABASE, q='DELETE FROM "reading" WHERE time = 1000000000000ms')

    foreign = points[100].replace(at, str(int(at) + 1))
    post(server, "/write", foreign.encode(), db=DATABASE, precision="ms")
    assert [each.code for each in check(plant, server).problems] == ["value.foreign"]
    for moment in (int(at) + 1, int(at)):
        post(server, "/query", b"", db=DATABASE, q=f'DELETE FROM "reading" WHERE time = {moment}ms')
    assert {each.code for each in check(plant, server).problems} == {"value.missing"}


def test_a_server_that_is_not_there_is_a_problem_and_not_a_pass(plant, server):
    server.stop()
    assert "store.damaged" in {each.code for each in check(plant, server).problems}
    report = Report()
    influx_comparison(report, "file:///etc/passwd", DATABASE, SITE)
    assert not report.ok
