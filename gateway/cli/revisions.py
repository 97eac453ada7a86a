"""``meterproof revisions``: which settled quarter hours were settled again, what changed, and why."""

import json
from pathlib import Path

import click

from gateway.cli.asked import DATA
from gateway.domain.time import iso
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.registry.registry import Registry
from gateway.settlement.query import Change, Interval, Settlement

WHY = {
    "late_readings": "readings came late",
    "other_readings": "other readings count",
    "installation": "the installation on record is another one",
    "substituted": "somebody filled a gap by a rule",
}


@click.command("revisions")
@DATA
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only what was recorded after this entry.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1_000, help="At most so many lines.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def command(language: str, *, data: Path, after: int, limit: int, as_json: bool) -> None:
    """Show what settling again changed, and why. 显示重新结算改变了什么及原因。"""
    folder = DataFolder.open(data, read_only=True)
    registry = Registry.open(folder.registry)
    settlement = Settlement.open(folder.settlement, registry)
    try:
        found = settlement.changes(folder.organisation, after, limit=limit)
    finally:
        settlement.close()
        registry.close()
    for change in found:
        click.echo(json.dumps(_document(change), ensure_ascii=False) if as_json else _line(change, language))
    if not as_json:
        click.echo(text(language, "%(count)s changes", count=len(found)))


def _line(change: Change, language: str) -> str:
    old = change.old
    return (
        f"{iso(old.start_us)} {old.row.device} {old.row.channel}: {_shown(old)} → {_shown(change.new)} "
        f"({text(language, WHY[change.why])}; #{change.seq})"
    )


def _shown(interval: Interval | None) -> str:
    if interval is None:
        return "–"
    energy = "–" if interval.energy is None else f"{float(interval.energy):.6g}"
    return f"{energy} [{interval.row.method.word}]"


def _document(change: Change) -> dict[str, object]:
    old, new = change.old, change.new
    return {
        "window": iso(old.start_us),
        "device": old.row.device,
        "channel": old.row.channel,
        "old": None if old.energy is None else str(old.energy),
        "old_method": old.row.method.word,
        "old_entry": old.seq,
        "new": None if new is None or new.energy is None else str(new.energy),
        "new_method": None if new is None else new.row.method.word,
        "new_entry": change.seq,
        "why": change.why,
    }
