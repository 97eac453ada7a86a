"""The client on real sockets against a server that misbehaves on purpose."""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

import pytest

from drivers.modbus.request import Request
from tests.conformance.modbus.rig import ScriptedServer, device, mbap_answer, open_link, plain_crc, rtu_answer

REQUEST = Request(1, 3, 0, 2)
OTHER = Request(1, 3, 10, 2)
CLIENTS = ["own", "pymodbus"]


def registers(request: bytes, start: int) -> list[int]:
    """Values that name the question's address."""
    address = int.from_bytes(request[start : start + 2], "big")
    return [1000 + address, 2000 + address]


def good(framing: str, request: bytes) -> bytes:
    """The right answer."""
    if framing == "tcp":
        return mbap_answer(request, registers(request, 8))
    return rtu_answer(request, registers(request, 2))


def expected(request: Request) -> bytes:
    """What the server holds for a question."""
    return b"".join(each.to_bytes(2, "big") for each in (1000 + request.address, 2000 + request.address))


async def ask(link: Any, request: Request = REQUEST, timeout_s: float = 0.15) -> Any:
    """One exchange."""
    return await link.exchange(device(request.unit), request, timeout_s)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("transport", ["tcp", "rtu_over_tcp"])
async def test_a_late_answer_is_never_booked_for_the_next_question(client: str, transport: str) -> None:
    framing = "tcp" if transport == "tcp" else "rtu"

    async def late_first(server: ScriptedServer, data: bytes, writer: asyncio.StreamWriter) -> None:
        if len(server.requests) % 3 == 1:
            await asyncio.sleep(0.12)
        if not writer.is_closing():
            writer.write(good(framing, data))

    async with ScriptedServer(late_first) as server:
        link = open_link(transport=transport, port=server.port, client=client, timeout_ms=60, late_ms=130)
        outcomes = []
        for request in (REQUEST, OTHER, REQUEST, OTHER, REQUEST, OTHER):
            answer = await ask(link, request, 0.06)
            outcomes.append(answer.outcome)
            if answer.outcome == "ok":
                assert answer.data == expected(request)
        assert "ok" in outcomes
        assert "timeout" in outcomes
        await link.close()


@pytest.mark.parametrize("pause_s", [0.0, 0.25])
@pytest.mark.parametrize("client", CLIENTS)
async def test_an_answer_that_a_serial_server_kept_for_the_next_connection_is_not_booked(
    client: str, pause_s: float
) -> None:
    """The server closes while the meter still thinks; the answer comes out of the line, and out of the next stream."""
    kept: list[bytes] = []
    asked = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while kept:
            await asyncio.sleep(0.01)  # the way takes its time; an impatient client has asked by then
            writer.write(good("rtu", kept.pop()))
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(300):
                asked += 1
                if asked == 2:
                    kept.append(data)
                    break
                await asyncio.sleep(0.01)
                writer.write(good("rtu", data))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    link = open_link(transport="rtu_over_tcp", port=port, client=client, timeout_ms=50, late_ms=100)
    outcomes = []
    for request in (REQUEST, OTHER, REQUEST, OTHER, REQUEST):
        answer = await ask(link, request, 0.1)
        assert answer.data is None or answer.data == expected(request)
        outcomes.append(answer.outcome)
        await asyncio.sleep(pause_s)
    assert outcomes == ["ok", "unreachable", "ok", "ok", "ok"]
    assert not kept
    await link.close()
    await asyncio.sleep(0.02)  # the server sees the end
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_peer_that_closes_instead_of_answering_fails_at_once(client: str) -> None:
    def hang_up(server: ScriptedServer, data: bytes, writer: asyncio.StreamWriter) -> None:
        del server, data
        writer.close()

    async with ScriptedServer(hang_up) as server:
        link = open_link(transport="tcp", port=server.port, client=client)
        begun = time.monotonic()
        answer = await ask(link, timeout_s=5.0)
        assert answer.outcome == "unreachable"
        assert time.monotonic() - begun < 1.0
        await link.close()


@pytest.mark.parametrize("client", CLIENTS)
async def test_accept_and_close_is_no_reconnect_storm(client: str) -> None:
    accepted = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    link = open_link(transport="tcp", port=server.sockets[0].getsockname()[1], client=client)
    end = time.monotonic() + 1.6
    while time.monotonic() < end:
        answer = await ask(link, timeout_s=0.01)
        assert answer.outcome == "unreachable"
        await asyncio.sleep(0.01)
    assert accepted <= 3  # at 0, after 0.5 s, after 1.0 s more
    await link.close()
    server.close()
    await server.wait_closed()


