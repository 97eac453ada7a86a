"""Integers as bytes: a head byte with the width, then little-endian integers; nulls as a bitmap, never as a sentinel.

Head byte: width in bytes (1, 2, 4, 8 or 16), plus 0x80 when a count (u32) and a bitmap of present values follow. Only
present values are stored then.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from operator import sub
from struct import Struct, error
from typing import cast
from zlib import compress, decompress

_WITH_NULLS = 0x80
_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}
_WIDEST = 16
_LENGTH_BYTES = 4

Packer = Callable[..., bytes]


@lru_cache(maxsize=1024)
def packer(width: int, count: int) -> Packer:
    """``pack(width, *values)`` for exactly ``count`` integers; struct.error on a null or one that does not fit."""
    return Struct(f"<B{count}{_CODES[width]}").pack


@lru_cache(maxsize=1024)
def _unpacker(width: int, count: int) -> Callable[[bytes, int], tuple[int, ...]]:
    return Struct(f"<{count}{_CODES[width]}").unpack_from


@lru_cache(maxsize=1024)
def zeros(count: int) -> tuple[int, ...]:
    """``count`` zeros, the same object each time so that comparing with it is cheap."""
    return (0,) * count


def encode(values: Sequence[int | None], least_width: int = 1) -> bytes:
    """The shortest form of the integers; any integer of up to 128 bits, nulls anywhere."""
    present = [value for value in values if value is not None]
    if len(present) == len(values):
        return _encode_present(present, least_width, b"")
    bitmap = bytearray((len(values) + 7) // 8)
    for position, value in enumerate(values):
        if value is not None:
            bitmap[position >> 3] |= 1 << (position & 7)
    return _encode_present(present, least_width, len(values).to_bytes(4, "little") + bitmap)


def _encode_present(present: list[int], least_width: int, nulls: bytes) -> bytes:
    flag = _WITH_NULLS if nulls else 0
    for width in _CODES:
        if width >= least_width:
            try:
                packed = packer(width, len(present))(width, *present)
            except error:
                continue
            return bytes((width | flag,)) + nulls + packed[1:]
    body = b"".join(value.to_bytes(_WIDEST, "little", signed=True) for value in present)
    return bytes((_WIDEST | flag,)) + nulls + body


def decode(blob: bytes) -> tuple[int | None, ...]:
    """The integers back; ValueError when the bytes are not ours."""
    head = blob[0]
    width = head & ~_WITH_NULLS
    if not head & _WITH_NULLS:
        return _decode_present(blob, width, 1, (len(blob) - 1) // width if width else 0)
    count = int.from_bytes(blob[1:5], "little")
    start = 5 + (count + 7) // 8
    flags = [blob[5 + (position >> 3)] >> (position & 7) & 1 for position in range(count)]
    present = iter(_decode_present(blob, width, start, sum(flags)))
    return tuple(next(present) if flag else None for flag in flags)


def _decode_present(blob: bytes, width: int, start: int, count: int) -> tuple[int, ...]:
    if width in _CODES and len(blob) == start + count * width:
        return _unpacker(width, count)(blob, start)
    if width == _WIDEST and len(blob) == start + count * width:
        ends = range(start, start + count * width, width)
        return tuple(int.from_bytes(blob[at : at + width], "little", signed=True) for at in ends)
    raise ValueError("not a packed row of integers")


def encode_columns(columns: Sequence[Sequence[int | None]]) -> bytes:
    """Several columns, each with its length before it."""
    packed = map(encode_column, columns)
    return b"".join(len(each).to_bytes(_LENGTH_BYTES, "little") + each for each in packed)


def decode_columns(blob: bytes) -> list[list[int | None]]:
    """The columns back."""
    columns = []
    at = 0
    while at < len(blob):
        size = int.from_bytes(blob[at : at + _LENGTH_BYTES], "little")
        at += _LENGTH_BYTES
        columns.append(decode_column(blob[at : at + size]))
        at += size
    return columns


def encode_column(values: Sequence[int | None], level: int = 6) -> bytes:
    """A column of a day: differences of what is present, bytes of equal weight side by side, deflated."""
    present = [value for value in values if value is not None]
    steps = iter([present[0], *map(sub, present[1:], present)] if present else [])
    blob = encode([None if value is None else next(steps) for value in values])
    start, width = _body(blob)
    return compress(blob[:start] + b"".join(blob[start + lane :: width] for lane in range(width)), level)


def decode_column(packed: bytes) -> list[int | None]:
    """The column back; ValueError or zlib.error when the bytes are not ours."""
    blob = decompress(packed)
    start, width = _body(blob)
    body = bytearray(len(blob) - start)
    lane_bytes = len(body) // width
    for lane in range(width):
        body[lane::width] = blob[start + lane * lane_bytes : start + (lane + 1) * lane_bytes]
    steps = decode(blob[:start] + bytes(body))
    if not blob[0] & _WITH_NULLS:
        return list(accumulate(cast("tuple[int, ...]", steps)))
    values = accumulate(step for step in steps if step is not None)
    return [None if step is None else next(values) for step in steps]


def _body(blob: bytes) -> tuple[int, int]:
    """Where the integers begin in an encoded blob, and their width."""
    width = blob[0] & ~_WITH_NULLS
    if not width:
        raise ValueError("not a packed row of integers")
    return (1 if blob[0] == width else 5 + (int.from_bytes(blob[1:5], "little") + 7) // 8), width
