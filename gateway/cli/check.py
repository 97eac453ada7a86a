"""``meterproof check SITE``: every problem at once, and the read plans that would run."""

import json
from pathlib import Path

import click

from gateway.assembly.site_loading import (
    AssembledEndpoint,
    AssembledSite,
    Timetabling,
    examine_site,
    polled_groups,
    problem_line,
)
from gateway.domain.errors import ConfigurationError
from gateway.i18n import text
from gateway.ports import Document, ReadPlan


@click.command("check")
@click.argument("site", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object: problems, devices, plans.")
@click.pass_obj
def command(language: str, site: Path, as_json: bool) -> None:
    """Check a site file and the profiles it names. 检查站点文件。"""
    assembled, problems = examine_site(site)
    lines = [problem_line(problem, language) for problem in problems]
    if as_json:
        click.echo(json.dumps(_report(assembled, lines), ensure_ascii=False))
    if problems:
        raise ConfigurationError([] if as_json else lines)
    if assembled is not None and not as_json:
        _print_plans(assembled, language)


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


def _print_plans(assembled: AssembledSite, language: str) -> None:
    for endpoint in assembled.endpoints:
        click.echo(f"{endpoint.id} ({endpoint.protocol})")
        share = _share(endpoint)
        if share is not None:
            percent = f"{share / 10:.1f}"
            click.echo("  " + text(language, "predicted to need %(percent)s %% of the line's time", percent=percent))
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


def _print_requests(plan: ReadPlan | None, language: str) -> None:
    """What is asked in one poll, where the driver's plan says it by function, address and count."""
    for request in [] if plan is None else plan.document().get("requests", []):
        if {"function", "address", "count"} <= request.keys():
            click.echo("    " + text(language, "function %(function)s: %(count)s from address %(address)s", **request))
