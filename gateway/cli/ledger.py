"""``meterproof ledger``: points, instruments, installations, certificates and standards in from files."""

import csv
import getpass
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from openpyxl import Workbook

from config.catalogues import energy_kinds
from gateway.assembly.platform import SystemClock
from gateway.domain.errors import ConfigurationError, DataFolderError
from gateway.domain.time import parse_iso
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.attached import check_files
from gateway.registry.cells import CellError, read_cell
from gateway.registry.columns import Cell, Column
from gateway.registry.exchanging import Exchange, exchange_drafts
from gateway.registry.forms import (
    B3_COLUMNS,
    B3_TITLE,
    PLAN_COLUMNS,
    PLAN_TITLE,
    form_b3,
    import_files,
    months_of,
    plan,
)
from gateway.registry.importing import LedgerState, check_rows, drafts_for
from gateway.registry.ledger_template import template_paths, write_templates
from gateway.registry.reading_files import LedgerProblem, read_folder
from gateway.registry.registry import Registry
from gateway.registry.writing import split_subject

FORMULA_SIGNS = tuple("=+-@")


@click.group("ledger")
def command() -> None:
    """The ledger of points, instruments and certificates. 计量器具台账。"""


@command.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--data", "data", type=click.Path(path_type=Path), required=True, help="The data folder.")
@click.option("--actor", help="Who puts this on record; default: the user of this machine.")
@click.option("--reason", default="", help="Why.")
@click.option("--at", "at", help="Recording time (RFC 3339); in simulated folders only.")
@click.option("--preview", is_flag=True, help="Show every row that would be put on record; write nothing.")
@click.pass_obj
def import_(
    language: str, *, folder: Path, data: Path, actor: str | None, reason: str, at: str | None, preview: bool
) -> None:
    """Put the CSV files of a folder on record. 导入台账。"""
    data_folder = DataFolder.open(data)
    at_us = _recording_time(data_folder, at)
    zone = ZoneInfo(data_folder.time_zone)
    rows, problems = read_folder(folder, zone, _energy_kind_names())
    with Journal.open(data_folder) as journal:
        state = LedgerState.read(journal, data_folder.organisation)
        problems += check_rows(rows, state)
        problems += check_files(rows, lambda digest: (data_folder.blobs / digest).is_file())
        if problems:
            raise ConfigurationError([problem_line(problem, language) for problem in sorted(problems, key=_place)])
        drafts = drafts_for(
            rows, state, data_folder.organisation, at_us=at_us, actor=actor or getpass.getuser(), reason=reason
        )
        if preview:
            for draft in drafts:
                id_ = split_subject(draft.subject)[2]
                change = text(language, "changed") if state.has(draft.kind, id_) else text(language, "new")
                click.echo(f"{draft.body['source']}: {change} {draft.kind} {id_}")
            click.echo(text(language, "Nothing was written."))
            return
        journal.append(drafts)
    message = "%(rows)s rows read, %(written)s put on record, %(same)s already there"
    click.echo(text(language, message, rows=len(rows), written=len(drafts), same=len(rows) - len(drafts)))


@command.command("exchange")
@click.argument("point")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The data folder.")
@click.option("--when", required=True, help="When it was done: 2025-03-01 08:30 (site time) or RFC 3339.")
@click.option("--closing-index", required=True, help="Register of the old meter.")
@click.option("--opening-index", required=True, help="Register of the new meter.")
@click.option("--instrument", required=True, help="Management number of the new meter.")
@click.option("--people", required=True, help="The two people who did it.")
@click.option("--seal", default="", help="Number of the new seal.")
@click.option("--ct-ratio", help="Where it changed too: 200/5.")
@click.option("--pt-ratio", help="Where it changed too: 35000/100.")
@click.option("--actor", help="Who puts this on record; default: the user of this machine.")
@click.option("--reason", required=True, help="Why.")
@click.pass_obj
def exchange(language: str, /, *, data: Path, actor: str | None, reason: str, when: str, **said: str | None) -> None:
    """Put the exchange of a meter on record: closing and opening index. 登记换表。"""
    folder = DataFolder.open(data)
    zone = ZoneInfo(folder.time_zone)
    cells = {
        "when": (when, Cell.MOMENT),
        "closing_index": (said["closing_index"], Cell.DECIMAL),
        "opening_index": (said["opening_index"], Cell.DECIMAL),
        "ct_ratio": (said["ct_ratio"], Cell.RATIO),
        "pt_ratio": (said["pt_ratio"], Cell.RATIO),
    }
    read: dict[str, str | int | None] = {}
    for name, (given, cell) in cells.items():
        try:
            read[name] = read_cell(given or "", Column(name, name, cell), zone)
        except CellError as error:
            hint = f"--{name.replace('_', '-')}"
            raise click.BadParameter(text(language, error.message, **error.facts), param_hint=hint) from error
    done = Exchange(
        point=str(said["point"]),
        at_us=int(read["when"] or 0),
        closing_index=str(read["closing_index"]),
        opening_index=str(read["opening_index"]),
        instrument=str(said["instrument"]),
        people=str(said["people"]),
        seal=said["seal"] or "",
        ct_ratio=None if read["ct_ratio"] is None else str(read["ct_ratio"]),
        pt_ratio=None if read["pt_ratio"] is None else str(read["pt_ratio"]),
    )
    with Journal.open(folder) as journal:
        state = LedgerState.read(journal, folder.organisation)
        drafts = exchange_drafts(
            state,
            folder.organisation,
            done,
            recorded_us=SystemClock().utc_us(),
            actor=actor or getpass.getuser(),
            reason=reason,
        )
        journal.append(drafts)
    closed, opened = (split_subject(draft.subject)[2] for draft in drafts)
    click.echo(text(language, "Installation %(closed)s closed, %(opened)s opened.", closed=closed, opened=opened))


