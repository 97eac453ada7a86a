"""collect, read, status, backfill and run as processes, against a Modbus server that shares no code with them."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

PROFILE = """\
profile: 1
id: test/plain
protocol: modbus
maker: "Test"
model: "Plain"
name: {zh: 普通, en: plain}
document: {title: "test", confidence: 推断}
options: {space: holding}
groups:
  - id: all
    channels:
      - {id: energy, measurand: active_energy_import, decimals: 1, source: {address: 0, type: u32, scale: "1/10"}}
      - {id: power, measurand: active_power, source: {address: 2, type: i16}}
  - id: identity
    identity: true
    channels:
      - {id: serial, measurand: serial_number, source: {address: 10, type: text, words: 4}}
"""
REGISTERS = {
    0: 0x0001,
    1: 0x0002,
    2: 0xFFFB,
    **{10 + n: int.from_bytes(b"SN-4711\0"[2 * n : 2 * n + 2]) for n in range(4)},
}


@asynccontextmanager
async def modbus_server() -> AsyncIterator[int]:
    """Answers function 3 from REGISTERS."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(12)
                address, count = int.from_bytes(head[8:10]), int.from_bytes(head[10:12])
                data = b"".join(REGISTERS[n].to_bytes(2, "big") for n in range(address, address + count))
                body = bytes((head[6], 3, len(data))) + data
                writer.write(head[:4] + len(body).to_bytes(2, "big") + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_site(folder: Path, port: int, *, simulated: bool = True) -> Path:
    (folder / "profiles" / "test").mkdir(parents=True, exist_ok=True)
    (folder / "profiles" / "test" / "plain.yaml").write_text(PROFILE, encoding="utf-8")
    path = folder / "site.yaml"
    path.write_text(
        f"""\
meterproof: 1
organisation: {{id: o, name: {{zh: 厂, en: o}}}}
site: {{id: s, name: {{zh: 厂, en: s}}}}
simulated: {str(simulated).lower()}
profiles: profiles
schedule: {{period_s: 1}}
endpoints:
  - {{id: bus, protocol: modbus, connection: {{transport: tcp, host: 127.0.0.1, port: {port}}}}}
  - {{id: dead, protocol: modbus, connection: {{transport: tcp, host: 127.0.0.1, port: {free_port()}}}}}
devices:
  - {{id: m1, endpoint: bus, profile: test/plain, address: {{unit: 1}}}}
  - {{id: m2, endpoint: bus, profile: test/plain, address: {{unit: 2}}}}
  - {{id: gone, endpoint: dead, profile: test/plain, address: {{unit: 1}}}}
""",
        encoding="utf-8",
    )
    return path


async def start(*arguments: object, feed: bool = False) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.cli.main",
        "--lang",
        "en",
        *map(str, arguments),
        stdin=asyncio.subprocess.PIPE if feed else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )


async def run(*arguments: object, feed: bytes | None = None) -> tuple[int, str, str]:
    child = await start(*arguments, feed=feed is not None)
    output, errors = await asyncio.wait_for(child.communicate(feed), 60)
    assert child.returncode is not None
    return child.returncode, output.decode(), errors.decode()


async def status(data: Path) -> dict[str, Any]:
    code, output, errors = await run("status", data, "--json")
    assert code == 0, output + errors
    report: dict[str, Any] = json.loads(output)
    return report


async def until_born(data: Path) -> None:
    for _ in range(200):
        if (data / "journal.sqlite").exists():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("no folder was made")


async def until_polled(data: Path, polls: int) -> None:
    """Wait until the journal holds so many polls."""
    await until_born(data)
    with closing(sqlite3.connect(f"file:{data / 'journal.sqlite'}?mode=ro", uri=True)) as journal:
        for _ in range(400):
            (found,) = journal.execute("SELECT count(*) FROM entry WHERE kind = 'poll'").fetchone()
            if found >= polls:
                return
            await asyncio.sleep(0.05)
    raise AssertionError("nothing was collected")


