"""Servers not written here (libmodbus in C, pymodbus's own) read to the value, over TCP and as RTU over a pty pair.

Both of the gateway's links read them: our own client and the one on pymodbus.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymodbus import FramerType, ModbusDeviceIdentification
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.modbus.request import Request
from gateway.domain.device import ChannelKind
from tests.conformance.modbus.rig import device, open_link, plan_of, read
from tests.conformance.modbus.servers import Image, compiled_server, libmodbus, libmodbus_tcp, pty_pair
from tests.services import free_port

UNIT = 17
FLOAT = struct.unpack(">HH", struct.pack(">f", 230.25))
REGISTERS = {0: FLOAT[0], 1: FLOAT[1], 2: 0x0000, 3: 0x0001, 4: 0x86A0, 5: 0xFF85, 6: 0x1234, 7: 0x5678}
SOURCES: dict[str, dict[str, Any]] = {
    "voltage": {"address": 0, "type": "f32"},
    "energy": {"address": 2, "type": "u48", "scale": "1/100"},
    "temperature": {"address": 5, "type": "i16", "scale": "1/10"},
    "serial": {"address": 6, "type": "bcd32", "format": "digits"},
    "coil": {"address": 3, "type": "bit", "space": "coil"},
    "input": {"address": 9, "type": "bit", "space": "discrete"},
    "register": {"address": 1, "type": "u16", "space": "input"},
}
EXPECTED = (2302500, 100000, -123, "12345678", 1, 1, 4711)
DECIMALS = {"voltage": 4, "energy": 2, "temperature": 1}
CLIENTS = ["own", "pymodbus"]


def image() -> Image:
    """The register image of unit 17."""
    held = [(UNIT, "h", address, value) for address, value in REGISTERS.items()]
    return [*held, (UNIT, "c", 3, 1), (UNIT, "d", 9, 1), (UNIT, "i", 1, 4711)]


def simulated() -> SimDevice:
    """The same meter for pymodbus's server."""

    def bits(address: int) -> list[SimData]:
        return [SimData(0, count=4, values=[each == address for each in range(16)], datatype=DataType.BITS)]

    holding = [SimData(0, values=[REGISTERS[each] for each in range(8)], datatype=DataType.REGISTERS)]
    inputs = [SimData(0, values=[0, 4711], datatype=DataType.REGISTERS)]
    return SimDevice(UNIT, (bits(3), bits(9), holding, inputs))


def plan(connection: dict[str, Any]) -> Any:
    """The plan of the test meter."""
    kinds = {"serial": ChannelKind.TEXT}
    return plan_of(SOURCES, decimals=DECIMALS, kinds=kinds, connection=connection, unit=UNIT)


async def expect_values(connection: dict[str, Any]) -> None:
    """Read everything twice over one link."""
    link = open_link(**connection)
    plan_ = plan(connection)
    for _ in range(2):
        answers = await read(link, plan_, 2.0)
        assert [(answer.outcome, answer.detail) for answer in answers] == [("ok", "")] * len(answers)
        values, quality, findings = plan_.decode([answer.data for answer in answers])
        assert values == EXPECTED
        assert not any(quality)
        assert findings == ()
    await link.close()


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    return compiled_server(tmp_path_factory.mktemp("server"))


@pytest.mark.parametrize("client", CLIENTS)
async def test_libmodbus_over_tcp(binary: Path, client: str) -> None:
    with libmodbus_tcp(binary, image()) as port:
        await expect_values({"transport": "tcp", "host": "127.0.0.1", "port": port, "client": client})


@pytest.mark.parametrize("client", CLIENTS)
async def test_libmodbus_as_rtu_over_a_pty_pair(binary: Path, client: str) -> None:
    with pty_pair() as (ours, theirs), libmodbus(binary, image(), "rtu", theirs, str(UNIT)):
        await expect_values({"transport": "rtu", "path": ours, "parity": "none", "stop_bits": 2, "client": client})


