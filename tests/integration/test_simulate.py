"""``meterproof simulate`` and the pytest fixtures, as an integrator uses them."""

import json
import re
import sqlite3
import struct
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest_plugins = ["simulators.pytest_plugin"]
pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

PROGRAM = str(Path(sys.executable).with_name("meterproof"))

PLANT = """
simulation: 1
truth_every_s: 1
servers:
  - id: line
    devices:
      - id: a
        unit: 1
        profile: meterproof/electricity-meter
        values:
          active_power: 3600
          active_energy_import: {counter: {start: 100, follows: active_power}}
          serial_number: "A1"
        faults: [{kind: stuck}, {kind: foreign_transaction, every: 4}]
      - id: b
        unit: 2
        profile: meterproof/belt-scale
        values: {belt_mass: 12.5, belt_flow: 1}
        faults: [{kind: silence}]
  - id: bus
    transport: rtu
    path: bus.tty
    devices:
      - id: d
        unit: 7
        profile: meterproof/belt-scale
        values: {belt_flow: 36, belt_mass: {counter: {start: 10, follows: belt_flow}}}
        faults: [{kind: foreign_unit, every: 3}]
  - id: converter
    transport: rtu_over_tcp
    devices:
      - {id: e, unit: 9, profile: meterproof/belt-scale, values: {belt_flow: 36, belt_mass: 10}}
brokers:
  - id: broker
    period_s: 1
    devices:
      - id: c
        topic: t/c
        profile: meterproof-mqtt/water-meter-json
        values: {water_volume: 7.125, water_flow: 1.5}
        faults: [{kind: poison, every: 3}]
      - id: f
        topic: Plant/Edge1/M7
        profile: meterproof-mqtt/energy-meter-sparkplug
        values: {active_power: 3600, active_energy_import: {counter: {start: 5, follows: active_power}}}
        faults: [{kind: no_message, every: 5}]
"""
SITE = """
meterproof: 1
organisation: {id: o, name: {zh: 单位, en: Unit}}
site: {id: s, name: {zh: 厂, en: Works}}
simulated: true
schedule: {period_s: 1}
endpoints:
  - {id: line, protocol: modbus, connection: {transport: tcp, host: 127.0.0.1, port: 1, timeout_ms: 200}}
  - {id: broker, protocol: mqtt, connection: {host: 127.0.0.1, port: 1, client_id: t}}
  - {id: bus, protocol: modbus, connection: {transport: rtu, path: none, timeout_ms: 200}}
  - {id: converter, protocol: modbus, connection: {transport: rtu_over_tcp, host: 127.0.0.1, port: 2, timeout_ms: 200}}
devices:
  - {id: a, endpoint: line, profile: meterproof/electricity-meter, address: {unit: 1}}
  - {id: b, endpoint: line, profile: meterproof/belt-scale, address: {unit: 2}}
  - {id: d, endpoint: bus, profile: meterproof/belt-scale, address: {unit: 7}}
  - {id: e, endpoint: converter, profile: meterproof/belt-scale, address: {unit: 9}}
  - id: f
    endpoint: broker
    profile: meterproof-mqtt/energy-meter-sparkplug
    address: {group: Plant, node: Edge1, device: M7}
  - {id: c, endpoint: broker, profile: meterproof-mqtt/water-meter-json, address: {topic: t/c}}
"""


@pytest.fixture
def plant(tmp_path: Path, simulated_plant: Callable[..., Any]) -> Any:
    """The plant above being served, its site file beside it."""
    (tmp_path / "plant.yaml").write_text(PLANT, "utf-8")
    (tmp_path / "site.yaml").write_text(SITE, "utf-8")
    return simulated_plant(tmp_path / "plant.yaml")


