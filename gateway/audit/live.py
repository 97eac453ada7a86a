"""What the meters say now: the tree of points, each with its newest values, their quality and their age."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.audit.asking import Asking, Sources
from gateway.audit.decoding import RawReading, raw_reading
from gateway.audit.plant import ChannelFact, Plant, PointFact, factor, plant
from gateway.domain.device import ChannelKind
from gateway.domain.errors import UnknownObjectError
from gateway.domain.ledger import MeteringPoint
from gateway.domain.quality import Status, word
from gateway.domain.time import US_PER_DAY, US_PER_MINUTE, Period
from gateway.series.row import SeriesRow

MISSING = word(Status.MISSING)
STALE_PERIODS = 3
_FLOW_FIRST = ("active_power", "water_flow", "gas_flow_standard", "belt_flow", "co2_concentration", "ticket_net_mass")
_NO_FLOW = frozenset({"temperature", "pressure", "gas_temperature", "gas_pressure"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveValue:
    """A channel's newest value: ``meter`` as the meter shows it, ``value`` on the primary side, both in ``unit``.

    ``slot_us``/``observed_us`` µs UTC; ``entry_seq`` the journal entry it came from.
    """

    channel: str
    group: str
    measurand: str
    unit: str
    decimals: int
    counter: bool
    ratio: Fraction
    meter: Fraction | None
    value: Fraction | None
    quality: int
    slot_us: int
    observed_us: int
    entry_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePoint:
    """A point of the tree. ``last_us`` is its newest reading; ``stale`` says that several have failed to come since."""

    depth: int
    point: MeteringPoint
    device: str
    instrument: str
    register: LiveValue | None
    flow: LiveValue | None
    last_us: int | None
    stale: bool
    missed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveDetail:
    """One point with every channel of its device, and the raw readings behind them when asked for."""

    row: LivePoint
    values: Sequence[LiveValue]
    texts: Mapping[str, str]
    raw: Sequence[RawReading]


def live(sources: Sources, asking: Asking, *, root: str = "") -> list[LivePoint]:
    """Every point (under ``root``, when given) with its newest values, parents first."""
    there = plant(sources, asking)
    within = {fact.point.id for fact in there.subtree(root)} if root else set(there.points)
    if root and root not in there.points:
        raise UnknownObjectError("the ledger has no metering point %(id)s at that moment", id=root)
    rows = newest_rows(sources, asking, [fact.device for fact in there.points.values() if fact.device])
    missed = missed_slots(sources, asking)
    walked = [(depth, fact) for depth, fact in there.walk() if fact.point.id in within]
    base = min((depth for depth, _fact in walked), default=0)
    return [live_point(asking, there, fact, depth - base, rows=rows, missed=missed) for depth, fact in walked]


def newest_rows(sources: Sources, asking: Asking, devices: Sequence[str]) -> dict[tuple[str, str], SeriesRow]:
    """The newest row not after the moment of each device's groups."""
    found = sources.series.latest(devices)
    for key, row in list(found.items()):
        if row.slot_us > asking.as_of_us or (asking.known_seq is not None and row.seq > asking.known_seq):
            before = Period(asking.as_of_us - 7 * US_PER_DAY, asking.as_of_us + 1)
            earlier = next(iter(sources.series.rows(*key, before, 1, descending=True)), None)
            if earlier is None:
                del found[key]
            else:
                found[key] = earlier
    return found


def missed_slots(sources: Sources, asking: Asking) -> dict[str, int]:
    """Slots each device has missed since its newest reading, over its groups."""
    missed: dict[str, int] = {}
    for each in sources.registry.presence(asking.organisation):
        if each.missed_since_us <= asking.as_of_us:
            missed[each.device] = max(missed.get(each.device, 0), each.missed)
    return missed


def live_point(
    asking: Asking,
    there: Plant,
    fact: PointFact,
    depth: int,
    *,
    rows: Mapping[tuple[str, str], SeriesRow],
    missed: Mapping[str, int],
) -> LivePoint:
    """A point's row."""
    channels = there.channels.get(fact.device, ())
    register = there.register(fact)
    flow = _flow(channels)
    own = [rows[key] for key in {(fact.device, each.group) for each in channels if not each.identity} if key in rows]
    last = max((row.observed_us for row in own), default=None)
    period = min((each.period_us for each in channels if each.period_us and not each.identity), default=0)
    allowed = STALE_PERIODS * period + US_PER_MINUTE
    return LivePoint(
        depth=depth,
        point=fact.point,
        device=fact.device,
        instrument=fact.meter.installation.instrument if fact.meter else "",
        register=_value(register, fact, rows),
        flow=_value(flow, fact, rows),
        last_us=last,
        stale=bool(fact.device) and (last is None or asking.as_of_us - last > allowed),
        missed=missed.get(fact.device, 0),
    )


def _flow(channels: Sequence[ChannelFact]) -> ChannelFact | None:
    """The quantity that best says what runs now: power or flow, else the first instantaneous channel."""
    instantaneous = [each for each in channels if each.kind == ChannelKind.INSTANTANEOUS and not each.identity]
    for measurand in _FLOW_FIRST:
        for each in instantaneous:
            if each.measurand == measurand:
                return each
    return next((each for each in instantaneous if each.measurand not in _NO_FLOW), None)


def _value(channel: ChannelFact | None, fact: PointFact, rows: Mapping[tuple[str, str], SeriesRow]) -> LiveValue | None:
    row = rows.get((channel.device, channel.group)) if channel else None
    if channel is None or row is None:
        return None
    known = channel.position < len(row.values)
    stored = row.values[channel.position] if known else None
    meter = None if stored is None else Fraction(stored, 10**channel.decimals)
    ratio = factor(channel, fact.meter.installation if fact.meter else None)
    return LiveValue(
        channel=channel.id,
        group=channel.group,
        measurand=channel.measurand,
        unit=channel.unit,
        decimals=channel.decimals,
        counter=channel.is_counter,
        ratio=ratio,
        meter=meter,
        value=None if meter is None else meter * ratio,
        quality=row.quality[channel.position] if known else MISSING,
        slot_us=row.slot_us,
        observed_us=row.observed_us,
        entry_seq=row.seq,
    )


def live_detail(sources: Sources, asking: Asking, point: str, *, raw: bool = False) -> LiveDetail:
    """One point's channels now; with ``raw``, the entries behind them decoded field by field."""
    there = plant(sources, asking)
    fact = there.points.get(point)
    if fact is None:
        raise UnknownObjectError("the ledger has no metering point %(id)s at that moment", id=point)
    rows = newest_rows(sources, asking, [fact.device] if fact.device else [])
    channels = [each for each in there.channels.get(fact.device, ()) if each.kind != ChannelKind.TEXT]
    values = [_value(each, fact, rows) for each in channels]
    texts = {
        measurand: value
        for device, measurand, _since, _seq, value in sources.registry.identities(asking.organisation)
        if device == fact.device
    }
    readings = [raw_reading(sources, row.seq, *key) for key, row in sorted(rows.items())] if raw else []
    return LiveDetail(
        row=live_point(asking, there, fact, 0, rows=rows, missed=missed_slots(sources, asking)),
        values=[each for each in values if each is not None],
        texts=texts,
        raw=[each for each in readings if each is not None],
    )
