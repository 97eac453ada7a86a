"""``meterproof check SITE``: every problem at once, the read plans that would run, and what was measured so far."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from gateway.assembly.file_problems import problem_line
from gateway.assembly.measured_times import MeasuredLine, measured_line, poll_times_us
from gateway.assembly.site_loading import (
    AssembledEndpoint,
    AssembledSite,
    Timetabling,
    examine_site,
    polled_groups,
)
from gateway.domain.errors import ConfigurationError
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.ports import Document, ReadPlan


@click.command("check")
@click.argument("site", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object: problems, devices, plans.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Data folder: print what its latest polls took beside the prediction.",
)
@click.pass_obj
def command(language: str, site: Path, as_json: bool, data: Path | None) -> None:
    """Check a site file and the profiles it names. 检查站点文件。"""
    assembled, problems = examine_site(site)
    lines = [problem_line(problem, language) for problem in problems]
    measured = _measured(assembled, data) if assembled is not None and data is not None else {}
    if as_json:
        report = _report(assembled, lines)
        if data is not None:
            report["measured"] = {name: asdict(each) for name, each in measured.items()}
        click.echo(json.dumps(report, ensure_ascii=False))
    if problems:
        raise ConfigurationError([] if as_json else lines)
    if assembled is not None and not as_json:
        _print_plans(assembled, measured, language)


def _measured(assembled: AssembledSite, data: Path) -> dict[str, MeasuredLine]:
    """What the latest polls of a data folder took, by polled endpoint."""
    with Journal.open(DataFolder.open(data, read_only=True), read_only=True) as journal:
        times_us = poll_times_us(journal)
    found = {each.id: measured_line(each.devices, times_us) for each in assembled.endpoints}
    return {name: each for name, each in found.items() if each is not None}


def _report(assembled: AssembledSite | None, lines: list[str]) -> Document:
    report: Document = {"ok": assembled is not None, "problems": lines, "devices": {}, "plans": {}}
    for each in assembled.devices if assembled else ():
        report["devices"][each.device.id] = {
            "endpoint": each.device.endpoint,
            "protocol": each.device.protocol,
            "profile": each.device.profile,
            "groups": {group.id: group.period_us for group in each.device.groups},
        }
        report["plans"][each.device.id] = {group: plan.document() for group, plan in each.plans.items()}
    report["utilisation_permille"] = {
        each.id: share for each in (assembled.endpoints if assembled else ()) if (share := _share(each)) is not None
    }
    return report


def _share(endpoint: AssembledEndpoint) -> int | None:
    """The share of an endpoint's time that its groups are predicted to need, permille; None where it is not asked."""
    if not isinstance(endpoint.driver, Timetabling):
        return None
    return endpoint.driver.utilisation_permille(endpoint.connection, polled_groups(endpoint.devices))


def _print_plans(assembled: AssembledSite, measured: Mapping[str, MeasuredLine], language: str) -> None:
    for endpoint in assembled.endpoints:
        click.echo(f"{endpoint.id} ({endpoint.protocol})")
        share = _share(endpoint)
        if share is not None:
            percent = f"{share / 10:.1f}"
            click.echo("  " + text(language, "predicted to need %(percent)s %% of the line's time", percent=percent))
        if endpoint.id in measured:
            click.echo("  " + _measured_sentence(measured[endpoint.id], language))
        for each in endpoint.devices:
            for group in each.device.groups:
                requests = len(each.plans[group.id].requests) if group.id in each.plans else 0
                click.echo(
                    "  "
                    + text(
                        language,
                        "%(device)s / %(group)s: %(channels)s channels, %(requests)s request(s) every %(period)s s",
                        device=each.device.id,
                        group=group.id,
                        channels=len(group.channels),
                        requests=requests,
                        period=group.period_us // 1_000_000,
                    )
                )
                _print_requests(each.plans.get(group.id), language)
    click.echo(text(language, "No problems found in %(file)s.", file=str(assembled.path)))


def _measured_sentence(line: MeasuredLine, language: str) -> str:
    return text(
        language,
        "measured: %(percent)s %% of the line's time, a poll in %(median)s ms (95 %% in %(most)s ms), %(count)s polls",
        percent=f"{line.permille / 10:.1f}",
        median=f"{line.median_ms:.1f}",
        most=f"{line.most_ms:.1f}",
        count=line.polls,
    )


def _print_requests(plan: ReadPlan | None, language: str) -> None:
    """What is asked in one poll, where the driver's plan says it by function, address and count."""
    for request in [] if plan is None else plan.document().get("requests", []):
        if {"function", "address", "count"} <= request.keys():
            click.echo("    " + text(language, "function %(function)s: %(count)s from address %(address)s", **request))