def test_three_lines_give_plant_gateway_and_truth(
    tmp_path: Path, plant: Any, metered_gateway: Callable[..., Any]
) -> None:
    wanted = {"counter.stuck", "message.undecodable", "message.sequence_gap"}
    gateway = metered_gateway(
        tmp_path / "site.yaml",
        plant,
        until=lambda status: (
            wanted <= status["findings"].keys()
            and status["outcomes"].get("foreign_answer", 0) > 0
            and status["outcomes"].get("timeout", 0) + status["outcomes"].get("breaker", 0) > 0
        ),
    )
    truth = plant.truth()
    applied = [line["kind"] for line in truth if line["t"] == "applied"]
    findings = gateway.status()["findings"]
    assert findings["message.sequence_gap"] <= applied.count("no_message")
    assert {"silence", "foreign_transaction", "foreign_unit"} <= set(applied)
    shown = [line for line in truth if line["t"] == "truth" and line["device"] == "a"]
    assert any(line["shown"]["active_energy_import"] < line["true"]["active_energy_import"] for line in shown)


def test_serial_and_socket_rtu_bring_what_the_plant_says(
    tmp_path: Path, plant: Any, metered_gateway: Callable[..., Any]
) -> None:
    assert Path(plant.paths["bus"]).is_char_device()
    site = yaml.safe_load(SITE)
    site["endpoints"] = [each for each in site["endpoints"] if each["id"] in {"bus", "converter"}]
    site["devices"] = [each for each in site["devices"] if each["endpoint"] in {"bus", "converter"}]
    (tmp_path / "rtu.yaml").write_text(yaml.safe_dump(site, allow_unicode=True), "utf-8")
    gateway = metered_gateway(tmp_path / "rtu.yaml", plant, until=lambda status: status["outcomes"].get("ok", 0) >= 6)
    assert gateway.status()["agree"]
    raw = {
        (body["subject"].rpartition("/")[2], each)
        for body in _polls(gateway.folder)
        if body["group"] == "mass"
        for each in body["raw"]
    }
    # e stands at 10.00 t (low word first) and 36 t/h, device status 0
    assert {each for device, each in raw if device == "e"} == {
        b64encode(struct.pack(">HHfH", 1_000, 0, 36.0, 0)).decode()
    }
    assert any(device == "d" for device, _ in raw)


def _polls(folder: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(folder / "journal.sqlite")) as database:
        rows = database.execute("SELECT body FROM entry WHERE kind = 'poll'").fetchall()
    return [json.loads(row[0]) for row in rows]


def test_the_documented_example_runs_in_a_fresh_folder(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulate.md").read_text("utf-8")
    for name in ("plant.yaml", "site.yaml", "test_kiln.py"):
        found = re.search(rf"^`{re.escape(name)}`:\n\n```\w+\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        assert found, name
        (tmp_path / name).write_text(found[1], "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_example_is_served_and_says_what_it_serves(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "config/examples/simulate/plant.yaml"
    own = tmp_path / "plant.yaml"
    own.write_text(
        example.read_text("utf-8").replace("port: 15020", "port: 0").replace("port: 11883", "port: 0"), "utf-8"
    )
    done = subprocess.run(
        [PROGRAM, "simulate", str(own), "--for", "0.5", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    served = json.loads(done.stdout)
    assert served["devices"] == ["coal", "kiln", "mill", "packing", "water"]
    assert served["ports"].keys() == {"gateway-1", "broker"}
    assert served["simulated"] is True


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("simulation: 1\n", "plant.yaml:1:1: the plant has no devices"),
        ("simulation: 1\nservers:\n  - {id: s, devices: [{id: a, unit: 1, profile: no/such}]}\n", "no/such"),
    ],
)
def test_a_wrong_plant_file_ends_with_two(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "plant.yaml"
    path.write_text(text, "utf-8")
    done = subprocess.run(
        [PROGRAM, "--lang", "en", "simulate", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr


def test_faults_are_listed_in_the_language() -> None:
    for language, word in (("zh", "不应答"), ("en", "no answer")):
        done = subprocess.run(
            [PROGRAM, "--lang", language, "simulate", "--faults"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert word in done.stdout
