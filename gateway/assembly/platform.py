"""The machine: the real Clock, Random, Streams and Committer, and what the kernel says about its clock.

Only here is the wall clock read, a random number drawn, a socket opened or a thread started; the deterministic
simulation replaces these objects and runs everything else unchanged.
"""

import asyncio
import ctypes
import random
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gateway.acquisition.clock_evidence import ClockState

CONNECT_TIMEOUT_S = 10.0


class SystemClock:
    """Clock of gateway.ports: the machine's."""

    def utc_us(self) -> int:
        """Wall-clock instant, microseconds UTC."""
        return time.time_ns() // 1_000

    def monotonic_ns(self) -> int:
        """Nanoseconds that never decrease."""
        return time.monotonic_ns()

    async def sleep(self, duration_s: float) -> None:
        """Wait."""
        await asyncio.sleep(duration_s)


class SystemRandom:
    """Random of gateway.ports: the operating system's."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high]."""
        return self._random.uniform(low, high)

    def token(self, size_bytes: int) -> bytes:
        """Unpredictable bytes."""
        return secrets.token_bytes(size_bytes)


class SystemStreams:
    """Streams of gateway.ports: sockets and serial ports of this machine."""

    async def connect(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> asyncio.BaseTransport:
        """Open one TCP (or TLS) stream; OSError when it cannot be opened within ``CONNECT_TIMEOUT_S``."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            transport, _ = await loop.create_connection(protocol_factory, host, port, ssl=tls)
        return transport

    async def listen(
        self, protocol_factory: Callable[[], asyncio.BaseProtocol], host: str, port: int
    ) -> asyncio.AbstractServer:
        """Accept streams from devices that dial in; OSError when the port is in use."""
        return await asyncio.get_running_loop().create_server(protocol_factory, host, port)

    async def open_serial(
        self, protocol_factory: Callable[[], asyncio.BaseProtocol], path: str, settings: Mapping[str, Any]
    ) -> asyncio.BaseTransport:
        """Open a serial port; OSError when it cannot be opened."""
        # only sites with serial lines pay for the import
        from gateway.assembly.serial_port import open_serial_port  # noqa: PLC0415

        return open_serial_port(asyncio.get_running_loop(), protocol_factory, path, settings)


class ThreadCommitter:
    """Committer of gateway.ports: one writer thread, so that a sync never stalls the event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")

    async def run(self, work: Callable[[], Any]) -> Any:  # the work's own result type
        """Run ``work`` after everything asked before it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Let the last piece finish, then end the thread."""
        self._thread.shutdown(wait=True)


class _Timex(ctypes.Structure):
    """``struct timex`` of Linux (adjtimex(2))."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time_sec", ctypes.c_long),
        ("time_usec", ctypes.c_long),
        ("tick", ctypes.c_long),
        ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int),
        ("stabil", ctypes.c_long),
        ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long),
        ("errcnt", ctypes.c_long),
        ("stbcnt", ctypes.c_long),
        ("tai", ctypes.c_int),
        ("padding", ctypes.c_int * 11),
    )


_STA_UNSYNC = 0x0040
_STA_NANO = 0x2000
_TIME_ERROR = 5


def kernel_clock_state() -> ClockState:
    """What the kernel says about the discipline of its clock; not known where it cannot be asked."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
        timex = _Timex()
        state = int(adjtimex(ctypes.byref(timex)))
    except (OSError, AttributeError):
        return ClockState(None, None, "unknown")
    if state < 0:
        return ClockState(None, None, "unknown")
    offset_us = int(timex.offset) // 1_000 if timex.status & _STA_NANO else int(timex.offset)
    synchronised = state != _TIME_ERROR and not timex.status & _STA_UNSYNC
    return ClockState(synchronised, offset_us, "kernel")
