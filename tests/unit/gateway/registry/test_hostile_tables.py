"""Tables from strangers: what unpacks to too much, declares types or is no table is refused before it is read."""

import io
import zipfile

import pytest
from openpyxl import Workbook

from gateway.registry import tables
from gateway.registry.tables import TableError, tables_of


def workbook(*rows):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def changed(raw, name, content):
    """The same container with one part replaced."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.infolist():
            new.writestr(each.filename, content if each.filename == name else old.read(each.filename))
    return made.getvalue()


def test_a_sheet_is_read_as_shown():
    (table,) = tables_of("x.xlsx", workbook(["a", "b"], [1.0, None], [True, "中"]))
    assert [list(row) for row in table.rows] == [["a", "b"], ["1"], ["1", "中"]]


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(tables, "MAX_UNPACKED_BYTES", 2**20)
    packed = changed(workbook(["a"]), "xl/worksheets/sheet1.xml", b" " * (8 * 2**20))
    assert len(packed) < 2**20
    with pytest.raises(TableError, match="unpacks to more"):
        tables_of("x.xlsx", packed)


@pytest.mark.parametrize(
    "part",
    [
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "yyyyyyyyyy"><!ENTITY z "&x;&x;&x;">]><a>&z;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
    ],
)
def test_types_and_entities_are_refused(part):
    with pytest.raises(TableError, match="document type"):
        tables_of("x.xlsx", changed(workbook(["a"]), "xl/worksheets/sheet1.xml", part))


@pytest.mark.parametrize(
    "raw",
    [
        b"PK\x03\x04rest",
        b"PK\x05\x06" + bytes(18),
        changed(workbook(["a"]), "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row r='x'/></sheetData>"),
        changed(workbook(["a"]), "[Content_Types].xml", b"<Types/>"),
    ],
)
def test_what_is_no_workbook_is_said_to_be_none(raw):
    with pytest.raises(TableError):
        tables_of("x.xlsx", raw)


def test_too_many_rows_and_cells(monkeypatch):
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    with pytest.raises(TableError, match="rows"):
        tables_of("x.csv", b"a\n1\n2\n3\n4\n5\n")
    with pytest.raises(TableError, match="rows"):
        tables_of("x.xlsx", workbook(*[[str(each)] for each in range(9)]))
    monkeypatch.setattr(tables, "MAX_CELLS", 6)
    with pytest.raises(TableError, match="cells"):
        tables_of("x.xlsx", workbook(["a", "b", "c"], ["1", "2", "3"]))


def test_csv_in_any_coding_and_none():
    assert tables_of("x.csv", "编号;名\n1;电".encode("gb18030"))[0].rows[1] == ["1", "电"]
    with pytest.raises(TableError, match="neither UTF-8"):
        tables_of("x.csv", b"\xff\xfe\x81\x01\xff")
    with pytest.raises(TableError, match="larger than"):
        tables_of("x.csv", b"a" * (tables.MAX_FILE_BYTES + 1))


def test_a_row_of_too_many_cells_is_refused():
    with pytest.raises(TableError, match="more than"):
        tables_of("x.csv", b"a,b\n" + b"," * 5_000 + b"x")
    (table,) = tables_of("x.csv", b"a,b\n1" + b"," * 5_000)
    assert len(table.rows[1]) == tables.MAX_COLUMNS
