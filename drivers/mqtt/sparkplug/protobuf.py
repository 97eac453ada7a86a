"""The protocol buffers wire format, as far as a Sparkplug B payload needs it: read totally, written for one command.

Written by hand because the runtime library would be a further dependency for two messages, and because a reader of our
own can promise limits: nothing is allocated beyond the payload's own size, groups (deprecated) end the reading.
"""

from collections.abc import Iterator

VARINT = 0
FIXED64 = 1
BYTES = 2
FIXED32 = 5

_MAX_VARINT_BYTES = 10
_U64 = 2**64 - 1


class WireError(ValueError):
    """The bytes are no protocol buffers message."""


def fields(payload: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Field number, wire type and value of every field: integers for VARINT, bytes for the others; WireError."""
    position, end = 0, len(payload)
    while position < end:
        key, position = _varint(payload, position)
        number, wire_type = key >> 3, key & 7
        if number == 0:
            raise WireError("field number 0")
        if wire_type == VARINT:
            value, position = _varint(payload, position)
            yield number, wire_type, value
            continue
        if wire_type == BYTES:
            length, position = _varint(payload, position)
        elif wire_type in {FIXED64, FIXED32}:
            length = 8 if wire_type == FIXED64 else 4
        else:
            raise WireError(f"wire type {wire_type}")
        if length > end - position:
            raise WireError("field beyond the end")
        yield number, wire_type, payload[position : position + length]
        position += length


def _varint(payload: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(_MAX_VARINT_BYTES):
        if position >= len(payload):
            raise WireError("varint beyond the end")
        byte = payload[position]
        position += 1
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value & _U64, position
    raise WireError("varint too long")


def varint(value: int) -> bytes:
    """An unsigned integer as a varint."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def integer_field(number: int, value: int) -> bytes:
    """A VARINT field."""
    return varint(number << 3 | VARINT) + varint(value)


def bytes_field(number: int, value: bytes) -> bytes:
    """A length-delimited field: text, bytes or a message."""
    return varint(number << 3 | BYTES) + varint(len(value)) + value
