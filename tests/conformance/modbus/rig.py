"""The driver on the real platform, and small fakes of the ports for what must not wait."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from drivers.modbus.plugin import PLUGIN
from gateway.assembly.platform import SystemClock, SystemRandom, SystemStreams
from gateway.domain.device import Channel, ChannelKind, Device, RequestGroup
from gateway.ports import Answer, Link, ReadPlan


def device(unit: int = 1) -> Device:
    """A device whose link does not care for more than its id."""
    return Device(
        id=f"unit-{unit}",
        organisation="o",
        endpoint="e",
        protocol="modbus",
        profile="t/t",
        address={"unit": unit},
        groups=(),
    )


def open_link(streams: Any = None, **connection: Any) -> Link:
    """A link on real sockets (or on ``streams``)."""
    block = {"host": "127.0.0.1"} | connection if "path" not in connection else connection
    assert PLUGIN.check_connection(block) == []
    return PLUGIN.open("e", block, clock=SystemClock(), streams=streams or SystemStreams(), random=SystemRandom())


async def read(link: Link, plan: ReadPlan, timeout_s: float = 1.0) -> list[Answer]:
    """Every request of a plan, one after the other."""
    return [await link.exchange(device(), request, timeout_s) for request in plan.requests]


def channel(name: str, decimals: int = 0, kind: ChannelKind = ChannelKind.INSTANTANEOUS) -> Channel:
    """A channel of a test group."""
    return Channel(id=name, measurand=name, unit="1", kind=kind, decimals=decimals)


def plan_of(
    sources: dict[str, dict[str, Any]],
    *,
    decimals: dict[str, int] | None = None,
    kinds: dict[str, ChannelKind] | None = None,
    options: dict[str, Any] | None = None,
    connection: dict[str, Any] | None = None,
    unit: int = 1,
) -> ReadPlan:
    """The plan of a made-up profile with one group ``g``."""
    profile = {
        "options": options or {},
        "groups": [{"id": "g", "channels": [{"id": name, "source": source} for name, source in sources.items()]}],
    }
    assert PLUGIN.check_device({"unit": unit}, profile) == []
    group = RequestGroup(
        id="g",
        channels=tuple(
            channel(name, (decimals or {}).get(name, 0), (kinds or {}).get(name, ChannelKind.INSTANTANEOUS))
            for name in sources
        ),
    )
    return PLUGIN.plan({"unit": unit}, profile, group, connection or {"transport": "tcp", "host": "127.0.0.1"})


class ScriptedServer:
    """A TCP server whose every answer is a function of the bytes received: the fault bench of the link tests."""

    def __init__(self, respond: Callable[["ScriptedServer", bytes, asyncio.StreamWriter], Any]) -> None:
        self.respond = respond
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "ScriptedServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *reason: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while data := await reader.read(4096):
                self.requests.append(data)
                outcome = self.respond(self, data, writer)
                if asyncio.iscoroutine(outcome):
                    await outcome
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


def mbap_answer(request: bytes, registers: Sequence[int]) -> bytes:
    """The right MBAP answer to a register request."""
    data = b"".join(each.to_bytes(2, "big") for each in registers)
    pdu = bytes((request[7], len(data))) + data
    return request[:4] + (len(pdu) + 1).to_bytes(2, "big") + request[6:7] + pdu


def plain_crc(frame: bytes) -> bytes:
    """CRC-16 bit by bit, low byte first: the oracle of the table driven one."""
    crc = 0xFFFF
    for each in frame:
        crc ^= each
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return bytes((crc & 0xFF, crc >> 8))


def rtu_answer(request: bytes, registers: Sequence[int]) -> bytes:
    """The right RTU answer to a register request."""
    data = b"".join(each.to_bytes(2, "big") for each in registers)
    frame = bytes((request[0], request[1], len(data))) + data
    return frame + plain_crc(frame)
