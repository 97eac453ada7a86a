"""``meterproof ledger``: everything the ledger holds in from files and out again, as people have it."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.assembly.ledger_desk import energy_kind_names, look_at_ledger
from gateway.assembly.platform import SystemClock
from gateway.assembly.reading import open_for_reading
from gateway.audit.dossier import dossiers
from gateway.audit.forms import (
    B3_COLUMNS,
    B3_TITLE,
    ECQS_COLUMNS,
    ECQS_TITLE,
    PLAN_COLUMNS,
    PLAN_TITLE,
    ecqs_list,
    form_b3,
    months_of,
    plan_rows,
)
from gateway.cli.asked import ACTOR, DATA, REASON, RECORDED_AT, WHY, Moment, recording_time
from gateway.domain.errors import ConfigurationError, UnknownObjectError
from gateway.i18n import text
from gateway.i18n.terms import term
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.cells import CellError, read_cell
from gateway.registry.columns import LEDGER_FILES, TITLES, Cell, Column
from gateway.registry.exchanging import Exchange, exchange_drafts
from gateway.registry.exporting import cells_of, import_files
from gateway.registry.headers import MAX_HEADERS
from gateway.registry.importing import LedgerState
from gateway.registry.ledger_template import template_paths, write_templates
from gateway.registry.previewing import Preview
from gateway.registry.reading_files import LedgerProblem, read_folder
from gateway.registry.sheets import csv_of, workbook_of
from gateway.registry.withdrawing import withdrawal_draft
from gateway.registry.writing import split_subject

_AS_OF = click.option(
    "--at", "as_of_us", type=Moment(), default=SystemClock().utc_us, help="As of (RFC 3339); default: now."
)
_TABLES = (".xlsx", ".csv")


@click.group("ledger")
def command() -> None:
    """The ledger of points, instruments and certificates. 计量器具台账。"""


@command.command("import")
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@DATA
@ACTOR
@REASON
@RECORDED_AT
@click.option("--map", "maps", multiple=True, help="'HEADER=column' for a header not known; remembered for next time.")
@click.option("--preview", is_flag=True, help="Show every row that would be put on record, and doubts; write nothing.")
@click.pass_obj
def import_(
    language: str,
    *,
    source: Path,
    data: Path,
    actor: str,
    reason: str,
    at_us: int | None,
    maps: tuple[str, ...],
    preview: bool,
) -> None:
    """Put a folder of ledger files, a workbook or one file on record. 导入台账。"""
    data_folder = DataFolder.open(data)
    zone, kinds = ZoneInfo(data_folder.time_zone), energy_kind_names()
    with Journal.open(data_folder) as journal:
        handed = look_at_ledger(
            data_folder,
            journal,
            lambda mapping: read_folder(source, zone, kinds, mapping),
            said=_said(maps),
            at_us=recording_time(data_folder, at_us),
            actor=actor,
            reason=reason,
        )
        seen = handed.seen
        _show(seen, language, changes=preview)
        if handed.unknown_headers:
            hint = "say what a column is with --map 'HEADER=column', or --map 'HEADER=' where it is not read"
            click.echo(text(language, hint), err=True)
        if seen.problems:
            raise ConfigurationError([problem_line(problem, language) for problem in seen.problems])
        if preview:
            click.echo(text(language, "Nothing was written."))
            return
        journal.append(handed.drafts)
    message = "%(rows)s rows read, %(written)s put on record, %(same)s already there"
    click.echo(text(language, message, rows=seen.rows, written=len(seen.drafts), same=seen.same))


def _said(maps: tuple[str, ...]) -> list[tuple[str, str]]:
    """``HEADER=column`` taken apart."""
    pairs = []
    known = {column.field for file in LEDGER_FILES for column in file.columns}
    for each in maps[:MAX_HEADERS]:
        header, equals, column = each.rpartition("=")
        if not equals or not header.strip() or (column and column not in known):
            raise click.BadParameter(each, param_hint="--map")
        pairs.append((header, column))
    return pairs


def _show(seen: Preview, language: str, *, changes: bool) -> None:
    for doubt in seen.doubts:
        click.echo(f"? {problem_line(doubt, language)}", err=not changes)
    for change in seen.changes if changes else ():
        word = text(language, "new") if change.new else text(language, "changed")
        click.echo(f"{change.source}: {word} {change.kind} {change.id}")
        for field in () if change.new else change.fields:
            click.echo(f"    {field.field}: {field.old or '—'} → {field.new or '—'}")


@command.command("exchange")
@click.argument("point")
@DATA
@click.option("--when", required=True, help="When it was done: 2025-03-01 08:30 (site time) or RFC 3339.")
@click.option("--closing-index", required=True, help="Register of the old meter.")
@click.option("--opening-index", required=True, help="Register of the new meter.")
@click.option("--instrument", required=True, help="Management number of the new meter.")
@click.option("--people", required=True, help="The two people who did it.")
@click.option("--seal", default="", help="Number of the new seal.")
@click.option("--ct-ratio", help="Where it changed too: 200/5.")
@click.option("--pt-ratio", help="Where it changed too: 35000/100.")
@ACTOR
@WHY
@click.pass_obj
def exchange(language: str, /, *, data: Path, actor: str, reason: str, when: str, **said: str | None) -> None:
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
            actor=actor,
            reason=reason,
        )
        journal.append(drafts)
    closed, opened = (split_subject(draft.subject)[2] for draft in drafts)
    click.echo(text(language, "Installation %(closed)s closed, %(opened)s opened.", closed=closed, opened=opened))


@command.command("export")
@click.argument("target", type=click.Path(path_type=Path))
@DATA
@_AS_OF
@click.option("--form", type=click.Choice(["files", "b3", "ecqs"]), help="What: default files; b3 into .xlsx and .csv.")
@click.pass_obj
def export(language: str, *, target: Path, data: Path, as_of_us: int, form: str | None) -> None:
    """Write the ledger: import files (folder, .xlsx), form B.3 or the e-CQS list (.xlsx, .csv). 导出台账。"""
    suffix = target.suffix.lower()
    chosen = form or ("b3" if suffix in _TABLES else "files")
    if chosen != "files":
        _refuse_ending(target, language)
    with open_for_reading(DataFolder.open(data, read_only=True)) as opened:
        asking = opened.asking(as_of_us)
        if chosen == "files":
            tables = import_files(opened.sources.registry, asking.organisation, asking.as_of_us, opened.zone)
        elif chosen == "b3":
            _write_table(target, B3_TITLE, [list(B3_COLUMNS), *form_b3(opened.sources, asking)])
        else:
            _write_table(target, ECQS_TITLE, [list(ECQS_COLUMNS), *ecqs_list(opened.sources, asking)])
    if chosen != "files":
        click.echo(str(target))
    elif suffix == ".xlsx":
        titles = {file.name: TITLES[file.kind] for file in LEDGER_FILES}
        target.write_bytes(workbook_of([(titles[name], table) for name, table in tables.items()]))
        click.echo(str(target))
    else:
        _refuse_existing([target / name for name in tables], language)
        target.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            (target / name).write_bytes(csv_of(table))
            click.echo(str(target / name))


@command.command("plan")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@DATA
@click.option("--year", type=click.IntRange(2000, 2200), required=True)
@click.option("--month", type=click.IntRange(1, 12), help="One month; default: the whole year.")
@_AS_OF
@click.pass_obj
def plan_(language: str, *, target: Path, data: Path, year: int, month: int | None, as_of_us: int) -> None:
    """Write the verification plan of a year or month into a .xlsx or .csv file. 导出检定计划。"""
    _refuse_ending(target, language)
    with open_for_reading(DataFolder.open(data, read_only=True)) as opened:
        rows = plan_rows(opened.sources, opened.asking(as_of_us), months_of(year, month))
    _write_table(target, PLAN_TITLE, [list(PLAN_COLUMNS), *rows])
    click.echo(text(language, "%(file)s: %(count)s instruments", file=str(target), count=len(rows)))


@command.command("list")
@click.argument("kind", type=click.Choice([file.name.removesuffix(".csv") for file in LEDGER_FILES]))
@DATA
@_AS_OF
@click.option("--known-at", "known_at_us", type=Moment(), help="As recorded by then (RFC 3339); default: now.")
@click.pass_obj
def list_(language: str, *, kind: str, data: Path, as_of_us: int, known_at_us: int | None) -> None:
    """List the objects of a kind as CSV. 列出台账。"""
    file = next(each for each in LEDGER_FILES if each.name == f"{kind}.csv")
    with open_for_reading(DataFolder.open(data, read_only=True)) as opened:
        asking = opened.asking(as_of_us, known_at_us)
        records = opened.sources.registry.objects(asking.organisation, file.kind, asking.as_of_us, asking.known_seq)
        rows = [cells_of(file, record, opened.zone) for record in records]
    header = [column.zh if language == "zh" else column.field for column in file.columns]
    click.echo(csv_of([header, *rows]).decode("utf-8-sig"), nl=False)


@command.command("withdraw")
@click.argument("kind", type=click.Choice([file.name.removesuffix(".csv") for file in LEDGER_FILES]))
@click.argument("id_", metavar="ID")
@DATA
@ACTOR
@WHY
@RECORDED_AT
@click.pass_obj
def withdraw(language: str, *, kind: str, id_: str, data: Path, actor: str, reason: str, at_us: int | None) -> None:
    """Take back an object that should never have been on record. 撤回误登的对象。"""
    folder = DataFolder.open(data)
    file = next(each for each in LEDGER_FILES if each.name == f"{kind}.csv")
    with Journal.open(folder) as journal:
        state = LedgerState.read(journal, folder.organisation)
        draft = withdrawal_draft(
            state,
            folder.organisation,
            file.kind,
            id_,
            at_us=recording_time(folder, at_us),
            actor=actor,
            reason=reason,
        )
        (seq,) = journal.append([draft])
    click.echo(text(language, "%(kind)s %(id)s taken back by entry %(seq)s", kind=file.kind, id=id_, seq=seq))


@command.command("dossier")
@DATA
@click.option("--instrument", default="", help="One management number; default: all.")
@click.option("--missing", is_flag=True, help="Only those that lack something.")
@_AS_OF
@click.pass_obj
def dossier(language: str, *, data: Path, instrument: str, missing: bool, as_of_us: int) -> None:
    """What each instrument's record lacks: manual, factory and last two certificates. 档案完整性。"""
    with open_for_reading(DataFolder.open(data, read_only=True)) as opened:
        asking = opened.asking(as_of_us)
        found = dossiers(opened.sources, asking, instrument=instrument, only_missing=missing)
    if instrument and not found.instruments:
        raise UnknownObjectError("the ledger has no instrument %(id)s at that moment", id=instrument)
    for each in found.rows:
        lacking = "、".join(term(language, "dossier", piece) for piece in each.missing)
        click.echo(f"{each.instrument}  {each.name}  {lacking or text(language, 'complete')}")
    message = "%(complete)s of %(all)s instruments have a complete record"
    click.echo(text(language, message, complete=found.complete, all=found.instruments))


