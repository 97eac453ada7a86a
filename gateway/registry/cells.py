"""Reading one cell of a ledger file: integers, plain decimal text, ISO dates, choices, as they stand in the journal."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from gateway.domain.ratio import parse_ratio
from gateway.domain.time import from_datetime, local_midnight, recordable
from gateway.registry.columns import Cell, Column
from gateway.registry.recording import MAX_ID_LENGTH

MAX_CELL_LENGTH = 1_000
_DATE = re.compile(r"^(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*日?$")
_SERIAL_DAY = re.compile(r"^[3-6]\d{4}$")
_FIRST_SERIAL_DAY = date(1899, 12, 30)  # spreadsheets count a 29 February 1900 that never was
_DECIMAL = re.compile(r"^[+-]?\d{1,18}(\.\d{1,12})?$")
_CYCLE = re.compile(r"^(\d{1,3})\s*(个月|月|months?|年|years?)?$")
_YEARS = frozenset({"年", "year", "years"})
_NO_CYCLE = frozenset({"长期", "—", "-", "/", "无"})
_FLAGS = {"1": 1, "是": 1, "yes": 1, "true": 1, "y": 1, "√": 1, "0": 0, "否": 0, "no": 0, "false": 0, "n": 0, "×": 0}


class CellError(ValueError):
    """What is wrong with a cell: an English text with ``%(name)s`` placeholders and its facts."""

    def __init__(self, message: str, **facts: str) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


def read_cell(text: str, column: Column, zone: ZoneInfo) -> str | int | None:
    """The stored value of a cell, None when it is blank; CellError when it cannot be read."""
    text = unicodedata.normalize("NFC", text).strip()
    if text[:1] == "'" and text[1:2] in set("=+-@"):
        text = text[1:]  # how text that begins like a formula is written out
    if not text:
        if column.required:
            raise CellError("'%(column)s' must be filled", column=column.field)
        return column.default
    if len(text) > MAX_CELL_LENGTH or not text.replace("\n", " ").isprintable():
        raise CellError("the text is too long or holds control characters")
    reader = _READERS.get(column.cell)
    if reader is not None:
        return reader(text)
    if column.cell is Cell.CHOICE:
        return _choice(text, column)
    if column.cell is Cell.MOMENT:
        return _moment(text, zone)
    return text


def _id(text: str) -> str:
    if len(text) > MAX_ID_LENGTH:
        raise CellError("an id has at most %(limit)s characters", limit=str(MAX_ID_LENGTH))
    return text


def _id_list(text: str) -> str:
    return ";".join(dict.fromkeys(_id(part.strip()) for part in re.split("[;；]", text) if part.strip()))


def _flag(text: str) -> int:
    found = _FLAGS.get(text.lower())
    if found is None:
        raise CellError("'%(value)s' is neither yes (1, 是) nor no (0, 否)", value=text)
    return found


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,15}", text):
        raise CellError("'%(value)s' is not a whole number", value=text)
    return int(text)


def _months(text: str) -> int:
    """``12``, ``12个月``, ``1年``, ``12 months``; ``长期`` and a dash say that there is no cycle (0)."""
    match = _CYCLE.match(text)
    if match is None:
        if text.strip() in _NO_CYCLE:
            return 0
        raise CellError("'%(value)s' is no cycle like 12 or 12个月 or 1年", value=text)
    return int(match[1]) * (12 if match[2] in _YEARS else 1)


def _decimal(text: str) -> str:
    plain = text.replace(",", "").replace("，", "").rstrip("%％").strip()
    try:
        if not _DECIMAL.match(plain):
            raise CellError("'%(value)s' is not a number", value=text)
        return format(Decimal(plain), "f")
    except InvalidOperation as error:  # pragma: no cover  # the pattern admits nothing Decimal refuses
        raise CellError("'%(value)s' is not a number", value=text) from error


def _ratio(text: str) -> str:
    try:
        parse_ratio(text)
    except ValueError as error:
        raise CellError("'%(value)s' is not a ratio like 200/5", value=text) from error
    return re.sub(r"\s+", "", text).replace("：", "/").replace("／", "/").replace(":", "/")


def read_date(text: str) -> date:
    """``2025-03-01``, ``2025.3.1``, ``2025/3/1`` or ``2025年3月1日``, or a spreadsheet's day number 45717.

    CellError where it is none, or one that no record has: 9999-12-31 for "without end" is a blank cell here.
    """
    if _SERIAL_DAY.match(text.strip()):
        return _FIRST_SERIAL_DAY + timedelta(days=int(text))
    match = _DATE.match(text.strip())
    if match is None:
        raise CellError("'%(value)s' is not a date like 2025-03-01", value=text)
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError as error:
        raise CellError("'%(value)s' is not a day of the calendar", value=text) from error
    if not recordable(day):
        raise CellError("'%(value)s' is before 1900 or after 2200; leave it blank where there is no end", value=text)
    return day


def _date(text: str) -> str:
    return read_date(text).isoformat()


def _choice(text: str, column: Column) -> str | int:
    found = column.choices.get(text.lower())
    if found is None:
        choices = ", ".join(dict.fromkeys(column.choices.values()))
        raise CellError("'%(value)s' is not one of: %(choices)s", value=text, choices=choices)
    return int(found) if found.isdigit() else found


def _moment(text: str, zone: ZoneInfo) -> int:
    """µs UTC of a date (its midnight in the zone), a local date and time, or RFC 3339 with an offset."""
    if _DATE.match(text) or _SERIAL_DAY.match(text):
        return local_midnight(read_date(text), zone)
    day, _, clock = re.sub(r"\s+", " ", text).replace("日 ", "日T").replace(" ", "T", 1).partition("T")
    try:
        moment = datetime.fromisoformat(f"{read_date(day).isoformat()}T{clock}")
    except ValueError as error:
        if isinstance(error, CellError) and _DATE.match(day):
            raise  # it says more of the day
        raise CellError("'%(value)s' is not a moment like 2025-03-01 08:30", value=text) from error
    return from_datetime(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))


_READERS: Mapping[Cell, Callable[[str], str | int]] = {
    Cell.ID: _id,
    Cell.ID_LIST: _id_list,
    Cell.FLAG: _flag,
    Cell.INTEGER: _integer,
    Cell.MONTHS: _months,
    Cell.DECIMAL: _decimal,
    Cell.RATIO: _ratio,
    Cell.DATE: _date,
}
