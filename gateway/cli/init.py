"""``meterproof init DIR``: a commented site file and an empty ledger, in the reader's language."""

from importlib.resources import files
from pathlib import Path

import click

from gateway.domain.errors import MeterproofError
from gateway.i18n import text
from gateway.registry.ledger_template import write_templates

SITE_FILE = "site.yaml"


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def command(language: str, folder: Path) -> None:
    """Start a new site: a commented site file and an empty ledger. 新建站点。"""
    site = folder / SITE_FILE
    ledger = folder / "ledger"
    for existing in (site, ledger):
        if existing.exists():
            raise MeterproofError(
                "The folder %(folder)s already holds %(file)s; nothing was written.",
                folder=str(folder),
                file=existing.name,
            )
    template = files("config") / "examples" / "init" / f"site.{language}.yaml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        site.write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
        written = write_templates(ledger, language)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise MeterproofError("Cannot write to %(folder)s: %(reason)s", folder=str(folder), reason=reason) from error
    names = ", ".join(str(path.relative_to(folder)) for path in (site, *written))
    click.echo(text(language, "Written: %(files)s", files=names))
    click.echo(
        text(
            language,
            "Next: put your meter into %(site)s, then run `meterproof check %(site)s`.",
            site=str(site),
        )
    )
