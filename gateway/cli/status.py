"""``meterproof status``: what was collected, and whether every slot ended in exactly one outcome."""

import json
from pathlib import Path

import click

from gateway.acquisition.balance import SlotBalance
from gateway.assembly.plugins import drivers, is_polling
from gateway.domain.errors import UnknownObjectError
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.ports import Document, ReadPlan
from gateway.projection.conflicts import CONFLICT
from gateway.registry.registry import Registry

EXIT_DISAGREE = 1


@click.command("status")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--data", type=click.Path(path_type=Path), help="Data folder; may also stand without '--data'.")
@click.option("--since-seq", type=click.IntRange(0), default=0, help="Count only entries after this number.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def command(language: str, *, folder: Path | None, data: Path | None, since_seq: int, as_json: bool) -> None:
    """Count slots, outcomes and readings of a data folder. 统计数据文件夹的采集时隙、结果与读数。"""
    path = data or folder
    if path is None:
        raise click.UsageError(text(language, "name the data folder"))
    opened = DataFolder.open(path, read_only=True)
    with Journal.open(opened, read_only=True) as journal:
        balance = SlotBalance(journal, _load_plan)
        balance.read(since_seq)
        report = {**balance.report(), "simulated": opened.simulated, "head": journal.head()}
    report["conflicts"] = _conflicts(opened)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _sentences(report, language))
    if not report["agree"]:
        click.get_current_context().exit(EXIT_DISAGREE)


def _conflicts(folder: DataFolder) -> int:
    """Conflicts between two values for one time that nobody has decided; 0 before the first projection."""
    if not folder.registry.exists():
        return 0
    registry = Registry.open(folder.registry)
    try:
        return sum(each.to_us is None for each in registry.verdicts(folder.organisation, rule=CONFLICT))
    finally:
        registry.close()


def _load_plan(protocol: str, document: Document) -> ReadPlan:
    driver = drivers().get(protocol)
    if driver is None or not is_polling(driver):
        raise UnknownObjectError("no driver speaks '%(protocol)s' here", protocol=protocol)
    return driver.load_plan(document)


def _sentences(report: Document, language: str) -> str:
    lines = [
        text(
            language,
            "%(entries)s entries, %(slots)s slots, %(readings)s readings.",
            entries=report["entries"],
            slots=report["slots"],
            readings=report["readings"],
        ),
        *(f"  {name}: {count}" for name, count in report["outcomes"].items()),
        *(f"  {name}: {count}" for name, count in report["findings"].items()),
    ]
    if report["agree"]:
        lines.append(text(language, "Every scheduled slot ended in exactly one outcome."))
    else:
        lines.append(
            text(
                language,
                "Slots and outcomes do not agree: %(differing)s lines differ, %(overdue)s slots are overdue.",
                differing=len(report["differing"]),
                overdue=report["overdue"],
            )
        )
    if report["conflicts"]:
        message = "%(count)s conflicts wait for a decision: 'meterproof conflict list'."
        lines.append(text(language, message, count=report["conflicts"]))
    if report["simulated"]:
        lines.append(text(language, "Everything in this folder is simulated."))
    return "\n".join(lines)
