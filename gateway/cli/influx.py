"""``meterproof influx``: prepare an InfluxDB, see how delivery stands, read the dead letters."""

import asyncio
import csv
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import click

from gateway.assembly.delivering import courier_state, sink_blocks
from gateway.assembly.site_loading import AssembledSite, load_assembled_site
from gateway.delivery.influx.detect import choose_dialect, ping
from gateway.delivery.influx.settings import InfluxSettings
from gateway.delivery.influx.setup import DEFAULT_SHARD_H, set_up
from gateway.delivery.state import CourierState
from gateway.domain.errors import MeterproofError
from gateway.domain.time import iso
from gateway.i18n import text
from gateway.i18n.recorded import detail
from gateway.journal.folder import DataFolder

SINK = "influxdb"
SITE = click.argument("site", type=click.Path(path_type=Path))
DATA = click.option(
    "--data", type=click.Path(path_type=Path), help="Data folder; default: the one the site file names."
)
_HOURS = {"h": 1, "d": 24, "w": 7 * 24, "y": 366 * 24}


class _Duration(click.ParamType[int | None]):
    """``30d``, ``26w``, ``5y`` as hours; ``inf`` as None."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        if value is None or isinstance(value, int):
            return value
        word = str(value).strip().lower()
        if word == "inf":
            return None
        if word[-1:] in _HOURS and word[:-1].isdigit() and 0 < int(word[:-1]) <= 10_000:
            return int(word[:-1]) * _HOURS[word[-1]]
        return self.fail(f"{word!r}: 30d, 26w, 5y, inf", param, ctx)


@click.group("influx")
def command() -> None:
    """Prepare an InfluxDB and see how delivery stands. 准备 InfluxDB 并查看写入情况。"""


@command.command("setup")
@SITE
@click.option(
    "--retention", type=_Duration(), default="inf", show_default=True, help="How long readings are kept there."
)
@click.option("--shard", type=_Duration(), default="26w", show_default=True, help="Length of a shard.")
@click.pass_obj
def setup(language: str, site: Path, retention: int | None, shard: int | None) -> None:
    """Create the database or bucket the site file names, unless it is there. 创建数据库或存储桶。"""
    settings = influx_settings(load_assembled_site(site, language=language), language)
    made = asyncio.run(set_up(settings, retention_h=retention, shard_h=shard or DEFAULT_SHARD_H))
    facts = {"name": made.name, "version": made.version, "retention": made.retention}
    if made.created:
        sentence = text(language, "Created '%(name)s' on InfluxDB %(version)s, retention %(retention)s.", **facts)
    else:
        sentence = text(
            language, "'%(name)s' is there already on InfluxDB %(version)s (%(retention)s); left as it is.", **facts
        )
    click.echo(sentence)


@command.command("ping")
@SITE
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def ping_command(language: str, site: Path, *, as_json: bool) -> None:
    """Ask the server what it is; nothing is written. 查询服务器版本，不写入任何内容。"""
    settings = influx_settings(load_assembled_site(site, language=language), language)
    server = asyncio.run(ping(settings))
    if as_json:
        dialect = choose_dialect(settings, server) if server.reachable else None
        click.echo(json.dumps({**asdict(server), "dialect": dialect}))
    if not server.reachable:
        raise MeterproofError(
            "%(url)s does not answer: %(reason)s", url=settings.url, reason=detail(language, server.detail)
        )
    if not as_json:
        click.echo(
            text(
                language,
                "%(url)s: %(version)s, dialect %(dialect)s",
                url=settings.url,
                version=server.version or text(language, "does not say what it is"),
                dialect=choose_dialect(settings, server),
            )
        )


@command.command("status")
@SITE
@DATA
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def status(language: str, site: Path, data: Path | None, *, as_json: bool) -> None:
    """Show how far delivery is. 查看写入进度。"""
    state = _state(load_assembled_site(site, language=language), data)
    try:
        noted = {**state.noted("status"), "seq": state.seq, "dead_letters": state.dead_count()}
    finally:
        state.close()
    head = noted.get("head_seq")
    noted["lag"] = (
        max(0, head - state_seq) if isinstance(head, int) and isinstance(state_seq := noted["seq"], int) else None
    )
    if as_json:
        click.echo(json.dumps(noted, ensure_ascii=False))
        return
    click.echo(
        text(
            language,
            "%(state)s: entry %(seq)s of %(head)s, %(dead)s dead letters. %(detail)s",
            state=text(language, str(noted.get("state", "idle"))),
            seq=noted["seq"],
            head=head if head is not None else "?",
            dead=noted["dead_letters"],
            detail=detail(language, str(noted.get("detail", ""))),
        ).strip()
    )


@command.command("dead-letters")
@SITE
@DATA
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1_000, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def dead_letters(language: str, site: Path, data: Path | None, limit: int, *, as_json: bool) -> None:
    """List points the server refused for good, as CSV. 列出被服务器最终拒收的数据点。"""
    state = _state(load_assembled_site(site, language=language), data)
    try:
        letters = state.dead_letters(limit)
    finally:
        state.close()
    table = csv.writer(sys.stdout)
    if not as_json:
        table.writerow(["time", "device", "group", "entry", "reason", "since", "line"])
    for letter in letters:
        line = letter.line.decode(errors="replace")
        if as_json:
            click.echo(json.dumps({**asdict(letter), "line": line}, ensure_ascii=False))
        else:
            at, since = iso(letter.at_us), iso(letter.since_us)
            table.writerow([at, letter.device, letter.group, letter.seq, letter.reason, since, line])


def influx_settings(site: AssembledSite, language: str) -> InfluxSettings:
    """The settings of the site file's ``influxdb:`` block; MeterproofError when it has none."""
    block = sink_blocks(site).get(SINK)
    if block is None:
        raise MeterproofError("%(file)s has no 'influxdb:' block", file=str(site.path))
    return InfluxSettings.from_block(block, os.environ, language)


def _state(site: AssembledSite, data: Path | None) -> CourierState:
    folder = DataFolder.open(data or site.data_folder, read_only=True)
    path = folder.state / f"courier-{SINK}.sqlite"
    if not path.is_file():
        raise MeterproofError("nothing was delivered from %(folder)s yet", folder=str(folder.path))
    return courier_state(folder, SINK, read_only=True)
