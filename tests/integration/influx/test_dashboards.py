"""The shipped Grafana dashboards: every query of them runs on a real InfluxDB and finds something."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.delivery.port import VerdictRow
from tests.integration.influx import support
from tests.services import InfluxDB

FOLDER = Path(__file__).parents[3] / "docs/grafana"
DASHBOARDS = sorted(FOLDER.glob("*.json"))
BUILT_IN = {"__interval", "timeFilter", "tag_device", "tag_group"}


def panels(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text(encoding="utf-8"))["panels"])


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboards_are_whole(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    names = {variable["name"] for variable in document["templating"]["list"]} | BUILT_IN
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(document["panels"])))
    assert used <= names, used - names
    assert len({panel["id"] for panel in document["panels"]}) == len(document["panels"])
    assert all(re.search("[一-鿿]", panel["title"]) or panel["title"] == "$channel" for panel in document["panels"])
    assert len({json.loads(other.read_text())["uid"] for other in DASHBOARDS}) == len(DASHBOARDS)


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    with InfluxDB(tmp_path_factory.mktemp("influx")) as server:
        yield server


@pytest.mark.integration
async def test_every_query_finds_something(influx: InfluxDB, tmp_path: Path) -> None:
    server = support.Server(influx.url)
    server.create()
    journal = support.MemoryJournal({1: support.power_layout()})
    journal.append(*support.polls(300, step_s=600))
    journal.append(VerdictRow("meter-1", "", "calibration.expired", 1, 2, support.T0_S * 1_000_000, 301))
    async with support.courier_for(journal, support.settings_for(influx.url), tmp_path) as courier:
        await courier.drain()
    filled = {
        "$timeFilter": f"time >= {support.T0_S}s AND time < {support.T0_S + 86_400}s",
        "$__interval": "60s", "$site": support.SITE, "$device": "(meter-1|meter-2)", "$channel": "c0",
    }  # fmt: skip
    queries = 0
    for path in DASHBOARDS:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["templating"]["list"][0]["query"] != "influxdb":
            continue
        texts = [target["query"] for panel in document["panels"] for target in panel["targets"]]
        texts += [each["query"] for each in document["templating"]["list"][1:]]
        for text in texts:
            query = text
            for name, value in filled.items():
                query = query.replace(name, value)
            assert "$" not in query.replace("$/", ""), query
            assert server.query(query), query
            queries += 1
    assert queries >= 12
