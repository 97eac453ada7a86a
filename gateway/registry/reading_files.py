"""Ledger files as people have them: CSV or XLSX, English or Chinese headers, one kind a file or sheets in a workbook.

Everything wrong is listed; what is merely doubtful is listed too, marked so, and stops nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.registry.cells import CellError, read_cell
from gateway.registry.columns import LEDGER_FILES, TITLES, Column, LedgerFile
from gateway.registry.headers import IGNORED, ColumnMapping, guessed_kind
from gateway.registry.tables import MAX_FILE_BYTES, Table, TableError, tables_of

MAX_FILES = 50
LEAST_FITTING_HEADERS = 3
UNKNOWN_COLUMN = "the column '%(header)s' is not known; say which one it is, or that it is not read"


@dataclass(frozen=True, slots=True)
class LedgerProblem:
    """One thing wrong: file, row and column as a spreadsheet counts them (from 1; 0: the whole file or row).

    A ``doubt`` is shown before anything is written and stops nothing.
    """

    file: str
    row: int
    column: int
    message: str
    facts: Mapping[str, str] = field(default_factory=dict)
    doubt: bool = False


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One row that could be read. ``object`` holds the filled fields; ``from_us``/``to_us`` are its dates of effect.

    ``absent``: fields that its file has no column for; about these it says nothing.
    """

    file: str
    row: int
    kind: str
    id: str
    object: Mapping[str, str | int]
    from_us: int | None
    to_us: int | None
    absent: frozenset[str] = frozenset()

    @property
    def source(self) -> str:
        """Where it stands: ``points.csv:3``."""
        return f"{self.file}:{self.row}"


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read. ``energy_kinds`` maps what people write (lower case) to the catalogue's ids."""

    zone: ZoneInfo
    energy_kinds: Mapping[str, str] = field(default_factory=dict)
    mapping: ColumnMapping = field(default_factory=ColumnMapping)


def read_folder(
    path: Path, zone: ZoneInfo, energy_kinds: Mapping[str, str], mapping: ColumnMapping | None = None
) -> tuple[list[LedgerRow], list[LedgerProblem]]:
    """All rows of all ledger files in a folder, or of one file, and every problem found."""
    reading = Reading(zone, energy_kinds, mapping or ColumnMapping())
    paths = [path] if path.is_file() else [found for file in LEDGER_FILES if (found := _path(path, file)) is not None]
    if not paths:
        names = ", ".join(file.name for file in LEDGER_FILES)
        return [], [LedgerProblem(str(path), 0, 0, "no ledger file here; expected: %(names)s", {"names": names})]
    problems: list[LedgerProblem] = []
    contents = []
    for each in paths:
        content = _content(each, problems)
        if content is not None:
            contents.append((each.name, content))
    rows, more = read_contents(contents, reading)
    return rows, [*problems, *more]


def read_contents(
    contents: Sequence[tuple[str, bytes]], reading: Reading
) -> tuple[list[LedgerRow], list[LedgerProblem]]:
    """The same of files already in memory, ``(name, bytes)`` each: what somebody uploads."""
    rows: list[LedgerRow] = []
    problems: list[LedgerProblem] = []
    for name, raw in contents[:MAX_FILES]:
        for table in _tables(name, raw, problems):
            shown = f"{name}[{table.sheet}]" if table.sheet and not _is_ours(name) else name
            file = _file_of(name, table, reading.mapping)
            if file is None:
                message = "what this table holds is not known; name it after one of: %(names)s"
                names = ", ".join((*(each.name for each in LEDGER_FILES), *TITLES.values()))
                problems.append(LedgerProblem(shown, 1, 0, message, {"names": names}))
                continue
            _read_table(shown, table, file, reading, rows, problems)
    if len(contents) > MAX_FILES:
        problems.append(
            LedgerProblem(contents[MAX_FILES][0], 0, 0, "at most %(limit)s files", {"limit": str(MAX_FILES)})
        )
    return rows, problems


