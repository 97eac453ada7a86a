"""``meterproof backup``: a verified copy while the gateway works."""

from pathlib import Path

import click

from gateway.cli.asked import DATA
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.sealing.backup import back_up
from gateway.verifier.report import Report


@click.command("backup")
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@DATA
@click.option("--with-key", is_flag=True, help="Copy the private signing key too; keep such a copy locked away.")
@click.option("--json", "as_json", is_flag=True, help="The verifier's report as one JSON object.")
@click.pass_context
def command(context: click.Context, target: Path, data: Path, with_key: bool, as_json: bool) -> None:
    """Copy the evidence to TARGET and verify the copy. 备份并核验。"""
    report = back_up(DataFolder.open(data), target, with_key=with_key)
    sentences = [text(context.obj, "The copy in %(path)s verifies.", path=str(target))]
    if not (target / "seal" / "key").exists():
        without = "It holds no signing key: keep one copy made with --with-key locked away; no log goes on without it."
        sentences.append(text(context.obj, without))
    finish(context, report, as_json, "\n".join(sentences))


def finish(context: click.Context, report: Report, as_json: bool, sentence: str) -> None:
    """Show what the verifier found; exit 1 when the copy does not hold."""
    language: str = context.obj
    if as_json:
        click.echo(report.json(language))
    else:
        for line in report.lines(language):
            click.echo(line)
        if report.ok:
            click.echo(sentence)
    context.exit(0 if report.ok else 1)
