"""The Modbus server byte by byte, over a real loopback socket."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from simulators.modbus.device import MeterOnTheWire
from simulators.modbus.layout import Layout
from simulators.modbus.server import Exchange, ModbusServer, Reaction
from simulators.mqtt.payload import Shown
from simulators.profiles import shipped_profile

READ = bytes.fromhex("000100000006 01 03 0000 0002")
ANSWER = bytes.fromhex("000100000007 01 03 04 0000007b")


def meter(unit: int, *, dead: bool = False) -> MeterOnTheWire:
    shown = Shown({"active_energy_import": 1_230_000})
    layout = Layout(shipped_profile("meterproof/electricity-meter"))
    return MeterOnTheWire(f"m{unit}", unit, layout, shown, silent=lambda _at_us: dead)  # type: ignore[arg-type]


@pytest.fixture
async def server() -> AsyncIterator[tuple[ModbusServer, int]]:
    running = ModbusServer([meter(1), meter(2, dead=True)], lambda: 1_795_313_700_000_000, connections=2)
    port = await running.start("127.0.0.1", 0)
    yield running, port
    await running.stop()
    await running.stop()


async def ask(port: int, request: bytes, *, wait_s: float = 0.3) -> bytes:
    """Everything that comes back within a while of silence."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    received = b""
    try:
        while piece := await asyncio.wait_for(reader.read(1_000), wait_s):
            received += piece
    except TimeoutError:
        pass
    writer.close()
    await writer.wait_closed()
    return received


async def test_an_answer_repeats_transaction_and_unit(server: tuple[ModbusServer, int]) -> None:
    assert await ask(server[1], READ) == ANSWER


async def test_two_requests_in_one_segment_are_answered_in_order(server: tuple[ModbusServer, int]) -> None:
    second = bytes.fromhex("0002") + READ[2:]
    assert await ask(server[1], READ + second) == ANSWER + bytes.fromhex("0002") + ANSWER[2:]


async def test_a_dead_or_unknown_unit_says_nothing(server: tuple[ModbusServer, int]) -> None:
    for unit in (2, 9):
        assert await ask(server[1], READ[:6] + bytes((unit,)) + READ[7:], wait_s=0.1) == b""


async def test_a_write_is_refused(server: tuple[ModbusServer, int]) -> None:
    assert await ask(server[1], bytes.fromhex("000700000006 01 06 0000 0001")) == bytes.fromhex("000700000003 01 86 01")


async def test_what_is_not_modbus_is_hung_up_on(server: tuple[ModbusServer, int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server[1])
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert await asyncio.wait_for(reader.read(), 1) == b""
    writer.close()


async def test_a_third_client_is_turned_away(server: tuple[ModbusServer, int]) -> None:
    held = [await asyncio.open_connection("127.0.0.1", server[1]) for _ in range(2)]
    for reader, writer in held:
        writer.write(READ)
        assert await reader.readexactly(len(ANSWER)) == ANSWER
    reader, writer = await asyncio.open_connection("127.0.0.1", server[1])
    assert await asyncio.wait_for(reader.read(), 1) == b""
    for _, each in [*held, (reader, writer)]:
        each.close()


async def test_mischief_replaces_every_byte(server: tuple[ModbusServer, int]) -> None:
    seen: list[Exchange] = []

    def late_and_broken(exchange: Exchange) -> Reaction:
        seen.append(exchange)
        return Reaction(((0.01, exchange.answer[:4]), (0.01, b"\xff")), close=True)

    server[0].mischief = late_and_broken
    assert await ask(server[1], READ) == ANSWER[:4] + b"\xff"
    assert seen[0].device == "m1"
    assert seen[0].request == READ
    assert seen[0].answer == ANSWER


def test_two_meters_cannot_share_a_unit() -> None:
    with pytest.raises(ValueError, match="share a unit id"):
        ModbusServer([meter(1), meter(1)], lambda: 0)
