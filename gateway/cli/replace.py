"""``meterproof replace``: a meter under suspicion from the check order to the meter that hangs there afterwards."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from gateway.cli.asked import ACTOR, DATA, RECORDED_AT, WHY, recording_time
from gateway.domain.time import to_datetime
from gateway.i18n import text
from gateway.i18n.terms import term
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.replacement_steps import open_check_order
from gateway.registry.replacing import CheckOrder, ReplacementBook, Step
from gateway.registry.stepping import SaidStep, step_drafts
from gateway.registry.writing import split_subject

_COMMON: tuple[Callable[[Any], Any], ...] = (click.pass_obj, RECORDED_AT, WHY, ACTOR, DATA)
_WHEN = click.option("--when", default="", help="When it was done: 2025-03-01 08:30 (site time); default: now.")
_PEOPLE = click.option("--people", required=True, help="The two people who did it.")


def _recorded(command: Any) -> Any:
    for each in _COMMON:
        command = each(command)
    return command


@click.group("replace")
def command() -> None:
    """Replace a meter under suspicion, step by step. 失准更换。"""


@command.command("order")
@click.option("--point", default="", help="Metering point.")
@click.option("--instrument", default="", help="Management number, where no point is named.")
@click.option("--evidence", multiple=True, help="What speaks against the meter; may be given several times.")
@_recorded
def order(
    language: str,
    *,
    point: str,
    instrument: str,
    evidence: tuple[str, ...],
    data: Path,
    actor: str,
    reason: str,
    at_us: int | None,
) -> None:
    """Order that a meter be checked. 下达检定单。"""
    if not point and not instrument:
        raise click.UsageError(text(language, "name the metering point or the instrument"))
    folder = DataFolder.open(data)
    recorded_us = recording_time(folder, at_us)
    with Journal.open(folder) as journal:
        book = ReplacementBook.read(journal, folder.organisation)
        draft = open_check_order(
            book,
            point=point,
            instrument=instrument,
            evidence=evidence,
            actor=actor,
            reason=reason,
            at_us=recorded_us,
        )
        journal.append([draft])
    id_, about = split_subject(draft.subject)[2], draft.body["object"]["instrument"]
    click.echo(text(language, "check order %(order)s about instrument %(id)s", order=id_, id=about))


@command.command("dismount")
@click.argument("order")
@_WHEN
@click.option("--closing-index", required=True, help="Register of the meter as it came down.")
@_PEOPLE
@click.option("--seal", default="", help="Number of the seal found.")
@_recorded
def dismount(language: str, /, **said: Any) -> None:
    """The meter came down. 登记拆表。"""
    _take(language, Step.DISMOUNTED, said)


@command.command("send")
@click.argument("order")
@_WHEN
@click.option("--laboratory", required=True, help="Where it was sent.")
@_recorded
def send(language: str, /, **said: Any) -> None:
    """The meter went to a laboratory. 登记送检。"""
    _take(language, Step.SENT, said)


@command.command("result")
@click.argument("order")
@_WHEN
@click.option("--certificate", required=True, help="Number of the certificate, which must be on record.")
@_recorded
def result(language: str, /, **said: Any) -> None:
    """What the laboratory found. 登记检定结果。"""
    _take(language, Step.RESULT, said)


@command.command("fit")
@click.argument("order")
@_WHEN
@click.option("--instrument", required=True, help="Management number: a spare, or the same meter after it passed.")
@click.option("--opening-index", required=True, help="Register of the meter as it went up.")
@click.option("--seal", required=True, help="Number of the new seal.")
@_PEOPLE
@click.option("--ct-ratio", default="", help="Where it changed too: 200/5.")
@click.option("--pt-ratio", default="", help="Where it changed too: 35000/100.")
@_recorded
def fit(language: str, /, **said: Any) -> None:
    """A meter went up. 登记装表。"""
    _take(language, Step.FITTED, said)


@command.command("close")
@click.argument("order")
@_WHEN
@_recorded
def close(language: str, /, **said: Any) -> None:
    """Close an order whose steps are all on record. 归档。"""
    _take(language, Step.CLOSED, said)


@command.command("cancel")
@click.argument("order")
@_WHEN
@_recorded
def cancel(language: str, /, **said: Any) -> None:
    """Take an order back before anything was done. 撤销检定单。"""
    _take(language, Step.CANCELLED, said)


@command.command("list")
@DATA
@click.option("--open", "only_open", is_flag=True, help="Only those not finished.")
@click.pass_obj
def list_(language: str, *, data: Path, only_open: bool) -> None:
    """List the orders. 列出检定单。"""
    folder = DataFolder.open(data, read_only=True)
    with Journal.open(folder, read_only=True) as journal:
        book = ReplacementBook.read(journal, folder.organisation)
    for each in book.orders.values():
        if each.open or not only_open:
            click.echo(
                "  ".join((each.id, term(language, "replacement_step", each.state), each.point, each.instrument))
            )


@command.command("show")
@click.argument("order")
@DATA
@click.pass_obj
def show(language: str, *, order: str, data: Path) -> None:
    """Show an order and its steps. 显示检定单。"""
    folder = DataFolder.open(data, read_only=True)
    with Journal.open(folder, read_only=True) as journal:
        found = ReplacementBook.read(journal, folder.organisation).order(order)
    for line in _lines(language, found, ZoneInfo(folder.time_zone)):
        click.echo(line)


def _lines(language: str, order: CheckOrder, zone: ZoneInfo) -> list[str]:
    lines = [f"{order.id}  {order.point}  {order.instrument}"]
    lines += [f"  ! {each}" for each in order.evidence]
    for step in order.steps:
        when = to_datetime(step.when_us).astimezone(zone).strftime("%Y-%m-%d %H:%M")
        shown = "  ".join(f"{name}={each}" for name, each in step.facts.items() if name not in {"when", "evidence"})
        word = term(language, "replacement_step", step.step)
        lines.append(f"  {when}  {word}  {step.actor}: {step.reason}  {shown}  (#{step.seq})")
    words = [term(language, "replacement_step", each) for each in order.next_steps]
    lines.append("  " + text(language, "next: %(steps)s", steps=" / ".join(words) or "—"))
    return lines


def _take(language: str, step: Step, said: dict[str, Any]) -> None:
    folder = DataFolder.open(said["data"])
    entered = SaidStep(
        step=step,
        when=said["when"],
        fields={name: each for name, each in said.items() if isinstance(each, str)},
        actor=said["actor"],
        reason=said["reason"],
        at_us=recording_time(folder, said["at_us"]),
    )
    with Journal.open(folder) as journal:
        book = ReplacementBook.read(journal, folder.organisation)
        drafts = step_drafts(book, said["order"], entered, ZoneInfo(folder.time_zone))
        journal.append(drafts)
    word = term(language, "replacement_step", step)
    click.echo(text(language, "check order %(order)s: %(step)s", order=said["order"], step=word))