async def test_nobody_listens() -> None:
    async with ScriptedServer(lambda *_: None) as server:
        port = server.port
    link = open_link(transport="tcp", port=port)
    answer = await ask(link)
    assert answer.outcome == "unreachable"
    assert answer.detail
    await link.close()


async def test_an_idle_stream_that_the_peer_closed_is_reopened_at_once() -> None:
    def answer_and_close(server: ScriptedServer, data: bytes, writer: asyncio.StreamWriter) -> None:
        del server
        writer.write(good("tcp", data))
        writer.close()

    async with ScriptedServer(answer_and_close) as server:
        link = open_link(transport="tcp", port=server.port)
        for _ in range(5):
            assert (await ask(link)).outcome == "ok"
            await asyncio.sleep(0.01)
        assert server.connections == 5
        await link.close()


async def test_a_partial_frame_then_silence_reopens_the_stream() -> None:
    def half_first(server: ScriptedServer, data: bytes, writer: asyncio.StreamWriter) -> None:
        answer = good("tcp", data)
        writer.write(answer[:7] if len(server.requests) == 1 else answer)

    async with ScriptedServer(half_first) as server:
        link = open_link(transport="tcp", port=server.port)
        assert (await ask(link)).outcome == "frame_error"
        assert (await ask(link)).outcome == "ok"
        assert server.connections == 2
        await link.close()


async def test_silence_for_long_reopens_a_stream_that_looks_alive() -> None:
    def half_open(server: ScriptedServer, data: bytes, writer: asyncio.StreamWriter) -> None:
        if server.connections == 1 and len(server.requests) > 1:
            return
        writer.write(good("tcp", data))

    async with ScriptedServer(half_open) as server:
        link = open_link(transport="tcp", port=server.port)
        outcomes = [(await ask(link, timeout_s=0.02)).outcome for _ in range(8)]
        assert outcomes[0] == "ok"
        assert outcomes[1:6] == ["timeout"] * 5
        assert outcomes[6:] == ["ok", "ok"]
        await link.close()


@pytest.mark.parametrize("transport", ["tcp", "rtu_over_tcp"])
async def test_a_cancelled_question_leaves_nothing_behind(transport: str) -> None:
    framing = "tcp" if transport == "tcp" else "rtu"

    async def slow(server: ScriptedServer, data: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.03)
        if not writer.is_closing():
            writer.write(good(framing, data))

    async with ScriptedServer(slow) as server:
        link = open_link(transport=transport, port=server.port, timeout_ms=60, late_ms=60)
        for round_ in range(6):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ask(link, REQUEST, 0.5), 0.004 * round_ + 0.002)
            answer = await ask(link, OTHER, 0.5)
            assert answer.outcome == "ok"
            assert answer.data == expected(OTHER)
        await link.close()


async def test_only_the_silent_unit_is_waited_for_on_a_shared_line() -> None:
    def unit_seven_is_dead(server: ScriptedServer, data: bytes, writer: asyncio.StreamWriter) -> None:
        del server
        if data[0] != 7:
            writer.write(good("rtu", data))

    async with ScriptedServer(unit_seven_is_dead) as server:
        link = open_link(transport="rtu_over_tcp", port=server.port, timeout_ms=50, late_ms=400)
        assert (await ask(link, Request(7, 3, 0, 2), 0.05)).outcome == "timeout"
        begun = time.monotonic()
        assert (await ask(link, REQUEST, 0.5)).outcome == "ok"
        assert time.monotonic() - begun < 0.2
        assert (await ask(link, Request(7, 3, 0, 2), 0.05)).outcome == "timeout"
        assert time.monotonic() - begun >= 0.35
        await link.close()


async def test_pause_between_requests() -> None:
    async with ScriptedServer(lambda _s, data, writer: writer.write(good("tcp", data))) as server:
        link = open_link(transport="tcp", port=server.port, pause_ms=30)
        begun = time.monotonic()
        for _ in range(4):
            assert (await ask(link)).outcome == "ok"
        assert time.monotonic() - begun >= 0.085
        await link.close()


async def test_a_closed_link_opens_anew_when_asked() -> None:
    async with ScriptedServer(lambda _s, data, writer: writer.write(good("tcp", data))) as server:
        link = open_link(transport="tcp", port=server.port)
        for _ in range(2):
            answer = await ask(link)
            assert answer.data == expected(REQUEST)
            assert 0 < answer.sent_us <= answer.received_us
            await link.close()
            await link.close()


