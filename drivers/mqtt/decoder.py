"""The payload decoder of one endpoint: routes a message by topic to the devices mapped there, and reads their samples.

Total: any topic and any bytes give samples, or a finding that says why not; nothing is guessed. A meter named in a
payload but not mapped to that very topic is refused (``message.unmapped``), so a publisher reaches its own meters
only.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drivers.mqtt import records
from drivers.mqtt.locators import ABSENT
from drivers.mqtt.readings import clean_text
from drivers.mqtt.records import Locator, Lookup, UndecodableError
from drivers.mqtt.sparkplug.reader import SparkplugReader
from drivers.mqtt.timing import Decoded, DeviceMapping, Found, retained, timed, undecodable, unmapped
from gateway.domain.finding import Finding
from gateway.domain.reading import Message
from gateway.ports import Document

MAX_NAMED_METERS = 10
"""Unmapped meters a finding names; the rest are counted."""


@dataclass(frozen=True, slots=True)
class TopicReader:
    """The devices of one topic. All read it in the same form: payload kind, place of samples and of the meter's id."""

    payload: str
    samples: Sequence[str | int] | None
    meter_at: Locator
    separator: str
    header_lines: int
    devices: dict[str | None, list[DeviceMapping]]

    @classmethod
    def load(cls, document: Document) -> "TopicReader":
        """From a device's mapping document; devices are added after."""
        return cls(
            payload=document["payload"],
            samples=document["samples"],
            meter_at=document["meter_at"],
            separator=document["separator"] or ",",
            header_lines=document["header_lines"] or 0,
            devices={},
        )

    def add(self, device: DeviceMapping, meter: str | None) -> None:
        """One more device; where no record names its meter, all devices read every record."""
        self.devices.setdefault(None if self.meter_at is None else meter, []).append(device)

    def decode(self, message: Message) -> Decoded:
        """Samples and findings of one message."""
        try:
            rows, lookup = self._records(message.payload)
        except UndecodableError as error:
            return (), (undecodable(error.reason),)
        found: list[Found] = []
        strangers: Counter[str] = Counter()
        empty = 0
        for row in rows:
            devices = self._devices_of(row, lookup, strangers)
            before = len(found)
            for device in devices:
                found += self._read(device, row, lookup, message)
            empty += bool(devices) and len(found) == before
        findings: list[Finding] = []
        if strangers:
            named = ", ".join(sorted(strangers)[:MAX_NAMED_METERS])
            findings.append(unmapped(meters=named, count=strangers.total()))
        if not rows:
            findings.append(undecodable("no_records"))
        if empty:
            findings.append(undecodable("no_declared_value", records=empty))
        samples, untimed = timed(found, message.received_us)
        return samples, tuple(findings + untimed)

    def _records(self, payload: bytes) -> tuple[Sequence[Any], Lookup]:
        if self.payload == "json":
            return records.json_records(records.json_value(payload), self.samples), records.in_json
        if self.payload == "csv":
            return records.csv_records(payload, self.separator, self.header_lines), records.in_csv
        return [records.text_of(payload).strip(" \t\r\n\x00")], records.in_value

    def _devices_of(self, row: Any, lookup: Lookup, strangers: Counter[str]) -> Iterable[DeviceMapping]:
        if self.meter_at is None:
            return self.devices[None]
        raw = lookup(row, self.meter_at)
        meter = str(raw) if type(raw) is int and abs(raw) < 10**40 else raw
        meter = clean_text(meter) if isinstance(meter, str) else None
        devices = self.devices.get(meter) if meter is not None else None
        if devices is None:
            strangers[meter or ""] += 1
            return ()
        return devices

    def _read(self, device: DeviceMapping, row: Any, lookup: Lookup, message: Message) -> Iterable[Found]:
        device_time_us, trust = None, None
        if device.time_rule is not None:
            raw = lookup(row, device.time_at)
            device_time_us, trust = device.time_rule.judge(None if raw is ABSENT else raw, message.received_us)
        for group in device.groups:
            read = group.read(row, lookup, message.topic, written=self.payload != "json")
            if read is not None:
                yield Found(device, group, read, device_time_us, trust)


class Decoder:
    """PayloadDecoder of one endpoint (gateway.ports), built from mapping documents only."""

    def __init__(self, documents: Mapping[str, Document]) -> None:
        self._documents = dict(documents)
        self._readers: dict[str, TopicReader] = {}
        self._sparkplug = SparkplugReader()
        for device, document in documents.items():
            mapping = DeviceMapping.load(device, document)
            if document["sparkplug"] is not None:
                self._sparkplug.add(mapping, document["sparkplug"])
                continue
            topics = {channel.topic for group in mapping.groups for channel in group.channels if channel.topic}
            for topic in sorted(topics):
                self._readers.setdefault(topic, TopicReader.load(document)).add(mapping, document["meter"])

    def topics(self) -> Sequence[str]:
        """Topic filters to subscribe to, sorted."""
        return sorted({*self._readers, *self._sparkplug.topics()})

    def documents(self) -> Mapping[str, Document]:
        """Per device id, the mapping document (docs/mqtt.md)."""
        return self._documents

    def decode(self, message: Message) -> Decoded:
        """Samples of mapped devices and findings about the message; never raises, whatever the bytes."""
        if message.retained:
            return (), (retained(),)
        reader = self._readers.get(message.topic)
        if reader is not None:
            return reader.decode(message)
        return self._sparkplug.decode(message) or ((), (unmapped(),))
