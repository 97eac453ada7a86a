"""A1, A7, A9: what a Modbus transaction costs, whether a wrong value is ever booked, how often a dead peer is called.

The server (modbus_server.c) runs on one core, the client on another; every client reads the same registers in the same
run and is checked for values.
"""

import asyncio
import logging
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from pymodbus import FramerType, ModbusException
from pymodbus.client import AsyncModbusTcpClient

from benchmarks.result import Result
from drivers.modbus.plugin import PLUGIN
from drivers.modbus.request import Request
from gateway.assembly.platform import SystemClock, SystemRandom, SystemStreams
from gateway.domain.device import Device
from tests.services import free_port, program

HERE = Path(__file__).parent
SECONDS = float(os.environ.get("METERPROOF_BENCH_SECONDS", "2"))
RUNS = 3
HOST = "127.0.0.1"
QUESTIONS = 200
TIMEOUT_S = 0.1
DEVICE = Device(id="d", organisation="o", endpoint="e", protocol="modbus", profile="p", address={"unit": 1}, groups=())

FAULTS: tuple[tuple[str, tuple[str, ...], bool], ...] = (
    ("5 % of answers 150 ms late", ("-l", "50", "-m", "150"), False),
    ("5 % of answers 110 ms late", ("-l", "50", "-m", "110"), False),
    ("5 % dropped", ("-d", "50"), False),
    ("5 % wrong id or CRC", ("-t", "50"), False),
    ("5 % two registers short", ("-c", "50"), False),
    ("5 % from another unit", ("-u", "50"), False),
    ("5 % closed instead", ("-k", "50"), False),
    ("caller cancels, answers after 5 ms", ("-w", "5"), True),
)


def measure() -> Iterator[Result]:
    """Every figure of this file."""
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        server = _compiled("modbus_server", Path(folder))
        client = _compiled("modbus_client", Path(folder), "-I/usr/include/modbus", "-lmodbus")
        yield from _cost(server, client)
        yield from _wrong_values(server)
        yield from _reconnects(server)


def _compiled(name: str, folder: Path, *flags: str) -> Path:
    binary = folder / name
    subprocess.run([str(program("gcc")), "-O2", "-o", str(binary), str(HERE / f"{name}.c"), *flags], check=True)
    return binary


@contextmanager
def _serving(binary: Path, *options: str) -> Iterator[int]:
    """The server with faults, pinned to the last core; yields its port."""
    port = free_port()
    process = subprocess.Popen([str(binary), str(port), *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(process.pid, {cores[-1]})
    assert process.stdout.readline() == "ready\n"
    try:
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


# -- A1


def _cost(server: Path, c_client: Path) -> Iterator[Result]:
    script = str(HERE / "modbus_client.py")
    with _serving(server) as port:
        figures: dict[tuple[str, int, int], tuple[float, float, float]] = {}
        plan = [("own", 50, 100), ("pymodbus", 50, 100), ("own", 50, 2), ("pymodbus", 50, 2), ("own", 1, 100)]
        plan += [("pymodbus", 1, 100), ("own-decode", 50, 100), ("pymodbus-decode", 50, 100)]
        for name, connections, registers in plan:
            command = [sys.executable, script, name, str(connections), str(registers), str(SECONDS), str(port)]
            figures[(name, connections, registers)] = _median_run(command)
        figures[("libmodbus", 1, 100)] = _median_run([str(c_client), str(port), "100", str(SECONDS)])
    ours, spread, rate = figures[("own", 50, 100)]
    theirs = figures[("pymodbus", 50, 100)][0]
    note = f"median of {RUNS}, spread {spread:.1f}; link with futures, no decoding; {rate:,.0f} transactions/s"
    yield Result("A1", "CPU per 100-register transaction, 50 connections", ours, "µs", None, 12, ours <= 12, note)
    yield Result(
        "A1", "the same beside pymodbus", ours, "µs", theirs, theirs / 5, ours <= theirs / 5, "ratio 1/5 asked"
    )
    libmodbus = figures[("libmodbus", 1, 100)][0]
    one = figures[("own", 1, 100)][0]
    yield Result("A1", "CPU per transaction, 1 connection, beside libmodbus in C", one, "µs", libmodbus)
    for name, connections, registers in (("own", 50, 2), ("own", 1, 100), ("own-decode", 50, 100)):
        peer = figures[(name.replace("own", "pymodbus"), connections, registers)]
        mine = figures[(name, connections, registers)]
        what = f"{registers} registers, {connections} connection(s)" + (", decoded" if "decode" in name else "")
        yield Result("A1", f"CPU per transaction: {what}", mine[0], "µs", peer[0])
        yield Result("A1", f"transactions a second: {what}", mine[2], "1/s", peer[2])


def _median_run(command: list[str]) -> tuple[float, float, float]:
    """(median CPU µs a transaction, spread, median transactions a second) of several runs on the first core."""
    cores = sorted(os.sched_getaffinity(0))
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)}
    costs, rates = [], []
    for _ in range(RUNS):
        done = subprocess.run(
            ["taskset", "-c", str(cores[0]), *command],
            check=True,
            capture_output=True,
            text=True,
            timeout=SECONDS * 10 + 30,
            env=environment,
        )
        count, cpu_us, seconds = (float(each) for each in done.stdout.split())
        costs.append(cpu_us / count)
        rates.append(count / seconds)
    return median(costs), max(costs) - min(costs), median(rates)


