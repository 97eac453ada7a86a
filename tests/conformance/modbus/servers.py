"""Peers that are not ours: a libmodbus server compiled from the C file beside, pymodbus's own server, pty pairs."""

import os
import subprocess
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from select import select
from threading import Thread

from tests.services import free_port, program

HERE = Path(__file__).parent
Image = Sequence[tuple[int, str, int, int]]  # unit, space (c d h i), address, value


def compiled_server(folder: Path) -> Path:
    """The libmodbus server, compiled into the folder."""
    binary = folder / "register_server"
    flags = ["-I/usr/include/modbus", "-lmodbus"]
    source = str(HERE / "register_server.c")
    subprocess.run([str(program("gcc")), "-O1", "-Wall", "-o", str(binary), source, *flags], check=True, timeout=60)
    return binary


@contextmanager
def libmodbus(binary: Path, image: Image, *arguments: str) -> Iterator[None]:
    """The server running with an image; ``arguments`` as its C file says."""
    process = subprocess.Popen([str(binary), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(f"{u} {s} {a} {v}\n" for u, s, a, v in image).encode())
        process.stdin.close()
        assert process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def libmodbus_tcp(binary: Path, image: Image) -> Iterator[int]:
    """The port of a TCP server with the image."""
    port = free_port()
    with libmodbus(binary, image, "tcp", str(port)):
        yield port


@contextmanager
def pty_pair() -> Iterator[tuple[str, str]]:
    """Two serial ports wired to each other."""
    a_master, a_slave = os.openpty()
    b_master, b_slave = os.openpty()
    for fd in (a_master, a_slave, b_master, b_slave):
        tty.setraw(fd)
    stop_read, stop_write = os.pipe()
    wire = Thread(target=_pump, args=(a_master, b_master, stop_read), daemon=True)
    wire.start()
    try:
        yield os.ttyname(a_slave), os.ttyname(b_slave)
    finally:
        os.write(stop_write, b"x")
        wire.join(timeout=10)
        for fd in (a_master, a_slave, b_master, b_slave, stop_read, stop_write):
            with suppress(OSError):
                os.close(fd)


def _pump(left: int, right: int, stop: int) -> None:
    while True:
        ready, _, _ = select([left, right, stop], [], [])
        if stop in ready:
            return
        for source, sink in ((left, right), (right, left)):
            if source in ready:
                with suppress(OSError):
                    os.write(sink, os.read(source, 4096))
