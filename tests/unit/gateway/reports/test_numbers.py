"""One number, five files: whatever reads a report — XLSX, PDF, DOCX, CSV, JSON — reads the same digits.

The readers here are openpyxl, pypdf, python-docx and the csv module; they share no code with what writes the files.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import docx
import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from gateway.assembly.reading import OpenFolder
from gateway.assembly.reporting import ReportWish, report
from gateway.reports.catalogue import KINDS
from gateway.reports.document import Document
from gateway.reports.drawing import drawn
from gateway.reports.rendering import rendered
from tests.plant_folder import NOW

WITHOUT_REVIEW = [each.id for each in KINDS.values() if not each.needs_review]
TOKEN = re.compile(r"-?\d+(?:\.\d+)?")


def document_of(reader: OpenFolder, kind: str, language: str = "zh") -> Document:
    return report(reader, reader.asking(NOW), ReportWish(kind=kind, language=language), at_us=NOW)


def tables_of(document: Document) -> list[dict[str, Any]]:
    plain = json.loads(rendered(document, "json", {}))
    return [each for each in plain["blocks"] if each["type"] == "table"]


def said(cell: Any) -> str:
    """What a person should see for a cell of the JSON file."""
    if isinstance(cell, dict):
        return cell["value"] or cell["instead"] or "—"
    return "—" if cell in {None, ""} else str(cell)


def is_number(text: str) -> bool:
    try:
        Decimal(text)
    except InvalidOperation:
        return False
    return bool(TOKEN.fullmatch(text))


def same(read: Any, wanted: str) -> bool:
    if isinstance(read, int | float) and not isinstance(read, bool):
        return is_number(wanted) and Decimal(repr(read)) == Decimal(wanted)
    return str(read) == wanted


@pytest.mark.parametrize("kind", WITHOUT_REVIEW)
def test_a_spreadsheet_has_every_cell(reader: OpenFolder, kind: str) -> None:
    document = document_of(reader, kind)
    book = load_workbook(io.BytesIO(rendered(document, "xlsx", {})))
    sheets = {sheet["A1"].value: sheet for sheet in book.worksheets[1:]}
    for table in tables_of(document):
        sheet = sheets[table["title"]]
        for number, row in enumerate(table["rows"], start=3):
            for index, cell in enumerate(row, start=1):
                read = sheet.cell(number, index).value
                assert same(read, said(cell)), (kind, table["id"], number, index, read, said(cell))


@pytest.mark.parametrize("kind", WITHOUT_REVIEW)
def test_a_text_file_has_every_cell(reader: OpenFolder, kind: str) -> None:
    document = document_of(reader, kind)
    rows = list(csv.reader(io.StringIO(rendered(document, "csv", {}).decode("utf-8-sig"), newline="")))
    for table in tables_of(document):
        at = rows.index([f"# {table['title']}"]) + 2
        for row in table["rows"]:
            assert [each.removeprefix("'") for each in rows[at]] == [said(cell) for cell in row]
            at += 1


@pytest.mark.parametrize("kind", ["form-b10", "annual-energy", "self-declaration", "forms"])
def test_a_text_document_has_every_cell(reader: OpenFolder, kind: str) -> None:
    document = document_of(reader, kind)
    written = docx.Document(io.BytesIO(rendered(document, "docx", {})))
    read = [[[cell.text for cell in row.cells] for row in table.rows[1:]] for table in written.tables]
    for table in tables_of(document):
        assert [[said(cell) for cell in row] for row in table["rows"]] in read, table["id"]


def numbers_in(document: Document) -> Counter[str]:
    return Counter(
        said(cell) for table in tables_of(document) for row in table["rows"] for cell in row if is_number(said(cell))
    )


@pytest.mark.integration  # a Chinese font of the machine
@pytest.mark.parametrize("kind", WITHOUT_REVIEW)
def test_a_printed_page_has_every_number(reader: OpenFolder, kind: str) -> None:
    document = document_of(reader, kind)
    pages = PdfReader(io.BytesIO(rendered(document, "pdf", drawn(document)))).pages
    text = "\n".join(page.extract_text() for page in pages)
    printed = Counter(TOKEN.findall(text))
    for number, times in numbers_in(document).items():
        assert printed[number] >= times, (number, times, printed[number])


@pytest.mark.integration  # a Chinese font of the machine
def test_the_same_question_gives_the_same_bytes(reader: OpenFolder) -> None:
    for kind in ("annual-energy", "figure-b2"):
        first, second = (document_of(reader, kind) for _ in range(2))
        for format_ in ("pdf", "xlsx", "docx", "csv", "json"):
            files = [rendered(each, format_, drawn(each)) for each in (first, second)]
            assert files[0] == files[1], (kind, format_)


def test_an_amount_is_the_sum_of_its_quarter_hours(reader: OpenFolder) -> None:
    """26 hours of 630 000 kWh a quarter hour went in; the seven minutes after them are not settled yet."""
    plain = json.loads(rendered(document_of(reader, "form-b10"), "json", {}))
    (table,) = [each for each in plain["blocks"] if each["type"] == "table"]
    row = next(row for row in table["rows"] if row[0] == "电力")
    assert Decimal(row[4]["exact"]) == 26 * 4 * 630_000
    assert row[3]["value"] == ""
    assert row[3]["instead"] == "未提供发票"


def amounts_of(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "exact" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from amounts_of(each)


@pytest.mark.parametrize("kind", ["annual-energy", "figure-b1", "indicators"])
def test_a_number_says_what_belongs_to_it(reader: OpenFolder, kind: str) -> None:
    document = document_of(reader, kind)
    book = load_workbook(io.BytesIO(rendered(document, "xlsx", {})))
    listed = {row[0].value: row for row in book.worksheets[-1].iter_rows()}
    found = list(amounts_of(json.loads(rendered(document, "json", {}))))
    assert found
    for each in found:
        assert each["value"] or each["instead"]
        row = listed[each["id"]]
        assert (row[2].value or "") == (each["exact"] or "")
        assert (row[4].value or "") == each["expanded"]
        if each["value"] and each["expanded"]:
            # to the digits that U allows, half to even
            exponent = Decimal(each["expanded"]).as_tuple().exponent
            assert isinstance(exponent, int)
            assert abs(Decimal(each["value"]) - Decimal(each["exact"])) <= Decimal(5).scaleb(max(exponent, 0))
