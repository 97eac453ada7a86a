"""``meterproof archive``: close finished days, prune old polls, copy closed days out."""

from datetime import date
from pathlib import Path

import click

from gateway.assembly.platform import SystemClock
from gateway.cli.asked import ACTOR, DATA, Day
from gateway.cli.backup import finish
from gateway.domain.errors import ConfigurationError
from gateway.domain.time import to_datetime
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.sealing.archivist import Archivist
from gateway.sealing.backup import copy_archive

RETENTION_YEARS = 5


@click.group("archive")
def command() -> None:
    """Closed days as compressed files. 归档。"""


@command.command("close")
@DATA
@click.pass_obj
def close(language: str, data: Path) -> None:
    """Move finished, sealed days into the archive. 归档已结束的日期。"""
    folder = DataFolder.open(data)
    with folder.hold_lock("archive"), Journal.open(folder) as journal:
        days = Archivist(folder, journal, SystemClock()).close_days()
    for day in days:
        message = "%(day)s closed: entries %(first)s to %(last)s"
        click.echo(text(language, message, day=day.day, first=day.first, last=day.last))
    if not days:
        click.echo(text(language, "No finished day to close."))


@command.command("prune")
@DATA
@click.option("--before", type=Day(), required=True, help="Remove polls and messages of days before this date (UTC).")
@click.option("--reason", required=True, help="Why; stands in the signed entry.")
@ACTOR
@click.pass_obj
def prune(language: str, *, data: Path, before: date, reason: str, actor: str) -> None:
    """Remove raw readings past their retention; facts and the tree stay. 清除超过保存期的原始读数。"""
    folder, clock = DataFolder.open(data), SystemClock()
    today = to_datetime(clock.utc_us()).date()
    if before > today.replace(year=today.year - RETENTION_YEARS, day=min(today.day, 28)):
        message = text(language, "raw readings are kept for at least %(years)s years", years=RETENTION_YEARS)
        raise ConfigurationError([message])
    with folder.hold_lock("archive"), Journal.open(folder) as journal:
        names = Archivist(folder, journal, clock).prune(before, actor, reason)
    if names:
        click.echo(text(language, "%(count)s file(s) removed; the removal is on record.", count=len(names)))
    else:
        click.echo(text(language, "0 file(s) removed: there is none of days before %(day)s.", day=before.isoformat()))


@command.command("copy")
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@DATA
@click.option("--json", "as_json", is_flag=True, help="The verifier's report as one JSON object.")
@click.pass_context
def copy(context: click.Context, target: Path, data: Path, as_json: bool) -> None:
    """Copy closed days with the tree, for a USB stick or another machine. 复制归档。"""
    report = copy_archive(DataFolder.open(data), target)
    finish(context, report, as_json, text(context.obj, "The copy in %(path)s verifies.", path=str(target)))
