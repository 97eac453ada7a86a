"""``meterproof ledger``: points, instruments, installations, certificates and standards in from files."""

import getpass
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from config.catalogues import energy_kinds
from gateway.assembly.platform import SystemClock
from gateway.domain.errors import ConfigurationError, DataFolderError
from gateway.domain.time import parse_iso
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.importing import LedgerState, check_rows, drafts_for
from gateway.registry.ledger_template import template_paths, write_templates
from gateway.registry.reading_files import LedgerProblem, read_folder


@click.group("ledger")
def command() -> None:
    """The ledger of points, instruments and certificates. 计量器具台账。"""


@command.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--data", "data", type=click.Path(path_type=Path), required=True, help="The data folder.")
@click.option("--actor", help="Who puts this on record; default: the user of this machine.")
@click.option("--reason", default="", help="Why.")
@click.option("--at", "at", help="Recording time (RFC 3339); in simulated folders only.")
@click.pass_obj
def import_(language: str, *, folder: Path, data: Path, actor: str | None, reason: str, at: str | None) -> None:
    """Put the CSV files of a folder on record. 导入台账。"""
    data_folder = DataFolder.open(data)
    at_us = _recording_time(data_folder, at)
    zone = ZoneInfo(data_folder.time_zone)
    rows, problems = read_folder(folder, zone, _energy_kind_names())
    with Journal.open(data_folder) as journal:
        state = LedgerState.read(journal, data_folder.organisation)
        problems += check_rows(rows, state)
        if problems:
            raise ConfigurationError([problem_line(problem, language) for problem in sorted(problems, key=_place)])
        drafts = drafts_for(
            rows, state, data_folder.organisation, at_us=at_us, actor=actor or getpass.getuser(), reason=reason
        )
        journal.append(drafts)
    message = "%(rows)s rows read, %(written)s put on record, %(same)s already there"
    click.echo(text(language, message, rows=len(rows), written=len(drafts), same=len(rows) - len(drafts)))


@command.command("template")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def template(language: str, folder: Path) -> None:
    """Write empty ledger files with their headers. 写出空白台账模板。"""
    existing = [path for path in template_paths(folder) if path.exists()]
    if existing:
        raise ConfigurationError([text(language, "%(file)s exists already", file=str(path)) for path in existing])
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
