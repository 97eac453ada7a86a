"""``meterproof watch``: watch every node's meters, print what was found, open check orders about those in doubt."""

import json
from pathlib import Path
from typing import Any

import click

from gateway.assembly.reading import OpenFolder, open_for_reading
from gateway.audit.plant import plant
from gateway.audit.watch import MAX_WINDOW_DAYS, WINDOW_DAYS, WatchedNodeView, WatchedPoint, watched_nodes
from gateway.audit.watch_identity import PointIdentities, point_identities
from gateway.audit.watch_words import evidence_of, reason_text, state_text
from gateway.cli.asked import ACTOR, AS_JSON, DATA, present
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import iso
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.replacement_steps import open_check_order
from gateway.registry.replacing import ReplacementBook


@click.command("watch")
@DATA
@click.option("--node", default="", help="One node of the metering network; default: all.")
@click.option(
    "--days",
    type=click.IntRange(7, MAX_WINDOW_DAYS),
    default=WINDOW_DAYS,
    show_default=True,
    help="How many settled days to look at.",
)
@click.option("--order", is_flag=True, help="Open a check order about every meter in doubt.")
@ACTOR
@AS_JSON
@click.pass_obj
def command(language: str, *, data: Path, node: str, days: int, order: bool, actor: str, as_json: bool) -> None:
    """Watch meters in service by the balances of their nodes. 在用计量器具失准监视。"""
    folder = DataFolder.open(data)
    with open_for_reading(folder) as reader:
        now_us = present(folder, reader.sources.registry)
        asking = reader.asking(now_us)
        there = plant(reader.sources, asking)
        if node and node not in there.points:
            raise UnknownObjectError("the ledger has no metering point %(id)s at that moment", id=node)
        views = watched_nodes(reader.sources, asking, days=days, node=node, there=there)
        identities = [] if node else point_identities(reader.sources, asking, there)
        ordered = _order(reader, folder, views, at_us=now_us, language=language, actor=actor) if order else {}
    if as_json:
        click.echo(json.dumps(_document(views, identities, ordered), ensure_ascii=False))
        return
    for view in views:
        _print_node(view, language)
    _print_identities(identities, language)
    for point, seq in ordered.items():
        click.echo(text(language, "%(point)s: check order opened, entry %(seq)s", point=point, seq=seq))


def _order(
    reader: OpenFolder, folder: DataFolder, views: list[WatchedNodeView], *, at_us: int, language: str, actor: str
) -> dict[str, int]:
    """One order for each suspect that has none yet; a check, never a verdict."""
    found: dict[str, int] = {}
    reason = text(language, "in-service watch: the balance of its node speaks against this meter")
    for view in views:
        for each in view.suspects:
            book = ReplacementBook.of(reader.sources.registry, folder.organisation)
            if each.point.id in found or book.open_order(instrument=each.instrument) is not None:
                continue
            draft = open_check_order(
                book,
                point=each.point.id,
                evidence=evidence_of(view, each, language),
                actor=actor,
                reason=reason,
                at_us=at_us,
            )
            with Journal.open(folder) as journal:
                found[each.point.id] = journal.append([draft])[0]
    return found


def _print_node(view: WatchedNodeView, language: str) -> None:
    span = {"start": iso(view.used_from_us), "end": iso(view.to_us), "hours": view.hours}
    click.echo(text(language, "%(node)s: %(hours)s hours, %(start)s to %(end)s", node=view.point.id, **span))
    for reason in _reasons(view):
        click.echo("  " + text(language, "not judged: %(why)s", why=reason_text(language, reason)))
    for each in view.children:
        click.echo("  " + _line(each, language))


def _reasons(view: WatchedNodeView) -> list[str]:
    return [*view.reasons, *(view.gate.reasons if view.gate is not None else ())]


def _line(each: WatchedPoint, language: str) -> str:
    found = each.estimate
    if found is None:
        return f"{each.point.id:<28} —"
    numbers = f"{100 * found.error:+8.2f} % ± {200 * found.u:5.2f} %  p {found.p:4.2f}  gain {found.gain:4.2f}"
    return f"{each.point.id:<28}{numbers}  L {100 * found.limit:4.2f} %  {state_text(language, found.state)}"


def _print_identities(identities: list[PointIdentities], language: str) -> None:
    for each in identities:
        for residual in each.differing:
            sentence = "%(point)s: %(identity)s differs by %(percent)s %% over %(count)s readings"
            facts: dict[str, Any] = {
                "point": each.point.id,
                "identity": reason_text(language, residual.identity),
                "percent": f"{100 * (residual.mean or 0):+.2f}",
                "count": residual.count,
            }
            click.echo(text(language, sentence, **facts))


def _document(
    views: list[WatchedNodeView], identities: list[PointIdentities], ordered: dict[str, int]
) -> dict[str, Any]:
    return {
        "nodes": [
            {
                "node": view.point.id,
                "from": iso(view.used_from_us),
                "to": iso(view.to_us),
                "hours": view.hours,
                "open": view.gate is not None and view.gate.open,
                "reasons": [str(each) for each in _reasons(view)],
                "meters": [
                    {
                        "point": each.point.id,
                        "instrument": each.instrument,
                        "error": each.estimate.error,
                        "u": each.estimate.u,
                        "gain": each.estimate.gain,
                        "limit": each.estimate.limit,
                        "p": each.estimate.p,
                        "state": str(each.estimate.state),
                    }
                    for each in view.children
                    if each.estimate is not None
                ],
            }
            for view in views
        ],
        "identities": [
            {
                "point": each.point.id,
                "identity": str(residual.identity),
                "count": residual.count,
                "mean": residual.mean,
                "agreement": str(residual.agreement),
            }
            for each in identities
            for residual in each.residuals
        ],
        "orders": ordered,
    }
