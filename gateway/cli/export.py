"""``meterproof export``: an evidence package that a stranger can check offline."""

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.assembly.platform import SystemClock
from gateway.assembly.sealing_now import sealed_up_to
from gateway.cli.asked import ACTOR, DATA, local_instant, period
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.sealing.package import PackageWriter
from gateway.sealing.selection import Wish


@click.command("export")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@DATA
@click.option("--from", "from_", required=True, help="Begin, local date or RFC 3339 instant.")
@click.option("--to", "to", required=True, help="End (exclusive), local date or RFC 3339 instant.")
@click.option("--points", default="", help="Metering points, comma-separated; default: everything.")
@click.option("--devices", default="", help="Devices, comma-separated.")
@ACTOR
@click.option("--reason", default="", help="For whom, why.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of sentences.")
@click.pass_obj
def command(
    language: str,
    *,
    target: Path,
    data: Path,
    from_: str,
    to: str,
    points: str,
    devices: str,
    actor: str,
    reason: str,
    as_json: bool,
) -> None:
    """Write an evidence package (ZIP). 导出证据包。"""
    folder = DataFolder.open(data)
    zone = ZoneInfo(folder.time_zone)
    asked = period(language, *(local_instant(language, each, zone) for each in (from_, to)))
    wish = Wish(asked.start_us, asked.end_us, _listed(points), _listed(devices))
    clock = SystemClock()
    with Journal.open(folder) as journal:
        writer = PackageWriter(folder, journal, clock, sealed_up_to(folder, journal, clock), actor)
        if not as_json:
            click.echo(
                text(language, "Collecting and sealing; this can take a minute while the gateway runs."), err=True
            )
        done = writer.write(wish, target, reason)
    if as_json:
        facts = {"path": str(done.path), "entries": done.entries, "documents": done.documents, "figures": done.figures}
        click.echo(json.dumps(facts | {"tree_size": done.checkpoint_size, "key": done.vkey}, ensure_ascii=False))
        return
    click.echo(
        text(
            language,
            "%(path)s written: %(entries)s entries, %(documents)s documents, %(figures)s figures.",
            path=str(done.path),
            entries=done.entries,
            documents=done.documents,
            figures=done.figures,
        )
    )
    click.echo(text(language, "Public key, to be handed over on another way: %(key)s", key=done.vkey))


def _listed(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())
