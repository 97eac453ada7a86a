"""From a profile's sources to a read plan: which registers to read together, and where each channel then stands.

Fields of one space are covered by the cheapest set of requests that the meter's limits allow: reading a gap is chosen
where it costs less than another request (``cost.LineCost``). The search is exact dynamic programming over the sorted
fields, at most 125 registers back, so it stays linear in their number.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from drivers.blocks import Block, read_block
from drivers.modbus.cost import LineCost, line_cost
from drivers.modbus.fields import ScaleField, ValueField
from drivers.modbus.plan import Decoding, ModbusPlan
from drivers.modbus.request import IDENTIFICATION, Request
from drivers.modbus.schema import (
    FUNCTIONS,
    TIME_LAYOUTS,
    Address,
    Connection,
    Options,
    Scale,
    Source,
    letters_for,
    sentinel_hex,
)
from gateway.domain.device import Channel, ChannelKind, RequestGroup
from gateway.domain.errors import ConfigurationError, Problem

POWER10_LIMIT = 10  # SunSpec scale factors are -10...10
BIT_FUNCTIONS = (1, 2)
LAST_ADDRESS = 65_535


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Items ``[first, end)`` of one function's address space."""

    function: int
    first: int
    end: int


def build_plan(address: Address, profile: Mapping[str, Any], group: RequestGroup, connection: Connection) -> ModbusPlan:
    """The plan of one group of a profile whose blocks are usable (ConfigurationError when they are not)."""
    for each in profile["groups"]:
        if each["id"] == group.id:
            sources = [channel["source"] for channel in each["channels"]]
            text = json.dumps([profile.get("options", {}), sources], sort_keys=True)
            spans, decoding = _layout(text, address.base, group.channels, connection.model_copy(update=_ELSEWHERE))
            return ModbusPlan([_request(address.unit, span) for span in spans], decoding)
    raise KeyError(group.id)


_ELSEWHERE = dict.fromkeys(("host", "port", "path", "registration", "heartbeat", "tls"))
"""What of a connection says where it leads and not how fast it is: meters behind many gateways share their fields."""


@lru_cache(maxsize=512)
def _layout(
    text: str, base: int, channels: tuple[Channel, ...], connection: Connection
) -> tuple[tuple[Span, ...], Decoding]:
    """Requests and fields but for the unit: computed once for all meters of a profile on like endpoints."""
    blocks = json.loads(text)
    options = usable(Options, blocks[0])
    sources = [usable(Source, source) for source in blocks[1]]
    cost = line_cost(connection, options.turnaround_ms)
    scale_keys: dict[tuple[Any, ...], tuple[int, Scale]] = {}
    for source in sources:
        for scale in source.scale_by:
            scale_keys.setdefault(_scale_key(scale, options), (len(scale_keys), scale))
    wanted = [source_span(source, options, base) for source in sources]
    scale_spans = [source_span(scale, options, base) for _, scale in scale_keys.values()]
    spans = cover([*wanted, *scale_spans], options, connection.max_registers, cost)
    fields = []
    for channel, source, span in zip(channels, sources, wanted, strict=True):
        scales = tuple(scale_keys[_scale_key(scale, options)][0] for scale in source.scale_by)
        fields.append(_value_field(channel, source, options, _place(span, spans), scales))
    scale_fields = [
        _scale_field(scale, options, _place(span, spans))
        for (_, scale), span in zip(scale_keys.values(), scale_spans, strict=True)
    ]
    return tuple(spans), Decoding(fields, scale_fields, len(spans))


@lru_cache(maxsize=512)
def profile_problems(text: str, base: int) -> tuple[Problem, ...]:
    """Everything wrong with a profile's options and sources; ``text`` as ``profile_text`` makes it."""
    raw_options, groups = json.loads(text)
    options = read_block(Options, raw_options, ("options",))
    problems: list[Problem] = list(options) if isinstance(options, list) else []
    sources: list[tuple[Source, tuple[str | int, ...]]] = []
    for position, group in enumerate(groups):
        for index, raw_source in enumerate(group):
            place: tuple[str | int, ...] = ("groups", position, "channels", index, "source")
            source = read_block(Source, raw_source, place)
            if isinstance(source, list):
                problems.extend(source)
            else:
                sources.append((source, place))
    if not problems and isinstance(options, Options):
        problems = check_lengths(sources, options, base)
    return tuple(problems)