async def test_collecting_from_live_and_dead_endpoints(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with modbus_server() as port:
        site = write_site(tmp_path, port)
        collect = await start("collect", site, "--data", data)
        await until_polled(data, 6)
        second = await run("collect", site, "--data", data)
        collect.terminate()
        _, errors = await asyncio.wait_for(collect.communicate(), 20)
    assert collect.returncode == 0
    assert "sealed" in errors.decode()
    assert (second[0], "already running" in second[2]) == (3, True)
    assert list((data / "seal").iterdir()), "a clean stop seals"
    report = await status(data)
    assert report["agree"]
    assert report["slots"] == sum(report["outcomes"].values())
    assert report["simulated"] is True
    # a busy machine may honestly miss the start of a one-second slot, or answer it too late
    assert report["outcomes"]["ok"] >= 6
    assert set(report["outcomes"]) <= {"ok", "unreachable", "breaker", "overrun", "timeout"}
    assert report["by_protocol"] == {"modbus": report["readings"]}


async def test_a_killed_collector_loses_no_slot(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with modbus_server() as port:
        site = write_site(tmp_path, port)
        for polls in (4, 8):
            collect = await start("collect", site, "--data", data)
            await until_polled(data, polls)
            collect.send_signal(signal.SIGKILL)
            await collect.communicate()
        collect = await start("collect", site, "--data", data)
        await until_polled(data, 12)
        collect.terminate()
        await asyncio.wait_for(collect.communicate(), 20)
    report = await status(data)
    assert report["agree"]
    assert report["outcomes"]["ok"] >= 12


async def test_reading_one_meter(tmp_path: Path) -> None:
    async with modbus_server() as port:
        site = write_site(tmp_path, port)
        code, output, _ = await run("read", site, "m1", "--json")
        report = json.loads(output)
        shown = await run("read", site, "m1")
        nobody = await run("read", site, "m9")
        gone = await run("read", site, "gone")
    assert code == 0
    values = {reading["channel"]: reading for group in report["groups"] for reading in group["readings"]}
    assert (values["energy"]["value"], values["energy"]["unit"], values["energy"]["quality"]) == (
        "6553.8",
        "kWh",
        "good",
    )
    assert (values["power"]["value"], values["serial"]["value"]) == ("-5", "SN-4711")
    assert report["groups"][0]["requests"][0]["raw"] == "00010002fffb"
    assert "0001 0002 fffb" in shown[1]
    assert (nobody[0], gone[0]) == (6, 1)
    assert "unreachable" in gone[1]


@pytest.mark.parametrize(
    ("prepare", "code", "fragment"),
    [
        ("wrong site", 2, "problem"),
        ("foreign folder", 3, "not empty"),
        ("real folder", 3, "is real"),
        ("a file in the way", 3, "cannot be used"),
    ],
)
async def test_what_cannot_be_used_is_said_in_a_sentence(
    tmp_path: Path, prepare: str, code: int, fragment: str
) -> None:
    data = tmp_path / "data"
    site = write_site(tmp_path, 1502)
    if prepare == "wrong site":
        site.write_text("meterproof: 1\n", encoding="utf-8")
    elif prepare == "foreign folder":
        data.mkdir()
        (data / "holiday.jpg").write_text("x", encoding="utf-8")
    elif prepare == "a file in the way":
        data.write_text("x", encoding="utf-8")
    else:
        real = write_site(tmp_path / "real", 1502, simulated=False)
        collect = await start("collect", real, "--data", data)
        await until_born(data)
        collect.terminate()
        await collect.communicate()
    found = await run("collect", site, "--data", data)
    assert found[0] == code, found
    assert fragment in found[2]
    assert "Traceback" not in found[2]


async def test_history_and_then_live(tmp_path: Path) -> None:
    data = tmp_path / "data"
    start_us, period_us = 1_767_225_600_000_000, 300_000_000
    lines = []
    for number in range(24):
        slot_us = start_us + number * period_us
        lines.append(
            {"t": "poll", "device": "m1", "group": "all", "slot": slot_us, "sent": slot_us, "received": slot_us + 9,
             "outcome": "ok", "raw": ["AAEAAv/7"]}
        )  # fmt: skip
    lines.append({"t": "commit", "at": start_us + 24 * period_us})
    feed = "\n".join(json.dumps(line) for line in lines).encode()
    async with modbus_server() as port:
        site = write_site(tmp_path, port)
        filled = await run("backfill", site, "--data", data, "--period-s", "300", "--json", feed=feed)
        assert filled[0] == 0, filled[2]
        assert json.loads(filled[1])["slots"] == 24
        head = json.loads(filled[1])["head"]
        collect = await start("collect", site, "--data", data)
        await until_polled(data, 30)
        collect.terminate()
        await asyncio.wait_for(collect.communicate(), 20)
    code, output, _ = await run("status", "--data", data, "--since-seq", head, "--json")
    live = json.loads(output)
    assert code == 0
    assert live["outcomes"]["stopped"] > 300, "from the end of the history to the start of collection"
    assert live["agree"]
    refused = await run("backfill", write_site(tmp_path / "real", 1, simulated=False), "--data", data, feed=b"")
    assert (refused[0], "simulated" in refused[2]) == (3, True)


async def test_run_keeps_collecting_though_its_port_is_taken(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with modbus_server() as port:
        site = write_site(tmp_path, port)
        gateway = await start("run", site, "--data", data, "--port", port)
        assert gateway.stderr is not None
        said = await asyncio.wait_for(gateway.stderr.readuntil(b"is in use"), 40)
        await until_polled(data, 4)
        gateway.terminate()
        _, errors = await asyncio.wait_for(gateway.communicate(), 40)
    errors = said + errors
    assert gateway.returncode == 0, errors.decode()
    assert f"port {port} is in use" in errors.decode()
    assert "Traceback" not in errors.decode()
    assert (await status(data))["agree"]


async def test_a_killed_supervisor_takes_its_parts_with_it(tmp_path: Path) -> None:
    """Parts that lived on would hold the lock and the port, and the next start would be refused."""
    data = tmp_path / "data"
    async with modbus_server() as port:
        site = write_site(tmp_path, port)
        killed = await start("run", site, "--data", data, "--port", free_port())
        await until_polled(data, 2)
        killed.kill()
        await asyncio.wait_for(killed.communicate(), 20)  # its pipes close when the last of the parts has ended
        gateway = await start("run", site, "--data", data, "--port", free_port())
        assert gateway.stdout is not None
        await asyncio.wait_for(gateway.stdout.readuntil(b"Meterproof is at"), 40)
        gateway.terminate()
        _, errors = await asyncio.wait_for(gateway.communicate(), 40)
    assert gateway.returncode == 0, errors.decode()
    assert "already running" not in errors.decode()
    assert (await status(data))["agree"]


async def test_run_ends_with_the_collectors_own_code(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "holiday.jpg").write_text("x", encoding="utf-8")
    code, _, errors = await run("run", write_site(tmp_path, 1502), "--data", tmp_path / "data", "--port", 0)
    assert code == 3
    assert "not empty" in errors
