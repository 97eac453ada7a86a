"""Sparkplug B payloads: metrics with name, alias, data type, time stamp and value (Sparkplug 3.0.0, section 6.4)."""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction
from typing import Any, Final

from drivers.mqtt.records import MAX_PAYLOAD_BYTES, UndecodableError
from drivers.mqtt.sparkplug import protobuf
from drivers.mqtt.sparkplug.protobuf import BYTES, FIXED32, FIXED64, VARINT, WireError

MAX_METRICS = 10_000
GOOD_QUALITY = 192
STALE_QUALITY = 500


class DataType(IntEnum):
    """The scalar data types a reading can have."""

    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATE_TIME = 13
    TEXT = 14
    UUID = 15


_SIGNED: Final = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}
_UNSIGNED: Final = {DataType.UINT8: 8, DataType.UINT16: 16, DataType.UINT32: 32, DataType.UINT64: 64}
_TEXTS: Final = {DataType.STRING, DataType.TEXT, DataType.UUID}

_NAME, _ALIAS, _TIMESTAMP, _DATATYPE, _HISTORICAL, _TRANSIENT, _NULL, _PROPERTIES = 1, 2, 3, 4, 5, 6, 7, 9
_INT, _LONG, _FLOAT, _DOUBLE, _BOOLEAN, _STRING = 10, 11, 12, 13, 14, 15


class NotANumber:
    """A float that is NaN or infinite, or a value whose kind does not fit its data type."""


NOT_A_NUMBER: Final = NotANumber()


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as it came. ``raw`` holds the value by field number; what it means depends on the data type."""

    name: str | None
    alias: int | None
    timestamp_ms: int | None
    datatype: int | None
    historical: bool
    null: bool
    raw: tuple[int, int | bytes] | None
    properties: Mapping[str, int | str]

    def value(self, datatype: int | None) -> int | Fraction | str | NotANumber | None:
        """The value under a data type: None when the metric says null, NOT_A_NUMBER when it is none of that type."""
        if self.null or self.raw is None:
            return None
        number, raw = self.raw
        kind = datatype if datatype is not None else self.datatype
        if kind in _TEXTS:
            return _text(raw) if number == _STRING and isinstance(raw, bytes) else NOT_A_NUMBER
        if kind in _SIGNED or kind in _UNSIGNED:
            return _integer(number, raw, DataType(kind))
        if kind in {DataType.FLOAT, DataType.DOUBLE} and isinstance(raw, bytes):
            return _float(number, raw)
        return NOT_A_NUMBER

    def step_of_float32(self, datatype: int | None) -> Fraction | None:
        """The distance to the next float32 when the value is one, else None."""
        if self.raw is None or self.raw[0] != _FLOAT or (datatype or self.datatype) != DataType.FLOAT:
            return None
        raw = self.raw[1]
        if not isinstance(raw, bytes):
            return None
        exponent = (int.from_bytes(raw, "little") >> 23) & 0xFF
        if exponent == 0xFF or raw in {b"\0\0\0\0", b"\0\0\0\x80"}:
            return None
        return Fraction(2) ** (max(exponent - 127, -126) - 23)


def _integer(number: int, raw: int | bytes, kind: DataType) -> int | NotANumber:
    """Integers travel as unsigned varints, signed ones in two's complement of 32 or 64 bits."""
    if number not in {_INT, _LONG} or not isinstance(raw, int):
        return NOT_A_NUMBER
    carried = 32 if number == _INT else 64
    bits = _SIGNED.get(kind) or _UNSIGNED[kind]
    if number == _INT:
        # some encoders extend the sign of a 32-bit field to 64 bits
        if raw >> 32 not in {0, 0xFFFFFFFF}:
            return NOT_A_NUMBER
        raw &= 0xFFFFFFFF
    if kind in _UNSIGNED:
        return raw if raw < 1 << bits else NOT_A_NUMBER
    value = raw - (1 << carried) if raw >> (carried - 1) else raw
    if carried > bits and raw >> (bits - 1) == 1:
        value = raw - (1 << bits)  # the sign stands at the type's own width, not extended
    return value if -(1 << (bits - 1)) <= value < 1 << (bits - 1) else NOT_A_NUMBER


