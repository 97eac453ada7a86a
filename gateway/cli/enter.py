"""``meterproof enter``: registers read by people, weighing tickets and invoices in from CSV or XLSX files."""

from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.assembly.platform import SystemClock
from gateway.cli.asked import ACTOR, DATA, FILE, REASON
from gateway.cli.ledger import problem_line
from gateway.domain.errors import ConfigurationError, UnknownObjectError
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.columns import ENTERED_FILES
from gateway.registry.entering import (
    Known,
    check_entered,
    check_points,
    drafts_for_entered,
    drafts_to_withdraw,
    entered_before,
)
from gateway.registry.importing import LedgerState
from gateway.registry.meter_files import METER_FILES, check_overlaps, read_meter_file
from gateway.registry.reading_files import LedgerProblem, LedgerRow, read_file


@click.command("enter")
@click.argument("what", type=click.Choice(sorted([*ENTERED_FILES, *METER_FILES])))
@click.argument("file", type=FILE)
@DATA
@click.option("--point", default="", help="The metering point of an interval file (nem12, green-button).")
@click.option("--stream", default="", help="Which stream of an interval file, where it holds several.")
@ACTOR
@REASON
@click.option("--withdraw", is_flag=True, help="Take back what this file put on record; needs --reason.")
@click.pass_obj
def command(
    language: str,
    *,
    what: str,
    file: Path,
    data: Path,
    point: str,
    stream: str,
    actor: str,
    reason: str,
    withdraw: bool,
) -> None:
    """Enter readings, tickets, invoices or interval files. 录入人工抄表、磅单、发票或分时电量文件。"""
    folder = DataFolder.open(data)
    if withdraw and not reason.strip():
        raise click.UsageError(text(language, "say with --reason why it is taken back"))
    if what in METER_FILES:
        if not point:
            raise click.UsageError(text(language, "name the metering point with --point"))
        rows, problems = read_meter_file(file, point, stream, what=what)
        kind = "manual"
    else:
        rows, problems = read_file(file, ENTERED_FILES[what], ZoneInfo(folder.time_zone))
        kind = ENTERED_FILES[what].kind
    with Journal.open(folder) as journal:
        known = entered_before(journal, folder.organisation, kind)
        at_us = SystemClock().utc_us()
        if withdraw:
            drafts, more = drafts_to_withdraw(rows, known, folder.organisation, at_us=at_us, actor=actor, reason=reason)
            _refuse([*problems, *more], language)
        else:
            state = LedgerState.read(journal, folder.organisation)
            _refuse([*problems, *_problems(rows, known, state, point)], language)
            drafts = drafts_for_entered(rows, known, folder.organisation, at_us=at_us, actor=actor, reason=reason)
        journal.append(drafts)
    if withdraw:
        click.echo(text(language, "%(rows)s rows taken back", rows=len(drafts)))
        return
    message = "%(rows)s rows read, %(written)s put on record, %(same)s already there"
    click.echo(text(language, message, rows=len(rows), written=len(drafts), same=len(rows) - len(drafts)))


def _problems(rows: list[LedgerRow], known: Known, state: LedgerState, point: str) -> list[LedgerProblem]:
    """``point``: that of an interval file, blank for all else."""
    if point and not state.has("point", point):
        raise UnknownObjectError("the ledger has no metering point '%(point)s'", point=point)
    found = [*check_points(rows, state), *check_entered(rows, known)]
    if point:
        found += check_overlaps(rows, [given for (of, _), given in known.items() if of == point])
    return found


def _refuse(problems: list[LedgerProblem], language: str) -> None:
    """Raises ConfigurationError with everything wrong; what is merely doubtful is shown and stops nothing."""
    wrong = [problem_line(problem, language) for problem in problems if not problem.doubt]
    if wrong:
        raise ConfigurationError(wrong)
    for problem in problems:
        click.echo(f"? {problem_line(problem, language)}", err=True)