def profile_text(profile: Mapping[str, Any]) -> str:
    """What of a profile this driver reads, as one text."""
    groups = [
        [channel.get("source", {}) for channel in group.get("channels", [])] for group in profile.get("groups", [])
    ]
    return json.dumps([profile.get("options", {}), groups], sort_keys=True)


def usable(model: type[Block], value: Mapping[str, Any]) -> Block:
    """The block as its model; ConfigurationError with every problem when it does not fit."""
    block = read_block(model, value)
    if isinstance(block, list):
        raise ConfigurationError([problem.message % problem.facts for problem in block])
    return block


def check_lengths(
    sources: Sequence[tuple[Source, tuple[str | int, ...]]], options: Options, base: int
) -> list[Problem]:
    """Values longer than the meter gives at once, and registers beyond the last address, each at its place."""
    problems = []
    for source, place in sources:
        parts: list[Source | Scale] = [source, *source.scale_by]
        for part in parts:
            try:
                letters_for(part.order or options.order, part.length) if part.length in {2, 4, 6, 8} else None
            except ValueError:
                facts = {"order": part.order or options.order, "length": str(part.length)}
                problems.append(Problem("the order '%(order)s' does not fit a value of %(length)s bytes", facts, place))
            span = source_span(part, options, base)
            limit = options.max_bits if span.function in BIT_FUNCTIONS else options.max_registers
            if span.end - span.first > limit:
                facts = {"count": str(span.end - span.first), "limit": str(limit)}
                problems.append(
                    Problem("%(count)s registers are more than the meter gives at once: %(limit)s", facts, place)
                )
            if span.end > LAST_ADDRESS + 1:
                facts = {"address": str(span.first), "last": str(LAST_ADDRESS)}
                problems.append(Problem("registers from %(address)s reach beyond address %(last)s", facts, place))
    return problems


def source_span(source: Source | Scale, options: Options, base: int) -> Span:
    """The items a source occupies on the wire."""
    space = source.space or options.space
    function = FUNCTIONS[space]
    if function == IDENTIFICATION:
        return Span(function, source.address, source.address + 1)
    first = source.address + base
    items = 1 if function in BIT_FUNCTIONS else (source.length + 1) // 2
    return Span(function, first, first + items)


def cover(wanted: Sequence[Span], options: Options, max_registers: int, cost: LineCost) -> list[Span]:
    """The cheapest requests that read all wanted spans within the limits, in address order."""
    result: list[Span] = []
    for function in sorted({span.function for span in wanted}):
        members = sorted({span for span in wanted if span.function == function})
        if function == IDENTIFICATION:
            result.extend(_identification_spans(members))
            continue
        bits = function in BIT_FUNCTIONS
        limit = options.max_bits if bits else min(options.max_registers, max_registers)
        _check_longest(members, limit)
        result.extend(_cheapest(members, limit, 0.125 if bits else 2.0, options.gaps, cost))
    return result


def _check_longest(spans: Sequence[Span], limit: int) -> None:
    for span in spans:
        if span.end - span.first > limit:
            message = "%(count)s registers from %(address)s belong together; at most %(limit)s are read at once"
            facts = {"count": str(span.end - span.first), "address": str(span.first), "limit": str(limit)}
            raise ConfigurationError([message % facts])


def _cheapest(spans: Sequence[Span], limit: int, item_bytes: float, gaps: bool, cost: LineCost) -> list[Span]:
    """Spans sorted by their first item, in runs of neighbours: the runs whose reads cost least together."""
    best = [0.0] + [float("inf")] * len(spans)
    begin = [0] * (len(spans) + 1)
    for start, first in enumerate(spans):
        end = first.end
        for index in range(start, len(spans)):
            if not gaps and spans[index].first > end:
                break
            end = max(end, spans[index].end)
            if end - first.first > limit:
                break
            total = best[start] + cost.request_us + (end - first.first) * item_bytes * cost.byte_us
            if total <= best[index + 1]:  # of equal covers the one with long reads first
                best[index + 1], begin[index + 1] = total, start
    result: list[Span] = []
    last = len(spans)
    while last:
        run = spans[begin[last] : last]
        result.append(Span(run[0].function, run[0].first, max(span.end for span in run)))
        last = begin[last]
    return result[::-1]


def _identification_spans(atoms: Sequence[Span]) -> list[Span]:
    """Objects of one category (basic 0-2, regular 3-127, extended 128-255) come as one stream answer."""
    result: list[Span] = []
    for low, high in ((0, 3), (3, 128), (128, 256)):
        members = [atom for atom in atoms if low <= atom.first < high]
        if members:
            result.append(Span(IDENTIFICATION, members[0].first, members[-1].end))
    return result


