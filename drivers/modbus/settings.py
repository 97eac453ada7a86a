"""Settings of a serial port, as pyserial takes them."""

from typing import Any

from drivers.modbus.schema import Connection


def serial_settings(connection: Connection) -> dict[str, Any]:
    """What the serial port is opened with."""
    return {
        "baudrate": connection.line_baud,
        "bytesize": connection.data_bits,
        "parity": {"none": "N", "even": "E", "odd": "O"}[connection.parity],
        "stopbits": connection.stop_bits,
    }
