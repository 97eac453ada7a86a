"""The resolved mapping of one device: everything needed to decode its messages, as it stands in the journal.

docs/mqtt.md describes the document; it holds objects, arrays, strings, integers and null only.
"""

from collections.abc import Mapping
from typing import Any

from drivers.mqtt.blocks import METER_PLACEHOLDER, Address, MeterBlock, Options, Source, TimeBlock
from drivers.mqtt.locators import parse_path
from drivers.mqtt.timestamps import zone_minutes
from drivers.mqtt.units import factor
from gateway.domain.device import Channel, ChannelKind, Device
from gateway.domain.errors import ConfigurationError
from gateway.domain.time import US_PER_S
from gateway.i18n import text
from gateway.ports import Document

MAPPING_VERSION = 1

SPARKPLUG_TIME = TimeBlock(format="epoch_ms")
"""Sparkplug B stamps every metric in milliseconds; a profile may state other tolerances."""


def resolve(device: Device, profile: Mapping[str, Any]) -> Document:
    """The mapping document of a device whose blocks passed ``blocks.check``.

    ConfigurationError when a declared unit has no exact factor to the measurand's unit.
    """
    options = Options.model_validate(profile["options"])
    address = Address.model_validate(dict(device.address))
    topic = _topic(address, options)
    problems: list[str] = []
    groups: Document = {}
    for group, described in zip(device.groups, profile["groups"], strict=True):
        channels = []
        for channel, entry in zip(group.channels, described["channels"], strict=True):
            source = Source.model_validate(entry["source"])
            scale = _scale(device, channel, source, problems)
            channels.append(_channel(channel, source, topic, scale))
        groups[group.id] = {"late_us": group.period_us, "channels": channels}
    if problems:
        raise ConfigurationError(problems)
    return {
        "v": MAPPING_VERSION,
        "payload": options.payload,
        "topic": topic,
        "meter": address.meter,
        "sparkplug": _sparkplug(address) if options.payload == "sparkplug" else None,
        "samples": _locator(options.samples, None),
        "meter_at": _block_locator(options.meter),
        "time": _time(SPARKPLUG_TIME if options.payload == "sparkplug" and options.time is None else options.time),
        "separator": options.separator if options.payload == "csv" else None,
        "header_lines": options.header_lines if options.payload == "csv" else None,
        "groups": groups,
    }


def _line(message: str, **facts: str) -> str:
    """A problem that only all devices together show. A driver is not told the reader's language, so it says both."""
    return f"{text('en', message, **facts)} / {text('zh', message, **facts)}"


def form(document: Document) -> tuple[object, ...]:
    """What all devices of one topic must have in common, so that a record is read one way only."""
    return tuple(repr(document[key]) for key in ("payload", "samples", "meter_at", "separator", "header_lines"))


def clashes(documents: Mapping[str, Document]) -> list[str]:
    """Devices that read one topic in different forms, or claim the same meter on it, as finished sentences."""
    forms: dict[str, tuple[str, tuple[object, ...]]] = {}
    claims: dict[tuple[object, ...], str] = {}
    problems = []
    for device, document in documents.items():
        channels = [channel for group in document["groups"].values() for channel in group["channels"]]
        for topic in sorted({channel["topic"] for channel in channels if channel["topic"] is not None}):
            other, theirs = forms.setdefault(topic, (device, form(document)))
            if theirs != form(document):
                message = "devices '%(first)s' and '%(second)s' read topic '%(topic)s' in different forms"
                problems.append(_line(message, first=other, second=device, topic=topic))
            if document["meter_at"] is not None:
                first = claims.setdefault((topic, document["meter"]), device)
                if first != device:
                    message = "devices '%(first)s' and '%(second)s' are the same meter on topic '%(topic)s'"
                    problems.append(_line(message, first=first, second=device, topic=topic))
        if document["sparkplug"] is not None:
            first = claims.setdefault(tuple(document["sparkplug"].values()), device)
            if first != device:
                message = "devices '%(first)s' and '%(second)s' are the same Sparkplug device"
                problems.append(_line(message, first=first, second=device))
    return problems


def _topic(address: Address, options: Options) -> str | None:
    template = address.topic or options.topic
    if template is None or options.payload == "sparkplug":
        return None
    return template.replace(METER_PLACEHOLDER, address.meter or METER_PLACEHOLDER)


def _sparkplug(address: Address) -> Document:
    return {"group": address.group, "node": address.node, "device": address.device}


def _locator(path: str | None, column: int | None) -> list[str | int] | int | None:
    if path is None:
        return column
    steps = parse_path(path)
    return None if steps is None else list(steps)


def _block_locator(block: MeterBlock | TimeBlock | None) -> list[str | int] | int | None:
    return None if block is None else _locator(block.path, block.column)


def _time(block: TimeBlock | None) -> Document | None:
    if block is None:
        return None
    return {
        "at": _block_locator(block),
        "format": block.format,
        "zone_minutes": None if block.zone is None else zone_minutes(block.zone),
        "max_ahead_us": block.max_ahead_s * US_PER_S,
        "max_age_us": block.max_age_s * US_PER_S,
    }


def _scale(device: Device, channel: Channel, source: Source, problems: list[str]) -> tuple[int, int]:
    known = factor(source.unit, channel.unit)
    place = {"device": device.id, "channel": channel.id, "unit": source.unit, "wanted": channel.unit}
    declared = (source.numerator, source.denominator)
    if source.numerator is not None and source.denominator is not None:
        if known is not None and known[0] * source.denominator != known[1] * source.numerator:
            message = (
                "device '%(device)s', channel '%(channel)s': %(unit)s to %(wanted)s is %(known)s, not %(declared)s"
            )
            ratios = {"known": f"{known[0]}/{known[1]}", "declared": f"{declared[0]}/{declared[1]}"}
            problems.append(_line(message, **place, **ratios))
        return source.numerator, source.denominator
    if known is None and channel.kind is not ChannelKind.TEXT:
        message = (
            "device '%(device)s', channel '%(channel)s': no factor from %(unit)s to %(wanted)s is known; "
            "declare numerator and denominator"
        )
        problems.append(_line(message, **place))
    return known or (1, 1)


def _channel(channel: Channel, source: Source, topic: str | None, scale: tuple[int, int]) -> Document:
    full = topic if source.topic is None or topic is None else f"{topic}/{source.topic}"
    return {
        "id": channel.id,
        "topic": full,
        "at": source.metric if source.metric is not None else _locator(source.path, source.column),
        "type": "text" if channel.kind is ChannelKind.TEXT else "number",
        "unit": source.unit,
        "numerator": scale[0],
        "denominator": scale[1],
        "decimals": channel.decimals,
        "cumulative": int(channel.kind is ChannelKind.CUMULATIVE),
    }
