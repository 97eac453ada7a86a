"""The blocks of site file and profile that belong to this driver, as models; what is wrong with them as Problems."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from drivers.blocks import read_block
from drivers.mqtt.locators import parse_path
from drivers.mqtt.timestamps import known_format, needs_zone, zone_minutes
from gateway.domain.errors import Problem

MeterId = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Topic = Annotated[str, StringConstraints(min_length=1, max_length=500)]
SparkplugId = Annotated[str, StringConstraints(pattern=r"^[^+/#]+$", min_length=1, max_length=100)]

METER_PLACEHOLDER = "{meter}"


class Block(BaseModel):
    """Unknown keys are errors and values are not bent into shape."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Address(Block):
    """Which meter: its topic, and its own id where a topic or payload names meters; or its Sparkplug names."""

    topic: Topic | None = None
    meter: MeterId | None = None
    group: SparkplugId | None = None
    node: SparkplugId | None = None
    device: SparkplugId | None = None


class TimeBlock(Block):
    """Where the device's time stamp stands, how it is written, and how far it is believed."""

    path: Topic | None = None
    column: int | None = Field(default=None, ge=0, le=499)
    format: str = Field(default="iso8601", min_length=1, max_length=64)
    zone: str | None = Field(default=None, min_length=1, max_length=6)
    max_ahead_s: int = Field(default=60, ge=0, le=86_400)
    max_age_s: int = Field(default=604_800, ge=1, le=366 * 86_400)


class MeterBlock(Block):
    """Where a record names its meter."""

    path: Topic | None = None
    column: int | None = Field(default=None, ge=0, le=499)


class Options(Block):
    """A profile's ``options``: the form of the payload and what holds for every record in it."""

    payload: Literal["json", "value", "csv", "sparkplug"]
    topic: Topic | None = None
    samples: Topic | None = None
    meter: MeterBlock | None = None
    time: TimeBlock | None = None
    separator: Literal[",", ";", "|", "\t", " "] = ","
    header_lines: int = Field(default=0, ge=0, le=10)


class Source(Block):
    """A channel's ``source``: where its value stands and in which unit.

    ``numerator`` and ``denominator`` are for units without a known factor, such as pulses.
    """

    unit: str = Field(min_length=1, max_length=30)
    path: Topic | None = None
    column: int | None = Field(default=None, ge=0, le=499)
    metric: Topic | None = None
    topic: Topic | None = None
    numerator: int | None = Field(default=None, ge=1, le=10**12)
    denominator: int | None = Field(default=None, ge=1, le=10**12)


_PLACE_OF_VALUE = {"json": "path", "csv": "column", "sparkplug": "metric", "value": None}
_TOPIC_LEVELS = re.compile(r"[^+#\x00]+")


def topic_name_is_usable(topic: str) -> bool:
    """Whether messages can be published to it: no wildcard, not empty, not the broker's own ``$`` topics."""
    return _TOPIC_LEVELS.fullmatch(topic) is not None and not topic.startswith("$") and topic.isprintable()


def check(address: Mapping[str, Any], profile: Mapping[str, Any]) -> list[Problem]:
    """Everything wrong with a device's ``address``, the profile's ``options`` and its ``source`` blocks."""
    options = read_block(Options, profile.get("options", {}), ("options",))
    parsed = read_block(Address, address)
    if isinstance(options, list) or isinstance(parsed, list):
        return [each for found in (options, parsed) if isinstance(found, list) for each in found]
    problems = _check_options(options) + _check_address(parsed, options)
    for group_index, group in enumerate(profile.get("groups", ())):
        for index, channel in enumerate(group["channels"]):
            place = ("groups", group_index, "channels", index, "source")
            source = read_block(Source, channel["source"], place)
            problems += source if isinstance(source, list) else _check_source(source, options, place)
    return problems


def _check_options(options: Options) -> list[Problem]:
    problems = []
    if options.samples is not None and options.payload != "json":
        problems.append(Problem("'samples' is for JSON payloads only", {}, ("options", "samples")))
    if options.samples is not None and parse_path(options.samples) is None:
        problems.append(_bad_path(options.samples, ("options", "samples")))
    for name, block in (("meter", options.meter), ("time", options.time)):
        if block is not None:
            problems += _check_locator(name, block, options)
    if options.time is not None:
        problems += _check_time(options.time, options.payload)
    elif options.samples is not None and options.meter is None:
        message = "'samples' needs a 'time' or a 'meter', otherwise its records cannot be told apart"
        problems.append(Problem(message, {}, ("options", "samples")))
    return problems