def _write_table(target: Path, title: str, rows: Sequence[Sequence[str | int]]) -> None:
    target.write_bytes(workbook_of([(title, rows)]) if target.suffix.lower() == ".xlsx" else csv_of(rows))


def _refuse_ending(target: Path, language: str) -> None:
    if target.suffix.lower() not in _TABLES:
        endings = " ".join(_TABLES)
        raise click.BadParameter(text(language, "the file's name must end in one of %(endings)s", endings=endings))


def _refuse_existing(paths: Iterable[Path], language: str) -> None:
    existing = [path for path in paths if path.exists()]
    if existing:
        raise ConfigurationError([text(language, "%(file)s exists already", file=str(path)) for path in existing])


@command.command("template")
@click.argument("target", type=click.Path(path_type=Path))
@click.pass_obj
def template(language: str, target: Path) -> None:
    """Write empty ledger files with their headers, or one .xlsx with a sheet each. 写出空白台账模板。"""
    _refuse_existing(template_paths(target), language)
    for path in write_templates(target, language):
        click.echo(str(path))


def problem_line(problem: LedgerProblem, language: str) -> str:
    """``file:row:column: sentence`` in the language."""
    place = ":".join(str(part) for part in (problem.file, problem.row, problem.column) if part)
    return f"{place}: {text(language, problem.message, **problem.facts)}"