def read_file(path: Path, file: LedgerFile, zone: ZoneInfo) -> tuple[list[LedgerRow], list[LedgerProblem]]:
    """The rows of one file of a known kind, CSV or XLSX, and every problem found."""
    rows: list[LedgerRow] = []
    problems: list[LedgerProblem] = []
    content = _content(path, problems)
    if content is not None:
        tables = _tables(path.name, content, problems)
        for table in tables[:1]:
            _read_table(file.name, table, file, Reading(zone), rows, problems)
        if not tables and not problems:
            problems.append(LedgerProblem(path.name, 1, 0, "the file has no header row"))
    return rows, problems


def _path(folder: Path, file: LedgerFile) -> Path | None:
    """The file as CSV, or as a spreadsheet of the same name."""
    for path in (folder / file.name, (folder / file.name).with_suffix(".xlsx")):
        if path.is_file():
            return path
    return None


def _content(path: Path, problems: list[LedgerProblem]) -> bytes | None:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        facts = {"reason": error.strerror or type(error).__name__}
        problems.append(LedgerProblem(path.name, 0, 0, "cannot read the file: %(reason)s", facts))
        return None


def _tables(name: str, raw: bytes, problems: list[LedgerProblem]) -> list[Table]:
    try:
        tables = tables_of(name, raw)
    except TableError as error:
        problems.append(LedgerProblem(name, 0, 0, error.message, error.facts))
        return []
    found = [each for each in tables if each.rows and any(cell.strip() for cell in each.rows[0])]
    if not found:
        problems.append(LedgerProblem(name, 1, 0, "the file has no header row"))
    return found


def _is_ours(name: str) -> bool:
    return any(name.rsplit(".", 1)[0] == file.name.removesuffix(".csv") for file in LEDGER_FILES)


def _file_of(name: str, table: Table, mapping: ColumnMapping) -> LedgerFile | None:
    """By the sheet's title, by the file's name, else the one file whose columns the headers fit best."""
    titles = {table.sheet, name.rsplit(".", 1)[0]} if table.sheet else {name.rsplit(".", 1)[0]}
    for file in LEDGER_FILES:
        if titles & {file.name.removesuffix(".csv"), TITLES[file.kind]}:
            return file
    header = [cell for cell in table.rows[0] if cell.strip()]
    fitting = sorted(
        ((sum(isinstance(mapping.column(file, cell), Column) for cell in header), file.name) for file in LEDGER_FILES),
        reverse=True,
    )
    (most, best), (next_most, _) = fitting[0], fitting[1]
    if most < LEAST_FITTING_HEADERS or most == next_most:
        return None
    return next(file for file in LEDGER_FILES if file.name == best)


def _read_table(  # noqa: PLR0917  # one reader of one table
    shown: str,
    table: Table,
    file: LedgerFile,
    reading: Reading,
    rows: list[LedgerRow],
    problems: list[LedgerProblem],
) -> None:
    columns = _header(shown, file, table.rows[0], reading.mapping, problems)
    choices = {column.field: _with_choices(column, reading.energy_kinds) for column in file.columns}
    read = [choices[each.field] if isinstance(each, Column) else each for each in columns]
    for number, cells in enumerate(table.rows[1:], 2):
        if any(cell.strip() for cell in cells):
            row = _row(shown, file, number, cells, read, reading.zone, problems)
            if row is not None:
                rows.append(row)


Header = list[Column | str | None]


