"""Whatever is asked, the answer is a documented one: never a fault of ours, never something else than JSON or CSV."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.assembly.projecting import Projection, drop_projections
from gateway.journal.folder import DataFolder
from tests.people import client_of
from tests.plant_folder import FixedClock, build_folder

WORDS = st.sampled_from(
    ["", "P-01", "P-02", "P-03", "M-01", "2026-03-10", "2026-03-11T01:00:00+08:00", "9999-12-31", "0001-01-01", "open",
     "error", "day", "hour", "month", "csv", "json", "0", "1", "-1", "99999999999999999999", "%", "'", "\u0000", "电"]
) | st.text(max_size=20)  # fmt: skip


@pytest.fixture(scope="module")
def client(folder: DataFolder) -> Iterator[TestClient]:
    with client_of(folder.path) as made:
        yield made


@settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    choice=st.integers(0, 1_000),
    values=st.lists(WORDS, min_size=12, max_size=12),
    used=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_any_parameters(client: TestClient, choice: int, values: list[str], used: list[bool]) -> None:
    document: dict[str, Any] = client.app.openapi()  # type: ignore[attr-defined]  # it is our FastAPI
    paths = sorted(path for path, methods in document["paths"].items() if "get" in methods)
    path = paths[choice % len(paths)]
    described = document["paths"][path]["get"]
    query = {}
    for parameter, value, is_used in zip(described.get("parameters", []), values, used, strict=False):
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", quote(value, safe="") or "x")
        elif is_used:
            query[parameter["name"]] = value
    answer = client.get(path, params=query)
    assert answer.status_code in {200, 404, 422}, answer.text
    if answer.status_code != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert str(answer.status_code) in described["responses"]
    else:
        assert answer.headers["content-type"].split(";")[0] in {"application/json", "text/csv"}


@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    page=st.sampled_from(
        [
            "/",
            "/live",
            "/instruments",
            "/findings",
            "/trace",
            "/quality",
            "/points",
            "/energy",
            "/balance",
            "/calibration",
            "/journal",
        ]
    ),
    names=st.lists(
        st.sampled_from(
            [
                "as_of",
                "known_at",
                "point",
                "from",
                "to",
                "window",
                "first",
                "last",
                "step",
                "days",
                "months",
                "offset",
                "before",
                "kind",
                "due",
                "q",
                "severity",
                "root",
                "lang",
            ]
        ),
        max_size=4,
    ),
    data=st.data(),
)
def test_any_page(client: TestClient, page: str, names: list[str], data: st.DataObject) -> None:
    answer = client.get(page, params={name: data.draw(WORDS) for name in names})
    assert answer.status_code in {200, 404, 422}, answer.text[:500]
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "2201-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00"])
@pytest.mark.parametrize("name", ["as_of", "known_at", "first", "last", "from", "to", "window"])
def test_a_day_no_record_can_have_is_refused(client: TestClient, name: str, day: str) -> None:
    """Sums of days around it would leave what a date can be: said as a wrong parameter, on pages and in the API."""
    paths = {"first": ["/energy", "/balance"], "last": ["/energy", "/balance"]}
    for path in paths.get(name, ["/trace"] if name in {"from", "to", "window"} else ["/", "/completeness"]):
        page = {"/": "/", "/completeness": "/quality"}.get(path, path)
        for address in (page, f"/api/v1{'/overview' if path == '/' else path}"):
            assert client.get(address, params={"point": "P-01", name: day}).status_code == 422, address


def test_a_rebuild_is_seen_without_a_restart(tmp_path: Path) -> None:
    folder = build_folder(tmp_path / "data")
    with client_of(folder) as client:
        first = client.get("/api/v1/overview").json()
        drop_projections(folder)
        assert client.get("/api/v1/overview").status_code == 503
        projection = Projection(DataFolder.open(folder.path), FixedClock())
        while projection.step().applied:
            pass
        projection.close()
        assert client.get("/api/v1/overview").json() == first


def test_many_readers_at_once(client: TestClient) -> None:
    answers: list[tuple[int, int]] = []

    def ask() -> None:
        for _round in range(5):
            answer = client.get("/api/v1/instruments")
            answers.append((answer.status_code, answer.json()["result"]["total"]))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [(200, 3)] * 40
