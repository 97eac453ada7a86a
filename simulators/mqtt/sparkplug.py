"""Sparkplug B as an edge node speaks it: births, data by alias, a sequence modulo 256. Written from the specification
(Sparkplug 3.0.0, sections 4 to 6), by an encoder that shares nothing with the driver that reads it."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from simulators.mqtt.payload import AsOf, PayloadWriter, Shows

NAMESPACE = "spBv1.0"
_INT64, _DOUBLE, _BOOLEAN, _STRING = 4, 10, 11, 12
_VARINT, _FIXED64, _BYTES = 0, 1, 2


def varint(value: int) -> bytes:
    """Protocol Buffers' base-128 number, for what is not negative."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, wire: int, body: bytes) -> bytes:
    return varint(number << 3 | wire) + (varint(len(body)) + body if wire == _BYTES else body)


def metric(
    value: float | int | bool | str | None, at_us: int, *, name: str | None = None, alias: int | None = None
) -> bytes:
    """One metric: by name in a birth, by alias alone in data; None is a null."""
    kind = (
        _BOOLEAN
        if isinstance(value, bool)
        else _INT64
        if isinstance(value, int)
        else _STRING
        if isinstance(value, str)
        else _DOUBLE
    )
    out = b""
    if name is not None:
        out += _field(1, _BYTES, name.encode())
    if alias is not None:
        out += _field(2, _VARINT, varint(alias))
    out += _field(3, _VARINT, varint(at_us // 1_000)) + _field(4, _VARINT, varint(kind))
    if value is None:
        return out + _field(7, _VARINT, b"\x01")
    if kind == _BOOLEAN:
        return out + _field(14, _VARINT, varint(int(value)))
    if kind == _STRING:
        return out + _field(15, _BYTES, str(value).encode())
    if kind == _INT64:
        return out + _field(11, _VARINT, varint(int(value) & (1 << 64) - 1))
    return out + _field(13, _FIXED64, struct.pack("<d", float(value)))


def payload(at_us: int, seq: int, metrics: Sequence[bytes]) -> bytes:
    """A whole message."""
    body = _field(1, _VARINT, varint(at_us // 1_000)) + b"".join(_field(2, _BYTES, each) for each in metrics)
    return body + _field(3, _VARINT, varint(seq))


@dataclass(frozen=True, slots=True)
class NodeDevice:
    """A device of the node (``name`` None: the node itself), whose values it shows and in which time."""

    name: str | None
    device: str
    writer: PayloadWriter
    shows: Shows


class EdgeNode:
    """One edge node with its devices. Messages come as (topic, payload, device ids)."""

    def __init__(self, group: str, node: str, devices: Sequence[NodeDevice]) -> None:
        self.group, self.node = group, node
        self.devices = tuple(devices)
        self._seq = 0

    @property
    def command_topic(self) -> str:
        """Where the node is told to give its births again."""
        return f"{NAMESPACE}/{self.group}/NCMD/{self.node}"

    def births(self, at_us: int) -> list[tuple[str, bytes, tuple[str, ...]]]:
        """The birth of the node, which begins the sequence anew, and those of its devices."""
        self._seq = 0
        own = [each for each in self.devices if each.name is None]
        control = [metric(0, at_us, name="bdSeq"), metric(value=False, at_us=at_us, name="Node Control/Rebirth")]
        metrics = control + [each for device in own for each in self._metrics(device, at_us, at_us, born=True)]
        messages = [self._message("NBIRTH", None, at_us, metrics, tuple(each.device for each in own))]
        for each in self.devices:
            if each.name is not None:
                metrics = self._metrics(each, at_us, at_us, born=True)
                messages.append(self._message("DBIRTH", each.name, at_us, metrics, (each.device,)))
        return messages

    def data(self, device: NodeDevice, at_us: int, device_time_us: int) -> tuple[str, bytes, tuple[str, ...]]:
        """The values of one device at an instant, under the time its clock says."""
        kind = "NDATA" if device.name is None else "DDATA"
        metrics = self._metrics(device, at_us, device_time_us, born=False)
        return self._message(kind, device.name, device_time_us, metrics, (device.device,))

    def _metrics(self, device: NodeDevice, at_us: int, stamp_us: int, *, born: bool) -> list[bytes]:
        shows = AsOf(device.shows, at_us)
        first = 1 + 100 * self.devices.index(device)
        found = []
        for number, channel in enumerate(device.writer.channels):
            name = str(channel.source["metric"]) if born else None
            value = device.writer.value(channel, shows, at_us)
            number_of = float(value) if isinstance(value, int) else value
            found.append(metric(number_of, stamp_us, name=name, alias=first + number))
        return found

    def _message(
        self, kind: str, device: str | None, at_us: int, metrics: Sequence[bytes], ids: tuple[str, ...]
    ) -> tuple[str, bytes, tuple[str, ...]]:
        topic = f"{NAMESPACE}/{self.group}/{kind}/{self.node}" + (f"/{device}" if device is not None else "")
        body = payload(at_us, self._seq, metrics)
        self._seq = (self._seq + 1) % 256
        return topic, body, ids
