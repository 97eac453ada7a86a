"""``meterproof certificate effect``, ``decide``, ``outlook`` and ``policy``: what a failure did, what a person decided
about it, what comes, and by which rules."""

import dataclasses
import json
from datetime import datetime
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from gateway.assembly.reading import OpenFolder, open_for_reading
from gateway.audit.look_ahead import look_ahead
from gateway.audit.look_back import LookBack, look_back
from gateway.audit.look_back_decision import Wish, decision_draft
from gateway.audit.look_back_results import TouchedResult
from gateway.audit.look_back_spans import EffectOn, Questioned
from gateway.audit.questioned import DECISIONS, Decision
from gateway.cli.asked import ACTOR, AS_JSON, DATA, REASON, RECORDED_AT, WHY, Moment, present, recording_time
from gateway.domain.time import iso
from gateway.i18n import text
from gateway.i18n.rules import rule_title
from gateway.i18n.terms import term
from gateway.journal.audit_event import circumstances
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.metrology.conformity import RULES
from gateway.metrology.limits import in_service_factors
from gateway.metrology.policy import CORRECTION_MODES
from gateway.registry.importing import LedgerState
from gateway.registry.recording import object_draft

_AS_OF = click.option("--as-of", "as_of_us", type=Moment(), help="What held then (RFC 3339); default: now.")


@click.command("effect")
@click.argument("number", default="")
@_AS_OF
@AS_JSON
@DATA
@click.pass_obj
def effect(language: str, /, number: str, as_of_us: int | None, *, as_json: bool, data: Path) -> None:
    """What a failing or withdrawn certificate puts in question. 不合格或撤销证书的追溯影响。

    Readings since the last good evidence, the bound and the estimate of the effect on every total, and the results and
    reports made before it was known. Without NUMBER: everything in question.
    """
    with _opened(data) as reader:
        found = look_back(reader.sources, reader.asking(_at(reader, as_of_us)), number)
    if as_json:
        click.echo(json.dumps(_plain(found), ensure_ascii=False))
        return
    for line in _effect_lines(language, found):
        click.echo(line)


def _effect_lines(language: str, found: LookBack) -> list[str]:
    lines = [] if found.spans else [text(language, "nothing is in question")]
    if found.past:
        lines.append(text(language, "Decisions whose verdict no longer stands:"))
        lines += [_decision_line(language, each) for each in found.past]
    if not found.spans:
        return lines
    for each in found.spans:
        lines += _span_lines(language, each)
    lines.append(text(language, "Results and reports made before it was known:"))
    if not found.results:
        lines.append("  " + text(language, "none"))
    for touched in found.results:
        lines += _result_lines(language, touched)
    return lines


def _span_lines(language: str, span: Questioned) -> list[str]:
    until = iso(span.to_us) if span.to_us is not None else text(language, "until today")
    place = f"{span.point}  {span.instrument}  {span.certificate}  {iso(span.from_us)} – {until}"
    lines = [f"{place}  #{span.entry_seq}  {term(language, 'look_back_state', span.state)}"]
    error = "" if span.error_percent is None else f"  {span.error_percent:+g} %"
    lines.append(f"  {rule_title(language, span.rule)}{error}")
    if not span.possible:
        lines.append("  " + text(language, "nobody said how large the error was: ask for as-found results"))
    lines += [_effect_line(language, each) for each in ([span.total] if span.total else []) + list(span.months)]
    return lines + [_decision_line(language, each) for each in span.decisions]


def _decision_line(language: str, each: Decision) -> str:
    named = "".join(f"  #{seq}" for seq in each.entries) + (f"  {each.result}" if each.result else "")
    word = term(language, "look_back_state", each.decision)
    return f"  #{each.entry_seq}  {word}{named}  {iso(each.at_us)}  {each.actor}: {each.reason}"


def _result_lines(language: str, touched: TouchedResult) -> list[str]:
    lines = [f"  {touched.id}  {touched.version}  #{touched.entry_seq}  {iso(touched.from_us)} – {iso(touched.to_us)}"]
    if touched.reason:
        lines.append("    " + text(language, touched.reason))
    elif not touched.figures:
        lines.append("    " + text(language, "no figure of it hangs on these readings"))
    return [*lines, *("  " + _effect_line(language, each) for each in touched.figures)]


def _effect_line(language: str, each: EffectOn) -> str:
    start = f"  {each.id}  {iso(each.from_us)} – {iso(each.to_us)}  "
    if each.bound is None or each.estimate is None or each.u is None:
        return start + text(language, "not known")
    facts = {"bound": f"{each.bound:.6g}", "estimate": f"{each.estimate:.6g}", "u": f"{each.u:.2g}", "unit": each.unit}
    said = text(language, "at most %(bound)s %(unit)s, estimate %(estimate)s %(unit)s (u = %(u)s)", **facts)
    if each.significant is None:
        return start + said
    weight = text(language, "significant") if each.significant else text(language, "within a third of U")
    return f"{start}{said}; {weight}"


