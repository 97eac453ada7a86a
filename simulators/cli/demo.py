"""``meterproof demo``: a simulated cement works, its history, and the gateway reading it live."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from simulators.demo.commands import CommandError, run_json
from simulators.demo.faults import HOUR_US
from simulators.demo.folder import SITE_FILE, DemoState, port_is_free, settled_ports
from simulators.demo.founding import Progress, found
from simulators.demo.people import Invitation, invite
from simulators.demo.running import READY_S, GatewayEndedError, GatewayMuteError, run_demo
from simulators.demo.serving import now_us
from simulators.demo.site import HOST, site_text
from simulators.texts import say

DEFAULT_PORT = 8420
DEFAULT_DAYS = 35
MAX_DAYS = 1_100
SEED = 20_260_701
_PAST_ALL = str(2**62)
_COUNTED = (0, 1)  # 1: the count is printed, and says that slots and outcomes do not agree (yet)
EXIT_PORT_IN_USE = 1
EXIT_FOLDER = 3


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what is wrong on standard error and leave with the code."""
    click.echo(message, err=True)
    raise click.exceptions.Exit(code)


@click.command("demo")
@click.option(
    "--data", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("demo-data"), show_default=True
)
@click.option(
    "--port", type=click.IntRange(1, 65_535), default=DEFAULT_PORT, show_default=True, help="Port of the pages."
)
@click.option("--for", "duration_s", type=click.FloatRange(1.0, 86_400.0), help="Stop by itself after so many seconds.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object about the live part.")
@click.option("--history-days", type=click.IntRange(0, MAX_DAYS), default=DEFAULT_DAYS, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31), default=SEED, hidden=True)
@click.pass_obj
def command(  # noqa: PLR0917  # one parameter an option
    language: str, folder: Path, port: int, duration_s: float | None, as_json: bool, history_days: int, seed: int
) -> None:
    """Run a simulated cement works and read it. 运行模拟水泥厂演示。"""
    if not port_is_free(port):
        fail(say(language, "Port %(port)s is in use. Name a free one with --port.", port=port), EXIT_PORT_IN_USE)
    url = f"http://{HOST}:{port}/"
    with _told(language, url):
        state = _state(folder, seed, history_days, language)
        invited = invite(folder, language, url, now_us())
        before = run_json(language, "status", folder, "--since-seq", _PAST_ALL, "--json", codes=_COUNTED)
        asyncio.run(
            run_demo(
                folder,
                state,
                port,
                language=language,
                duration_s=duration_s,
                ready=lambda: _announce(language, url, invited),
            )
        )
        click.echo(say(language, "Stopped."), err=True)
        if as_json:
            result = _result(folder, state, language, int(before["head"]))
            result |= {"url": url, "people": [_told_of(each) for each in invited]}
            click.echo(json.dumps(result, ensure_ascii=False))


def _announce(language: str, url: str, invited: list[Invitation]) -> None:
    click.echo(say(language, "A simulated cement works is running; nothing in it is real."), err=True)
    click.echo(say(language, "Open %(url)s  (stop with Ctrl-C)", url=url), err=True)
    click.echo(say(language, "Sign in by one of these links; each is good once:"), err=True)
    for each in invited:
        click.echo(f"  {each.role_name}\n    {each.link}", err=True)


def _state(folder: Path, seed: int, history_days: int, language: str) -> DemoState:
    """The folder's state, founded now when there is none."""
    try:
        state = DemoState.read(folder)
    except (OSError, ValueError) as error:
        facts = {"folder": folder, "reason": str(error)}
        fail(say(language, "%(folder)s cannot be used: %(reason)s", **facts), EXIT_FOLDER)
    if state is None:
        if folder.exists() and any(folder.iterdir()):
            message = "%(folder)s is not empty and holds no demo. Name another folder with --data."
            fail(say(language, message, folder=folder), EXIT_FOLDER)
        with _bar(language, history_days) as progress:
            return found(folder, seed, history_days, now_us=now_us, language=language, progress=progress)
    if not state.complete:
        message = (
            "The history in %(folder)s was interrupted and cannot be continued. Remove the folder and start again."
        )
        fail(say(language, message, folder=folder), EXIT_FOLDER)
    click.echo(say(language, "Continuing the demo in %(folder)s.", folder=folder), err=True)
    ports = settled_ports(state.ports)
    if ports != state.ports:
        state.ports = ports
        (folder / SITE_FILE).write_text(site_text(ports), encoding="utf-8")
        state.write(folder)
    return state


@contextmanager
def _bar(language: str, days: int) -> Iterator[Progress]:
    label = say(language, "Writing %(days)s days of history", days=days)
    with click.progressbar(length=max(days * 24, 1), label=label, file=sys.stderr) as bar:
        carried = [0]

        def progress(written_us: int) -> None:
            carried[0] += written_us
            hours, carried[0] = divmod(carried[0], HOUR_US)
            bar.update(hours)

        yield progress


@contextmanager
def _told(language: str, url: str) -> Iterator[None]:
    """Every failure as a sentence."""
    try:
        yield
    except CommandError as error:
        facts = {"command": error.command, "code": error.code, "reason": error.reason}
        fail(say(language, "`%(command)s` ended with code %(code)s: %(reason)s", **facts), error.code or 1)
    except GatewayEndedError as error:
        message = say(language, "The gateway ended by itself with code %(code)s.", code=error.code)
        fail(message, error.code or 1)
    except GatewayMuteError:
        facts = {"url": url, "seconds": int(READY_S)}
        fail(say(language, "The gateway did not answer at %(url)s within %(seconds)s s.", **facts))
    except OSError as error:
        facts = {"folder": error.filename or url, "reason": error.strerror or str(error)}
        fail(say(language, "%(folder)s cannot be used: %(reason)s", **facts), EXIT_FOLDER)


def _result(folder: Path, state: DemoState, language: str, since_seq: int) -> dict[str, Any]:
    """What the live part brought, and the entries and findings of the whole folder."""
    whole = run_json(language, "status", folder, "--json", codes=_COUNTED)
    live = run_json(language, "status", folder, "--since-seq", str(since_seq), "--json", codes=_COUNTED)
    return {
        "readings": live["readings"],
        "slots": live["slots"],
        "outcomes": live["outcomes"],
        "by_protocol": live["by_protocol"],
        "simulated": True,
        "history": state.history,
        "entries": whole["head"],
        "findings": whole["findings"],
    }


def _told_of(each: Invitation) -> dict[str, str]:
    return {"account": each.account, "role": each.role, "link": each.link}
