"""One Modbus client in a closed loop, in a process of its own: CLIENT CONNECTIONS REGISTERS SECONDS PORT.

Prints "transactions cpu_us seconds". CLIENT: ``own`` (our link, as acquisition uses it), ``own-decode`` (and the read
plan's decoding of 50 float32), ``pymodbus`` (plain AsyncModbusTcpClient), ``pymodbus-decode`` (and its own decoder).
"""

import asyncio
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

HOST = "127.0.0.1"
UNIT = 1


def cpu_us() -> float:
    """Processor time of this process, microseconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1e6


async def own(port: int, registers: int, decode: bool) -> tuple[Callable[[], Awaitable[Any]], Callable[[], Any]]:
    """One connection of our own client."""
    # each process loads the client it measures and no other
    from drivers.modbus.plugin import PLUGIN  # noqa: PLC0415
    from drivers.modbus.request import Request  # noqa: PLC0415
    from gateway.assembly.platform import SystemClock, SystemRandom, SystemStreams  # noqa: PLC0415
    from gateway.domain.device import Channel, ChannelKind, Device, RequestGroup  # noqa: PLC0415

    connection = {"transport": "tcp", "host": HOST, "port": port}
    link = PLUGIN.open("bench", connection, clock=SystemClock(), streams=SystemStreams(), random=SystemRandom())
    device = Device(
        id="d", organisation="o", endpoint="bench", protocol="modbus", profile="p", address={"unit": UNIT}, groups=()
    )
    request = Request(UNIT, 3, 0, registers)
    sources = [{"id": f"c{n}", "source": {"address": 2 * n, "type": "f32"}} for n in range(registers // 2)]
    channels = tuple(
        Channel(id=f"c{n}", measurand="m", unit="1", kind=ChannelKind.INSTANTANEOUS, decimals=2)
        for n in range(registers // 2)
    )
    profile = {"groups": [{"id": "g", "channels": sources}]}
    plan = PLUGIN.plan({"unit": UNIT}, profile, RequestGroup(id="g", channels=channels), connection)

    async def read() -> Any:
        answer = await link.exchange(device, request, 1.0)
        assert answer.data is not None
        if decode:
            plan.decode((answer.data,))
        return answer.data[2:4]

    return read, link.close


async def pymodbus(port: int, registers: int, decode: bool) -> tuple[Callable[[], Awaitable[Any]], Callable[[], Any]]:
    """One connection of pymodbus."""
    from pymodbus.client import AsyncModbusTcpClient  # noqa: PLC0415

    client = AsyncModbusTcpClient(HOST, port=port)
    await client.connect()

    async def read() -> Any:
        response = await client.read_holding_registers(0, count=registers, device_id=UNIT)
        if decode:
            values = client.convert_from_registers(response.registers, client.DATATYPE.FLOAT32)
            [round(value * 100) for value in values]
        return response.registers[1].to_bytes(2, "big")

    async def close() -> None:
        client.close()

    return read, close


async def main(name: str, connections: int, registers: int, seconds: float, port: int) -> None:
    """Every connection in a closed loop; every sixteenth answer is checked."""
    make = own if name.startswith("own") else pymodbus
    made = [await make(port, registers, name.endswith("-decode")) for _ in range(connections)]
    for read, _ in made:
        await read()
    count = 0
    end = time.perf_counter() + seconds

    async def drive(read: Callable[[], Awaitable[Any]]) -> None:
        nonlocal count
        while time.perf_counter() < end:
            for _ in range(16):
                word = await read()
            assert word == (1001).to_bytes(2, "big")
            count += 16

    begun, cpu = time.perf_counter(), cpu_us()
    await asyncio.gather(*(drive(read) for read, _ in made))
    print(count, round(cpu_us() - cpu), f"{time.perf_counter() - begun:.3f}")
    for _, close in made:
        await close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])))
