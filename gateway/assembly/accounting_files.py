"""Laboratory results and stock surveys from CSV files: every problem named by row, nothing half entered."""

import csv
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.accounting.laboratory import CANONICAL
from gateway.accounting.units import UnitError, Units
from gateway.domain.errors import ConfigurationError
from gateway.domain.time import from_datetime, local_midnight, recordable
from gateway.i18n import text

MAX_ROWS = 50_000
MAX_BYTES = 16 * 1024 * 1024
MAX_DIGITS = 30
LABORATORY = (
    "number",
    "point",
    "from",
    "to",
    "weight_t",
    "taken",
    "sealed",
    "received",
    "tested",
    "laboratory",
    "report",
)
STOCK = ("point", "at", "amount", "unit")


def read_laboratory(path: Path, zone: ZoneInfo, units: Units, language: str) -> list[dict[str, Any]]:
    """Laboratory results: the columns of ``LABORATORY`` and one a property, its unit in brackets: ``ncv [kcal/kg]``."""
    found, problems = [], []
    for number, row in _rows(path, language):
        try:
            found.append(_result(row, zone, units))
        except (ValueError, KeyError, InvalidOperation, UnitError) as error:
            problems.append(_problem(path, number, error, language))
    if problems:
        raise ConfigurationError(problems)
    return found


def read_stock(path: Path, zone: ZoneInfo, units: Units, language: str) -> list[dict[str, Any]]:
    """Stock surveys: the columns of ``STOCK``."""
    found, problems = [], []
    for number, row in _rows(path, language):
        try:
            at_us = _moment(_needed(row, "at"), zone)
            amount, unit = str(_number(_needed(row, "amount"), "amount")), units.unit(_needed(row, "unit")).id
            found.append({"point": _needed(row, "point"), "at_us": at_us, "amount": amount, "unit": unit})
        except (ValueError, KeyError, InvalidOperation, UnitError) as error:
            problems.append(_problem(path, number, error, language))
    if problems:
        raise ConfigurationError(problems)
    return found


def _result(row: Mapping[str, str], zone: ZoneInfo, units: Units) -> dict[str, Any]:
    values: dict[str, list[str]] = {}
    for column, cell in row.items():
        name, bracket, unit = column.partition("[")
        if column in LABORATORY or not cell:
            continue
        name = name.strip()
        if name not in CANONICAL or not bracket:
            raise ValueError(column)
        unit = units.unit(unit.rstrip("] ")).id
        units.factor(unit, CANONICAL[name])  # refuses a unit of another quantity
        value = _number(cell, column)
        if CANONICAL[name] == "1" and units.convert(Fraction(value), unit, "1") > 1:
            raise ValueError(f"{column} {cell}: > 100 %")
        values[name] = [str(value), unit]
    if not values:
        raise ValueError("no values")
    start, end = _moment(_needed(row, "from"), zone), _moment(_needed(row, "to"), zone, end=True)
    if start is None or end is None or end <= start:
        raise ValueError("from, to")
    return {
        "number": _needed(row, "number"),
        "point": _needed(row, "point"),
        "from_us": start,
        "to_us": end,
        "weight_t": str(_number(row["weight_t"], "weight_t")) if row.get("weight_t") else None,
        **{f"{name}_us": _moment(row.get(name, ""), zone) for name in ("taken", "sealed", "received", "tested")},
        "laboratory": row.get("laboratory", ""),
        "report": row.get("report", ""),
        "values": values,
    }


def _rows(path: Path, language: str) -> list[tuple[int, dict[str, str]]]:
    if path.stat().st_size > MAX_BYTES:
        raise ConfigurationError([text(language, "the file is larger than %(limit)s bytes", limit=MAX_BYTES)])
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [
                (
                    number,
                    {(name or "").strip(): (cell or "").strip() for name, cell in row.items() if isinstance(cell, str)},
                )
                for number, row in enumerate(csv.DictReader(stream), start=2)
            ]
    except (UnicodeDecodeError, csv.Error) as error:
        sentence = text(language, "%(path)s is no CSV table in UTF-8: %(reason)s", path=str(path), reason=str(error))
        raise ConfigurationError([sentence]) from error
    if len(rows) > MAX_ROWS:
        raise ConfigurationError([text(language, "the file has more than %(limit)s rows", limit=MAX_ROWS)])
    return rows


def _number(cell: str, column: str) -> Decimal:
    """A plain number of zero or more with at most 30 digits; nothing measured here is below zero, and NaN is none."""
    try:
        value = Decimal(cell)
    except InvalidOperation as error:
        raise ValueError(f"{column} {cell[:40]!r}") from error
    if not value.is_finite() or value < 0 or len(value.as_tuple().digits) + abs(value.adjusted()) > MAX_DIGITS:
        raise ValueError(f"{column} {cell[:40]!r}")
    return value


def _needed(row: Mapping[str, str], name: str) -> str:
    cell = row.get(name, "")
    if not cell:
        raise ValueError(name)
    return cell


def _moment(cell: str, zone: ZoneInfo, *, end: bool = False) -> int | None:
    """A civil date (its midnight; with ``end`` the one after it) or an RFC 3339 moment; None for an empty cell.

    ValueError for what is neither, and for a day that no record has.
    """
    if not cell:
        return None
    day = date.fromisoformat(cell[: len("2026-01-01")])
    if not recordable(day):
        raise ValueError(cell[:40])
    if len(cell) == len("2026-01-01"):
        return local_midnight(day + timedelta(days=1) if end else day, zone)
    moment = datetime.fromisoformat(cell)
    return from_datetime(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))


def _problem(path: Path, number: int, error: Exception, language: str) -> str:
    reason = text(language, error.message, **error.facts) if isinstance(error, UnitError) else str(error)
    sentence = text(language, "this row cannot be used: %(reason)s", reason=reason)
    return f"{path}:{number}: {sentence}"
