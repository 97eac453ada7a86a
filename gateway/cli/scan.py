"""``meterproof scan``: which units answer on a bus, and who they say they are."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import parse_qsl, urlsplit

import click

from config.site import load_site
from gateway.assembly.file_problems import problem_line
from gateway.assembly.platform import SystemClock, SystemRandom, SystemStreams
from gateway.assembly.plugins import drivers
from gateway.domain.errors import ConfigurationError, MeterproofError, UnknownObjectError
from gateway.i18n import text
from gateway.i18n.recorded import detail
from gateway.ports import Clock, Link, PollingDriver

MAX_UNIT = 255


@runtime_checkable
class Scanning(Protocol):
    """A polling driver that can look for units."""

    def scan(
        self, open_link: Callable[[], Link], units: Iterable[int], timeout_s: float, clock: Clock
    ) -> AsyncIterator[Any]:
        """What each unit brought, one after the other; OSError when the endpoint is out of reach."""
        ...


@click.command("scan")
@click.argument("target")
@click.option("--endpoint", help="With a site file as TARGET: which of its endpoints.")
@click.option("--first", type=click.IntRange(0, MAX_UNIT), default=1, show_default=True)
@click.option("--last", type=click.IntRange(0, MAX_UNIT), default=247, show_default=True)
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(0.02, 10), default=0.3, show_default=True, help="Seconds."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def command(
    language: str, *, target: str, endpoint: str | None, first: int, last: int, timeout_s: float, as_json: bool
) -> None:
    """Look for units at an endpoint. 扫描总线上的从站。

    TARGET is a site file (with --endpoint) or an address: tcp://10.0.0.5:502, rtu_over_tcp://10.0.0.5:4001,
    rtu:///dev/ttyUSB0?baud=9600&parity=none
    """
    connection = (
        _from_site(Path(target), endpoint, language) if "://" not in target else _from_address(target, language)
    )
    driver = drivers()["modbus"]
    assert isinstance(driver, Scanning)
    polling: PollingDriver = driver  # type: ignore[assignment]  # every scanning driver polls
    problems = polling.check_connection(connection)
    if problems:
        raise ConfigurationError([text(language, each.message, **each.facts) for each in problems])
    if last < first:
        raise click.UsageError(text(language, "'--last' must not lie before '--first'"))
    units = range(first, last + 1)
    try:
        found = asyncio.run(_scan(driver, connection, units, timeout_s, None if as_json else language))
    except OSError as error:
        raise MeterproofError(
            "the endpoint cannot be reached: %(reason)s", reason=detail(language, str(error))
        ) from error
    if as_json:
        click.echo(json.dumps({"units": [each.document() for each in found if each.state != "silent"]}))
    else:
        answering = sum(each.state == "answers" for each in found)
        click.echo(text(language, "%(count)s of %(asked)s units answer", count=answering, asked=len(found)))


async def _scan(
    driver: Scanning,
    connection: dict[str, Any],
    units: Iterable[int],
    timeout_s: float,
    language: str | None,
) -> list[Any]:
    clock = SystemClock()
    polling: PollingDriver = driver  # type: ignore[assignment]  # every scanning driver polls

    def open_link() -> Link:
        return polling.open("scan", connection, clock=clock, streams=SystemStreams(), random=SystemRandom())

    found = []
    async for each in driver.scan(open_link, units, timeout_s, clock):
        found.append(each)
        if language is not None and each.state != "silent":
            click.echo(_line(each, language))
    return found


def _line(found: Any, language: str) -> str:  # the driver's own row
    state = text(language, "unit answers") if found.state == "answers" else text(language, "unit is disturbed")
    names = ", ".join(found.identification.values())
    parts = [f"{found.unit:>3}", state, f"{found.elapsed_ms:.0f} ms", detail(language, found.detail), names]
    return "  ".join(part for part in parts if part)


def _from_site(path: Path, endpoint: str | None, language: str) -> dict[str, Any]:
    site, _, problems = load_site(path)
    if site is None or problems:
        raise ConfigurationError([problem_line(problem, language) for problem in problems])
    chosen = [each for each in site.endpoints if each.protocol == "modbus" and endpoint in {None, each.id}]
    if len(chosen) != 1:
        names = ", ".join(each.id for each in site.endpoints if each.protocol == "modbus")
        raise UnknownObjectError("name one Modbus endpoint with --endpoint: %(names)s", names=names or "-")
    return chosen[0].connection


def _from_address(target: str, language: str) -> dict[str, Any]:
    try:
        parts = urlsplit(target)
        port = parts.port
    except ValueError as error:
        message = "'%(value)s' is no address; example: tcp://10.0.0.5:502"
        raise click.BadParameter(text(language, message, value=target), param_hint="TARGET") from error
    connection: dict[str, Any] = {"transport": parts.scheme}
    if parts.hostname:
        connection["host"] = parts.hostname
        if port is not None:
            connection["port"] = port
    else:
        connection["path"] = parts.path
    for key, value in parse_qsl(parts.query):
        connection[key] = int(value) if value.isdecimal() else value
    return connection
