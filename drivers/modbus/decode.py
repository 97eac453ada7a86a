"""Bytes to scaled integers: the seven steps of docs/decode-plan.md for one field, exact and total.

This is the plain way, one value at a time, and the definition the compiled plans are held to.
"""

import struct
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from drivers.modbus.fields import ScaleField, Slice, ValueField
from gateway.domain.finding import Finding, Severity
from gateway.domain.quality import GOOD, Flag, Status, word

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1
MAX_POWER = 30
FACT_BYTES = 32

NOT_READ = word(Status.MISSING, Flag.NOT_READ)
NO_VALUE = word(Status.MISSING, Flag.NO_VALUE)
NOT_A_NUMBER = word(Status.MISSING, Flag.NOT_A_NUMBER)
OVERFLOW = word(Status.MISSING, Flag.OVERFLOW)
COARSE = word(Status.UNCERTAIN, Flag.FLOAT32_COARSE)

Decoded = tuple[int | str | None, int, Finding | None]
Raw = Sequence[bytes | None]


class _InvalidError(Exception):
    """The bytes are no value of their type."""


class _AbsentError(Exception):
    """The bytes say that there is no value."""


def decode_field(  # noqa: PLR0911  # one return a way to have no value
    field: ValueField, scales: Sequence[ScaleField], raw: Raw
) -> Decoded:
    """Value, quality word and finding of one field."""
    data = raw[field.request] if field.request < len(raw) else None
    if data is None:
        return None, NOT_READ, None
    if field.type == "object":
        return _object(field, data)
    if len(data) < field.offset + field.length:
        return None, NOT_READ, None
    ordered = ordered_bytes(field, data)
    if ordered.hex() in field.sentinels:
        return _missing(field, "reading.no_value", NO_VALUE, ordered)
    try:
        number = _interpret(field, ordered)
    except _InvalidError:
        return _missing(field, "reading.not_a_number", NOT_A_NUMBER, ordered)
    except _AbsentError:
        return _missing(field, "reading.no_value", NO_VALUE, ordered)
    if isinstance(number, str):
        return number, GOOD, None
    if field.format != "number":
        return _digits(field, number, ordered), GOOD, None
    factor = Fraction(field.numerator * 10**field.decimals, field.denominator)
    for index in field.scales:
        each = _factor(scales[index], raw)
        if each is None:
            return _missing(field, "reading.no_value", NO_VALUE, ordered)
        if not each[0]:
            return None, NOT_READ, None
        factor *= each[1]
    return _scaled(field, number, factor, ordered)


def _scaled(field: ValueField, number: int | float, factor: Fraction, ordered: bytes) -> Decoded:
    exact = (Fraction(number) - field.subtract) * factor
    value = round(exact)
    if not INT64_MIN <= value <= INT64_MAX:
        return _missing(field, "reading.overflow", OVERFLOW, ordered)
    if field.coarse is not None and isinstance(number, float) and field.length == 4 and number:
        step = float32_step(number) * abs(factor)
        if step > field.coarse:
            facts: dict[str, int | str] = {"step": int(step)}
            return value, COARSE, Finding("reading.float32_coarse", Severity.WARNING, field.channel, facts)
    return value, GOOD, None


def float32_step(number: float) -> Fraction:
    """The distance of a non-zero binary32 number to the next of its size."""
    mantissa_bits = 23
    exponent = max(_floor_log2(abs(number)), -126) - mantissa_bits
    return Fraction(2) ** exponent


def _floor_log2(number: float) -> int:
    numerator, denominator = number.as_integer_ratio()
    # the denominator is a power of two, so the ratio's bit lengths give the exponent exactly
    return numerator.bit_length() - denominator.bit_length()


def ordered_bytes(part: Slice, data: bytes) -> bytes:
    """The bytes of a slice, most significant first."""
    wire = data[part.offset : part.offset + part.length]
    size = len(part.order)
    if size == 1:
        return wire
    positions = [ord(letter) - 65 for letter in part.order]
    result = bytearray(len(wire))
    for start in range(0, len(wire), size):
        for index, position in enumerate(positions):
            result[start + position] = wire[start + index]
    return bytes(result)


def _interpret(part: Slice, ordered: bytes) -> int | float | str:  # noqa: PLR0911  # a table of types
    match part.type:
        case "uint" | "int":
            return _integer(part, ordered)
        case "magnitude":
            top = 1 << (8 * part.length - 1)
            unsigned = int.from_bytes(ordered, "big")
            return -(unsigned - top) if unsigned & top else unsigned
        case "float":
            number: float = struct.unpack(">f" if part.length == 4 else ">d", ordered)[0]
            if number != number or number in {float("inf"), float("-inf")}:  # noqa: PLR0124  # NaN alone differs from itself
                raise _InvalidError
            return number
        case "bcd":
            digits = ordered.hex()
            if not digits.isdecimal():
                raise _InvalidError
            return int(digits)
        case "mod10k":
            return _mod10k(ordered)
        case "text":
            return _text(ordered)
        case "time":
            return _time(part.shift, ordered)
        case _:
            raise _InvalidError


