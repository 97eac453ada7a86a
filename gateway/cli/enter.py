"""``meterproof enter``: registers read by people, weighing tickets and invoices in from CSV or XLSX files."""

import getpass
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.assembly.platform import SystemClock
from gateway.cli.ledger import problem_line
from gateway.domain.errors import ConfigurationError, UnknownObjectError
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.columns import ENTERED_FILES
from gateway.registry.entering import check_entered, drafts_for_entered, entered_before
from gateway.registry.meter_files import METER_FILES, check_overlaps, read_meter_file
from gateway.registry.reading_files import read_file
from gateway.registry.registry import Registry


@click.command("enter")
@click.argument("what", type=click.Choice(sorted([*ENTERED_FILES, *METER_FILES])))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The data folder.")
@click.option("--point", default="", help="The metering point of an interval file (nem12, green-button).")
@click.option("--stream", default="", help="Which stream of an interval file, where it holds several.")
@click.option("--actor", help="Who puts this on record; default: the user of this machine.")
@click.option("--reason", default="", help="Why.")
@click.pass_obj
def command(
    language: str, *, what: str, file: Path, data: Path, point: str, stream: str, actor: str | None, reason: str
) -> None:
    """Enter readings, tickets, invoices or interval files. 录入人工抄表、磅单、发票或分时电量文件。"""
    folder = DataFolder.open(data)
    if what in METER_FILES:
        if not point:
            raise click.UsageError(text(language, "name the metering point with --point"))
        _known_point(folder, point)
        rows, problems = read_meter_file(file, point, stream, what=what)
        kind = "manual"
    else:
        rows, problems = read_file(file, ENTERED_FILES[what], ZoneInfo(folder.time_zone))
        kind = ENTERED_FILES[what].kind
    with Journal.open(folder) as journal:
        known = entered_before(journal, folder.organisation, kind)
        problems += check_entered(rows, known)
        if what in METER_FILES:
            problems += check_overlaps(rows, [given for (of, _), given in known.items() if of == point])
        if problems:
            raise ConfigurationError([problem_line(problem, language) for problem in problems])
        drafts = drafts_for_entered(
            rows,
            known,
            folder.organisation,
            at_us=SystemClock().utc_us(),
            actor=actor or getpass.getuser(),
            reason=reason,
        )
        journal.append(drafts)
    message = "%(rows)s rows read, %(written)s put on record, %(same)s already there"
    click.echo(text(language, message, rows=len(rows), written=len(drafts), same=len(rows) - len(drafts)))


def _known_point(folder: DataFolder, point: str) -> None:
    if not folder.registry.exists():
        return  # nothing is projected yet: whether the ledger has the point cannot be told
    registry = Registry.open(folder.registry)
    try:
        if not registry.history(folder.organisation, "point", point):
            raise UnknownObjectError("the ledger has no metering point '%(point)s'", point=point)
    finally:
        registry.close()
