"""``meterproof substitute``: fill gaps of a channel by a named rule, or show what it would do."""

from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.cli.asked import ACTOR, DATA, WHY, Moment, period, present
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import iso
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.registry import Registry
from gateway.settlement.gaps import drafts_for_gaps, fill_gaps
from gateway.settlement.query import Settlement
from gateway.settlement.substitution import PACKS


@click.command("substitute")
@click.argument("device")
@click.argument("channel")
@click.option("--pack", type=click.Choice(sorted(PACKS)), required=True, help="The rule.")
@click.option("--from", "start_us", type=Moment(), required=True, help="RFC 3339 with offset.")
@click.option("--to", "end_us", type=Moment(), required=True, help="RFC 3339 with offset.")
@DATA
@ACTOR
@WHY
@click.option("--highest", type=int, help="Greatest possible value, thousandths of the resolution a quarter hour.")
@click.option("--preview", is_flag=True, help="Show, write nothing.")
@click.pass_obj
def command(
    language: str,
    *,
    device: str,
    channel: str,
    pack: str,
    start_us: int,
    end_us: int,
    data: Path,
    actor: str,
    reason: str,
    highest: int | None,
    preview: bool,
) -> None:
    """Fill missing quarter hours of a channel by a rule. 按规则填补缺失的 15 分钟电量。"""
    asked = period(language, start_us, end_us)
    folder = DataFolder.open(data)
    rule = PACKS[pack]
    registry = Registry.open(folder.registry)
    settlement = Settlement.open(folder.settlement, registry)
    try:
        if not any(each.channel == channel for each in settlement.channels(folder.organisation, device)):
            raise UnknownObjectError(
                "device '%(device)s' has no settled channel '%(channel)s'", device=device, channel=channel
            )
        gaps = fill_gaps(
            settlement,
            folder.organisation,
            (device, channel),
            asked,
            rule,
            zone=ZoneInfo(folder.time_zone),
            highest=highest,
        )
        drafts = drafts_for_gaps(
            settlement,
            folder.organisation,
            gaps,
            rule,
            at_us=present(folder, registry),
            registry_seq=registry.ledger_seq(),
            actor=actor,
            reason=reason,
        )
    finally:
        settlement.close()
        registry.close()
    if drafts and not preview:
        with Journal.open(folder) as journal:
            journal.append(drafts)
    click.echo(text(language, "Rule: %(law)s (version %(version)s)", law=rule.law, version=rule.version))
    if not rule.chinese:
        click.echo(text(language, "This is not a Chinese rule."))
    for gap in gaps:
        span = {"start": iso(gap.period.start_us), "end": iso(gap.period.end_us)}
        if gap.refused:
            click.echo(
                text(language, "%(start)s to %(end)s: left alone, %(why)s", why=text(language, gap.refused), **span)
            )
        else:
            click.echo(text(language, "%(start)s to %(end)s: %(count)s quarter hours", count=len(gap.rows), **span))
    if preview:
        click.echo(text(language, "Nothing was written."))
