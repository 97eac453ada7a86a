"""``meterproof rebuild --data DIR``: build every projection again from the journal, beside the live ones."""

import sys
from pathlib import Path

import click

from gateway.assembly.platform import SystemClock
from gateway.assembly.rebuilding import rebuild
from gateway.assembly.rebuilding_facts import rebuild_from_facts
from gateway.domain.errors import DataFolderError
from gateway.i18n import text
from gateway.journal.folder import DataFolder


@click.command("rebuild")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The data folder.")
@click.option("--facts", is_flag=True, help="Ledger, verdicts and intervals only, from facts; readings stay.")
@click.pass_obj
def command(language: str, *, data: Path, facts: bool) -> None:
    """Build all projections again from the journal. 由日志重建全部投影。"""
    folder = DataFolder.open(data)
    with (
        folder.hold_lock("project"),
        click.progressbar(length=1, label=text(language, "Rebuilding"), file=sys.stderr) as bar,
    ):

        def show(done: int, head: int) -> None:
            bar.length = head
            bar.update(done - bar.pos)

        count = rebuild_from_facts(folder, show) if facts else rebuild(folder, SystemClock(), show)
    if count is None:
        raise DataFolderError(
            "%(path)s: what came from readings cannot be carried over; run 'meterproof rebuild' without --facts",
            path=str(folder.path),
        )
    click.echo(text(language, "%(count)s entries projected.", count=count))
