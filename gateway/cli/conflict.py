"""``meterproof conflict``: two values for one time of a device; which of them stands is decided by a person."""

import json
from contextlib import closing
from pathlib import Path

import click

from gateway.cli.asked import ACTOR, DATA, WHY, present
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import iso
from gateway.i18n import text
from gateway.journal.audit_event import circumstances
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.projection.conflicts import CONFLICT, decision_drafts
from gateway.registry.record import Verdict
from gateway.registry.registry import Registry


@click.group("conflict")
def command() -> None:
    """Decide between two values for one time. 裁定同一时刻的两个读数。"""


@command.command("list")
@DATA
@click.option("--all", "decided", is_flag=True, help="Also those that are decided.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@click.pass_obj
def listed(language: str, data: Path, *, decided: bool, as_json: bool) -> None:
    """List conflicts, the number of each first. 列出冲突读数。"""
    folder = DataFolder.open(data, read_only=True)
    with _registry(folder) as registry:
        found = [each for each in _conflicts(registry, folder) if decided or each.to_us is None]
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
@DATA
@ACTOR
@WHY
@click.pass_obj
def accepted(language: str, *, number: int, data: Path, actor: str, reason: str) -> None:
    """Let the later value stand; what was settled with the first is settled again. 采纳后到的值。"""
    _decide(number, data, actor, reason, accept=True)
    click.echo(text(language, "The later value stands from now on."))


@command.command("keep")
@click.argument("number", type=click.IntRange(1))
@DATA
@ACTOR
@WHY
@click.pass_obj
def kept(language: str, *, number: int, data: Path, actor: str, reason: str) -> None:
    """Let the first value stand and close the finding. 维持先到的值。"""
    _decide(number, data, actor, reason, accept=False)
    click.echo(text(language, "The first value stands."))


def _decide(number: int, data: Path, actor: str, reason: str, *, accept: bool) -> None:
    folder = DataFolder.open(data)
    with _registry(folder) as registry:
        found = [each for each in _conflicts(registry, folder) if each.seq == number]
        at_us = present(folder, registry)
    if not found:
        raise UnknownObjectError("entry %(seq)s is no open conflict", seq=str(number))
    with Journal.open(folder) as journal:
        drafts = decision_drafts(
            found[0],
            accept=accept,
            at_us=at_us,
            actor=actor,
            reason=reason,
            circumstances=circumstances(folder, journal),
        )
        journal.append(drafts)


def _registry(folder: DataFolder) -> closing[Registry]:
    return closing(Registry.open(folder.registry))


def _conflicts(registry: Registry, folder: DataFolder) -> list[Verdict]:
    return registry.verdicts(folder.organisation, rule=CONFLICT)


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
