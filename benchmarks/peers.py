"""Peers on the same simulated meters: Node-RED, thingsboard-gateway, modpoll, collectd, and this gateway beside them.

Every peer polls 50 meters of 40 float32 once a second over loopback and publishes to one broker; each number that
arrives there is compared with what its meter's registers hold. ``METERPROOF_PEERS`` names the folder they are
installed in (README.md says how); a peer that is not there is reported absent. Context for A2, not a target of its own:
a peer's CPU buys delivery, this gateway's buys a synced, sealed journal with rules.
"""

import json
import math
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks import _peer_files as files
from benchmarks.result import Result
from benchmarks.road import modbus_server, values_are_right, write_site
from tests.services import Mosquitto, free_port

SECONDS = 6.0
READY_S = 40.0
DEVICE = re.compile(r"m(\d{3})")
REGISTER = re.compile(r"p(\d+)$")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Arrived:
    """What came to the broker: right numbers, wrong ones, and from how many meters."""

    right: int = 0
    wrong: int = 0
    meters: set[int] = field(default_factory=set)

    def take(self, topic: str, payload: bytes) -> None:
        """One message in any of the peers' shapes."""
        found = DEVICE.search(topic)
        meter = int(found[1]) if found else None
        if payload[:1] in {b"{", b"["}:
            self._walk(meter, "", json.loads(payload))
            return
        text = payload.split(b":")[-1].strip(b"\0 ")  # collectd: "time:value"
        try:
            number = float(text)
        except ValueError:
            return
        self._number(meter, topic, number)

    def _walk(self, meter: int | None, key: str, value: Any) -> None:
        if isinstance(value, dict):
            for name, each in value.items():
                found = DEVICE.fullmatch(name)
                self._walk(int(found[1]) if found else meter, key if name == "value" else name, each)
        elif isinstance(value, list):
            for each in value:
                self._walk(meter, key, each)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self._number(meter, key, float(value))

    def _number(self, meter: int | None, key: str, number: float) -> None:
        found = REGISTER.search(key)
        if meter is None or found is None:
            return
        if math.isclose(number, expected(meter, int(found[1])), rel_tol=1e-4, abs_tol=6e-4):
            self.right += 1
            self.meters.add(meter)
        else:
            self.wrong += 1


def expected(meter: int, number: int) -> float:
    """What the server's registers hold, read as float32."""
    registers = ((files.unit(meter) * 1_000 + 2 * number + each) % 65_536 for each in (0, 1))
    return float(struct.unpack(">f", struct.pack(">HH", *registers))[0])


def measure() -> Iterator[Result]:
    """This gateway first, then every peer in turn."""
    place = Path(os.environ.get("METERPROOF_PEERS", "peers"))
    with tempfile.TemporaryDirectory() as scratch, modbus_server() as port:
        own = _ours(Path(scratch), port)
        yield Result("A2", "this gateway: CPU of 50 meters × 40 at 1 s, journaled", own, "% of a core",
                     note="acquisition with rules and synced journal; every value compared")  # fmt: skip
        for peer in (_collectd, _modpoll, _node_red, _thingsboard):
            folder = Path(scratch) / peer.__name__
            folder.mkdir()
            yield from peer(place.resolve(), folder, port, own)


