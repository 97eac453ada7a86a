"""``meterproof rebuild --data DIR``: build every projection again from the journal, beside the live ones."""

import sys
from pathlib import Path

import click

from gateway.assembly.platform import SystemClock
from gateway.assembly.rebuild_comparison import TableDifference, compare
from gateway.assembly.rebuilding import rebuild
from gateway.assembly.rebuilding_facts import rebuild_from_facts
from gateway.cli.asked import DATA
from gateway.domain.errors import DataFolderError
from gateway.i18n import text
from gateway.journal.folder import DataFolder

EXIT_DIFFERENT = 1
MAX_ROW_CHARACTERS = 400


@click.command("rebuild")
@DATA
@click.option("--facts", is_flag=True, help="Ledger, verdicts and intervals only, from facts; readings stay.")
@click.option("--compare", "comparing", is_flag=True, help="Change nothing: name what differs from the journal.")
@click.pass_obj
def command(language: str, *, data: Path, facts: bool, comparing: bool) -> None:
    """Build all projections again from the journal. 由日志重建全部投影。"""
    count: int | None
    found: list[TableDifference] = []
    folder = DataFolder.open(data)
    with (
        folder.hold_lock("project"),
        click.progressbar(length=1, label=text(language, "Rebuilding"), file=sys.stderr) as bar,
    ):

        def show(done: int, head: int) -> None:
            bar.length = head
            bar.update(done - bar.pos)

        if comparing:
            count, found = compare(folder, show, facts=facts)
        else:
            count = rebuild_from_facts(folder, show) if facts else rebuild(folder, SystemClock(), show)
    if count is None:
        raise DataFolderError(
            "%(path)s: what came from readings cannot be carried over; run 'meterproof rebuild' without --facts",
            path=str(folder.path),
        )
    if not comparing:
        click.echo(text(language, "%(count)s entries projected.", count=count))
    elif not found:
        click.echo(text(language, "Compared up to entry %(count)s: everything is what the journal gives.", count=count))
    else:
        for each in found:
            _tell(language, each)
        click.get_current_context().exit(EXIT_DIFFERENT)


def _tell(language: str, each: TableDifference) -> None:
    message = "%(file)s, table %(table)s: rows that the journal does not give: %(foreign)s; rows missing: %(missing)s"
    counted = {"foreign": each.foreign, "missing": each.missing}
    click.echo(text(language, message, file=each.file, table=each.table, **counted))
    for row in each.foreign_rows:
        click.echo(f"  + {_one_line(row)}")
    for row in each.missing_rows:
        click.echo(f"  - {_one_line(row)}")


def _one_line(row: str) -> str:
    """What a forger wrote there must not write lines of its own."""
    return "".join(letter if letter.isprintable() else "�" for letter in row)[:MAX_ROW_CHARACTERS]
