"""``meterproof account``: energy, standard coal and carbon as figures; factors, plans and results on record."""

import getpass
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from gateway.accounting.account import Account, account
from gateway.accounting.budget import budget, improvements
from gateway.accounting.comparison import compare
from gateway.accounting.documents import account_document, beside_document
from gateway.accounting.laboratory import doubts
from gateway.accounting.results import KIND, STATES, figure_document, result, result_draft, results, step_draft
from gateway.assembly.accounting import (
    Accounting,
    check_entered,
    check_plan,
    drafts_for_sets,
    laboratory_draft,
    opened,
    plan_draft,
    read_plan,
    stock_draft,
)
from gateway.assembly.accounting_files import read_laboratory, read_stock
from gateway.assembly.accounting_loading import catalogues, reference, units_of
from gateway.assembly.platform import SystemClock
from gateway.audit.budgets import MAX_DRAWS, SEED, sample_of
from gateway.audit.tiers import tiers_of
from gateway.cli.asked import Moment, period
from gateway.domain.errors import ConfigurationError, UnknownObjectError
from gateway.domain.figure import decimal_text
from gateway.domain.time import iso
from gateway.i18n import text
from gateway.journal.entry import Draft
from gateway.journal.journal import Journal

_DATA = click.option("--data", type=click.Path(path_type=Path), required=True, help="The data folder.")
_ACTOR = click.option("--actor", help="Who does this; default: the user of this machine.")
_REASON = click.option("--reason", default="", help="Why.")
_ALSO = click.option(
    "--also",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    multiple=True,
    help="A folder of catalogues of your own.",
)
_FROM = click.option("--from", "start_us", type=Moment(), required=True, help="RFC 3339 with offset.")
_TO = click.option("--to", "end_us", type=Moment(), required=True, help="RFC 3339 with offset, exclusive.")
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.group("account")
def command() -> None:
    """Energy, balance and carbon with uncertainty. 能耗、平衡与碳排放核算（含不确定度）。"""


def _write(opened_folder: Accounting, drafts: list[Draft], language: str) -> None:
    if drafts:
        with Journal.open(opened_folder.folder) as journal:
            journal.append(drafts)
    click.echo(text(language, "%(count)s entries put on record", count=len(drafts)))


def _now(opened_folder: Accounting) -> int:
    """A simulated folder lives in its own time."""
    return opened_folder.registry.latest_at() if opened_folder.folder.simulated else SystemClock().utc_us()


@command.command("factors")
@_ALSO
@_DATA
@_ACTOR
@_REASON
@click.pass_obj
def factors_command(language: str, *, also: tuple[Path, ...], data: Path, actor: str | None, reason: str) -> None:
    """Put shipped and own factor sets on record. 将系数与因子集记录在案。"""
    found = catalogues(also, language)
    with opened(data) as there:
        drafts = drafts_for_sets(
            there.registry,
            there.folder.organisation,
            found,
            at_us=_now(there),
            actor=actor or getpass.getuser(),
            reason=reason,
        )
        _write(there, drafts, language)


@command.command("plan")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_ALSO
@click.option("--from", "start_us", type=Moment(), help="Holds from this moment on; default: for all time.")
@_DATA
@_ACTOR
@_REASON
@click.pass_obj
def plan_command(
    language: str,
    *,
    file: Path,
    also: tuple[Path, ...],
    start_us: int | None,
    data: Path,
    actor: str | None,
    reason: str,
) -> None:
    """Check an accounting plan and put it on record, with the factors it needs. 检查并记录核算方案。"""
    found = catalogues(also, language)
    plan = read_plan(file, language)
    said = {"actor": actor or getpass.getuser(), "reason": reason}
    with opened(data) as there:
        organisation = there.folder.organisation
        points = frozenset(each.id for each in there.registry.objects(organisation, "point"))
        check_plan(plan, found, points, language)
        at_us = _now(there)
        drafts = drafts_for_sets(there.registry, organisation, found, at_us=at_us, **said)
        drafts.append(plan_draft(plan, organisation, from_us=start_us, at_us=at_us, **said))
        _write(there, drafts, language)


@command.command("laboratory")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_DATA
@_ACTOR
@_REASON
@click.pass_obj
def laboratory_command(language: str, *, file: Path, data: Path, actor: str | None, reason: str) -> None:
    """Enter laboratory results (NCV, carbon, CaO, MgO) from CSV. 录入化验结果。"""
    with opened(data) as there:
        rows = read_laboratory(file, there.zone, units_of(catalogues((), language)), language)
        _enter(there, rows, laboratory_draft, language, actor=actor, reason=reason)


@command.command("stock")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_DATA
@_ACTOR
@_REASON
@click.pass_obj
def stock_command(language: str, *, file: Path, data: Path, actor: str | None, reason: str) -> None:
    """Enter stock surveys from CSV. 录入盘存。"""
    with opened(data) as there:
        rows = read_stock(file, there.zone, units_of(catalogues((), language)), language)
        _enter(there, rows, stock_draft, language, actor=actor, reason=reason)