@pytest.mark.parametrize("client", CLIENTS)
async def test_libmodbus_refuses_and_the_code_arrives(binary: Path, client: str) -> None:
    with libmodbus_tcp(binary, image()) as port:
        link = open_link(transport="tcp", port=port, client=client)
        absent = await link.exchange(device(), Request(99, 3, 0, 1), 1.0)
        assert (absent.outcome, absent.code) == ("exception", 11)
        beyond = await link.exchange(device(), Request(UNIT, 3, 65535, 2), 1.0)
        assert (beyond.outcome, beyond.code) == ("exception", 2)
        await link.close()


@asynccontextmanager
async def pymodbus_server(server: Any) -> AsyncIterator[None]:
    """pymodbus's own server in this event loop."""
    await server.serve_forever(background=True)
    try:
        yield
    finally:
        await server.shutdown()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("framer", ["tcp", "rtu_over_tcp", "ascii_over_tcp"])
async def test_pymodbus_over_tcp(client: str, framer: str) -> None:
    if client == "pymodbus" and framer == "ascii_over_tcp":
        client = "own"
    port = free_port()
    framing = {"tcp": FramerType.SOCKET, "rtu_over_tcp": FramerType.RTU, "ascii_over_tcp": FramerType.ASCII}[framer]
    server = ModbusTcpServer(simulated(), framer=framing, address=("127.0.0.1", port))
    async with pymodbus_server(server):
        await expect_values({"transport": framer, "host": "127.0.0.1", "port": port, "client": client})


@pytest.mark.parametrize(("client", "transport"), [("own", "rtu"), ("pymodbus", "rtu"), ("own", "ascii")], ids=str)
async def test_pymodbus_over_a_pty_pair(client: str, transport: str) -> None:
    framing = FramerType.RTU if transport == "rtu" else FramerType.ASCII
    with pty_pair() as (ours, theirs):
        server = ModbusSerialServer(simulated(), framer=framing, port=theirs, baudrate=9600, parity="N", stopbits=2)
        async with pymodbus_server(server):
            await expect_values(
                {"transport": transport, "path": ours, "parity": "none", "stop_bits": 2, "client": client}
            )


@pytest.mark.parametrize("client", CLIENTS)
async def test_device_identification(client: str) -> None:
    port = free_port()
    identity = ModbusDeviceIdentification(
        info_name={"VendorName": "Fern", "ProductCode": "EM-9", "MajorMinorRevision": "V2.11"}
    )
    server = ModbusTcpServer(simulated(), identity=identity, address=("127.0.0.1", port))
    sources = {
        "maker": {"space": "identification", "address": 0, "type": "text"},
        "version": {"space": "identification", "address": 2, "type": "text"},
        "absent": {"space": "identification", "address": 4, "type": "text"},
    }
    plan_ = plan_of(sources, kinds=dict.fromkeys(sources, ChannelKind.TEXT), unit=UNIT)
    async with pymodbus_server(server):
        link = open_link(transport="tcp", port=port, client=client)
        answers = await read(link, plan_)
        values, _, findings = plan_.decode([answer.data for answer in answers])
        assert values == ("Fern", "V2.11", None)
        assert [finding.rule for finding in findings] in ([], ["reading.no_value"])
        await link.close()


async def test_both_links_bring_the_same_bytes(binary: Path) -> None:
    """The differential peer: whatever one reads, the other reads."""
    lines = [(UNIT, space, address, (address * 40503) & 0xFFFF) for space in "hi" for address in range(300)]
    lines += [(UNIT, space, address, address * 7 % 3 == 0) for space in "cd" for address in range(300)]
    with libmodbus_tcp(binary, [(*each[:3], int(each[3])) for each in lines]) as port:
        links = [open_link(transport="tcp", port=port, client=client) for client in CLIENTS]
        for function in (1, 2, 3, 4):
            for address, count in ((0, 1), (3, 7), (17, 16), (100, 125), (250, 33)):
                request = Request(UNIT, function, address, count)
                ours, theirs = [await link.exchange(device(), request, 1.0) for link in links]
                assert ours.outcome == theirs.outcome == "ok"
                if function > 2:
                    assert ours.data == theirs.data
                else:
                    assert ours.data is not None
                    assert theirs.data is not None
                    size = (count + 7) // 8
                    assert ours.data[:size] == theirs.data[:size]
        await asyncio.gather(*(link.close() for link in links))
