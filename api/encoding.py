"""Audit records as JSON and as CSV: one walk for both, so that a page, the API and an export never disagree."""

import csv
import dataclasses
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from fractions import Fraction
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi.responses import Response

from api.negotiation import XLSX
from api.web import format as shown
from gateway.domain.time import iso, to_datetime
from gateway.reports.showing import fits_a_sheet

BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as the local code page
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def plain(value: object) -> Any:  # any JSON value
    """A JSON value: dataclasses as objects, instants (``*_us``) beside their RFC 3339 text, exact amounts as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _object({each.name: getattr(value, each.name) for each in dataclasses.fields(value)})
    if isinstance(value, Mapping):
        return _object({str(key): each for key, each in value.items()})
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, Fraction | date):
        return shown.exact(value) if isinstance(value, Fraction) else value.isoformat()
    if isinstance(value, Iterable):
        return [plain(each) for each in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _object(fields: Mapping[str, object]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in fields.items():
        made[name] = plain(value)
        if name.endswith("_us") and isinstance(value, int) and name != "period_us":
            made[name.removesuffix("_us") + "_time"] = iso(value)
    return made


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], name: str, zone: ZoneInfo) -> Response:
    """A CSV export: UTF-8 with byte-order mark, exact values, instants in the site's zone with offset."""
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    writer.writerow(columns)
    writer.writerows([_cell(cell, zone) for cell in row] for row in rows)
    return download((BYTE_ORDER_MARK + made.getvalue()).encode(), f"{name}.csv", "text/csv; charset=utf-8")


def sheet(columns: Sequence[str], rows: Iterable[Sequence[object]], name: str, zone: ZoneInfo) -> Response:
    """The same table as XLSX: numbers as numbers where a spreadsheet holds every digit of them, else as text."""
    import xlsxwriter  # noqa: PLC0415  # for those who ask for a spreadsheet

    made = io.BytesIO()
    book = xlsxwriter.Workbook(
        made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    book.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001  # the same rows give the same bytes
    page = book.add_worksheet()
    bold = book.add_format({"bold": True})
    for index, column in enumerate(columns):
        page.write_string(0, index, column, bold)
    for number, row in enumerate(rows, start=1):
        for index, cell in enumerate(row):
            content = _cell(cell, zone)
            text = str(content)
            if isinstance(cell, int | Fraction) and _is_number(text) and fits_a_sheet(text):
                page.write_number(number, index, float(text))
            else:
                guarded = text.startswith("'") and not str(cell).startswith("'")
                page.write_string(number, index, text[1:] if guarded else text)
    page.freeze_panes(1, 0)
    book.close()
    return download(made.getvalue(), f"{name}.xlsx", XLSX)


def download(content: bytes, name: str, media_type: str) -> Response:
    """A file to be kept under a name, in any script; never shown inside our own pages."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(content, media_type=media_type, headers={"content-disposition": disposition})


@dataclasses.dataclass(frozen=True, slots=True)
class At:
    """An instant in a cell (µs UTC), None for none."""

    us: int | None


def _cell(value: object, zone: ZoneInfo) -> str | int:
    if isinstance(value, At):
        value = None if value.us is None else to_datetime(value.us).astimezone(zone).isoformat(timespec="seconds")
    if isinstance(value, Enum):
        value = value.value
    if value is None:
        return ""
    if isinstance(value, int):
        return int(value)
    text = shown.exact(value) if isinstance(value, Fraction) else str(value)
    # a spreadsheet must not take a cell for a formula
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
