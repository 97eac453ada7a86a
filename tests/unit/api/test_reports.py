"""Reports over the API and the page: the same bytes on every way, long making, issuing, downloads."""

import io
import json
import time
from collections.abc import Iterator
from hashlib import sha256

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook

from gateway.assembly.projecting import Projection
from gateway.assembly.reading import open_for_reading
from gateway.assembly.reporting import ReportWish, report
from gateway.journal.folder import DataFolder
from gateway.reports.catalogue import KINDS
from gateway.reports.drawing import drawn
from gateway.reports.rendering import rendered
from tests.people import client_of
from tests.plant_folder import NOW, FixedClock, build_folder

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="module")
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    return build_folder(tmp_path_factory.mktemp("reporting") / "data")


@pytest.fixture(scope="module")
def client(own_folder: DataFolder) -> Iterator[TestClient]:
    with client_of(own_folder.path) as made:
        yield made


def project(folder: DataFolder) -> None:
    projection = Projection(folder, FixedClock())
    try:
        while projection.step().applied:
            pass
    finally:
        projection.close()


def test_every_report_is_listed_and_made(client: TestClient) -> None:
    listed = client.get("/api/v1/reports").json()["result"]
    assert [each["id"] for each in listed] == list(KINDS)
    for each in listed:
        answer = client.get(f"/api/v1/reports/{each['id']}")
        assert answer.status_code == (404 if each["needs_review"] else 200), answer.text
        if answer.status_code == 200:
            assert answer.json()["result"]["title"]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("application/pdf;q=0, text/csv;q=0.4, application/json;q=0.2", "text/csv"),
        (f"text/plain, {XLSX}", XLSX),
    ],
)
def test_accept_chooses_the_form(client: TestClient, accept: str, media_type: str) -> None:
    for address in ("/api/v1/reports/form-b3", "/api/v1/points"):
        answer = client.get(address, headers={"accept": accept})
        assert answer.headers["content-type"].split(";")[0] == media_type


@pytest.mark.integration  # a Chinese font of the machine
def test_all_ways_give_the_same_bytes(client: TestClient, own_folder: DataFolder) -> None:
    """In this process and by the child that sets PDF files."""
    with open_for_reading(own_folder) as reader:
        document = report(reader, reader.asking(NOW), ReportWish(kind="form-b10", language="zh"), at_us=NOW)
    for form in ("pdf", "xlsx", "docx"):
        served = client.get(f"/api/v1/reports/form-b10?format={form}").content
        assert served == rendered(document, form, drawn(document)), form


def test_the_api_and_the_spreadsheet_say_the_same(client: TestClient) -> None:
    plain = client.get("/api/v1/reports/annual-energy").json()["result"]
    book = load_workbook(io.BytesIO(client.get("/api/v1/reports/annual-energy?format=xlsx").content))
    sheets = {sheet["A1"].value: sheet for sheet in book.worksheets}
    for table in (each for each in plain["blocks"] if each["type"] == "table"):
        for number, row in enumerate(table["rows"], start=3):
            for index, cell in enumerate(row, start=1):
                if isinstance(cell, dict) and cell["value"]:
                    assert float(cell["value"]) == sheets[table["title"]].cell(number, index).value


@pytest.mark.integration  # a Chinese font of the machine
def test_long_making_can_be_left(client: TestClient) -> None:
    begun = client.post("/api/v1/reports/made", json={"kind": "form-b4", "form": "pdf"})
    assert begun.status_code == 202, begun.text
    look = begun.headers["location"]
    for _ in range(1_800):
        state = client.get(look).json()
        if state["state"] in {"done", "failed"}:
            break
        time.sleep(0.1)
    assert state["state"] == "done", state
    assert client.get(state["file"]).content.startswith(b"%PDF")


@pytest.mark.integration  # a Chinese font of the machine
def test_an_issued_report_is_downloaded_as_it_was_kept(client: TestClient, own_folder: DataFolder) -> None:
    wish = {"kind": "form-b3", "reason": "年度审查"}
    answer = client.post("/api/v1/reports/issued", json=wish)
    assert answer.status_code in {201, 202}, answer.text
    project(own_folder)
    (issued,) = client.get("/api/v1/reports/issued").json()["result"]
    assert issued["reason"] == "年度审查"
    assert {each["format"] for each in issued["files"]} == {"pdf", "xlsx", "json"}
    for file in issued["files"]:
        address = f"/reports/issued/form-b3/{issued['version']}/{file['format']}"
        content = client.get(address).content
        assert sha256(content).hexdigest() == file["sha256"]
        assert client.get(f"/api/v1{address}").headers["etag"] == f'"{file["sha256"]}"'
    page = client.get("/reports?lang=zh").text
    assert "年度审查" in page
    assert f"#{issued['seq']}" in page


def test_who_may_not(own_folder: DataFolder) -> None:
    with client_of(own_folder.path, role="operator") as operator:
        assert operator.get("/reports").status_code == 403
        assert operator.post("/api/v1/reports/made", json={"kind": "form-b4"}).status_code == 403
    with client_of(own_folder.path, role="market_supervision") as supervision:
        assert supervision.get("/api/v1/reports/form-b3?format=csv").status_code == 200
        assert supervision.post("/api/v1/reports/issued", json={"kind": "form-b3"}).status_code == 403
        assert "formaction" not in supervision.get("/reports").text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_offers_every_report(client: TestClient, language: str) -> None:
    page = client.get(f"/reports?lang={language}").text
    for id_ in KINDS:
        assert f"<code>{id_}</code>" in page
    assert 'action="/reports/make"' in page


def test_problems_of_a_wish_say_what(client: TestClient) -> None:
    for query, status in (("first=2026-13-01", 422), ("first=2026-03-01&last=2026-02-01", 422), ("review=none", 404)):
        answer = client.get(f"/api/v1/reports/form-b10?{query}")
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(client.get("/api/v1/reports/form-b99").text)["status"] == 404


def test_indicators_are_those_of_the_review(client: TestClient) -> None:
    reviewed = client.get("/api/v1/indicators").json()["result"]
    blocks = client.get("/api/v1/reports/indicators").json()["result"]["blocks"]
    (table,) = [each for each in blocks if each["type"] == "table"]
    assert [(row[2], row[3]) for row in table["rows"]] == [
        (each["numerator"], each["denominator"]) for each in reviewed
    ]
    assert all(row[7] for row in table["rows"]), "each says its definition"
