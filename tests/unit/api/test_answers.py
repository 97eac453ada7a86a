"""Routes over a small folder: JSON, CSV, problems, languages, headers."""

import asyncio
import csv
import io
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from api import cli
from api.charts.render import ChartError, ChartRenderer
from api.charts.specs import hours_of_a_day
from api.encoding import table
from gateway.i18n.texts import text
from gateway.journal.folder import DataFolder
from tests.people import client_of
from tests.plant_folder import QUARTER_KWH, FixedClock

PAGES = (
    "/",
    "/live",
    "/live/P-01?raw=1",
    "/live/P-03",
    "/instruments",
    "/instruments/M-02",
    "/findings",
    "/trace",
    "/trace?point=P-01",
    "/trace?point=P-03",
    "/journal/1",
    "/points",
    "/calibration",
    "/quality",
    "/energy",
    "/energy?point=P-02&step=hour",
    "/energy?point=P-03",
    "/balance",
    "/journal?kind=point",
)


@pytest.fixture(scope="module")
def client(folder: DataFolder) -> Iterator[TestClient]:
    with client_of(folder.path) as made:
        yield made


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_speak_one_language(client: TestClient, page: str, language: str) -> None:
    separator = "&" if "?" in page else "?"
    answer = client.get(f"{page}{separator}lang={language}")
    assert answer.status_code == 200
    assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}">' in answer.text
    assert text(language, "SIMULATED") in answer.text
    assert "%(" not in answer.text
    assert " style=" not in answer.text, "the policy allows no inline style"
    assert not re.search(r"<script(?! src=\"/static/)", answer.text), "the policy allows no inline script"


def test_language_is_remembered_and_guessed(client: TestClient) -> None:
    client.cookies.pop("meterproof_language", None)
    assert 'lang="zh-Hans"' in client.get("/").text
    assert '<html lang="en">' in client.get("/", headers={"accept-language": "en-GB,en;q=0.9"}).text
    first = client.get("/?lang=en")
    assert "meterproof_language=en" in first.headers["set-cookie"]
    assert '<html lang="en">' in client.get("/", headers={"accept-language": "zh"}).text
    client.cookies.pop("meterproof_language", None)


