"""``meterproof stack``: rule packs, the plan of the stacks, and the tests of their monitors."""

import getpass
from pathlib import Path

import click

from gateway.assembly.accounting import Accounting, opened
from gateway.assembly.platform import SystemClock
from gateway.assembly.stack import check_plan, drafts_of_tests, packs, plan_draft, read_plan, read_tests
from gateway.cems.control import JudgedTest, judged
from gateway.cems.pack import NO_LIMITS, CemsPack
from gateway.cems.plan import PlannedStack, planned_stack, planned_stacks
from gateway.cli.asked import Moment
from gateway.domain.errors import ConfigurationError, UnknownObjectError
from gateway.domain.time import iso
from gateway.i18n import text
from gateway.journal.journal import Journal

_DATA = click.option("--data", type=click.Path(path_type=Path), required=True, help="The data folder.")
_ACTOR = click.option("--actor", help="Who does this; default: the user of this machine.")
_REASON = click.option("--reason", default="", help="Why.")
_PACK = click.option(
    "--pack",
    "also",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="A rule pack of your own.",
)


@click.group("stack")
def command() -> None:
    """Stacks with continuous monitoring. 烟气连续监测。"""


@command.command("packs")
@_PACK
@click.pass_obj
def packs_command(language: str, *, also: tuple[Path, ...]) -> None:
    """Rule packs, their law, and how far their text is known. 规则包。"""
    for each in packs(also, language).values():
        pack = CemsPack.of(each.document())
        click.echo(f"{pack.id:<16} {pack.name[language]}")
        click.echo(f"    {pack.law} · {pack.standing} · {pack.source}")
        if pack.empty:
            click.echo("    " + text(language, "The text has not been read: no number is in this pack."))
        if not pack.chinese:
            click.echo("    " + text(language, "This is not a Chinese rule."))


@command.command("plan")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--from", "start_us", type=Moment(), help="Holds from this moment on; default: for all time.")
@_PACK
@_DATA
@_ACTOR
@_REASON
@click.pass_obj
def plan_command(
    language: str,
    *,
    file: Path,
    start_us: int | None,
    also: tuple[Path, ...],
    data: Path,
    actor: str | None,
    reason: str,
) -> None:
    """Check a stack plan and put it on record. 检查并记录烟囱监测方案。"""
    known, plan = packs(also, language), read_plan(file, language)
    with opened(data) as there:
        check_plan(plan, known, there.registry, there.folder.organisation, language)
        draft = plan_draft(
            plan,
            known,
            there.folder.organisation,
            from_us=start_us,
            at_us=there.registry.latest_at() if there.folder.simulated else SystemClock().utc_us(),
            actor=actor or getpass.getuser(),
            reason=reason,
        )
        with Journal.open(there.folder) as journal:
            journal.append([draft])
    click.echo(text(language, "%(count)s entries put on record", count=1))


@command.command("tests")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_DATA
@_ACTOR
@_REASON
@click.option("--preview", is_flag=True, help="Show the results, write nothing.")
@click.pass_obj
def tests_command(language: str, *, file: Path, data: Path, actor: str | None, reason: str, preview: bool) -> None:
    """Enter zero and span checks, linearity and relative accuracy tests from CSV. 录入 CEMS 校验与比对检测。"""
    with opened(data) as there:
        found = read_tests(file, there.zone, language)
        at_us = there.registry.latest_at() if there.folder.simulated else SystemClock().utc_us()
        stacks = _stacks(there, at_us)
        results = []
        for each in found:
            try:
                results.append(judged(each, planned_stack(stacks, each.stack).pack if stacks else NO_LIMITS))
            except ValueError as error:
                sentence = "%(type)s of %(parameter)s at %(at)s: %(reason)s"
                facts = {"type": each.type, "parameter": each.parameter, "at": iso(each.at_us), "reason": str(error)}
                raise ConfigurationError([text(language, sentence, **facts)]) from error
        if not preview:
            said = {"actor": actor or getpass.getuser(), "reason": reason}
            with Journal.open(there.folder) as journal:
                journal.append(drafts_of_tests(found, there.folder.organisation, at_us=at_us, **said))
    for result in results:
        click.echo(_line(result, language))
    click.echo(text(language, "Nothing was written.") if preview else _count(len(found), language))


def _stacks(there: Accounting, at_us: int) -> list[PlannedStack]:
    """The stacks of the plan; none where none is projected yet: then results are shown without limits."""
    try:
        return planned_stacks(there.registry, there.folder.organisation, at_us)
    except UnknownObjectError:
        return []


def _count(count: int, language: str) -> str:
    return text(language, "%(count)s entries put on record", count=count)


def _line(result: JudgedTest, language: str) -> str:
    test = result.test
    head = f"{iso(test.at_us)} {test.stack} {test.parameter} {test.type}"
    if result.passed is None:
        verdict = text(language, "no limit in the rule pack")
    else:
        verdict = text(language, "passed" if result.passed else "failed")
    if result.check is not None:
        numbers = f"{float(result.check.error):.2f} %"
    elif result.accuracy is not None:
        found = result.accuracy
        numbers = f"d {found.mean_difference:.4f}  cc {found.confidence:.4f}  RA {found.relative:.2f} %"
        if found.factor is not None:
            numbers += f"  BAF {found.factor:.3f}"
        if found.quarters is not None:
            numbers += "  " + text(language, "next test within %(count)s quarters", count=found.quarters)
    else:
        numbers = " ".join(f"{float(each.error):.2f} %" for each in result.levels)
    return f"{head}: {numbers}  {verdict}"
