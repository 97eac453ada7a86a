"""Modbus RTU on a serial line: a pseudo terminal under a name of its own, or a serial port that is there."""

import asyncio
import contextlib
import os
import termios
import tty
from pathlib import Path

from simulators.modbus.server import Replies

BAUDS = {rate: getattr(termios, f"B{rate}") for rate in (1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200)}
_MOST_RECEIVED = 4_096
_SILENCE_S = 0.05


class SerialLine:
    """Serves the meters of one line. Bytes that are no request are forgotten after a silence, as a slave does."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._fd: int | None = None
        self._kept_open: int | None = None
        self._link: Path | None = None
        self._received = b""
        self._heard_s = 0.0
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(64)
        self._task: asyncio.Task[None] | None = None

    async def start(self, path: Path, baud: int) -> str:
        """Open the line and serve; the name under which a client opens it.

        A path that is a character device is opened as serial port (8 data bits, no parity, one stop bit); for any other
        a pseudo terminal is made and the path points to it. OSError when neither can be done.
        """
        self._fd = self._open(path, baud)
        asyncio.get_running_loop().add_reader(self._fd, self._readable)
        self._task = asyncio.create_task(self._serve(), name=f"line {path}")
        return str(path)

    def _open(self, path: Path, baud: int) -> int:
        if path.is_char_device() and not path.is_symlink():
            fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            _raw(fd, baud)
            return fd
        fd, self._kept_open = os.openpty()  # open at our side too: it must outlive its clients
        _raw(self._kept_open, baud)
        os.set_blocking(fd, False)
        if path.is_symlink():
            path.unlink()
        path.symlink_to(os.ttyname(self._kept_open))
        self._link = path
        return fd

    async def stop(self) -> None:
        """Close the line and take its name away; idempotent."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        asyncio.get_running_loop().remove_reader(fd)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        os.close(fd)
        if self._kept_open is not None:
            os.close(self._kept_open)
        if self._link is not None:
            self._link.unlink(missing_ok=True)

    def _readable(self) -> None:
        assert self._fd is not None
        now_s = asyncio.get_running_loop().time()
        if now_s - self._heard_s > _SILENCE_S:
            self._received = b""
        self._heard_s = now_s
        try:
            self._received += os.read(self._fd, _MOST_RECEIVED)
        except (BlockingIOError, OSError):
            return  # nothing there after all, or a client of the terminal went away
        while True:
            try:
                request, self._received = self._replies.framing.cut(self._received)
            except ValueError:
                self._received = b""
                return
            if request is None:
                return
            with contextlib.suppress(asyncio.QueueFull):  # nobody asks so much without waiting for answers
                self._waiting.put_nowait(request)

    async def _serve(self) -> None:
        while True:
            await self._replies.send(await self._waiting.get(), self._write)

    def _write(self, data: bytes) -> None:
        if self._fd is not None:
            with contextlib.suppress(BlockingIOError):  # nobody reads and the terminal is full: lost, as on a wire
                os.write(self._fd, data)


def _raw(fd: int, baud: int) -> None:
    tty.setraw(fd)
    settings = termios.tcgetattr(fd)
    settings[4] = settings[5] = BAUDS[baud]
    termios.tcsetattr(fd, termios.TCSANOW, settings)
