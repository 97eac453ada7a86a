"""Tables as people have them, CSV or XLSX, as plain cells: bounded in every direction before anything is unpacked."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

MAX_FILE_BYTES = 32 * 2**20
MAX_ROWS = 100_000
MAX_COLUMNS = 200
MAX_SHEETS = 20
MAX_MEMBERS = 1_000
MAX_UNPACKED_BYTES = 160 * 2**20
MAX_CELLS = 4_000_000
_PART = 2**16


class TableError(ValueError):
    """The file is no table: an English text with ``%(name)s`` placeholders and its facts."""

    def __init__(self, message: str, **facts: str) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet (``sheet`` blank: a CSV file); the first row is the header."""

    sheet: str
    rows: Sequence[Sequence[str]]


def tables_of(name: str, raw: bytes) -> list[Table]:
    """The table of a CSV file, or every sheet of a workbook that is not empty. TableError when it is neither."""
    if len(raw) > MAX_FILE_BYTES:
        raise TableError("the file is larger than %(limit)s bytes", limit=str(MAX_FILE_BYTES))
    if name.lower().endswith((".xlsx", ".xlsm")) or raw[:4] == b"PK\x03\x04":
        return _sheets(raw)
    return [Table("", _csv(raw))]


def _csv(raw: bytes) -> list[list[str]]:
    text = _decoded(raw)
    if text is None:
        raise TableError("the file is neither UTF-8 nor GB18030 text")
    first = text.split("\n", 1)[0]
    delimiter = max(",\t;", key=first.count)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            rows.append(row[:MAX_COLUMNS])
            if any(cell.strip() for cell in row[MAX_COLUMNS:]):
                raise TableError("a row has more than %(limit)s cells", limit=str(MAX_COLUMNS))
            if len(rows) > MAX_ROWS + 1:
                raise TableError("more than %(limit)s rows", limit=str(MAX_ROWS))
    except csv.Error as error:
        raise TableError("not a CSV file: %(reason)s", reason=str(error)) from error
    return rows


def _decoded(raw: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _sheets(raw: bytes) -> list[Table]:
    """Sheets as a person sees them; formulas count with the value last computed."""
    try:
        _check_container(raw)
        return _read_sheets(raw)
    except TableError:
        raise
    except (BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, OSError, ParseError) as error:
        raise TableError("not a spreadsheet (XLSX): %(reason)s", reason=type(error).__name__) from error
    except (AttributeError, TypeError, NotImplementedError, OverflowError, EOFError, AssertionError) as error:
        # a workbook made by hand can break its reader anywhere; none of it is our fault or the operator's secret
        raise TableError("not a spreadsheet (XLSX): %(reason)s", reason=type(error).__name__) from error


def _read_sheets(raw: bytes) -> list[Table]:
    workbook = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    found, cells = [], 0
    for sheet in workbook.worksheets[:MAX_SHEETS]:
        rows: list[list[str]] = []
        # what is beyond the sheet's own width would be read as blanks, row by row
        width = min(sheet.max_column or MAX_COLUMNS, MAX_COLUMNS)
        for row in sheet.iter_rows(values_only=True, max_row=MAX_ROWS + 2, max_col=width):
            shown = [_shown(cell) for cell in row]
            while shown and not shown[-1]:
                shown.pop()
            rows.append(shown)
            cells += len(shown) + 1
            if cells > MAX_CELLS:
                raise TableError("the workbook holds more than %(limit)s cells", limit=str(MAX_CELLS))
        while rows and not any(cell.strip() for cell in rows[-1]):
            rows.pop()
        if len(rows) > MAX_ROWS + 1:
            raise TableError("more than %(limit)s rows", limit=str(MAX_ROWS))
        if rows:
            found.append(Table(sheet.title, rows))
    return found


def _check_container(raw: bytes) -> None:
    """What the parts say they unpack to is what they can at most: zipfile stops there. No part may declare types."""
    with ZipFile(io.BytesIO(raw)) as container:
        parts = container.infolist()
        if len(parts) > MAX_MEMBERS or sum(each.file_size for each in parts) > MAX_UNPACKED_BYTES:
            raise TableError("the workbook unpacks to more than %(limit)s bytes", limit=str(MAX_UNPACKED_BYTES))
        for part in parts:
            if part.filename.lower().endswith((".xml", ".rels")):
                with container.open(part) as stream:
                    head = stream.read(_PART)
                if b"<!DOCTYPE" in head or b"<!ENTITY" in head or b"\x00" in head:
                    raise TableError("the workbook declares a document type; that is refused")


def _shown(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S") if cell.time() != time(0) else cell.strftime("%Y-%m-%d")
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
