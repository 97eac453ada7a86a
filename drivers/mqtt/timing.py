"""Settling the time of what a message brought: device time where it is believed, else the receive time, and marked.

The finding constructors of messages stand here too, so that plain topics and Sparkplug B say the same things.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.mqtt.readings import GroupMapping, Value
from drivers.mqtt.records import Locator
from drivers.mqtt.timestamps import TimeRule, Trust
from gateway.domain.finding import Finding, Severity
from gateway.domain.quality import Flag, Status, word, worst
from gateway.domain.reading import Sample
from gateway.ports import Document

CLOCKLESS = word(Status.GOOD, Flag.RECEIVE_TIME)
CLOCK_REFUSED = word(Status.UNCERTAIN, Flag.RECEIVE_TIME)
BACKFILLED = word(Status.GOOD, Flag.BACKFILLED)

Read = tuple[tuple[Value, ...], tuple[int, ...], tuple[Finding, ...]]
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
class Found:
    """One group out of one record, before its time is settled."""

    device: DeviceMapping
    group: GroupMapping
    read: Read
    device_time_us: int | None
    trust: Trust | None  # None: the profile has no device time
    stored: bool = False  # the device says itself that it sends this from its memory


def timed(found: Sequence[Found], received_us: int) -> tuple[tuple[Sample, ...], list[Finding]]:
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


def _sample(found: Found, received_us: int) -> Sample:
    values, quality, findings = found.read
    at_us = received_us
    if found.trust is Trust.TRUSTED and found.device_time_us is not None:
        at_us = found.device_time_us
        late = found.stored or at_us < received_us - found.group.late_us
        extra = BACKFILLED if late else 0
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