def _enter(
    there: Accounting,
    rows: Sequence[Mapping[str, Any]],
    draft: Callable[..., Draft],
    language: str,
    *,
    actor: str | None,
    reason: str,
) -> None:
    """Check rows read from a file and put each on record by ``draft(organisation, row, at_us, actor, reason)``."""
    check_entered(there, rows, language)
    said = {"at_us": _now(there), "actor": actor or getpass.getuser(), "reason": reason}
    _write(there, [draft(there.folder.organisation, row, **said) for row in rows], language)


@command.command("show")
@_FROM
@_TO
@click.option("--known", "known_seq", type=int, help="As recorded up to this entry.")
@_JSON
@_DATA
@click.pass_obj
def show_command(
    language: str, *, start_us: int, end_us: int, known_seq: int | None, as_json: bool, data: Path
) -> None:
    """Compute and show; nothing is written. 计算并显示，不写入。"""
    with opened(data) as there:
        made = account(there.inputs(period(language, start_us, end_us), known_seq))
        beside = beside_document(made, there.registry, there.settlement, there.zone)
    if as_json:
        click.echo(json.dumps({**account_document(made), **beside}, ensure_ascii=False))
        return
    _table({name: figure_document(line.figure) for name, line in made.lines.items()}, language)
    _about(made, language)
    for each in beside["checks"]:
        sentence = "%(kind)s %(name)s: metered %(metered)s, recorded %(recorded)s: %(agreement)s"
        click.echo(text(language, sentence, **{**each, "agreement": text(language, each["agreement"])}))
    for each in beside["costs"]:
        click.echo(text(language, "%(tariff)s %(point)s: %(total)s %(currency)s", **each))


def _table(figures: dict[str, dict[str, Any]], language: str) -> None:
    for name, figure in figures.items():
        value = figure["value"] or text(language, "not known")
        expanded = f" ± {figure['expanded']} (k=2)" if figure["expanded"] else ""
        coverage = "" if figure["coverage"] is None else f"  {figure['coverage'] / 10:.1f} %"
        click.echo(f"{name:<44} {value:>16} {figure['unit']}{expanded}{coverage}")
        for reason in figure["reasons"][:3]:
            click.echo(f"    {reason}")


def _about(made: Account, language: str) -> None:
    pack = made.inputs.factors.pack(made.inputs.plan.pack)
    click.echo(text(language, "Rule: %(rule)s", rule=pack["rule"]))
    if pack["defaults_from_operator"]:
        click.echo(text(language, "The pack brings no default values; those used were loaded by the operator."))
    for name, tonnes in sorted(made.exposure.items()):
        line = "%(tonnes)s tCO2 hang on the default %(factor)s"
        click.echo(text(language, line, tonnes=decimal_text(tonnes, 3), factor=name))
    for each in doubts(made.inputs.laboratory):
        click.echo(text(language, "laboratory result %(number)s: %(rule)s", number=each.number, rule=each.rule))


@command.command("budget")
@click.argument("line")
@_FROM
@_TO
@click.option("--draws", type=click.IntRange(100, MAX_DRAWS), help="Draw the causes by chance too, so many times.")
@click.option("--seed", type=int, default=SEED, show_default=True, help="Of the draws: the same seed, the same digits.")
@_DATA
@click.pass_obj
def budget_command(
    language: str, *, line: str, start_us: int, end_us: int, draws: int | None, seed: int, data: Path
) -> None:
    """Which meter, certificate or factor dominates a line's uncertainty. 不确定度分量表。"""
    with opened(data) as there:
        made = account(there.inputs(period(language, start_us, end_us)))
    found = made.lines.get(line)
    if found is None or found.quantity.estimate is None:
        raise UnknownObjectError("there is no line '%(line)s' with a value", line=line)
    table = budget(found.quantity.estimate, made.effects)
    for row in table.contributions:
        name = row.effect.id if row.effect else text(language, "independent")
        basis = row.effect.basis if row.effect else ""
        click.echo(f"{name:<52} {row.contribution:>14.6g} {found.quantity.unit}  {100 * row.share:6.2f} %  {basis}")
    for each in improvements(found.quantity.estimate, made.effects):
        sentence = "one class better for %(effect)s: u falls by %(percent)s %%"
        click.echo(text(language, sentence, effect=each.effect.id, percent=f"{each.saved_percent:.1f}"))
    for name in table.unstated:
        click.echo(text(language, "no uncertainty is stated for %(name)s", name=name))
    sampled = sample_of(made, line, draws=draws, seed=seed) if draws else None
    if sampled is not None:
        sentence = "%(draws)s draws, seed %(seed)s: mean %(mean)s, u %(u)s, 95 %% from %(low)s to %(high)s"
        facts = {name: f"{getattr(sampled, name):.6g}" for name in ("mean", "u", "low", "high")}
        click.echo(text(language, sentence, draws=sampled.draws, seed=sampled.seed, **facts))


