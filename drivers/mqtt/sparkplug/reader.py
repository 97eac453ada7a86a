"""Samples out of Sparkplug B messages. Unlike plain topics this reader remembers births, because data messages name
their metrics by alias only; the same messages in the same order give the same samples."""

from collections import defaultdict
from fractions import Fraction
from typing import Any
from unicodedata import normalize

from drivers.mqtt.locators import ABSENT
from drivers.mqtt.readings import ChannelMapping, GroupMapping, Value, Verdict
from drivers.mqtt.records import UndecodableError
from drivers.mqtt.sparkplug.payload import GOOD_QUALITY, STALE_QUALITY, Metric, NotANumber, Payload, parse
from drivers.mqtt.sparkplug.session import EdgeNode, SparkplugTopic, Step, Trouble, filters
from drivers.mqtt.timing import Decoded, DeviceMapping, Found, Read, timed, undecodable, unmapped
from gateway.domain.finding import Finding, Severity
from gateway.domain.quality import Flag, Status, word, worst
from gateway.domain.reading import Message
from gateway.ports import Document

COARSE = word(Status.UNCERTAIN, Flag.FLOAT32_COARSE)
SAID_BAD = word(Status.BAD)
SAID_STALE = word(Status.UNCERTAIN)

Typed = tuple[Metric, int | None, str]
"""A metric, its data type and its unit, each as the message or else the birth says."""


class SparkplugReader:
    """All Sparkplug devices of one endpoint, by edge node."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[str, str], EdgeNode] = {}
        self._devices: dict[tuple[str, str, str | None], DeviceMapping] = {}

    def add(self, mapping: DeviceMapping, names: Document) -> None:
        """One mapped device; ``names`` is the mapping's ``sparkplug`` block."""
        self._nodes.setdefault((names["group"], names["node"]), EdgeNode())
        self._devices[names["group"], names["node"], names["device"]] = mapping

    def topics(self) -> list[str]:
        """Topic filters of all edge nodes."""
        return [each for group, node in self._nodes for each in filters(group, node)]

    def decode(self, message: Message) -> Decoded | None:
        """Samples and findings; None when the topic is no Sparkplug topic of an edge node we know."""
        topic = SparkplugTopic.parse(message.topic)
        node = None if topic is None else self._nodes.get((topic.group, topic.node))
        if topic is None or node is None:
            return None
        try:
            payload = parse(message.payload)
        except UndecodableError as error:
            return (), (undecodable(error.reason),)
        step = node.move(topic, payload, again=message.duplicate)
        findings = _session_findings(topic, payload, step)
        if topic.type in {"NDEATH", "DDEATH"}:
            return (), findings
        mapping = self._devices.get((topic.group, topic.node, topic.device))
        if mapping is None:
            return (), findings if topic.device is None else (*findings, unmapped(device=_fact(topic.device)))
        if step.trouble is Trouble.AFTER_DEATH and topic.type != "DBIRTH":
            return (), (*findings, undecodable("after_death"))
        found, unknown = _found(mapping, node, topic, payload, message.received_us)
        if unknown:
            reason = "unknown_metric" if node.knows_aliases(topic.device) else "no_birth"
            findings = (*findings, undecodable(reason, count=unknown))
        samples, untimed = timed(found, message.received_us)
        return samples, (*findings, *untimed)


def _session_findings(topic: SparkplugTopic, payload: Payload, step: Step) -> tuple[Finding, ...]:
    if topic.type in {"NDEATH", "DDEATH"} and step.trouble is not Trouble.STALE_DEATH:
        death = Finding("message.death", Severity.WARNING, facts={"of": "node" if topic.device is None else "device"})
        return (death,)
    if step.trouble is Trouble.GAP and step.expected is not None and payload.seq is not None:
        facts: dict[str, int | str] = {"expected": step.expected, "seq": min(payload.seq, 2**53 - 1)}
        return (Finding("message.sequence_gap", Severity.WARNING, facts=facts),)
    return ()


def _found(
    mapping: DeviceMapping, node: EdgeNode, topic: SparkplugTopic, payload: Payload, received_us: int
) -> tuple[list[Found], int]:
    """What the message holds of each group, by time stamp; and how many metrics neither message nor birth names."""
    by_time: dict[int | None, dict[str, Typed]] = defaultdict(dict)
    unknown = 0
    for metric in payload.metrics:
        name, datatype, unit = node.identify(topic.device, metric)
        if name is None or (datatype is None and not metric.null):
            unknown += 1
            continue
        stamp = metric.timestamp_ms if metric.timestamp_ms is not None else payload.timestamp_ms
        by_time[stamp].setdefault(name, (metric, datatype, unit))
    found = []
    for stamp, metrics in by_time.items():
        for group in mapping.groups:
            read = _read(group, metrics)
            if read is not None and mapping.time_rule is not None:
                at_us, trust = mapping.time_rule.judge(stamp, received_us)
                stored = any(metric.historical for metric, _, _ in metrics.values())
                found.append(Found(mapping, group, read, at_us, trust, stored))
    return found, unknown


def _read(group: GroupMapping, metrics: dict[str, Typed]) -> Read | None:
    if not any(channel.locator in metrics for channel in group.channels):
        return None
    values: list[Value] = []
    words: list[int] = []
    findings: list[Finding] = []
    for channel in group.channels:
        typed = metrics.get(str(channel.locator))
        value, quality, finding = channel.read(ABSENT) if typed is None else _verdict(channel, *typed)
        values.append(value)
        words.append(quality)
        if finding is not None:
            findings.append(finding)
    return tuple(values), tuple(words), tuple(findings)


def _verdict(channel: ChannelMapping, metric: Metric, datatype: int | None, unit: str) -> Verdict:
    raw: Any = metric.value(datatype)
    if isinstance(raw, NotANumber):
        raw = False  # a foreign thing: read() calls it not a number
    if unit and unit != channel.unit:
        facts: dict[str, int | str] = {"reason": "unit", "unit": _fact(unit)}
        return None, SAID_BAD, Finding("message.undecodable", Severity.ERROR, channel.id, facts)
    value, quality, finding = channel.read(raw)
    said = metric.properties.get("Quality", GOOD_QUALITY)
    if said != GOOD_QUALITY and value is not None:
        quality = worst((quality, SAID_STALE if said == STALE_QUALITY else SAID_BAD))
    step = metric.step_of_float32(datatype)
    if channel.cumulative and value is not None and step is not None:
        stored_step = step * Fraction(channel.scale.numerator, channel.scale.denominator) * 10**channel.scale.decimals
        if stored_step > 1:
            coarse = Finding(
                "reading.float32_coarse", Severity.WARNING, channel.id, {"step": min(int(stored_step), 2**53 - 1)}
            )
            return value, worst((quality, COARSE)), coarse
    return value, quality, finding


def _fact(text: str) -> str:
    """A name from outside as it may stand in a finding: short, and always encodable."""
    return normalize("NFC", text[:100].encode("utf-8", "replace").decode())