@click.command("decide")
@click.argument("verdict", type=click.IntRange(1))
@click.argument("decision", type=click.Choice(DECISIONS))
@WHY
@click.option("--entry", "entries", type=click.IntRange(1), multiple=True, help="Entry that says what was done.")
@click.option("--result", default="", help="With restated: the version that restates, such as 2026-03/2.")
@ACTOR
@RECORDED_AT
@DATA
@click.pass_obj
def decide(language: str, /, verdict: int, decision: str, *, data: Path, **options: Any) -> None:
    """Record what a person decided about readings in question. 记录追溯影响的裁定。

    VERDICT is the number that 'certificate effect' prints with #. No reading and no total is changed by it.
    """
    folder = DataFolder.open(data)
    recording_time(folder, options["at_us"])
    with open_for_reading(folder) as reader, Journal.open(folder) as journal:
        at_us = _at(reader, options["at_us"])
        wish = Wish(
            verdict=verdict,
            decision=decision,
            reason=options["reason"],
            entries=options["entries"],
            result=options["result"],
        )
        draft = decision_draft(
            reader.sources,
            reader.asking(at_us),
            wish,
            actor=options["actor"],
            at_us=at_us,
            circumstances=circumstances(folder, journal),
        )
        seq = journal.append([draft])[0]
    word = term(language, "look_back_state", decision)
    click.echo(text(language, "on record as entry %(seq)s: %(decision)s", seq=seq, decision=word))


@click.command("outlook")
@_AS_OF
@AS_JSON
@DATA
@click.pass_obj
def outlook(language: str, *, as_of_us: int | None, as_json: bool, data: Path) -> None:
    """When instruments may reach their limits, from their own history. 超差风险日期。"""
    with _opened(data) as reader:
        found = look_ahead(reader.sources, reader.asking(_at(reader, as_of_us)))
    if as_json:
        click.echo(json.dumps({id_: {**_plain(each), "act_by": _plain(each.act_by)} for id_, each in found.items()}))
        return
    for each in sorted(found.values(), key=lambda one: (str(one.act_by or "9999"), one.instrument)):
        risk = str(each.risk_on or text(language, "none foreseen"))
        drift = f"{each.drift:+.3g} %/a" if each.basis == "history" else text(language, "one determination so far")
        click.echo(f"{each.instrument}  {risk}  {each.due_on or '-'}  {each.error:+g} % ± {each.expanded:g} %  {drift}")


@click.command("policy")
@click.option("--decision-rule", type=click.Choice(sorted(RULES)), help="How errors are held against limits.")
@click.option("--correction", type=click.Choice(CORRECTION_MODES), help="With which error amounts are judged.")
@click.option(
    "--jurisdiction",
    type=click.Choice(sorted({place for place, _kind in in_service_factors()})),
    help="Whose limits hold in service.",
)
@click.option("--from", "from_us", type=Moment(), help="Holds from this moment on; default: for all time.")
@DATA
@ACTOR
@REASON
@RECORDED_AT
@click.pass_obj
def policy(language: str, /, *, data: Path, **options: Any) -> None:
    """Record by which rules this site's readings are judged. 记录判定规则、修正方式与法域。

    A point may say otherwise in its own record. Nothing that was judged before is edited: verdicts that now differ are
    closed and opened anew.
    """
    folder = DataFolder.open(data)
    at_us = recording_time(folder, options["at_us"])
    said = {
        "decision_rule": options["decision_rule"],
        "correction_mode": options["correction"],
        "jurisdiction": options["jurisdiction"],
    }
    with Journal.open(folder) as journal:
        state = LedgerState.read(journal, folder.organisation)
        known = dict(state.versions["site", folder.site][-1].object) if state.has("site", folder.site) else {}
        object_ = {**known, **{name: value for name, value in said.items() if value}}
        draft = object_draft(
            "site",
            folder.organisation,
            folder.site,
            object_,
            at_us=at_us,
            from_us=options["from_us"],
            to_us=None,
            actor=options["actor"],
            reason=options["reason"],
            source="",
        )
        journal.append([draft])
    shown = ", ".join(f"{name} {value}" for name, value in object_.items() if name in said)
    click.echo(text(language, "on record for the site: %(policy)s", policy=shown))


def _opened(data: Path) -> OpenFolder:
    return open_for_reading(DataFolder.open(data, read_only=True))


def _at(reader: OpenFolder, as_of_us: int | None) -> int:
    return present(reader.folder, reader.sources.registry) if as_of_us is None else as_of_us


def _plain(value: object) -> Any:  # any JSON value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime) or hasattr(value, "isoformat"):
        return value.isoformat()
    return value
