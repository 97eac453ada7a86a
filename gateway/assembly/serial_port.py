"""A serial port as an asyncio transport, over pyserial: reads when the kernel has bytes, writes what fits."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import serial

READ_BYTES = 1024
MAX_UNSENT_BYTES = 4096


class SerialTransport(asyncio.Transport):
    """One open port. Requests are at most a few hundred bytes; an unsent rest waits for the port to take it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.BaseProtocol, port: serial.Serial) -> None:
        super().__init__({"serial": port.port})
        self._loop = loop
        self._protocol: Any = protocol
        self._port: serial.Serial | None = port
        self._unsent = bytearray()
        loop.add_reader(port.fileno(), self._readable)
        protocol.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send; ignored once closed, as sockets do."""
        if self._port is None:
            return
        if not self._unsent:
            self._loop.add_writer(self._port.fileno(), self._writable)
        if len(self._unsent) + len(data) > MAX_UNSENT_BYTES:
            self._end(OSError("the serial port takes no more bytes"))
            return
        self._unsent += data
        self._writable()

    def is_closing(self) -> bool:
        """Whether the port is closed."""
        return self._port is None

    def close(self) -> None:
        """Close at once: what a meter has not been sent completely is worth nothing."""
        self._end(None)

    def abort(self) -> None:
        """As ``close``."""
        self._end(None)

    def _readable(self) -> None:
        if self._port is None:
            return
        try:
            data = self._port.read(READ_BYTES)
        except (serial.SerialException, OSError) as error:
            self._end(OSError(str(error)))
            return
        if data:
            self._protocol.data_received(data)

    def _writable(self) -> None:
        if self._port is None:
            return
        try:
            sent = self._port.write(bytes(self._unsent)) or 0
        except serial.SerialTimeoutException:
            return
        except (serial.SerialException, OSError) as error:
            self._end(OSError(str(error)))
            return
        del self._unsent[:sent]
        if not self._unsent and self._port is not None:
            self._loop.remove_writer(self._port.fileno())

    def _end(self, error: OSError | None) -> None:
        port, self._port = self._port, None
        if port is None:
            return
        self._loop.remove_reader(port.fileno())
        self._loop.remove_writer(port.fileno())
        port.close()
        self._loop.call_soon(self._protocol.connection_lost, error)


def open_serial_port(
    loop: asyncio.AbstractEventLoop,
    protocol_factory: Callable[[], asyncio.BaseProtocol],
    path: str,
    settings: Mapping[str, Any],
) -> SerialTransport:
    """Open the port, exclusively; OSError when it is absent, in use, or refuses the settings."""
    try:
        port = serial.Serial(path, timeout=0, write_timeout=0, exclusive=True, **settings)
    except serial.SerialException as error:
        raise OSError(str(error)) from error
    except ValueError as error:
        raise OSError(f"{path}: {error}") from error
    return SerialTransport(loop, protocol_factory(), port)
