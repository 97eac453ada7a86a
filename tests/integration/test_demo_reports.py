"""The reports of the demo works: every number in spreadsheet, page and API is equal, and equal to the energy pages'."""

import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from pypdf import PdfReader

from gateway.assembly.reading import open_for_reading
from gateway.assembly.reporting import ReportWish, report
from gateway.domain.time import local_date
from gateway.journal.folder import DataFolder
from gateway.reports.drawing import drawn
from gateway.reports.rendering import rendered
from tests.people import client_of
from tests.plant_folder import FixedClock
from tests.services import free_port
from tests.unit.gateway.reports.test_numbers import TOKEN, is_number, said, same

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
PROGRAM = str(Path(sys.executable).with_name("meterproof"))
MADE = ("forms", "figure-b1", "figure-traceability", "annual-energy", "quality-plan", "verification-plan", "self-check")
"""Together they hold every table; the unit tests make each report alone."""
REVIEWS = ("carbon-demo", "energy-demo")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    path = tmp_path_factory.mktemp("reported") / "demo-data"
    options = ["--history-days", "2", "--port", str(free_port()), "--for", "1", "--json"]
    command = [PROGRAM, "--lang", "en", "demo", "--data", str(path), *options]
    done = subprocess.run(command, capture_output=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr[-3000:]
    return DataFolder.open(path, read_only=True)


@pytest.fixture(scope="module")
def now_us(folder: DataFolder) -> int:
    with open_for_reading(folder) as reader:
        return reader.sources.registry.latest_at()


@pytest.fixture(scope="module")
def client(folder: DataFolder, now_us: int) -> Iterator[TestClient]:
    with client_of(folder, clock=FixedClock(now_us), role="everything") as made:
        yield made


def tables_of(client: TestClient, kind: str, **query: str) -> list[dict[str, Any]]:
    blocks = client.get(f"/api/v1/reports/{kind}", params=query).json()["result"]["blocks"]
    return [each for each in blocks if each["type"] == "table"]


@pytest.mark.parametrize("kind", MADE)
def test_every_number_is_equal(client: TestClient, folder: DataFolder, now_us: int, kind: str) -> None:
    tables = tables_of(client, kind)
    book = load_workbook(io.BytesIO(client.get(f"/api/v1/reports/{kind}?format=xlsx").content))
    sheets = {sheet["A1"].value: sheet for sheet in book.worksheets[1:]}
    wanted: Counter[str] = Counter()
    for table in tables:
        for number, row in enumerate(table["rows"], start=3):
            for index, cell in enumerate(row, start=1):
                assert same(sheets[table["title"]].cell(number, index).value, said(cell)), (table["id"], number, index)
                if is_number(said(cell)):
                    wanted[said(cell)] += 1
    with open_for_reading(folder) as reader:
        document = report(reader, reader.asking(now_us), ReportWish(kind=kind, language="zh"), at_us=now_us)
    pictures = drawn(document)
    files = [rendered(document, "pdf", pictures) for _ in range(2)]
    assert files[0] == files[1]
    printed = Counter(TOKEN.findall("\n".join(page.extract_text() for page in PdfReader(io.BytesIO(files[0])).pages)))
    for number_, times in wanted.items():
        assert printed[number_] >= times, number_


def test_amounts_are_those_of_the_energy_pages(client: TestClient, folder: DataFolder, now_us: int) -> None:
    with open_for_reading(folder) as reader:
        last = local_date(now_us, reader.zone) - timedelta(days=1)
    days = {"first": f"{last.year}-01-01", "last": last.isoformat()}
    (points,) = [each for each in tables_of(client, "annual-energy", **days) if each["id"] == "points"]
    compared = 0
    for row in points["rows"]:
        answer = client.get("/api/v1/energy", params={"point": row[0], "step": "month", **days})
        total = answer.json()["result"]["total"] if answer.status_code == 200 else None
        if row[4]["exact"] is None or total is None or answer.json()["result"]["chosen"]["id"] != row[0]:
            continue
        value = Fraction(total["value"])
        assert abs(Fraction(Decimal(row[4]["exact"])) - value) <= abs(value) * Fraction(1, 10**12), row[0]
        compared += 1
    assert compared >= 15


def test_a_carbon_review_reports_carbon_and_an_energy_review_does_not(client: TestClient) -> None:
    tables = {id_: {each["id"] for each in tables_of(client, "review-report", review=id_)} for id_ in REVIEWS}
    assert ["carbon" in tables[id_] for id_ in REVIEWS] == [True, False]


def test_the_planted_faults_are_in_the_lists(client: TestClient) -> None:
    due = json.dumps(tables_of(client, "due-list"), ensure_ascii=False)
    assert "超期" in due
    assert "强检未检定（仅有校准）" in due
    network = json.dumps(tables_of(client, "figure-b2"), ensure_ascii=False)
    assert "未配计量器具" in network
    classes = next(each for each in tables_of(client, "form-b9"))
    assert any(row[4] < row[3] for row in classes["rows"]), "a class that is too low lowers the share"
