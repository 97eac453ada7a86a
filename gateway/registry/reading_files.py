"""Ledger files as people have them: CSV, UTF-8 or GB18030, English or Chinese headers. Everything wrong is listed."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile
from zoneinfo import ZoneInfo

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from gateway.registry.cells import CellError, read_cell
from gateway.registry.columns import LEDGER_FILES, Column, LedgerFile

MAX_FILE_BYTES = 32 * 2**20
MAX_ROWS = 100_000
MAX_COLUMNS = 200


@dataclass(frozen=True, slots=True)
class LedgerProblem:
    """One thing wrong: file, row and column as a spreadsheet counts them (from 1; 0: the whole file or row)."""

    file: str
    row: int
    column: int
    message: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One row that could be read. ``object`` holds the filled fields; ``from_us``/``to_us`` are its dates of effect."""

    file: str
    row: int
    kind: str
    id: str
    object: Mapping[str, str | int]
    from_us: int | None
    to_us: int | None

    @property
    def source(self) -> str:
        """Where it stands: ``points.csv:3``."""
        return f"{self.file}:{self.row}"


def read_folder(
    folder: Path, zone: ZoneInfo, energy_kinds: Mapping[str, str]
) -> tuple[list[LedgerRow], list[LedgerProblem]]:
    """All rows of all ledger files in a folder and every problem found.

    ``energy_kinds`` maps what people write (lower case) to the catalogue's ids.
    """
    rows: list[LedgerRow] = []
    problems: list[LedgerProblem] = []
    found = [(file, path) for file in LEDGER_FILES if (path := _path(folder, file)) is not None]
    if not found:
        names = ", ".join(file.name for file in LEDGER_FILES)
        problems.append(LedgerProblem(str(folder), 0, 0, "no ledger file here; expected: %(names)s", {"names": names}))
    for file, path in found:
        _read_file(path, file, zone, energy_kinds, rows, problems)
    return rows, problems


def read_file(path: Path, file: LedgerFile, zone: ZoneInfo) -> tuple[list[LedgerRow], list[LedgerProblem]]:
    """The rows of one file, CSV or XLSX, and every problem found."""
    rows: list[LedgerRow] = []
    problems: list[LedgerProblem] = []
    _read_file(path, file, zone, {}, rows, problems)
    return rows, problems


def _path(folder: Path, file: LedgerFile) -> Path | None:
    """The file as CSV, or as a spreadsheet of the same name."""
    for path in (folder / file.name, (folder / file.name).with_suffix(".xlsx")):
        if path.is_file():
            return path
    return None


def _read_file(  # noqa: PLR0917  # one reader of one file
    path: Path,
    file: LedgerFile,
    zone: ZoneInfo,
    energy_kinds: Mapping[str, str],
    rows: list[LedgerRow],
    problems: list[LedgerProblem],
) -> None:
    table = _table(path, problems)
    if not table:
        return
    columns = _header(file, table[0], problems)
    for number, cells in enumerate(table[1:], 2):
        if number > MAX_ROWS + 1:
            problems.append(LedgerProblem(file.name, number, 0, "more than %(limit)s rows", {"limit": str(MAX_ROWS)}))
            return
        if any(cell.strip() for cell in cells):
            row = _row(file, number, cells, columns, zone, energy_kinds, problems)
            if row is not None:
                rows.append(row)


def _table(path: Path, problems: list[LedgerProblem]) -> list[list[str]]:
    """The cells of a file as text; empty, with a problem, when it cannot be read."""
    try:
        raw = path.read_bytes() if path.stat().st_size <= MAX_FILE_BYTES else None
    except OSError as error:
        facts = {"reason": error.strerror or type(error).__name__}
        problems.append(LedgerProblem(path.name, 0, 0, "cannot read the file: %(reason)s", facts))
        return []
    if raw is None:
        limit = str(MAX_FILE_BYTES)
        problems.append(LedgerProblem(path.name, 0, 0, "the file is larger than %(limit)s bytes", {"limit": limit}))
        return []
    before = len(problems)
    table = (_sheet if path.suffix.lower() == ".xlsx" else _csv)(path, raw, problems)
    if len(problems) == before and not (table and any(cell.strip() for cell in table[0])):
        problems.append(LedgerProblem(path.name, 1, 0, "the file has no header row"))
        return []
    return table