@command.command("tiers")
@_FROM
@_TO
@_JSON
@_DATA
@click.pass_obj
def tiers_command(language: str, *, start_us: int, end_us: int, as_json: bool, data: Path) -> None:
    """Grade the activity data of sources by Regulation (EU) 2018/2066. 按欧盟 2018/2066 号法规评定层级。"""
    with opened(data) as there:
        made = account(there.inputs(period(language, start_us, end_us)))
    found = tiers_of(reference().tiers, made)
    if as_json:
        click.echo(json.dumps({"tiers": [asdict(each) for each in found]}, ensure_ascii=False))
        return
    for each in found:
        percent = text(language, "not known") if each.expanded_percent is None else f"{each.expanded_percent:.2g} %"
        tier = text(language, "none") if each.tier is None else str(each.tier)
        sentence = "%(source)s: U %(percent)s, tier %(tier)s by %(law)s (%(standing)s)"
        facts = {"source": each.name, "percent": percent, "tier": tier, "law": each.law, "standing": each.standing}
        click.echo(text(language, sentence, **facts))


@command.command("compute")
@click.argument("id_", metavar="ID")
@_FROM
@_TO
@_DATA
@_ACTOR
@_REASON
@click.pass_obj
def compute_command(
    language: str, *, id_: str, start_us: int, end_us: int, data: Path, actor: str | None, reason: str
) -> None:
    """Compute and record a version of a result. 计算并记录一个结果版本。"""
    with opened(data) as there:
        known = there.registry.applied_seq()
        made = account(there.inputs(period(language, start_us, end_us), known))
        numbers = [each.version for each in results(there.registry, there.folder.organisation) if each.id == id_]
        version = max(numbers, default=0) + 1
        draft = result_draft(
            made,
            id_,
            version,
            known_seq=known,
            at_us=_now(there),
            actor=actor or getpass.getuser(),
            reason=reason,
        )
        _write(there, [draft], language)
        click.echo(
            text(
                language,
                "result %(id)s version %(version)s, inputs %(hash)s",
                id=id_,
                version=version,
                hash=made.inputs.digest()[:16],
            )
        )


@command.command("step")
@click.argument("id_", metavar="ID")
@click.argument("action", type=click.Choice([*STATES[1:], "returned"]))
@click.option("--version", type=int, help="Which version; default: the newest.")
@_DATA
@_ACTOR
@_REASON
@click.pass_obj
def step_command(
    language: str, *, id_: str, action: str, version: int | None, data: Path, actor: str | None, reason: str
) -> None:
    """Submit, verify, freeze or return a result. 提交、核查、冻结或退回。"""
    with opened(data) as there:
        found = result(there.registry, there.folder.organisation, id_, version)
        draft = step_draft(
            found,
            there.folder.organisation,
            action,
            at_us=_now(there),
            actor=actor or getpass.getuser(),
            reason=reason,
        )
        _write(there, [draft], language)


@command.command("list")
@_JSON
@_DATA
@click.pass_obj
def list_command(language: str, *, as_json: bool, data: Path) -> None:
    """Results on record with their states. 结果版本与状态。"""
    with opened(data) as there:
        found = results(there.registry, there.folder.organisation)
    if as_json:
        rows = [{"id": each.id, "version": each.version, "state": each.state, "seq": each.seq} for each in found]
        click.echo(json.dumps({KIND: rows}, ensure_ascii=False))
        return
    for each in found:
        span = f"{iso(each.period.start_us)} {iso(each.period.end_us)}"
        click.echo(f"{each.id} {each.version} {text(language, each.state)} {span} {each.inputs[:16]}")


@command.command("compare")
@click.argument("id_", metavar="ID")
@click.argument("first", type=int)
@click.argument("second", type=int)
@_DATA
@click.pass_obj
def compare_command(language: str, *, id_: str, first: int, second: int, data: Path) -> None:
    """Why two versions differ. 两个版本差异的原因。"""
    with opened(data) as there:
        versions = [result(there.registry, there.folder.organisation, id_, each) for each in (first, second)]
        inputs = []
        for version in versions:
            found = version.inputs_again(there.inputs(version.period, version.known_seq))
            if found is None:
                sentence = "the inputs of version %(version)s cannot be gathered again as they were"
                raise ConfigurationError([text(language, sentence, version=version.version)])
            inputs.append(found)
        for each in compare(inputs[0], inputs[1]):
            before, after = (
                text(language, "not known") if value is None else decimal_text(value, 4)
                for value in (each.before, each.after)
            )
            click.echo(f"{each.line}: {before} → {after} {each.unit}")
            for step in each.steps:
                click.echo(f"    {step.cause}: {decimal_text(step.change, 4)}")
