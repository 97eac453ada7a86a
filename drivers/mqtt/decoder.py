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
from drivers.mqtt.readings import GroupMapping, clean_text
from drivers.mqtt.records import Locator, Lookup, UndecodableError
from drivers.mqtt.timestamps import TimeRule, Trust
from gateway.domain.finding import Finding, Severity
from gateway.domain.quality import Flag, Status, word, worst
from gateway.domain.reading import Message, Sample
from gateway.ports import Document

MAX_NAMED_METERS = 10
"""Unmapped meters a finding names; the rest are counted."""

CLOCKLESS = word(Status.GOOD, Flag.RECEIVE_TIME)
CLOCK_REFUSED = word(Status.UNCERTAIN, Flag.RECEIVE_TIME)
BACKFILLED = word(Status.GOOD, Flag.BACKFILLED)

Decoded = tuple[tuple[Sample, ...], tuple[Finding, ...]]


def retained() -> Finding:
    """A retained message is the broker's memory of some earlier moment, so it is never a reading."""
    return Finding("message.retained", Severity.INFO)


def undecodable(reason: str, **facts: int | str) -> Finding:
    """The message is not what its profile says; ``reason`` is a stable word (docs/mqtt.md)."""
    return Finding("message.undecodable", Severity.ERROR, facts={"reason": reason, **facts})


def unmapped(**facts: int | str) -> Finding:
    """No device is mapped to this topic, or to this meter on it."""
    return Finding("message.unmapped", Severity.WARNING, facts=facts)


@dataclass(frozen=True, slots=True)
class DeviceMapping:
    """One device: its groups and its clock."""

    id: str
    groups: tuple[GroupMapping, ...]
    time_at: Locator
    time_rule: TimeRule | None

    @classmethod
    def load(cls, device: str, document: Document) -> "DeviceMapping":
        """From its mapping document."""
        groups = tuple(GroupMapping.load(group, each) for group, each in document["groups"].items())
        time = document["time"]
        if time is None:
            return cls(device, groups, None, None)
        rule = TimeRule(time["format"], time["zone_minutes"], time["max_ahead_us"], time["max_age_us"])
        return cls(device, groups, time["at"], rule)


@dataclass(frozen=True, slots=True)
class _Found:
    """One group out of one record, before its time is settled."""

    device: DeviceMapping
    group: GroupMapping
    read: tuple[tuple[int | str | None, ...], tuple[int, ...], tuple[Finding, ...]]
    device_time_us: int | None
    trust: Trust | None  # None: the profile has no device time


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
        found: list[_Found] = []
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
        samples, untimed = _timed(found, message.received_us)
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

    def _read(self, device: DeviceMapping, row: Any, lookup: Lookup, message: Message) -> Iterable[_Found]:
        device_time_us, trust = None, None
        if device.time_rule is not None:
            raw = lookup(row, device.time_at)
            device_time_us, trust = device.time_rule.judge(None if raw is ABSENT else raw, message.received_us)
        for group in device.groups:
            read = group.read(row, lookup, message.topic, written=self.payload != "json")
            if read is not None:
                yield _Found(device, group, read, device_time_us, trust)


def _timed(found: list[_Found], received_us: int) -> tuple[tuple[Sample, ...], list[Finding]]:
    """Samples with their times. The receive time stands in only where it can mean one record of the group: several
    records of one group without believed stamps cannot all have happened now, so they are refused."""
    records_of = Counter((each.device.id, each.group.id) for each in found) if len(found) > 1 else None
    samples: list[Sample] = []
    refused: Counter[tuple[str, str]] = Counter()
    for each in found:
        if each.trust is not Trust.TRUSTED and records_of is not None:
            key = (each.device.id, each.group.id)
            if records_of[key] > 1:
                refused[key] += 1
                continue
        samples.append(_sample(each, received_us))
    findings = [
        Finding(
            "time.device_clock",
            Severity.WARNING,
            facts={"device": device, "group": group, "reason": "several_without_time", "refused": count},
        )
        for (device, group), count in sorted(refused.items())
    ]
    return tuple(samples), findings


def _sample(found: _Found, received_us: int) -> Sample:
    values, quality, findings = found.read
    at_us = received_us
    if found.trust is Trust.TRUSTED and found.device_time_us is not None:
        at_us = found.device_time_us
        extra = BACKFILLED if at_us < received_us - found.group.late_us else 0
    elif found.trust is None:
        extra = CLOCKLESS
    else:
        extra = CLOCK_REFUSED
        facts: dict[str, int | str] = {"reason": str(found.trust)}
        if found.device_time_us is not None:
            facts["device_time_us"] = found.device_time_us
        findings = (*findings, Finding("time.device_clock", Severity.WARNING, facts=facts))
    if extra:
        quality = tuple(worst((each, extra)) for each in quality)
    return Sample(
        device=found.device.id,
        group=found.group.id,
        at_us=at_us,
        device_time_us=found.device_time_us,
        values=values,
        quality=quality,
        findings=findings,
    )


class Decoder:
    """PayloadDecoder of one endpoint (gateway.ports), built from mapping documents only."""

    def __init__(self, documents: Mapping[str, Document]) -> None:
        self._documents = dict(documents)
        self._readers: dict[str, TopicReader] = {}
        for device, document in documents.items():
            mapping = DeviceMapping.load(device, document)
            topics = {channel.topic for group in mapping.groups for channel in group.channels if channel.topic}
            for topic in sorted(topics):
                self._readers.setdefault(topic, TopicReader.load(document)).add(mapping, document["meter"])

    def topics(self) -> Sequence[str]:
        """Topic filters to subscribe to, sorted."""
        return sorted(self._readers)

    def documents(self) -> Mapping[str, Document]:
        """Per device id, the mapping document (docs/mqtt.md)."""
        return self._documents

    def decode(self, message: Message) -> Decoded:
        """Samples of mapped devices and findings about the message; never raises, whatever the bytes."""
        if message.retained:
            return (), (retained(),)
        reader = self._readers.get(message.topic)
        if reader is None:
            return (), (unmapped(),)
        return reader.decode(message)
