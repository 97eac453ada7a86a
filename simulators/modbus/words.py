"""Numbers and texts to the bytes that stand in registers, written from the Modbus specification and the makers' words.

Nothing here is shared with the driver that reads these bytes: a mistake in one of the two must show.
"""

import struct
from datetime import datetime
from decimal import Decimal

_PLAIN = {"ABCD": (False, False), "CDAB": (True, False), "BADC": (False, True), "DCBA": (True, True)}


def on_the_wire(natural: bytes, order: str) -> bytes:
    """Most-significant-first bytes rearranged as the meter sends them.

    ``order`` names, place by place on the wire, which byte stands there (A = most significant). The four usual four-
    letter orders stretch to any whole number of registers: ``CDAB`` sends the low word first, ``BADC`` each word's
    low byte first.
    """
    if len(order) == len(natural):
        return bytes(natural[ord(letter) - 65] for letter in order)
    if len(order) == 2:
        return (
            natural
            if order == "AB"
            else b"".join(natural[i + 1 : i + 2] + natural[i : i + 1] for i in range(0, len(natural), 2))
        )
    low_word_first, low_byte_first = _PLAIN[order]
    words = [natural[i : i + 2] for i in range(0, len(natural), 2)]
    if low_word_first:
        words.reverse()
    if low_byte_first:
        words = [word[::-1] for word in words]
    return b"".join(words)


def unsigned(value: int, length: int) -> bytes:
    """The low bytes of a number: what is beyond the register is lost, as in a meter."""
    return (value & ((1 << (8 * length)) - 1)).to_bytes(length, "big")


def limited(value: int, length: int, *, signed: bool) -> bytes:
    """A number held at the register's ends, as instantaneous values are."""
    low, high = (-(1 << (8 * length - 1)), (1 << (8 * length - 1)) - 1) if signed else (0, (1 << (8 * length)) - 1)
    return unsigned(min(high, max(low, value)), length)


def sign_and_magnitude(value: int, length: int) -> bytes:
    """Top bit set for minus, the rest the size."""
    size = abs(value) & ((1 << (8 * length - 1)) - 1)
    return (size | (value < 0) << (8 * length - 1)).to_bytes(length, "big")


def packed_decimal(value: int, length: int) -> bytes:
    """Two decimal digits a byte; digits beyond the register are lost, as on a meter's drum."""
    return bytes.fromhex(str(abs(value) % 10 ** (2 * length)).zfill(2 * length))


def groups_of_ten_thousand(value: int, words: int) -> bytes:
    """One base-10 000 digit a register, highest first, each with the number's sign."""
    digits = []
    rest = abs(value) % 10_000**words
    for _ in range(words):
        rest, digit = divmod(rest, 10_000)
        digits.append(-digit if value < 0 else digit)
    return b"".join(struct.pack(">h", digit) for digit in reversed(digits))


def floating(value: float, length: int) -> bytes:
    """IEEE 754 single or double."""
    return struct.pack(">f" if length == 4 else ">d", value)


def ascii_text(value: str, length: int) -> bytes:
    """A text, padded with NULs."""
    return value.encode("ascii", "replace")[:length].ljust(length, b"\0")


def clock(moment: datetime, layout: str) -> bytes:
    """The device's own clock in one of the layouts meters use."""
    year, month, day = moment.year, moment.month, moment.day
    hour, minute, second = moment.hour, moment.minute, moment.second
    if layout == "time_bytes":
        return bytes((year - 2000, month, day, hour, minute, second))
    if layout == "time_bcd":
        return b"".join(packed_decimal(part, 1) for part in (year - 2000, month, day, hour, minute, second))
    if layout == "time_unix":
        return struct.pack(">I", int((moment - datetime(1970, 1, 1)).total_seconds()))  # noqa: DTZ001  # shown local time
    if layout == "time_iec870":
        words = (year - 2000, month << 8 | day, hour << 8 | minute, second * 1_000 + moment.microsecond // 1_000)
        return struct.pack(">4H", *words)
    base = 2000 if layout == "time_words_2000" else 0
    return struct.pack(">6H", year - base, month, day, hour, minute, second)


def ratio(text: int | str) -> tuple[int, int]:
    """``1/1000``, ``0.001`` or ``10`` as an exact numerator and denominator."""
    if isinstance(text, int):
        return text, 1
    if "/" in text:
        top, bottom = text.split("/")
        return int(top), int(bottom)
    return Decimal(text).as_integer_ratio()
