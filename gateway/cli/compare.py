"""``meterproof compare``: stack against fuel, step by step, with the causes of the difference."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import click

from gateway.assembly.reading import open_for_reading
from gateway.audit.accounts import year_to_date
from gateway.audit.stack_comparison import StackComparison, comparison, comparison_table
from gateway.audit.stack_words import cause_text, judgement_text, relation_text
from gateway.cli.asked import AS_JSON, DATA, Day, present
from gateway.domain.time import iso
from gateway.i18n import text
from gateway.journal.folder import DataFolder


@click.command("compare")
@DATA
@click.option("--stack", default="", help="Which stack of the plan; default: the first.")
@click.option("--first", type=Day(), help="First civil day; default: the beginning of the year.")
@click.option("--last", type=Day(), help="Last civil day; default: yesterday.")
@click.option("--step", type=click.Choice(["hour", "day", "month", "year"]), default="month", show_default=True)
@AS_JSON
@click.pass_obj
def command(
    language: str, *, data: Path, stack: str, first: date | None, last: date | None, step: str, as_json: bool
) -> None:
    """Compare the stack with fuel-side accounting. 在线监测与燃料端核算的差异研究。"""
    if first is not None and last is not None and last < first:
        raise click.UsageError(text(language, "'--last' must not lie before '--first'"))
    folder = DataFolder.open(data)
    with open_for_reading(folder) as reader:
        asking = reader.asking(present(folder, reader.sources.registry))
        begin, end = year_to_date(reader.sources, asking)
        found = comparison(reader.sources, asking, first=first or begin, last=last or end, step=step, stack=stack)
    if as_json:
        click.echo(json.dumps(_document(found), ensure_ascii=False))
        return
    _print(found, language)


def _print(found: StackComparison, language: str) -> None:
    click.echo(f"{found.name_zh if language == 'zh' else found.name_en}  {found.first} – {found.last}")
    click.echo(text(language, "Rule: %(law)s", law=found.pack.law))
    if found.pack.empty:
        click.echo(text(language, "The text has not been read: no number is in this pack."))
    if not found.pack.chinese:
        click.echo(text(language, "This is not a Chinese rule."))
    for each in (*found.steps, found.total):
        sides = f"{each.stack.value or '—':>14} ± {each.stack.expanded or '—':<10}"
        sides += f"{each.fuel.value or '—':>14} ± {each.fuel.expanded or '—':<10}"
        judged = f"{each.difference or '—':>14} ({each.limit or '—'})  {judgement_text(language, each.agreement)}"
        causes = ", ".join(cause_text(language, cause) for cause in each.causes)
        click.echo(f"{iso(each.start_us)} {each.compared:>5}/{each.hours:<5} {sides} {judged}  {causes}".rstrip())
    parts = found.decomposition
    if parts is None:
        sentence = "No reference time is planned, or nothing can be compared: causes are not told apart."
        click.echo(text(language, sentence))
        return
    for relation in parts.relations:
        name = relation_text(language, relation.name)
        click.echo(f"  {name}: {100 * relation.change:+.2f} % ± {200 * relation.u:.2f} %")
    for cause in parts.causes:
        sentence = "speaks for: %(cause)s, %(error)s %% ± %(u)s %%, %(tonnes)s tCO2 of the difference"
        facts: dict[str, Any] = {
            "cause": cause_text(language, cause.name),
            "error": f"{100 * cause.error:+.2f}",
            "u": f"{200 * cause.u:.2f}",
            "tonnes": f"{cause.contribution:+.1f}",
        }
        click.echo(text(language, sentence, **facts))
    if parts.alike:
        names = ", ".join(cause_text(language, each) for each in parts.alike)
        click.echo(text(language, "not told apart: %(causes)s", causes=names))
    if parts.agrees:
        click.echo(text(language, "nothing stands out against the reference time"))


def _document(found: StackComparison) -> dict[str, Any]:
    columns, rows = comparison_table(found)
    parts = found.decomposition
    return {
        "stack": found.stack,
        "pack": found.pack.id,
        "first": found.first.isoformat(),
        "last": found.last.isoformat(),
        "columns": columns,
        "steps": rows[:-1],
        "total": rows[-1],
        "hours": dict(found.hours.states),
        "availability": {"co2": found.availability_co2, "flow": found.availability_flow},
        "causes": []
        if parts is None
        else [
            {"name": each.name, "error": each.error, "u": each.u, "tonnes": each.contribution} for each in parts.causes
        ],
        "alike": [] if parts is None else list(parts.alike),
    }
