"""What a request costs on its line, so that merging, the schedule check and the pace rest on physics.

On a serial line (or behind a serial server whose ``baud`` is given) a read of *n* registers is 8 + 5 + 2n characters,
two silences of 3.5 characters and the meter's turnaround. On a network a register costs nearly nothing and a request a
round trip.
"""

from dataclasses import dataclass

from drivers.modbus.request import Request
from drivers.modbus.schema import Connection

NETWORK_REQUEST_US = 2_000
NETWORK_REGISTER_US = 1
SILENCE_CHARACTERS = 3.5
FIXED_SILENCE_ABOVE_BAUD = 19_200
FIXED_SILENCE_US = 1_750
IDENTIFICATION_BYTES = 60  # typical answer; its true length is known only when it comes


def silence_us(baud: int, character_bits: int) -> int:
    """Microseconds between frames: 3.5 characters, 1.75 ms above 19 200 baud (serial line guide 2.5.1.1)."""
    if baud > FIXED_SILENCE_ABOVE_BAUD:
        return FIXED_SILENCE_US
    return round(SILENCE_CHARACTERS * character_bits * 1_000_000 / baud)


@dataclass(frozen=True, slots=True)
class LineCost:
    """Costs on one endpoint, microseconds."""

    request_us: int
    byte_us: float

    def read_us(self, data_bytes: int) -> int:
        """One read whose answer carries so many data bytes."""
        return round(self.request_us + data_bytes * self.byte_us)

    def plan_us(self, requests: list[Request] | tuple[Request, ...]) -> int:
        """All requests one after the other."""
        return sum(self.read_us(IDENTIFICATION_BYTES if each.size is None else each.size) for each in requests)

    @property
    def gap_bytes(self) -> float:
        """How many unneeded bytes are cheaper to read than another request."""
        return self.request_us / self.byte_us


def line_cost(connection: Connection, turnaround_ms: int) -> LineCost:
    """The cost model of an endpoint for a meter with that turnaround."""
    baud = connection.line_baud
    if baud is None:
        measured_us = NETWORK_REQUEST_US if connection.turnaround_ms is None else 1_000 * connection.turnaround_ms
        return LineCost(max(measured_us, 1) + 1_000 * connection.pause_ms, NETWORK_REGISTER_US / 2)
    if connection.turnaround_ms is not None:
        turnaround_ms = connection.turnaround_ms
    character_bits = 1 + connection.data_bits + (connection.parity != "none") + connection.stop_bits
    ascii_line = connection.transport in {"ascii", "ascii_over_tcp"}
    characters_a_byte = 2 if ascii_line else 1
    overhead_bytes = 13 * characters_a_byte + (6 if ascii_line else 0)
    character_us = character_bits * 1_000_000 / baud
    silences = 2 * silence_us(baud, character_bits)
    fixed = overhead_bytes * character_us + silences + 1_000 * (turnaround_ms + connection.pause_ms)
    return LineCost(round(fixed), characters_a_byte * character_us)