def _check_locator(name: str, block: MeterBlock | TimeBlock, options: Options) -> list[Problem]:
    wanted = {"json": "path", "csv": "column"}.get(options.payload)
    place = ("options", name)
    if name == "time" and options.payload == "sparkplug" and block.path is None and block.column is None:
        return []
    if wanted is None:
        return [Problem("'%(key)s' is for JSON and CSV payloads only", {"key": name}, place)]
    if getattr(block, wanted) is None or (block.path is not None and block.column is not None):
        return [Problem("'%(key)s' needs exactly '%(wanted)s' here", {"key": name, "wanted": wanted}, place)]
    if block.path is not None and parse_path(block.path) is None:
        return [_bad_path(block.path, (*place, "path"))]
    return []


def _check_time(block: TimeBlock, payload: str) -> list[Problem]:
    place = ("options", "time")
    problems = []
    if payload == "sparkplug" and (block.format != "epoch_ms" or block.zone is not None):
        problems.append(Problem("Sparkplug B time stamps are epoch_ms", {}, (*place, "format")))
    if not known_format(block.format):
        message = "'%(format)s' is no time format; write iso8601, epoch_s, epoch_ms, epoch_us or a pattern with %%Y"
        problems.append(Problem(message, {"format": block.format}, (*place, "format")))
    elif needs_zone(block.format) and block.zone is None:
        message = "a time pattern needs a 'zone' such as +08:00"
        problems.append(Problem(message, {}, (*place, "format")))
    if block.zone is not None and zone_minutes(block.zone) is None:
        message = "'%(zone)s' is no offset from UTC such as +08:00"
        problems.append(Problem(message, {"zone": block.zone}, (*place, "zone")))
    return problems


def _check_address(address: Address, options: Options) -> list[Problem]:
    if options.payload == "sparkplug":
        problems = [
            Problem("'%(key)s' is missing", {"key": key}, (key,))
            for key in ("group", "node")
            if getattr(address, key) is None
        ]
        extra: tuple[str, ...] = ("topic", "meter")
    else:
        problems = []
        extra = ("group", "node", "device")
        topic = address.topic or options.topic
        if topic is None:
            problems.append(Problem("'%(key)s' is missing", {"key": "topic"}))
        elif not topic_name_is_usable(topic):
            message = "'%(topic)s' is not the topic of one meter: no wildcards, no leading $"
            problems.append(Problem(message, {"topic": topic}, ("topic",) if address.topic else ("options", "topic")))
        if address.meter is None and (options.meter is not None or METER_PLACEHOLDER in (topic or "")):
            problems.append(Problem("'%(key)s' is missing", {"key": "meter"}, ()))
        if address.meter is not None and not topic_name_is_usable(address.meter):
            problems.append(Problem("'%(meter)s' cannot name a meter", {"meter": address.meter}, ("meter",)))
    for key in extra:
        if getattr(address, key) is not None:
            problems.append(Problem("'%(key)s' is not a key that can stand here", {"key": key}, (key,)))
    return problems


def _check_source(source: Source, options: Options, place: tuple[str | int, ...]) -> list[Problem]:
    wanted = _PLACE_OF_VALUE[options.payload]
    problems = []
    for key in ("path", "column", "metric"):
        stands = getattr(source, key) is not None
        if key == wanted and not stands:
            problems.append(Problem("'%(key)s' is missing", {"key": key}, place))
        elif key != wanted and stands:
            problems.append(Problem("'%(key)s' is not a key that can stand here", {"key": key}, (*place, key)))
    if source.path is not None and parse_path(source.path) is None:
        problems.append(_bad_path(source.path, (*place, "path")))
    if source.topic is not None and (options.payload == "sparkplug" or not topic_name_is_usable(source.topic)):
        message = "'%(topic)s' is not the topic of one meter: no wildcards, no leading $"
        problems.append(Problem(message, {"topic": source.topic}, (*place, "topic")))
    if (source.numerator is None) != (source.denominator is None):
        problems.append(Problem("'numerator' and 'denominator' stand together or not at all", {}, place))
    return problems


def _bad_path(path: str, place: tuple[str | int, ...]) -> Problem:
    message = "'%(path)s' is no path; example: meters[0].energy"
    return Problem(message, {"path": path}, place)