# -- A7


def _wrong_values(server: Path) -> Iterator[Result]:
    for framing, transport in (("TCP", "tcp"), ("RTU over TCP", "rtu_over_tcp")):
        options = ("-r",) if transport != "tcp" else ()
        totals = {"own": [0, 0], "own (pymodbus link)": [0, 0], "pymodbus": [0, 0]}
        for _, fault, cancel in FAULTS:
            for client, total in totals.items():
                with _serving(server, *options, *fault) as port:
                    good, wrong = asyncio.run(_ask_all(client, transport, port, cancel))
                total[0] += good
                total[1] += wrong
        asked = QUESTIONS * len(FAULTS)
        peer_good, peer_wrong = totals.pop("pymodbus")
        for client, (good, wrong) in totals.items():
            note = (
                f"{good} right of {asked} under {len(FAULTS)} kinds of fault; pymodbus, retries off: {peer_good} right"
            )
            yield Result("A7", f"wrong values, {framing}, {client}", wrong, "values", peer_wrong, 0, wrong == 0, note)


async def _ask_all(client: str, transport: str, port: int, cancel: bool) -> tuple[int, int]:
    read, close = await _reader(client, transport, port)
    chance = random.Random(1)
    good = wrong = 0
    for _ in range(QUESTIONS):
        address = chance.choice((0, 40, 80, 120))
        try:
            if cancel:
                data = await asyncio.wait_for(read(address), chance.random() * 0.012)
            else:
                data = await read(address)
        except (TimeoutError, asyncio.CancelledError):
            continue
        if data is None:
            continue
        expected = struct.pack(">20H", *((1_000 + address + index) & 0xFFFF for index in range(20)))
        good, wrong = (good + 1, wrong) if data == expected else (good, wrong + 1)
    await close()
    return good, wrong


async def _reader(client: str, transport: str, port: int) -> Any:
    if client == "pymodbus":
        return await _plain_pymodbus(transport, port)
    connection = {"transport": transport, "host": HOST, "port": port, "timeout_ms": 100, "late_ms": 160}
    if client != "own":
        connection["client"] = "pymodbus"
    link = PLUGIN.open("e", connection, clock=SystemClock(), streams=SystemStreams(), random=SystemRandom())

    async def read(address: int) -> bytes | None:
        answer = await link.exchange(DEVICE, Request(1, 3, address, 20), TIMEOUT_S)
        data: bytes | None = answer.data
        return data

    return read, link.close


async def _plain_pymodbus(transport: str, port: int) -> Any:
    framer = FramerType.RTU if transport != "tcp" else FramerType.SOCKET
    client = AsyncModbusTcpClient(HOST, port=port, timeout=TIMEOUT_S, retries=0, framer=framer, reconnect_delay=0.01)
    await client.connect()

    async def read(address: int) -> bytes | None:
        if not client.connected:
            await client.connect()
        try:
            response = await client.read_holding_registers(address, count=20, device_id=1)
        except ModbusException:
            return None
        return None if response.isError() else struct.pack(f">{len(response.registers)}H", *response.registers)

    async def close() -> None:
        client.close()

    return read, close


# -- A9


class _FastClock(SystemClock):
    """Sixty times as fast, so that ten minutes pass in ten seconds."""

    FACTOR = 60

    def monotonic_ns(self) -> int:
        """Accelerated."""
        return time.monotonic_ns() * self.FACTOR

    async def sleep(self, duration_s: float) -> None:
        """Accelerated."""
        await asyncio.sleep(duration_s / self.FACTOR)


def _reconnects(server: Path) -> Iterator[Result]:
    minutes, settled_s = 10, 120
    with _serving(server, "-a") as port:
        instants = asyncio.run(_call_for(port, minutes * 60))
    late = [each for each in instants if each > settled_s]
    rate = 30 * len(late) / (minutes * 60 - settled_s)
    note = f"{len(instants)} connects in {minutes} min of asking every 0.6 s, {len(late)} of them after the first two"
    yield Result(
        "A9", "connects per 30 s to a peer that accepts and closes", rate, "connects", None, 1, rate <= 1, note
    )


async def _call_for(port: int, duration_s: float) -> list[float]:
    clock = _FastClock()
    connection = {"transport": "tcp", "host": HOST, "port": port}
    link = PLUGIN.open("e", connection, clock=clock, streams=SystemStreams(), random=SystemRandom())
    begun_ns = clock.monotonic_ns()
    instants: list[float] = []
    seen = 0
    while (elapsed_s := (clock.monotonic_ns() - begun_ns) / 1e9) < duration_s:
        await link.exchange(DEVICE, Request(1, 3, 0, 2), 0.5)
        connects = link.connects  # type: ignore[attr-defined]  # our own link counts them
        instants += [elapsed_s] * (connects - seen)
        seen = connects
        await clock.sleep(0.6)
    await link.close()
    return instants
