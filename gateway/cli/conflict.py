"""``meterproof conflict``: two values for one time of a device; which of them stands is decided by a person."""

import getpass
import json
from pathlib import Path

import click

from gateway.assembly.platform import SystemClock
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import iso
from gateway.i18n import text
from gateway.journal.audit_event import circumstances
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.projection.conflicts import CONFLICT, decision_drafts
from gateway.registry.record import Verdict
from gateway.registry.registry import Registry

_DATA = click.option("--data", type=click.Path(path_type=Path), required=True, help="The data folder.")
_ACTOR = click.option("--actor", help="Who decides this; default: the user of this machine.")
_REASON = click.option("--reason", required=True, help="Why.")


@click.group("conflict")
def command() -> None:
    """Decide between two values for one time. 裁定同一时刻的两个读数。"""


@command.command("list")
@_DATA
@click.option("--all", "decided", is_flag=True, help="Also those that are decided.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@click.pass_obj
def listed(language: str, data: Path, *, decided: bool, as_json: bool) -> None:
    """List conflicts, the number of each first. 列出冲突读数。"""
    found = [each for each in _conflicts(DataFolder.open(data, read_only=True)) if decided or each.to_us is None]
    if as_json:
        click.echo(json.dumps([_document(each) for each in found], ensure_ascii=False))
        return
    for each in found:
        said = _document(each)
        message = "%(number)s: %(device)s, %(group)s, %(slot)s: entry %(kept)s stands, entry %(refused)s differs"
        click.echo(text(language, message, **said))
    click.echo(text(language, "%(count)s conflicts.", count=len(found)))


@command.command("accept")
@click.argument("number", type=click.IntRange(1))
@_DATA
@_ACTOR
@_REASON
@click.pass_obj
def accepted(language: str, *, number: int, data: Path, actor: str | None, reason: str) -> None:
    """Let the later value stand; what was settled with the first is settled again. 采纳后到的值。"""
    _decide(number, data, actor, reason, accept=True)
    click.echo(text(language, "The later value stands from now on."))


@command.command("keep")
@click.argument("number", type=click.IntRange(1))
@_DATA
@_ACTOR
@_REASON
@click.pass_obj
def kept(language: str, *, number: int, data: Path, actor: str | None, reason: str) -> None:
    """Let the first value stand and close the finding. 维持先到的值。"""
    _decide(number, data, actor, reason, accept=False)
    click.echo(text(language, "The first value stands."))


def _decide(number: int, data: Path, actor: str | None, reason: str, *, accept: bool) -> None:
    folder = DataFolder.open(data)
    found = [each for each in _conflicts(folder) if each.seq == number]
    if not found:
        raise UnknownObjectError("entry %(seq)s is no open conflict", seq=str(number))
    with Journal.open(folder) as journal:
        drafts = decision_drafts(
            found[0],
            accept=accept,
            at_us=_recording_us(folder),
            actor=actor or getpass.getuser(),
            reason=reason,
            circumstances=circumstances(folder, journal),
        )
        journal.append(drafts)


def _recording_us(folder: DataFolder) -> int:
    """Now; in a simulated folder, whose clock is virtual, the latest time on record."""
    if not folder.simulated:
        return SystemClock().utc_us()
    registry = Registry.open(folder.registry)
    try:
        return registry.latest_at()
    finally:
        registry.close()


def _conflicts(folder: DataFolder) -> list[Verdict]:
    registry = Registry.open(folder.registry)
    try:
        return registry.verdicts(folder.organisation, rule=CONFLICT)
    finally:
        registry.close()


def _document(each: Verdict) -> dict[str, str | int]:
    return {
        "number": each.seq,
        "device": each.device or "",
        "group": str(each.facts["group"]),
        "slot": iso(each.from_us),
        "kept": int(each.facts["kept"]),
        "refused": int(each.facts["refused"]),
        "state": "open" if each.to_us is None else "closed",
    }