def _ours(scratch: Path, port: int) -> float:
    folder = scratch / "ours"
    folder.mkdir()
    site = write_site(folder, files.METERS, port, 1)
    program = str(Path(sys.executable).with_name("meterproof"))
    process = subprocess.Popen(
        [program, "collect", str(site), "--data", str(folder / "data")], start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + READY_S
        while not (folder / "data" / "journal.sqlite").exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(3.0)
        percent, _ = _used(process.pid, SECONDS)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    if not values_are_right(folder / "data", files.METERS):
        raise RuntimeError("a value in the journal is not the one its meter holds")
    return percent


def _collectd(place: Path, folder: Path, port: int, own: float) -> Iterator[Result]:
    found = shutil.which("collectd") or str(place / "collectd" / "usr" / "sbin" / "collectd")
    root = Path(found).parents[2] if found.startswith(str(place)) else Path("/")
    plugins = root / "usr" / "lib" / "collectd"
    if not (plugins / "modbus.so").is_file():
        return (yield _absent("collectd"))
    libraries = f"{root / 'usr' / 'lib' / 'x86_64-linux-gnu'}"
    with Mosquitto(folder, persistence=False) as broker:
        files.collectd(folder / "collectd.conf", port, broker.port, plugins)
        command = [found, "-f", "-C", "collectd.conf", "-P", str(folder / "pid")]
        yield _run("collectd (asks once a value)", command, folder, broker, own, {"LD_LIBRARY_PATH": libraries})


def _modpoll(place: Path, folder: Path, port: int, own: float) -> Iterator[Result]:
    program = place / "modpoll" / "bin" / "modpoll"
    if not program.is_file():
        return (yield _absent("modpoll"))
    files.modpoll(folder / "modpoll.csv")
    with Mosquitto(folder, persistence=False) as broker:
        command = [str(program), "-f", "modpoll.csv", "--tcp", files.HOST, "--tcp-port", str(port), "--mqtt-host",
                   files.HOST, "--mqtt-port", str(broker.port), "--mqtt-publish-topic-pattern",
                   "mp/{{device_name}}/data", "--mqtt-version", "5.0", "-r", "1", "--interval", "0"]  # fmt: skip
        yield _run("modpoll (one connection)", command, folder, broker, own)


def _node_red(place: Path, folder: Path, port: int, own: float) -> Iterator[Result]:
    program, node = place / "nr" / "node_modules" / "node-red" / "red.js", shutil.which("node")
    if node is None or not program.is_file():
        return (yield _absent("Node-RED"))
    with Mosquitto(folder, persistence=False) as broker:
        files.node_red(folder, port, broker.port, free_port())
        (folder / "node_modules").symlink_to(place / "nr" / "node_modules")
        command = [node, str(program), "--userDir", str(folder), "-s", str(folder / "settings.js")]
        yield _run("Node-RED", [*command, str(folder / "flows.json")], folder, broker, own)


def _thingsboard(place: Path, folder: Path, port: int, own: float) -> Iterator[Result]:
    program = place / "tbg" / "bin" / "thingsboard-gateway"
    if not program.is_file():
        return (yield _absent("thingsboard-gateway"))
    with Mosquitto(folder, persistence=False) as broker:
        files.thingsboard(folder, port, broker.port)
        platform = subprocess.Popen([sys.executable, "-m", "benchmarks._peer_platform", str(broker.port)])
        try:
            environment = {"TB_GW_CONFIG_DIR": f"{folder}/"}
            yield _run("thingsboard-gateway", [str(program)], folder, broker, own, environment)
        finally:
            platform.terminate()
            platform.wait(10)


def _run(
    name: str, command: list[str], folder: Path, broker: Mosquitto, own: float,
    environment: Mapping[str, str] | None = None,
) -> Result:  # fmt: skip
    arrived = Arrived()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: arrived.take(message.topic, bytes(message.payload))
    client.connect(files.HOST, broker.port)
    client.subscribe("#")
    client.loop_start()
    with (folder / "said.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **(environment or {})}, start_new_session=True, stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + READY_S
            while len(arrived.meters) < files.METERS // 2 and time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.2)
            time.sleep(2.0)
            before = arrived.right
            percent, mib = _used(process.pid, SECONDS)
            values_s = (arrived.right - before) / SECONDS
        finally:
            client.loop_stop()
            client.disconnect()
            _end(process)
    if not values_s:
        return _absent(f"{name}: started, but delivered nothing: {_last(folder / 'said.log')}")
    wanted = files.METERS * files.FLOATS * 1_000 / files.PERIOD_MS
    note = f"{values_s:,.0f} of {wanted:,.0f} values/s delivered, {arrived.wrong} wrong, {mib:.0f} MiB"
    return Result("A2", f"{name}: CPU of 50 meters × 40 at 1 s", percent, "% of a core", own, None, None, note)


def _absent(name: str) -> Result:
    return Result("A2", f"{name}: absent", math.nan, "", note="not installed here: benchmarks/README.md says how")


def _used(pid: int, seconds: float) -> tuple[float, float]:
    """CPU of a process and its descendants in percent of a core, and their resident memory, MiB."""
    began, began_s = _ticks(pid), time.monotonic()
    time.sleep(seconds)
    spent = (_ticks(pid) - began) / TICKS / (time.monotonic() - began_s)
    pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in _family(pid))
    return 100.0 * spent, pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _ticks(pid: int) -> int:
    total = 0
    for each in _family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total


def _family(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def _last(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:160] if lines else "no word"
