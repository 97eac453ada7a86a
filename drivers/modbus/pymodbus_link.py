"""pymodbus as the second selectable link (``client: pymodbus``), under the same rules as our own.

It opens its own sockets and serial ports, reads the clock through asyncio, and is therefore not part of the simulated
world; it is what our client is checked against. Its retries and its own reconnecting are switched off, because both
repeat questions behind the gateway's back; a question is never cancelled; a stream that timed out on framing without
transaction ids is closed; what it returns is checked again for unit and length.
"""

import asyncio
import logging
from typing import Any

from pymodbus import FramerType, ModbusException
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from drivers.modbus.reopening import Backoff, LateAnswers, unreachable
from drivers.modbus.request import IDENTIFICATION, Request
from drivers.modbus.schema import Connection
from drivers.modbus.settings import serial_settings
from gateway.domain.device import Device
from gateway.domain.reading import Outcome
from gateway.ports import Answer, Clock, Random

SILENT_LIMIT = 5
SETTLE_S = 0.05
# outcomes are recorded as outcomes; pymodbus would also write every frame of a time-out to standard error
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class PymodbusLink:
    """``gateway.ports.Link`` over pymodbus."""

    def __init__(self, connection: Connection, *, clock: Clock, random: Random) -> None:
        self._connection = connection
        self._clock = clock
        self._client: Any = None
        self._good = False
        self._silences = 0
        self._ended = asyncio.Event()
        self._backoff = Backoff(clock, random)
        self._late = LateAnswers(clock, connection.worst_answer_s)

    async def exchange(self, device: Device, request: Request, timeout_s: float) -> Answer:  # noqa: ARG002
        """Ask and wait, at most ``timeout_s`` for the answer."""
        fresh = self._client is None or not self._client.connected
        if fresh:
            hindrance = await self._connect(timeout_s)
            if hindrance is not None:
                return hindrance
        # with the stream open: pymodbus throws away what comes while nothing was asked
        await self._late.wait(request.unit, SETTLE_S if fresh else 0.0)
        client = self._client
        client.comm_params.timeout_connect = timeout_s
        client.ctx.comm_params.timeout_connect = timeout_s
        sent_us = self._clock.utc_us()
        question = asyncio.ensure_future(_ask(client, request))
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({question, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        if not question.done():  # the stream ended; pymodbus would wait its whole time-out for an answer from it
            question.cancel()
            if self._connection.transport != "tcp":
                self._late.expect(request.unit)  # a serial server may hand the answer to whoever connects next
            await self._lose()
            return unreachable(self._clock, "closed while asking")
        outcome, data, code, detail = _judge(request, question)
        if outcome in {Outcome.OK, Outcome.EXCEPTION}:
            self._good = True
            self._silences = self._backoff.failures = 0
        else:
            await self._troubled(request)
        return Answer(
            outcome=str(outcome),
            data=data,
            sent_us=sent_us,
            received_us=self._clock.utc_us(),
            code=code,
            detail=detail,
        )

    async def close(self) -> None:
        """Close and forget; idempotent."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
            await asyncio.sleep(0)

    async def _connect(self, timeout_s: float) -> Answer | None:
        if self._client is not None:
            await self._lose()
        hindrance = await self._backoff.wait(timeout_s)
        if hindrance is not None:
            return hindrance
        self._ended.clear()
        self._good = False
        client = _client(self._connection, self._on_connect)
        if not await client.connect():
            client.close()
            self._backoff.failed()
            return unreachable(self._clock, "no connection")
        self._client = client
        return None

    def _on_connect(self, connected: bool) -> None:  # pymodbus's callback shape
        if not connected:
            self._ended.set()

    async def _lose(self) -> None:
        if not self._good:
            self._backoff.failed()
        await self.close()

    async def _troubled(self, request: Request) -> None:
        if self._connection.transport != "tcp":
            self._late.expect(request.unit)
            await self.close()
            return
        self._silences += 1
        if self._silences >= SILENT_LIMIT:
            self._silences = 0
            await self._lose()


def _client(connection: Connection, on_connect: Any) -> Any:  # pymodbus's clients share no useful base
    options: dict[str, Any] = {"retries": 0, "reconnect_delay": 0, "trace_connect": on_connect}
    if connection.serial:
        settings = serial_settings(connection)
        return AsyncModbusSerialClient(connection.path or "", framer=FramerType.RTU, **settings, **options)
    framer = FramerType.SOCKET if connection.transport == "tcp" else FramerType.RTU
    options["timeout"] = connection.connect_ms / 1_000
    return AsyncModbusTcpClient(connection.host or "", port=connection.tcp_port, framer=framer, **options)


async def _ask(client: Any, request: Request) -> Any:
    """pymodbus's response object, or its exception."""
    if request.function == IDENTIFICATION:
        return await client.read_device_information(
            read_code=request.count, object_id=request.address, device_id=request.unit
        )
    read = {
        1: client.read_coils,
        2: client.read_discrete_inputs,
        3: client.read_holding_registers,
        4: client.read_input_registers,
    }[request.function]
    return await read(request.address, count=request.count, device_id=request.unit)


def _judge(  # noqa: PLR0911  # one return a way to be wrong
    request: Request, question: "asyncio.Future[Any]"
) -> tuple[Outcome, bytes | None, int, str]:
    try:
        response = question.result()
    except (ModbusException, asyncio.CancelledError, OSError) as error:
        return Outcome.TIMEOUT, None, 0, str(error)[:200]
    if response.dev_id != request.unit:
        return Outcome.FOREIGN_ANSWER, None, 0, f"unit {response.dev_id} answered for unit {request.unit}"
    if response.isError():
        return Outcome.EXCEPTION, None, int(response.exception_code), ""
    if response.function_code != request.function:
        return Outcome.FOREIGN_ANSWER, None, 0, f"function {response.function_code} answered"
    if request.function == IDENTIFICATION:
        return Outcome.OK, _identification(response), 0, ""
    data = _data(request, response)
    if len(data) != request.size:
        return Outcome.FRAME_ERROR, None, 0, f"{len(data)} data bytes where {request.size} were asked for"
    return Outcome.OK, data, 0, ""


def _data(request: Request, response: Any) -> bytes:
    if request.function in {3, 4}:
        return b"".join(each.to_bytes(2, "big") for each in response.registers)
    bits = sum(1 << position for position, bit in enumerate(response.bits) if bit)
    return bits.to_bytes((len(response.bits) + 7) // 8, "little")


def _identification(response: Any) -> bytes:
    objects = b"".join(
        bytes((number, len(value))) + value
        for number, value in ((number, bytes(value)) for number, value in response.information.items())
    )
    head = (response.read_code, response.conformity, response.more_follows, response.next_object_id)
    return bytes((*(int(each) for each in head), len(response.information))) + objects