def _float(number: int, raw: bytes) -> Fraction | NotANumber:
    if number not in {_FLOAT, _DOUBLE}:
        return NOT_A_NUMBER
    value = struct.unpack("<f" if number == _FLOAT else "<d", raw)[0]
    if not math.isfinite(value):
        return NOT_A_NUMBER
    return Fraction(value)


def _text(raw: bytes) -> str | NotANumber:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return NOT_A_NUMBER


@dataclass(slots=True)
class Payload:
    """A Sparkplug B payload."""

    timestamp_ms: int | None = None
    seq: int | None = None
    metrics: list[Metric] = field(default_factory=list)


def parse(payload: bytes) -> Payload:
    """The payload of a Sparkplug B message; UndecodableError says why not."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise UndecodableError("too_large")
    parsed = Payload()
    try:
        for number, wire_type, value in protobuf.fields(payload):
            if number == 1 and wire_type == VARINT and isinstance(value, int):
                parsed.timestamp_ms = value
            elif number == 2 and wire_type == BYTES and isinstance(value, bytes):
                if len(parsed.metrics) >= MAX_METRICS:
                    raise UndecodableError("too_large")
                parsed.metrics.append(_metric(value))
            elif number == 3 and wire_type == VARINT and isinstance(value, int):
                parsed.seq = value
    except (WireError, UnicodeDecodeError) as error:
        raise UndecodableError("not_sparkplug") from error
    return parsed


_METRIC_TYPES: Final = {
    _NAME: BYTES,
    _ALIAS: VARINT,
    _TIMESTAMP: VARINT,
    _DATATYPE: VARINT,
    _HISTORICAL: VARINT,
    _NULL: VARINT,
    _PROPERTIES: BYTES,
    _INT: VARINT,
    _LONG: VARINT,
    _FLOAT: FIXED32,
    _DOUBLE: FIXED64,
    _BOOLEAN: VARINT,
    _STRING: BYTES,
}


def _metric(payload: bytes) -> Metric:
    found: dict[int, Any] = {}
    raw = None
    for number, wire_type, value in protobuf.fields(payload):
        wanted = _METRIC_TYPES.get(number)
        if wanted is None:
            continue
        if wire_type != wanted:
            raise WireError(f"metric field {number} has wire type {wire_type}")
        if number >= _INT:
            raw = (number, value)
        else:
            found[number] = value
    return Metric(
        name=found[_NAME].decode() if found.get(_NAME) else None,
        alias=found.get(_ALIAS),
        timestamp_ms=found.get(_TIMESTAMP),
        datatype=found.get(_DATATYPE) or None,
        historical=bool(found.get(_HISTORICAL)),
        null=bool(found.get(_NULL)),
        raw=raw,
        properties=_properties(found[_PROPERTIES]) if _PROPERTIES in found else {},
    )


def _properties(payload: bytes) -> dict[str, int | str]:
    """The integer and text properties of a PropertySet; others are left out."""
    keys: list[str] = []
    values: list[int | str | None] = []
    for number, wire_type, value in protobuf.fields(payload):
        if wire_type != BYTES or not isinstance(value, bytes):
            continue
        if number == 1:
            keys.append(value.decode())
        elif number == 2:
            values.append(_property(value))
    return {key: value for key, value in zip(keys, values, strict=False) if value is not None}


def _property(payload: bytes) -> int | str | None:
    found: int | str | None = None
    for number, wire_type, value in protobuf.fields(payload):
        if number in {3, 4} and wire_type == VARINT and isinstance(value, int):
            found = value
        elif number == 8 and wire_type == BYTES and isinstance(value, bytes):
            found = value.decode()
    return found


def rebirth_command(at_us: int) -> bytes:
    """An NCMD payload that asks an edge node for its birth certificates."""
    at_ms = max(at_us, 0) // 1_000
    metric = (
        protobuf.bytes_field(_NAME, b"Node Control/Rebirth")
        + protobuf.integer_field(_TIMESTAMP, at_ms)
        + protobuf.integer_field(_DATATYPE, DataType.BOOLEAN)
        + protobuf.integer_field(_BOOLEAN, 1)
    )
    return protobuf.integer_field(1, at_ms) + protobuf.bytes_field(2, metric)
