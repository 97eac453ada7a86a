"""The demo running: the works on the wire in this process, the gateway as its child."""

import asyncio
import contextlib
import ctypes
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from simulators.demo.commands import gateway_command
from simulators.demo.folder import SITE_FILE, DemoState
from simulators.demo.plant import build_plant
from simulators.demo.serving import LiveWorks
from simulators.demo.site import HOST

READY_S = 60.0
_STOP_S = 40.0
_POLL_S = 0.2
_PR_SET_PDEATHSIG = 1
"""Linux, prctl(2): which signal this process gets when its parent has died."""
_PRCTL = getattr(ctypes.CDLL(None), "prctl", None)


class GatewayEndedError(Exception):
    """The gateway ended by itself."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the gateway ended with code {code}")
        self.code = code


class GatewayMuteError(Exception):
    """The gateway's pages did not come up."""


async def run_demo(
    folder: Path, state: DemoState, port: int, *, language: str, duration_s: float | None, ready: Callable[[], None]
) -> None:
    """Run until stopped by a signal or, with ``duration_s``, that long after the pages answer. Everything is
    stopped after."""
    works = LiveWorks(build_plant(state.seed, state.calendar), state.ports)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    gateway: asyncio.subprocess.Process | None = None
    try:
        await works.start()
        gateway = await asyncio.create_subprocess_exec(
            *gateway_command(language, "run", folder / SITE_FILE, "--data", folder, "--port", str(port)),
            stdout=sys.stderr,  # standard output belongs to the demo's own result
            start_new_session=True,  # Ctrl-C reaches us; we stop the gateway in order
            preexec_fn=_end_with_parent,
        )
        await _until_ready(gateway, port, stop)
        if not stop.is_set():
            ready()
            await _until_stopped(gateway, stop, duration_s)
    finally:
        if gateway is not None:
            await _stopped(gateway)
        await works.stop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _until_ready(gateway: asyncio.subprocess.Process, port: int, stop: asyncio.Event) -> None:
    for _ in range(int(READY_S / _POLL_S)):
        if stop.is_set():
            return
        if gateway.returncode is not None:
            raise GatewayEndedError(gateway.returncode)
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            await asyncio.sleep(_POLL_S)
            continue
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return
    raise GatewayMuteError


async def _until_stopped(gateway: asyncio.subprocess.Process, stop: asyncio.Event, duration_s: float | None) -> None:
    ended = asyncio.create_task(gateway.wait())
    asked = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({ended, asked}, timeout=duration_s, return_when=asyncio.FIRST_COMPLETED)
        if ended.done() and not asked.done():
            raise GatewayEndedError(ended.result())
    finally:
        for task in (ended, asked):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _stopped(gateway: asyncio.subprocess.Process) -> None:
    """SIGTERM, and after a while SIGKILL."""
    if gateway.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        gateway.terminate()
    try:
        await asyncio.wait_for(gateway.wait(), _STOP_S)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            gateway.kill()
        await gateway.wait()


def _end_with_parent() -> None:
    """Between fork and exec: a gateway whose demo is killed ends too (SIGTERM), else it would hold folder and port."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGTERM)
