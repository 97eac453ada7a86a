"""``meterproof simulate PLANT.yaml``: serve a described plant to whoever asks, and keep its truth."""

import asyncio
import json
import signal
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NoReturn

import click

from simulators.demo.serving import now_us
from simulators.described.format import load_plant
from simulators.described.running import DescribedPlant
from simulators.faults.fault import KINDS
from simulators.profiles import UnusableProfileError
from simulators.texts import say
from simulators.truth import TruthLog

EXIT_FILE = 2


@click.command("simulate")
@click.argument("plant", type=click.Path(path_type=Path), required=False)
@click.option(
    "--for", "duration_s", type=click.FloatRange(0.1, 864_000.0), help="Stop by itself after so many seconds."
)
@click.option("--truth", type=click.Path(path_type=Path, dir_okay=False), help="Write the truth log to this file.")
@click.option("--json", "as_json", is_flag=True, help="First line: one JSON object with the ports.")
@click.option("--faults", "list_faults", is_flag=True, help="List the kinds of faults and leave.")
@click.pass_obj
def command(
    language: str, *, plant: Path | None, duration_s: float | None, truth: Path | None, as_json: bool, list_faults: bool
) -> None:
    """Serve simulated meters described in a file. 运行文件所描述的模拟表计。"""
    if list_faults:
        for name, kind in KINDS.items():
            settings = ", ".join(f"{key}={value}" for key, value in kind.parameters.items())
            click.echo(f"{name:20} {kind.place:8} {kind.zh if language == 'zh' else kind.en}  {settings}".rstrip())
        return
    if plant is None:
        raise click.UsageError("PLANT.yaml")
    file, problems = load_plant(plant)
    for problem in problems:
        click.echo(f"{problem.file}:{problem.line}:{problem.column}: {problem.message % problem.facts}", err=True)
    if file is None:
        raise click.exceptions.Exit(EXIT_FILE)
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(truth.open("w", encoding="utf-8")) if truth is not None else None
            described = DescribedPlant(file, now_us, TruthLog(stream), plant.resolve().parent)
            described.build()
            asyncio.run(_serve(described, duration_s, language, as_json=as_json))
        except (UnusableProfileError, ValueError) as error:
            _fail(language, plant, str(error))
        except OSError as error:
            _fail(language, plant, error.strerror or str(error))


def _fail(language: str, plant: Path, reason: str) -> NoReturn:
    click.echo(say(language, "%(file)s: %(reason)s", file=plant, reason=reason), err=True)
    raise click.exceptions.Exit(EXIT_FILE)


async def _serve(plant: DescribedPlant, duration_s: float | None, language: str, *, as_json: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await plant.start()
        _announce(plant, language, as_json=as_json)
        with suppress(TimeoutError):  # the time asked for is over
            await asyncio.wait_for(stop.wait(), duration_s)
    finally:
        await plant.stop()
    click.echo(say(language, "Stopped."), err=True)


def _announce(plant: DescribedPlant, language: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(
            json.dumps(
                {"simulated": True, "ports": plant.ports, "paths": plant.paths, "devices": sorted(plant.devices)}
            )
        )
        return
    for server in plant.file.servers:
        for device in server.devices:
            place = plant.paths.get(server.id) or f"{server.host}:{plant.ports[server.id]}"
            facts = {"device": device.id, "unit": device.unit, "place": place, "profile": device.profile}
            click.echo(say(language, "Serving %(device)s as unit %(unit)s at %(place)s (%(profile)s)", **facts))
    for broker in plant.file.brokers:
        for device in broker.devices:
            place = f"{broker.host}:{plant.ports[broker.id]} {device.topic}"
            facts = {"device": device.id, "place": place, "profile": device.profile}
            click.echo(say(language, "Publishing %(device)s to %(place)s (%(profile)s)", **facts))
