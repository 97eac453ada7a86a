"""``meterproof enter``: registers read by people, weighing tickets and invoices in from CSV or XLSX files."""

import getpass
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.assembly.platform import SystemClock
from gateway.cli.ledger import problem_line
from gateway.domain.errors import ConfigurationError
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.columns import ENTERED_FILES
from gateway.registry.entering import check_entered, drafts_for_entered, entered_before
from gateway.registry.reading_files import read_file


@click.command("enter")
@click.argument("what", type=click.Choice(sorted(ENTERED_FILES)))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The data folder.")
@click.option("--actor", help="Who puts this on record; default: the user of this machine.")
@click.option("--reason", default="", help="Why.")
@click.pass_obj
def command(language: str, *, what: str, file: Path, data: Path, actor: str | None, reason: str) -> None:
    """Enter readings, tickets or invoices from a file. 录入人工抄表、磅单或发票。"""
    folder = DataFolder.open(data)
    rows, problems = read_file(file, ENTERED_FILES[what], ZoneInfo(folder.time_zone))
    with Journal.open(folder) as journal:
        known = entered_before(journal, folder.organisation, ENTERED_FILES[what].kind)
        problems += check_entered(rows, known)
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
