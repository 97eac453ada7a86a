"""``meterproof rebuild --data DIR``: drop every projection and build it again from the journal."""

import sys
from pathlib import Path

import click

from gateway.assembly.platform import SystemClock
from gateway.assembly.projecting import Projection, drop_projections
from gateway.i18n import text
from gateway.journal.folder import DataFolder


@click.command("rebuild")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The data folder.")
@click.pass_obj
def command(language: str, data: Path) -> None:
    """Build all projections again from the journal. 由日志重建全部投影。"""
    folder = DataFolder.open(data)
    with folder.hold_lock("project"):
        drop_projections(folder)
        projection = Projection(folder, SystemClock())
        try:
            head = projection.head_seq()
            label = text(language, "Rebuilding")
            with click.progressbar(length=head, label=label, file=sys.stderr) as bar:
                done = 0
                while projection.step().applied:
                    applied = min(projection.projector.applied_seq(), head)
                    bar.update(applied - done)
                    done = applied
            count = projection.projector.applied_seq()
        finally:
            projection.close()
    click.echo(text(language, "%(count)s entries projected.", count=count))
