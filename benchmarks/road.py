"""The road from the meter to the sealed, synced journal (A2) and on to series and settlement (A3), and what dead meters
cost (A8).

A2 polls 50 meters of 40 float32 each over loopback and counts this process's CPU: exchange, decode, rules, entry with
raw words, hash, commit with ``synchronous=FULL``, and the seals. The server is another process. A3 adds the CPU of
projecting the same polls into series store, registry and settlement. Slots are 8 ms here, so few quarter hours end:
what a settled window costs stands with J1 and D6, what a plant at its own pace costs with A4.
A8 runs in virtual time, so its figures are the same on every machine.
"""

import asyncio
import json
import shutil
import socket
import sqlite3
import struct
import subprocess
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from benchmarks import _float40
from benchmarks._float40 import CHANNELS
from benchmarks.result import TARGETS, Result
from gateway.acquisition.balance import SlotBalance
from gateway.assembly.collecting import Machine, build_collector, open_collection
from gateway.assembly.platform import SystemClock, SystemRandom, SystemStreams, ThreadCommitter
from gateway.assembly.projecting import Projection, load_plan
from gateway.assembly.site_loading import AssembledDevice, AssembledEndpoint, AssembledSite, load_assembled_site
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from tests.scenarios.test_acquisition_dead_units import ten_dead_of_a_hundred

COUNTERS = 8
UNITS = (17, 18)  # whose registers, read as float32, are numbers of the usual size
FIRST_ADDRESS = IPv4Address("127.0.0.1")
ADDRESSES = 2_000
METERS = 50
PERIOD_US = 8_000
SECONDS = 8.0
TARGET_READINGS_S = 500_000
TARGET_WHOLE_READINGS_S = 250_000

assert "A2" in TARGETS
assert "A8" in TARGETS


@contextmanager
def modbus_server() -> Iterator[int]:
    """The C server on a free port of ``ADDRESSES`` loopback addresses: two endpoints on one line would be refused."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise RuntimeError("no C compiler for the benchmark's server")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "modbus_server"
        source = Path(__file__).with_name("modbus_server.c")
        subprocess.run([compiler, "-O2", "-o", program, source], check=True)
        port = free_port()
        command = [program, str(port), "-n", str(ADDRESSES)]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            wait_for(port)
            yield port
        finally:
            server.terminate()
            server.wait(10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the benchmark's server does not listen")


def write_site(folder: Path, meters: int, port: int, period_s: int) -> Path:
    """A site of meters with 40 float32 in one block, each on its own connection."""
    energies = ("active_energy_import", "active_energy_export", "reactive_energy_import", "reactive_energy_export")
    others = ("active_power", "reactive_power", "apparent_power", "voltage", "current", "voltage_l1", "current_l1")
    return _float40.write_site(
        folder,
        lambda n: energies[n % len(energies)] if n < COUNTERS else others[n % len(others)],
        decimals=3,
        period_s=period_s,
        endpoints=[
            {"id": f"e{n}", "connection": {"transport": "tcp", "host": str(FIRST_ADDRESS + n), "port": port}}
            for n in range(meters)
        ],
        meters=[(f"e{n}", UNITS[n % 2]) for n in range(meters)],
    )


def hurried(site: AssembledSite, period_us: int) -> AssembledSite:
    """The site with a period shorter than a site file allows."""

    def device(each: AssembledDevice) -> AssembledDevice:
        groups = tuple(replace(group, period_us=period_us) for group in each.device.groups)
        document = {name: {**group, "period_us": period_us} for name, group in each.configuration["groups"].items()}
        return replace(
            each,
            device=replace(each.device, groups=groups),
            configuration={**each.configuration, "groups": document},
        )

    def endpoint(each: AssembledEndpoint) -> AssembledEndpoint:
        return replace(each, devices=tuple(device(one) for one in each.devices))

    return replace(site, endpoints=tuple(endpoint(each) for each in site.endpoints))


async def collect(site: AssembledSite, folder: Path, seconds: float) -> dict[str, Any]:
    """Collect for a while in this process; its CPU, and what the tally says."""
    committer = ThreadCommitter()
    machine = Machine(SystemClock(), SystemRandom(), SystemStreams(), committer)
    try:
        with open_collection(site, folder, machine.clock) as collection:
            collector = build_collector(collection, machine)
            running = asyncio.create_task(collector.run())
            await asyncio.sleep(1)  # connections and first slots
            readings, cpu_s, begun = collection.recorder.tally.readings.total(), time.process_time(), time.monotonic()
            await asyncio.sleep(seconds)
            readings = collection.recorder.tally.readings.total() - readings
            cpu_s, elapsed_s = time.process_time() - cpu_s, time.monotonic() - begun
            collector.stop()
            await running
            outcomes = {str(name): count for name, count in collection.recorder.tally.outcomes.items()}
    finally:
        committer.close()
    return {"readings": readings, "cpu_s": cpu_s, "elapsed_s": elapsed_s, "outcomes": outcomes}


def project(folder: Path) -> float:
    """CPU of projecting everything a folder holds, in seconds a reading of its polls."""
    with closing(sqlite3.connect(folder / "journal.sqlite")) as journal:
        (polls,) = journal.execute("SELECT count(*) FROM entry WHERE kind = 'poll'").fetchone()
    projection = Projection(DataFolder.open(folder), SystemClock())
    try:
        begun_s = time.process_time()
        while projection.step().applied:
            pass
        return (time.process_time() - begun_s) / (polls * CHANNELS)
    finally:
        projection.close()


def values_are_right(folder: Path, meters: int) -> bool:
    """Every value in the journal is the one the server's registers hold, and every slot is accounted for."""
    wanted = {
        unit: b"".join(struct.pack(">H", (unit * 1000 + address) % 65536) for address in range(2 * CHANNELS))
        for unit in UNITS
    }
    with Journal.open(folder, read_only=True) as journal:
        balance = SlotBalance(journal, load_plan)
        balance.read(0)
        seq, polls = 0, 0
        while page := journal.read(seq, 5_000, kinds=("poll",)):
            for entry in page:
                number = int(entry.subject.rpartition("/m")[2])
                raw = json.loads(entry.body_bytes)["raw"]
                if b64decode(raw[0]) != wanted[UNITS[number % 2]]:
                    return False
                polls += 1
            seq = page[-1].seq
    return polls > meters and not balance.report()["differing"]