def test_every_answer_carries_the_policy(client: TestClient) -> None:
    for address in ("/", "/api/v1/overview", "/static/meterproof.css", "/nothing"):
        policy = client.get(address).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_another_host_name_is_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_overview_and_trace_agree(client: TestClient) -> None:
    overview = client.get("/api/v1/overview").json()
    assert overview["frame"]["simulated"] is True
    today = overview["result"]["intake"]["today"]
    query = {"point": "P-01", "from": today["start_time"], "to": today["end_time"]}
    trace = client.get("/api/v1/trace", params=query).json()["result"]
    assert trace["figure"]["value"] == today["value"]
    assert Decimal(today["value"]) == sum(Decimal(each["value"]) for each in trace["intervals"])
    rows = list(
        csv.DictReader(
            io.StringIO(client.get("/api/v1/trace", params={**query, "format": "csv"}).text.lstrip("\ufeff"))
        )
    )
    assert [row["energy"] for row in rows] == [str(QUARTER_KWH)] * len(trace["intervals"])


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/live",
        "/api/v1/instruments",
        "/api/v1/findings",
        "/api/v1/overview/hours",
        "/api/v1/completeness",
        "/api/v1/points",
        "/api/v1/energy",
        "/api/v1/balance",
        "/api/v1/calibration",
    ],
)
def test_lists_come_as_csv_too(client: TestClient, address: str) -> None:
    answer = client.get(address, headers={"accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert "SIMULATED-" in answer.headers["content-disposition"]
    header, *rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows
    assert all(len(row) == len(header) for row in rows)


@pytest.mark.parametrize(
    ("address", "status", "kind"),
    [
        ("/api/v1/instruments/M-99", 404, "unknown-object"),
        ("/api/v1/live/P-99", 404, "unknown-object"),
        ("/api/v1/trace?point=P-99", 404, "unknown-object"),
        ("/api/v1/journal/999999", 404, "unknown-object"),
        ("/api/v1/overview?organisation=other", 404, "unknown-object"),
        ("/api/v1/overview?as_of=yesterday", 422, "unreadable-parameter"),
        ("/api/v1/trace", 422, "unreadable-parameter"),
        ("/api/v1/instruments?offset=-1", 422, "unreadable-parameter"),
        ("/api/v1/nothing", 404, "not-found"),
    ],
)
def test_problems(client: TestClient, address: str, status: int, kind: str) -> None:
    for language in ("zh", "en"):
        answer = client.get(address, headers={"accept-language": language})
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["type"] == f"urn:meterproof:problem:{kind}"
        assert problem["status"] == status
        assert (re.search("[\u4e00-\u9fff]", problem["detail"]) is not None) == (language == "zh")


def test_a_missing_page_is_a_page(client: TestClient) -> None:
    answer = client.get("/instruments/M-99?lang=zh")
    assert answer.status_code == 404
    assert "当时台账中没有计量器具 M-99" in answer.text


def test_as_of_and_known_at_stay_in_the_links(client: TestClient) -> None:
    page = client.get("/?as_of=2026-03-10").text
    assert "/instruments?as_of=2026-03-10" in page
    known = client.get("/api/v1/instruments?known_at=2020-01-01").json()
    assert known["result"]["total"] == 0


def test_openapi_describes_every_route(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    for path, methods in document["paths"].items():
        assert path.startswith("/api/v1/")
        assert set(methods) <= {"get", "post", "put", "delete"}
        for described in methods.values():
            assert described["description"], path


def test_charts_are_drawn_and_kept(client: TestClient) -> None:
    for theme in ("light", "dark"):
        answer = client.get(f"/charts/hours.svg?theme={theme}")
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.text.startswith("<svg")


async def test_a_chart_that_cannot_be_drawn_is_an_error_and_the_next_one_is_drawn() -> None:
    renderer = ChartRenderer()
    try:
        with pytest.raises(ChartError):
            await renderer.svg({"mark": "no such mark", "$schema": "https://vega.github.io/schema/vega-lite/v6.json"})
        spec = hours_of_a_day([], theme="light", unit="kWh", hour="h", today="a", before="b", missing="c")
        first, second = await asyncio.gather(renderer.svg(spec), renderer.svg(spec))
        assert first == second
    finally:
        await renderer.close()


def test_a_folder_without_projections_says_what_to_do(tmp_path: Path) -> None:
    folder = DataFolder.create(
        tmp_path / "new", organisation="o", site="s", time_zone="Asia/Shanghai", simulated=False, clock=FixedClock()
    )
    with client_of(folder) as client:
        answer = client.get("/?lang=en")
    assert answer.status_code == 503
    assert "meterproof project" in answer.text


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "plant.example"])
def test_serve_refuses_other_addresses_without_accounts(tmp_path: Path, host: str) -> None:
    facts = {"organisation": "o", "site": "s", "time_zone": "Asia/Shanghai", "simulated": False}
    fresh = DataFolder.create(tmp_path / "new", clock=FixedClock(), **facts)
    result = CliRunner().invoke(cli.command, ["--data", str(fresh.path), "--host", host], obj="en")
    assert isinstance(result.exception, cli.ServeError)
    assert "loopback" in str(result.exception)


def test_serve_says_that_the_port_is_taken(folder: DataFolder) -> None:
    taken = cli.bound("127.0.0.1", 0)
    taken.listen()
    try:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(cli.command, ["--data", str(folder.path), "--port", port], obj="en")
        assert isinstance(result.exception, cli.ServeError)
        assert f"port {port} is in use" in str(result.exception)
    finally:
        taken.close()


def test_serve_wants_a_folder() -> None:
    result = CliRunner().invoke(cli.command, [], obj="en")
    assert result.exit_code == click.UsageError.exit_code


def test_cells_are_no_formulas(client: TestClient) -> None:
    answer = table(["a"], [["=1+1"], ["-5"], ["@x"]], "t", ZoneInfo("Asia/Shanghai"))
    assert bytes(answer.body).decode().split("\r\n")[1:4] == ["'=1+1", "-5", "'@x"]
    assert json.loads(client.get("/api/v1/overview").text)
