"""``meterproof restore``: a backup back in place, after checking it."""

from pathlib import Path

import click

from gateway.cli.backup import finish
from gateway.i18n import text
from gateway.sealing.backup import restore


@click.command("restore")
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The data folder to make.")
@click.option("--replace", is_flag=True, help="Put an existing data folder aside (as <folder>.replaced).")
@click.option("--json", "as_json", is_flag=True, help="The verifier's report as one JSON object.")
@click.pass_context
def command(context: click.Context, source: Path, data: Path, replace: bool, as_json: bool) -> None:
    """Check a backup, then restore it to a data folder. 核验备份后恢复。"""
    report = restore(source, data, replace=replace)
    sentence = "Restored to %(path)s. Now run 'meterproof rebuild --data %(path)s'."
    sentences = [text(context.obj, sentence, path=str(data))]
    key = data / "seal" / "key"
    if not key.exists():
        without = "The copy held no signing key: put the one kept apart in %(key)s before you collect."
        sentences.append(text(context.obj, without, key=str(key)))
    finish(context, report, as_json, "\n".join(sentences))