def _header(
    shown: str, file: LedgerFile, header: Sequence[str], mapping: ColumnMapping, problems: list[LedgerProblem]
) -> Header:
    columns: Header = []
    for number, cell in enumerate(header, 1):
        column = mapping.column(file, cell) if cell.strip() else IGNORED
        if column is None:
            facts = {"header": cell.strip()[:100]}
            message = UNKNOWN_COLUMN
            problems.append(LedgerProblem(shown, 1, number, message, facts))
        elif isinstance(column, Column) and column in columns:
            facts = {"header": cell.strip()[:100]}
            problems.append(LedgerProblem(shown, 1, number, "the column '%(header)s' stands twice", facts))
            column = None
        columns.append(column)
    for column in file.columns:
        if column.required and column not in columns and not _can_do_without(file, column, columns):
            facts = {"column": f"{column.field} / {column.zh}"}
            problems.append(LedgerProblem(shown, 1, 0, "the column '%(column)s' is missing", facts))
    return columns


def _can_do_without(file: LedgerFile, column: Column, columns: Header) -> bool:
    """Lists of form B.3 name no kind, those of e-CQS no management number: the name and the serial stand for them."""
    there = {each.field for each in columns if isinstance(each, Column)}
    return file.kind == "instrument" and (
        (column.field == "kind" and "name" in there) or (column.field == "id" and {"serial", "ecqs_item"} <= there)
    )


def _row(  # noqa: PLR0917  # one reader of one row
    shown: str,
    file: LedgerFile,
    number: int,
    cells: Sequence[str],
    columns: Header,
    zone: ZoneInfo,
    problems: list[LedgerProblem],
) -> LedgerRow | None:
    values: dict[str, str | int | None] = {column.field: column.default for column in file.columns}
    wrong = False
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        problems.append(LedgerProblem(shown, number, len(columns) + 1, "the row has more cells than the header"))
        wrong = True
    for position, column in enumerate(columns):
        if not isinstance(column, Column):
            continue
        text = cells[position] if position < len(cells) else ""
        try:
            values[column.field] = read_cell(text, column, zone)
        except CellError as error:
            problems.append(LedgerProblem(shown, number, position + 1, error.message, error.facts))
            wrong = True
    from_us, to_us = _span(values.pop("from", None)), _span(values.pop("to", None))
    if from_us is not None and to_us is not None and to_us <= from_us:
        problems.append(LedgerProblem(shown, number, 0, "it ends before it begins"))
        wrong = True
    if wrong or not _completed(shown, file, number, values, problems):
        return None
    id_ = str(values.pop(file.id_field))
    filled = {name: value for name, value in values.items() if value is not None}
    there = {each.field for each in columns if isinstance(each, Column)}
    absent = frozenset(column.field for column in file.columns if column.field not in there)
    return LedgerRow(shown, number, file.kind, id_, filled, from_us, to_us, absent)


def _completed(
    shown: str, file: LedgerFile, number: int, values: dict[str, str | int | None], problems: list[LedgerProblem]
) -> bool:
    """Fill what lists of form B.3 and e-CQS do not say, as doubts. False: the row has no id at all."""
    if file.kind == "instrument" and values.get("kind") is None:
        values["kind"] = guessed_kind(str(values.get("name") or ""))
        facts = {"kind": str(values["kind"]), "name": str(values.get("name") or "")}
        message = "the kind '%(kind)s' is guessed from the name '%(name)s'"
        problems.append(LedgerProblem(shown, number, 0, message, facts, doubt=True))
    if values.get(file.id_field) is None and file.kind == "instrument":
        values[file.id_field] = values.get("serial")
        message = "it has no management number; its serial number stands for it"
        problems.append(LedgerProblem(shown, number, 0, message, {}, doubt=True))
    if values.get(file.id_field) is None:
        problems.append(LedgerProblem(shown, number, 0, "'%(column)s' must be filled", {"column": file.id_field}))
        return False
    return True


def _span(value: str | int | None) -> int | None:
    assert not isinstance(value, str), "moments are read as integers"
    return value


def _with_choices(column: Column, energy_kinds: Mapping[str, str]) -> Column:
    if column.field != "energy_kind":
        return column
    return Column(column.field, column.zh, column.cell, column.required, column.default, energy_kinds)
