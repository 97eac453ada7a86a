"""The manners of the API: forms by Accept, entity tags, links to what follows, the way up from papers to figures."""

import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from starlette.requests import Request

from api.negotiation import chosen_form
from gateway.audit.record import KINDS
from gateway.i18n.terms import TERMS, term
from gateway.journal.folder import DataFolder
from tests.people import client_of
from tests.plant_folder import QUARTER_KWH, FixedClock


@pytest.fixture(scope="module")
def client(folder: DataFolder) -> Iterator[TestClient]:
    with client_of(folder.path) as made:
        yield made


def request_with(accept: str | None) -> Request:
    headers = [] if accept is None else [(b"accept", accept.encode())]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers, "query_string": b""})


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "json"),
        ("*/*", "json"),
        ("text/*", "csv"),
        ("text/csv", "csv"),
        ("TEXT/CSV;q=0.5, application/json;q=0.4", "csv"),
        ("text/csv;q=0, */*", "json"),
        ("image/png", "json"),
        ("text/csv;q=oops, application/json;q=0.1", "json"),
        (",;,", "json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "json"),
    ],
)
def test_the_best_form_of_what_is_accepted(accept: str | None, form: str) -> None:
    assert chosen_form(request_with(accept), None) == form
    assert chosen_form(request_with(accept), "xlsx") == "xlsx"


TABLES = ("/live", "/instruments", "/points", "/calibration", "/completeness", "/energy", "/balance", "/findings")


@pytest.mark.parametrize("path", TABLES)
def test_csv_and_xlsx_hold_the_same(client: TestClient, path: str) -> None:
    text = client.get(f"/api/v1{path}?format=csv").content.decode("utf-8-sig")
    book = load_workbook(io.BytesIO(client.get(f"/api/v1{path}?format=xlsx").content))
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    lines = [line for line in text.split("\r\n") if line]
    assert len(rows) == len(lines) > 1
    assert ",".join(map(str, rows[0])) == lines[0]
    for row, line in zip(rows[1:], lines[1:], strict=True):
        if '"' in line:
            continue
        for read, written in zip(row, line.split(","), strict=True):
            assert _same(read, written), (read, written)


def _same(read: Any, written: str) -> bool:
    if isinstance(read, int | float):
        return Decimal(repr(read)) == Decimal(written)
    return (read or "") == written.removeprefix("'")


@pytest.mark.parametrize("path", ["/points", "/findings?format=csv", "/journal", "/reports/form-b3"])
def test_who_has_it_already_gets_no_body(client: TestClient, path: str) -> None:
    address = f"/api/v1{path}{'&' if '?' in path else '?'}as_of=2026-03-11"
    first = client.get(address)
    tag = first.headers["etag"]
    again = client.get(address, headers={"if-none-match": f'"other", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    assert client.get(address, headers={"if-none-match": '"other"'}).content == first.content


def test_a_tag_changes_with_what_is_said_and_not_with_the_time_of_asking(folder: DataFolder) -> None:
    clock = FixedClock()
    with client_of(folder.path, clock=clock) as client:
        before = client.get("/api/v1/points").headers["etag"]
        clock.at_us += 1_000_000
        assert client.get("/api/v1/points").headers["etag"] == before
        assert client.get("/api/v1/points?as_of=2026-01-01").headers["etag"] != before
        assert client.get("/api/v1/points?format=csv").headers["etag"] != before


@pytest.mark.parametrize("path", ["/journal", "/instruments?limit=1"])
def test_links_lead_through_everything_once(client: TestClient, path: str) -> None:
    address, seen, pages = f"/api/v1{path}", [], 0
    while address and pages < 200:
        answer = client.get(address)
        result = answer.json()["result"]
        rows = result.get("entries") or result.get("rows") or []
        seen += [each.get("seq") or each["instrument"]["id"] for each in rows]
        address = answer.links["next"]["url"] if "next" in answer.links else ""
        pages += 1
    assert pages > 1
    assert len(seen) == len(set(seen))
    wanted = result.get("total") or client.get("/api/v1/journal").json()["result"]["head"]
    assert len(seen) == wanted


def test_what_rests_on_an_instrument(client: TestClient) -> None:
    """The intake's meter was read for 26 hours: 104 quarter hours of the same amount."""
    ledger = client.get("/api/v1/instruments").json()["result"]["rows"]
    card = next(each for each in ledger if each["role"] == "meter" and each["point"]["id"] == "P-01")
    instrument, certificate = card["instrument"]["id"], card["certificate"]["id"]
    up = client.get(f"/api/v1/touched?kind=instrument&id={instrument}").json()["result"]
    (span,) = up["spans"]
    assert span["point"] == "P-01"
    assert Decimal(span["value"]) == 104 * QUARTER_KWH
    narrower = client.get(f"/api/v1/touched?kind=certificate&id={certificate}").json()["result"]
    assert {each["point"] for each in narrower["spans"]} <= {span["point"]}
    page = client.get(f"/trace?instrument={instrument}&lang=zh").text
    assert span["point"] in page
    assert client.get("/api/v1/touched?kind=instrument&id=nobody").status_code == 404


def test_every_route_names_its_problems(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status in ("401", "403", "404", "422", "503"):
                content = operation["responses"][status]["content"]["application/problem+json"]
                assert content["example"]["status"] == int(status), (method, path)


def test_reading_routes_show_a_true_answer(client: TestClient) -> None:
    """Made by ``python -m tests.api_examples``."""
    document = client.get("/api/v1/openapi.json").json()
    shown = {
        path: operations["get"]["responses"]["200"]["content"]["application/json"]["example"]
        for path, operations in document["paths"].items()
        if "example"
        in operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {}).get("application/json", {})
    }
    assert len(shown) >= 30
    for path in ("/api/v1/overview", "/api/v1/energy", "/api/v1/trace", "/api/v1/points", "/api/v1/reports/{kind}"):
        assert set(shown[path]) == {"frame", "result"}, path
        assert shown[path]["frame"]["simulated"] is True


def test_links_lead_through_all_findings_in_order(client: TestClient) -> None:
    whole = client.get("/api/v1/findings").json()["result"]
    address, seen = "/api/v1/findings?limit=1", []
    while address:
        answer = client.get(address)
        seen += answer.json()["result"]
        address = answer.links["next"]["url"] if "next" in answer.links else ""
        assert len(seen) <= len(whole)
    assert len(whole) > 1
    assert seen == whole


def test_the_journal_can_be_asked_for_every_kind_of_entry(client: TestClient) -> None:
    assert set(KINDS) == set(TERMS["entry_kind"])
    assert len(set(KINDS)) == len(KINDS)
    page = client.get("/journal?lang=zh").text
    for kind in KINDS:
        assert f'<option value="{kind}">{term("zh", "entry_kind", kind)}</option>' in page
        assert term("zh", "entry_kind", kind) != TERMS["entry_kind"][kind]
