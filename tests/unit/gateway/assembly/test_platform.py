"""The real machine behind the ports."""

import asyncio
import os
import pty
import threading
import tty

import pytest

from gateway.acquisition.clock_evidence import ClockEvidence, ClockState
from gateway.assembly.platform import SystemClock, SystemRandom, SystemStreams, ThreadCommitter, kernel_clock_state
from gateway.journal.canonical import decode
from tests.scenarios.acquisition_world import WorldClock, run_virtual


class Collecting(asyncio.Protocol):
    """Gathers what comes in."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.lost = asyncio.Event()
        self.arrived = asyncio.Event()
        self.error: Exception | None = None

    def data_received(self, data: bytes) -> None:
        self.received += data
        self.arrived.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.error = error
        self.lost.set()


async def test_work_is_done_in_order_on_one_other_thread() -> None:
    committer = ThreadCommitter()
    seen: list[int] = []
    threads: set[int] = set()

    def work(number: int) -> int:
        seen.append(number)
        threads.add(threading.get_ident())
        return number

    assert await asyncio.gather(*(committer.run(lambda n=n: work(n)) for n in range(20))) == list(range(20))  # type: ignore[misc]
    assert seen == list(range(20))
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    with pytest.raises(ZeroDivisionError):
        await committer.run(lambda: 1 // 0)
    committer.close()


async def test_a_serial_port_carries_bytes_both_ways_and_says_when_it_is_gone() -> None:
    ours, theirs = pty.openpty()
    tty.setraw(ours)
    protocol = Collecting()
    settings = {"baudrate": 9600, "bytesize": 8, "parity": "N", "stopbits": 1}
    transport = await SystemStreams().open_serial(lambda: protocol, os.ttyname(theirs), settings)
    assert isinstance(transport, asyncio.Transport)
    transport.write(b"\x01\x03")
    assert await asyncio.to_thread(os.read, ours, 10) == b"\x01\x03"
    os.write(ours, b"answer")
    await asyncio.wait_for(protocol.arrived.wait(), 5)
    assert protocol.received == b"answer"
    with pytest.raises(OSError, match=r"lock|busy|unavailable|exclusive"):
        await SystemStreams().open_serial(Collecting, os.ttyname(theirs), settings)
    os.close(ours)
    os.close(theirs)
    await asyncio.wait_for(protocol.lost.wait(), 5)
    assert transport.is_closing()
    transport.write(b"ignored")
    transport.abort()


async def test_a_port_that_is_not_there_is_an_os_error() -> None:
    with pytest.raises(OSError, match="nowhere"):
        await SystemStreams().open_serial(Collecting, "/dev/nowhere", {"baudrate": 9600})
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await SystemStreams().connect(Collecting, "127.0.0.1", 1)


def test_time_and_chance() -> None:
    clock, random = SystemClock(), SystemRandom()
    assert clock.monotonic_ns() <= clock.monotonic_ns()
    assert clock.utc_us() > 1_700_000_000_000_000
    assert 1 <= random.uniform(1, 2) <= 2
    assert random.token(16) != random.token(16)


def test_the_kernel_says_something_about_its_clock() -> None:
    state = kernel_clock_state()
    assert state.source in {"kernel", "unknown"}
    assert state.synchronised in {True, False, None}


def test_a_step_of_the_clock_stands_in_the_entry_after_it() -> None:
    async def main() -> None:
        clock = WorldClock()
        evidence = ClockEvidence("o/gateway/clock", clock, lambda: ClockState(True, 12, "kernel"))
        await clock.sleep(60)
        first = decode(evidence.entry().body_bytes)
        clock.wall_us += 3_600_000_000
        await clock.sleep(60)
        second, third = decode(evidence.entry().body_bytes), decode(evidence.entry().body_bytes)
        assert (first["step_us"], second["step_us"], third["step_us"]) == (0, 3_600_000_000, 0)
        assert (first["synchronised"], first["offset_us"], first["source"]) == (1, 12, "kernel")

    run_virtual(main())
