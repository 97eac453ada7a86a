"""CRC-16 of RTU frames and LRC of ASCII frames (serial line guide, 6.2)."""

from array import array
from functools import cache

_POLYNOMIAL = 0xA001


@cache
def _tables() -> "tuple[array[int], array[int]]":
    """One-byte and two-byte steps; built on first use (20 ms), because a plant without RTU never needs them."""
    one = array("H")
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = (crc >> 1) ^ _POLYNOMIAL if crc & 1 else crc >> 1
        one.append(crc)
    two = array("H")
    for value in range(65_536):
        half = (value >> 8) ^ one[value & 0xFF]
        two.append((half >> 8) ^ one[half & 0xFF])
    return one, two


def crc16(frame: bytes | bytearray | memoryview) -> int:
    """The CRC of unit identifier and PDU; sent low byte first."""
    one, two = _tables()
    crc = 0xFFFF
    even = len(frame) & ~1
    for index in range(0, even, 2):
        crc = two[crc ^ frame[index] ^ frame[index + 1] << 8]
    if len(frame) & 1:
        crc = (crc >> 8) ^ one[(crc ^ frame[even]) & 0xFF]
    return crc


def lrc(frame: bytes | bytearray | memoryview) -> int:
    """The LRC of unit identifier and PDU: two's complement of the byte sum."""
    return -sum(frame) & 0xFF