def _integer(part: Slice, ordered: bytes) -> int:
    width = 8 * part.length if part.width is None else part.width
    value = (int.from_bytes(ordered, "big") >> part.shift) & ((1 << width) - 1)
    if part.type == "int" and value >> (width - 1):
        value -= 1 << width
    return value


def _mod10k(ordered: bytes) -> int:
    total = 0
    for each in struct.unpack(f">{len(ordered) // 2}h", ordered):
        if not -9_999 <= each <= 9_999:
            raise _InvalidError
        total = total * 10_000 + each
    return total


def _text(ordered: bytes) -> str:
    head = ordered.split(b"\x00", 1)[0]
    text = "".join(chr(each) if 0x20 <= each <= 0x7E else "\ufffd" for each in head).strip(" ")
    if not text:
        raise _AbsentError
    return text


def _time(layout: int, ordered: bytes) -> str:
    try:
        return _moment(layout, ordered).isoformat(timespec="seconds")
    except (ValueError, OverflowError) as error:
        raise _InvalidError from error


def _moment(layout: int, ordered: bytes) -> datetime:
    if layout == 4:
        seconds = int.from_bytes(ordered, "big")
        days, rest = divmod(seconds, 86_400)
        day = datetime.fromordinal(719_163 + days)
        return day.replace(hour=rest // 3_600, minute=rest // 60 % 60, second=rest % 60)
    if layout == 5:
        year, month_day, hour_minute, milliseconds = struct.unpack(">4H", ordered)
        return datetime(  # noqa: DTZ001  # the device's own clock has no zone
            2000 + (year & 0x7F),
            month_day >> 8 & 0xF,
            month_day & 0x1F,
            hour_minute >> 8 & 0x1F,
            hour_minute & 0x3F,
            milliseconds // 1_000,
        )
    if layout in {2, 6}:
        parts = list(struct.unpack(">6H", ordered))
    elif layout == 3:
        digits = ordered.hex()
        parts = [int(digits[index : index + 2]) for index in range(0, 12, 2)]
    else:
        parts = list(ordered)
    if layout != 2:
        parts[0] += 2000
    return datetime(*parts)  # noqa: DTZ001  # the device's own clock has no zone


def _object(field: ValueField, data: bytes) -> Decoded:
    body = _object_bytes(field.offset, data)
    if body is None:
        return _missing(field, "reading.no_value", NO_VALUE, b"")
    if body.hex() in field.sentinels:
        return _missing(field, "reading.no_value", NO_VALUE, body)
    try:
        return _text(body), GOOD, None
    except _AbsentError:
        return _missing(field, "reading.no_value", NO_VALUE, body)


def _object_bytes(object_id: int, data: bytes) -> bytes | None:
    if len(data) < 5:
        return None
    position = 5
    for _ in range(data[4]):
        if len(data) < position + 2:
            return None
        end = position + 2 + data[position + 1]
        if len(data) < end:
            return None
        if data[position] == object_id:
            return data[position + 2 : end]
        position = end
    return None


def _digits(field: ValueField, number: int | float, ordered: bytes) -> str:
    if field.format == "hex":
        return ordered.hex()
    text = str(int(number))
    return text.zfill(2 * field.length) if field.format == "digits" else text


def _factor(  # noqa: PLR0911  # one return a way to say nothing
    scale: ScaleField, raw: Raw
) -> tuple[bool, Fraction] | None:
    """(True, factor); (False, 0) when its bytes were not read; None when it says nothing usable."""
    data = raw[scale.request] if scale.request < len(raw) else None
    if data is None or len(data) < scale.offset + scale.length:
        return False, Fraction(0)
    try:
        number = _interpret(scale, ordered_bytes(scale, data))
    except (_InvalidError, _AbsentError):
        return None
    if isinstance(number, str):
        return None
    low, high = scale.minimum, scale.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        return None
    if scale.kind == "power10":
        return (True, Fraction(10) ** int(number)) if abs(number) <= MAX_POWER else None
    if scale.kind == "divide":
        return (True, 1 / Fraction(number)) if number else None
    return True, Fraction(number)


def _missing(field: ValueField, rule: str, quality: int, ordered: bytes) -> Decoded:
    facts: dict[str, int | str] = {"raw": ordered[:FACT_BYTES].hex()}
    severity = Severity.ERROR if rule == "reading.overflow" else Severity.WARNING
    return None, quality, Finding(rule, severity, field.channel, facts)
