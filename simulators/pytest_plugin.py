"""pytest fixtures for integrators: a simulated plant, a gateway that reads it, and the truth.

Use with ``pytest_plugins = ["simulators.pytest_plugin"]``; docs/simulate.md has an example. Both run as processes of
their own.
"""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulators.demo.commands import gateway_command, run_json, run_step

_START_S = 30.0
_STOP_S = 40.0
_RUNS = 600.0
_LOOK_S = 1.0


@dataclass(slots=True)
class RunningPlant:
    """A plant being served. ``ports`` by server and broker id, ``paths`` of serial lines by server id."""

    ports: dict[str, int]
    paths: dict[str, str]
    truth_file: Path
    child: subprocess.Popen[str]

    def truth(self) -> list[dict[str, Any]]:
        """The truth log so far."""
        lines = self.truth_file.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def stop(self) -> None:
        """End it in order; idempotent."""
        _ended(self.child)


@dataclass(frozen=True, slots=True)
class MeteredGateway:
    """What a gateway collected into its data folder."""

    folder: Path
    site: Path

    def status(self) -> dict[str, Any]:
        """``meterproof status --json``: slots, outcomes, readings, findings."""
        return run_json("en", "status", self.folder, "--json", codes=(0, 1))

    def run(self, *arguments: str) -> str:
        """Any other command, with ``--data`` of this gateway; its output."""
        return run_step("en", *arguments, "--data", self.folder)


@pytest.fixture
def simulated_plant(tmp_path: Path) -> Iterator[Callable[[str | Path], RunningPlant]]:
    """``simulated_plant(file)`` serves a plant file until the test ends."""
    running: list[RunningPlant] = []

    def serve(file: str | Path) -> RunningPlant:
        truth = tmp_path / f"truth-{len(running)}.ndjson"
        command = gateway_command("en", "simulate", Path(file), "--truth", truth, "--json", "--for", str(_RUNS))
        child = subprocess.Popen(  # noqa: S603  # our own program
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stderr is not None
        first = child.stdout.readline()
        if not first:
            pytest.fail(f"the plant did not start: {child.stderr.read()}")
        said = json.loads(first)
        plant = RunningPlant(said["ports"], said["paths"], truth, child)
        running.append(plant)
        return plant

    yield serve
    for plant in running:
        plant.stop()


@pytest.fixture
def metered_gateway(tmp_path: Path) -> Callable[..., MeteredGateway]:
    """``metered_gateway(site_file, plant, until=…)`` collects from the plant until a condition on its status holds.

    ``until`` gets what ``status`` gives and is asked about once a second, for at most ``for_s`` seconds; a gateway that
    has not got there by then fails the test. Without ``until`` it collects for ``for_s`` seconds. It is stopped in
    order. Ports and paths in the site file are replaced by the plant's where an endpoint's id is one of its servers or
    brokers.
    """
    count = [0]

    def collect(
        site: str | Path,
        plant: RunningPlant,
        *,
        until: Callable[[dict[str, Any]], bool] | None = None,
        for_s: float = 120.0,
    ) -> MeteredGateway:
        count[0] += 1
        gateway = MeteredGateway(tmp_path / f"gateway-{count[0]}", tmp_path / f"site-{count[0]}.yaml")
        document = yaml.safe_load(Path(site).read_text(encoding="utf-8"))
        for endpoint in document["endpoints"]:
            if endpoint["id"] in plant.ports:
                endpoint["connection"]["port"] = plant.ports[endpoint["id"]]
            if endpoint["id"] in plant.paths:
                endpoint["connection"]["path"] = plant.paths[endpoint["id"]]
        gateway.site.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
        child = subprocess.Popen(  # noqa: S603  # our own program
            gateway_command("en", "collect", gateway.site, "--data", gateway.folder),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _wait(child, gateway, until, time.monotonic() + for_s)
        finally:
            _ended(child)
        return gateway

    return collect


def _wait(
    child: subprocess.Popen[str],
    gateway: MeteredGateway,
    until: Callable[[dict[str, Any]], bool] | None,
    deadline_s: float,
) -> None:
    while time.monotonic() < deadline_s:
        try:
            _, said = child.communicate(timeout=min(_LOOK_S, max(0.0, deadline_s - time.monotonic())))
        except subprocess.TimeoutExpired:
            if until is not None and (gateway.folder / "journal.sqlite").exists() and until(gateway.status()):
                return
            continue
        pytest.fail(f"the gateway ended by itself with code {child.returncode}: {said}")
    if until is not None:
        pytest.fail(f"the gateway did not get there in time: {gateway.status()}")


def _ended(child: subprocess.Popen[str]) -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
    try:
        child.communicate(timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