def measure() -> list[Result]:
    """A2, A3 and A8."""
    with tempfile.TemporaryDirectory() as work, modbus_server() as port:
        site = hurried(load_assembled_site(write_site(Path(work), METERS, port, 1)), PERIOD_US)
        runs: list[dict[str, Any]] = []
        for number in range(3):
            folder = Path(work) / f"data{number}"
            runs.append(asyncio.run(collect(site, folder, SECONDS)))
        projected_s = sorted(project(Path(work) / f"data{number}") for number in range(3))
        right = values_are_right(Path(work) / "data0", METERS)
    rates = sorted(run["readings"] / run["cpu_s"] for run in runs)
    share = max(run["cpu_s"] / run["elapsed_s"] for run in runs)
    note = (
        f"n = 3 x {SECONDS:.0f} s, {rates[0]:,.0f} to {rates[-1]:,.0f}; "
        f"{runs[0]['readings'] / runs[0]['elapsed_s']:,.0f} readings/s at {100 * share:.0f} % of a core; raw words, "
        f"rules, hash, synced commits and seals included; values {'right' if right else 'WRONG'}"
    )
    a2 = Result(
        "A2",
        "poll to sealed, synced journal",
        rates[1],
        "readings/s per core",
        target=TARGET_READINGS_S,
        meets_target=right and rates[1] >= TARGET_READINGS_S,
        note=note,
    )
    whole = 1.0 / (1.0 / rates[1] + projected_s[1])
    a3 = Result(
        "A3",
        "poll to journal, series store and settlement",
        whole,
        "readings/s per core",
        baseline=rates[1],
        target=TARGET_WHOLE_READINGS_S,
        meets_target=right and whole >= TARGET_WHOLE_READINGS_S,
        note=f"the same polls, projecting {1e6 * projected_s[1]:.2f} µs a reading; few quarter hours end meanwhile",
    )
    return [a2, a3, *_dead_units()]


def _dead_units() -> list[Result]:
    results = []
    for shape in ("one gateway with 100 units", "ten lines with one dead of ten each"):
        cost = ten_dead_of_a_hundred(shape)
        results.extend(
            (
                Result(
                    "A8",
                    f"healthy meters' loss, 10 of 100 dead, {shape}",
                    cost.lost_percent,
                    "%",
                    target=5.0,
                    meets_target=cost.lost_percent < 5,
                    note="30 virtual minutes",
                ),
                Result(
                    "A8",
                    f"bus time of dead units, {shape}",
                    cost.bus_percent,
                    "%",
                    target=5.0,
                    meets_target=cost.bus_percent <= 5,
                    note="busiest line, after the first minute",
                ),
            )
        )
    return results


if __name__ == "__main__":
    for each in measure():
        print(each.name, f"{each.value:,.4g}", each.unit, each.meets_target, each.note)