@command.command("export")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The data folder.")
@click.option("--at", "at", help="As of (RFC 3339); default: now.")
@click.pass_obj
def export(language: str, *, target: Path, data: Path, at: str | None) -> None:
    """Write the ledger: a folder in the import form, or form B.3 into a .xlsx file. 导出台账。"""
    folder = DataFolder.open(data, read_only=True)
    zone = ZoneInfo(folder.time_zone)
    at_us = _moment(at)
    registry = Registry.open(folder.registry)
    try:
        if target.suffix.lower() == ".xlsx":
            _write_sheet(target, B3_TITLE, B3_COLUMNS, form_b3(registry, folder.organisation, at_us, zone))
            click.echo(str(target))
            return
        tables = import_files(registry, folder.organisation, at_us, zone)
    finally:
        registry.close()
    _refuse_existing([target / name for name in tables], language)
    target.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        lines = io.StringIO()
        csv.writer(lines).writerows(table)
        # the byte-order mark lets spreadsheet programs see that it is UTF-8
        (target / name).write_bytes(lines.getvalue().encode("utf-8-sig"))
        click.echo(str(target / name))


@command.command("plan")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The data folder.")
@click.option("--year", type=click.IntRange(2000, 2200), required=True)
@click.option("--month", type=click.IntRange(1, 12), help="One month; default: the whole year.")
@click.option("--at", "at", help="As of (RFC 3339); default: now.")
@click.pass_obj
def plan_(language: str, *, target: Path, data: Path, year: int, month: int | None, at: str | None) -> None:
    """Write the verification plan of a year or month into a .xlsx file. 导出检定计划。"""
    folder = DataFolder.open(data, read_only=True)
    registry = Registry.open(folder.registry)
    try:
        rows = plan(registry, folder.organisation, _moment(at), ZoneInfo(folder.time_zone), months_of(year, month))
    finally:
        registry.close()
    _write_sheet(target, PLAN_TITLE, PLAN_COLUMNS, rows)
    click.echo(text(language, "%(file)s: %(count)s instruments", file=str(target), count=len(rows)))


def _write_sheet(target: Path, title: str, columns: Sequence[str], rows: Sequence[Sequence[str | int]]) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None, "a new workbook has a sheet"
    sheet.title = title.replace("/", "、")
    sheet.append(list(columns))
    for row in rows:
        # text that begins like a formula stays text
        sheet.append([f"'{cell}" if isinstance(cell, str) and cell[:1] in FORMULA_SIGNS else cell for cell in row])
    book.save(target)


def _moment(at: str | None) -> int:
    try:
        return SystemClock().utc_us() if at is None else parse_iso(at)
    except ValueError as error:
        raise click.BadParameter(str(at), param_hint="--at") from error


def _refuse_existing(paths: Iterable[Path], language: str) -> None:
    existing = [path for path in paths if path.exists()]
    if existing:
        raise ConfigurationError([text(language, "%(file)s exists already", file=str(path)) for path in existing])


@command.command("template")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def template(language: str, folder: Path) -> None:
    """Write empty ledger files with their headers. 写出空白台账模板。"""
    _refuse_existing(template_paths(folder), language)
    for path in write_templates(folder, language):
        click.echo(str(path))


def problem_line(problem: LedgerProblem, language: str) -> str:
    """``file:row:column: sentence`` in the language."""
    place = ":".join(str(part) for part in (problem.file, problem.row, problem.column) if part)
    return f"{place}: {text(language, problem.message, **problem.facts)}"


def _place(problem: LedgerProblem) -> tuple[str, int, int]:
    return (problem.file, problem.row, problem.column)


def _recording_time(folder: DataFolder, at: str | None) -> int:
    if at is None:
        return SystemClock().utc_us()
    if not folder.simulated:
        raise DataFolderError("--at is refused: the data folder %(path)s is real", path=str(folder.path))
    try:
        return parse_iso(at)
    except ValueError as error:
        raise click.BadParameter(at, param_hint="--at") from error


def _energy_kind_names() -> dict[str, str]:
    names: dict[str, str] = {}
    for kind in energy_kinds().values():
        for name in (kind.id, kind.name.zh, kind.name.en.lower()):
            names[name] = kind.id
    return names