def _csv(path: Path, raw: bytes, problems: list[LedgerProblem]) -> list[list[str]]:
    text = _decoded(raw)
    if text is None:
        problems.append(LedgerProblem(path.name, 0, 0, "the file is neither UTF-8 nor GB18030 text"))
        return []
    first = text.split("\n", 1)[0]
    delimiter = max(",\t;", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        problems.append(LedgerProblem(path.name, 0, 0, "not a CSV file: %(reason)s", {"reason": str(error)}))
        return []


def _sheet(path: Path, raw: bytes, problems: list[LedgerProblem]) -> list[list[str]]:
    """The first sheet of a workbook as text, as a person sees it; formulas count with the value last computed."""
    try:
        workbook = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        sheet = workbook.worksheets[0]
        limits = {"max_row": MAX_ROWS + 2, "max_col": MAX_COLUMNS}
        table = [[_shown(cell) for cell in row] for row in sheet.iter_rows(values_only=True, **limits)]
    except (BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, OSError, ParseError) as error:
        facts = {"reason": type(error).__name__}
        problems.append(LedgerProblem(path.name, 0, 0, "not a spreadsheet (XLSX): %(reason)s", facts))
        return []
    return table


def _shown(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S") if cell.time() != time(0) else cell.strftime("%Y-%m-%d")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _decoded(raw: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _header(file: LedgerFile, header: list[str], problems: list[LedgerProblem]) -> list[Column | None]:
    known = file.by_header
    columns: list[Column | None] = []
    for number, cell in enumerate(header, 1):
        name = cell.strip().lower()
        column = known.get(name)
        if column is None and name:
            facts = {"header": cell.strip()}
            problems.append(LedgerProblem(file.name, 1, number, "the column '%(header)s' is not known", facts))
        elif column is not None and column in columns:
            facts = {"header": cell.strip()}
            problems.append(LedgerProblem(file.name, 1, number, "the column '%(header)s' stands twice", facts))
            column = None
        columns.append(column)
    for column in file.columns:
        if column.required and column not in columns:
            facts = {"column": f"{column.field} / {column.zh}"}
            problems.append(LedgerProblem(file.name, 1, 0, "the column '%(column)s' is missing", facts))
    return columns


def _row(  # noqa: PLR0917  # one reader of one row
    file: LedgerFile,
    number: int,
    cells: list[str],
    columns: list[Column | None],
    zone: ZoneInfo,
    energy_kinds: Mapping[str, str],
    problems: list[LedgerProblem],
) -> LedgerRow | None:
    values: dict[str, str | int | None] = {column.field: column.default for column in file.columns}
    before = len(problems)
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        problems.append(LedgerProblem(file.name, number, len(columns) + 1, "the row has more cells than the header"))
    for position, column in enumerate(columns):
        if column is None:
            continue
        text = cells[position] if position < len(cells) else ""
        try:
            values[column.field] = read_cell(text, _with_choices(column, energy_kinds), zone)
        except CellError as error:
            problems.append(LedgerProblem(file.name, number, position + 1, error.message, error.facts))
    from_us, to_us = _span(values.pop("from", None)), _span(values.pop("to", None))
    if from_us is not None and to_us is not None and to_us <= from_us:
        problems.append(LedgerProblem(file.name, number, 0, "it ends before it begins"))
    if len(problems) > before:
        return None
    id_ = str(values.pop(file.id_field))
    filled = {name: value for name, value in values.items() if value is not None}
    return LedgerRow(file.name, number, file.kind, id_, filled, from_us, to_us)


def _span(value: str | int | None) -> int | None:
    assert not isinstance(value, str), "moments are read as integers"
    return value


def _with_choices(column: Column, energy_kinds: Mapping[str, str]) -> Column:
    if column.field != "energy_kind":
        return column
    return Column(column.field, column.zh, column.cell, column.required, column.default, energy_kinds)