def _request(unit: int, span: Span) -> Request:
    if span.function == IDENTIFICATION:
        read_code = 1 if span.first < 3 else 2 if span.first < 128 else 3
        return Request(unit, span.function, span.first, read_code)
    if span.end > LAST_ADDRESS + 1:
        raise ConfigurationError([f"registers from {span.first} reach beyond address 65535"])
    return Request(unit, span.function, span.first, span.end - span.first)


def _place(span: Span, spans: Sequence[Span]) -> tuple[int, int]:
    """(request index, items from its start) of a wanted span."""
    for index, each in enumerate(spans):
        if each.function == span.function and each.first <= span.first and span.end <= each.end:
            return index, span.first if span.function == IDENTIFICATION else span.first - each.first
    raise AssertionError("every wanted span is covered")


def _value_field(
    channel: Channel, source: Source, options: Options, place: tuple[int, int], scales: tuple[int, ...]
) -> ValueField:
    space = source.space or options.space
    request, items = place
    ratio = Fraction(source.scale)
    kind, shift, width = _type_of(source)
    offset = items
    if space in {"coil", "discrete"}:
        offset, shift = divmod(items, 8)
    elif space != "identification":
        offset = 2 * items
    return ValueField(
        channel=channel.id,
        request=request,
        offset=offset,
        length=source.length,
        type="object" if space == "identification" else kind,
        order=_order(source, options),
        shift=shift,
        width=width,
        format=_format(channel, source, kind),
        subtract=source.subtract,
        numerator=ratio.numerator,
        denominator=ratio.denominator,
        decimals=channel.decimals if kind not in {"text", "time"} else 0,
        scales=scales,
        sentinels=tuple(sentinel_hex(each, source.length) for each in source.no_value),
        coarse=_coarse(channel, source),
    )


def _scale_field(scale: Scale, options: Options, place: tuple[int, int]) -> ScaleField:
    kind, _, _ = _type_of(scale)
    power = scale.kind == "power10"
    return ScaleField(
        request=place[0],
        offset=2 * place[1],
        length=scale.length,
        type=kind,
        order=_order(scale, options),
        kind=scale.kind,
        minimum=-POWER10_LIMIT if power and scale.minimum is None else scale.minimum,
        maximum=POWER10_LIMIT if power and scale.maximum is None else scale.maximum,
    )


def _scale_key(scale: Scale, options: Options) -> tuple[Any, ...]:
    return (
        scale.space or options.space,
        scale.address,
        scale.type,
        scale.order,
        scale.kind,
        scale.minimum,
        scale.maximum,
    )


def _type_of(source: Source | Scale) -> tuple[str, int, int | None]:
    """Type code, shift and width of the plan."""
    name = source.type
    if name in TIME_LAYOUTS:
        return "time", TIME_LAYOUTS[name][0], None
    if isinstance(source, Source) and (name == "bit" or source.bit is not None or source.width is not None):
        return "int" if name.startswith("i") else "uint", source.bit or 0, source.width or 1
    kinds = {"u": "uint", "i": "int", "m": "magnitude", "f": "float", "b": "bcd"}
    return (name if name in {"text", "mod10k"} else kinds[name[0]]), 0, None


def _order(source: Source | Scale, options: Options) -> str:
    length = source.length
    if source.order is not None:
        letters = letters_for(source.order, length)
    elif length in {2, 4, 6, 8} and source.type not in {"text", "time_bytes", "time_bcd"}:
        letters = letters_for(options.order, length)
    else:
        return "A"
    return "A" if letters == "".join(sorted(letters)) else letters


def _format(channel: Channel, source: Source, kind: str) -> str:
    """The field's format: as written, else text for texts and decimal digits for numbers that name something."""
    textual = kind in {"text", "time"}
    if source.format is None:
        if textual:
            return "text"
        if channel.kind is not ChannelKind.TEXT:
            return "number"
        return "digits" if kind == "bcd" else "decimal"
    return source.format


def _coarse(channel: Channel, source: Source) -> int | None:
    """From which step a float counter is too coarse: as written, else one whole unit."""
    if source.type != "f32":
        return None
    if source.coarse is not None:
        return source.coarse
    return 10**channel.decimals if channel.kind is ChannelKind.CUMULATIVE else None