@pytest.mark.parametrize("transport", ["tcp", "rtu_over_tcp"])
async def test_a_device_that_dials_in(transport: str, unused_tcp_port: int) -> None:
    framing = "tcp" if transport == "tcp" else "rtu"

    async def call() -> asyncio.StreamWriter:
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.write(b"DTU-0042")

        async def serve() -> None:
            while data := await reader.read(300):
                writer.write(b"\xfe\xfe" + good(framing, data))

        tasks.append(asyncio.ensure_future(serve()))
        return writer

    tasks: list[asyncio.Future[None]] = []
    link = open_link(
        transport=transport, port=unused_tcp_port, listen=True, registration="DTU-0042", heartbeat="hex:fefe"
    )
    answer = await ask(link, timeout_s=0.02)
    assert (answer.outcome, answer.detail) == ("unreachable", "no device has dialled in")
    first = await call()
    assert (await ask(link, timeout_s=1.0)).data == expected(REQUEST)
    second = await call()
    await asyncio.sleep(0.05)
    assert (await ask(link, timeout_s=1.0)).data == expected(REQUEST)
    for writer in (first, second):
        writer.close()
    await link.close()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_caller_without_the_registration_is_turned_away(unused_tcp_port: int) -> None:
    link = open_link(transport="tcp", port=unused_tcp_port, listen=True, registration="DTU-0042")
    await ask(link, timeout_s=0.02)
    reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
    writer.write(b"DTU-0666")
    with contextlib.suppress(ConnectionError):
        assert await reader.read(1) == b""
    assert (await ask(link, timeout_s=0.02)).outcome == "unreachable"
    writer.close()
    await link.close()


async def test_callers_who_say_nothing_are_few_and_keep_nobody_out(unused_tcp_port: int) -> None:
    link = open_link(transport="tcp", port=unused_tcp_port, listen=True, registration="DTU-0042")
    await ask(link, timeout_s=0.02)
    silent = [await asyncio.open_connection("127.0.0.1", unused_tcp_port) for _ in range(40)]
    reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
    writer.write(b"DTU-0042")

    async def serve() -> None:
        while data := await reader.read(300):
            writer.write(good("tcp", data))

    serving = asyncio.ensure_future(serve())
    assert (await ask(link, timeout_s=1.0)).data == expected(REQUEST)
    ended = 0
    for each, _ in silent:
        with contextlib.suppress(TimeoutError, ConnectionError):
            ended += await asyncio.wait_for(each.read(1), 0.005) == b""
        ended += isinstance(each.exception(), ConnectionError)
    assert ended >= 40 - 8
    await link.close()
    await asyncio.wait_for(serving, 1.0)  # the link hung up on whoever it had let in
    for _, each_writer in [*silent, (reader, writer)]:
        each_writer.close()
    await asyncio.sleep(0.02)


async def test_a_port_in_use_is_an_outcome(unused_tcp_port: int) -> None:
    taken = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", unused_tcp_port)
    link = open_link(transport="tcp", port=unused_tcp_port, listen=True)
    answer = await ask(link, timeout_s=0.02)
    assert answer.outcome == "unreachable"
    assert "listen" in answer.detail
    await link.close()
    taken.close()
    await taken.wait_closed()


async def test_a_serial_port_that_is_not_there(tmp_path: Path) -> None:
    link = open_link(transport="rtu", path=str(tmp_path / "ttyS99"))
    answer = await ask(link)
    assert answer.outcome == "unreachable"
    assert answer.detail
    await link.close()


def test_the_oracle_crc_knows_the_published_vector() -> None:
    # Modbus over Serial Line guide V1.02, 6.2.2: CRC of 02 07 is 0x1241, sent 41 12
    assert plain_crc(b"\x02\x07") == b"\x41\x12"


async def test_a_gateway_with_a_single_socket_is_reopened_without_a_storm() -> None:
    """A serial server that serves one client and closes every other: the spoilt stream must be gone before the next."""
    accepted = served = refused = 0
    busy = False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted, served, refused, busy
        accepted += 1
        if busy:
            refused += 1
            writer.close()
            return
        busy = True
        try:
            while data := await reader.read(300):
                served += 1
                if served % 3:
                    writer.write(good("rtu", data))
        except ConnectionError:
            pass
        finally:
            busy = False
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    link = open_link(transport="rtu_over_tcp", port=port, timeout_ms=40, late_ms=50)
    outcomes = [(await ask(link, timeout_s=0.15)).outcome for turn in range(9)]
    assert outcomes.count("ok") >= 5
    assert accepted <= 9
    await link.close()
    server.close()
    await server.wait_closed()
