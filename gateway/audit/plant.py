"""The ledger at one moment as one picture: points, what is fitted there, and what the devices offer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from gateway.audit.asking import Asking, Sources
from gateway.domain.device import ChannelKind
from gateway.domain.ledger import Installation, InstallationRole, Instrument, MeteringPoint
from gateway.domain.ratio import parse_ratio
from gateway.registry.record import Configuration, Record

MAX_DEPTH = 20
_CHILDREN = "\0children"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFact:
    """A channel as the configuration entry describes it, and where its value stands in a row of its group."""

    device: str
    group: str
    position: int
    id: str
    measurand: str
    unit: str
    kind: str
    decimals: int
    modulus: int | None
    primary: bool
    identity: bool
    period_us: int

    @property
    def is_counter(self) -> bool:
        """Whether it is a register that only grows."""
        return self.kind == ChannelKind.CUMULATIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """An installation with the instrument it joins; ``instrument`` is None where the ledger does not know it."""

    id: str
    seq: int
    from_us: int | None
    to_us: int | None
    installation: Installation
    instrument: Instrument | None
    instrument_seq: int | None

    @property
    def ratio(self) -> Fraction | None:
        """CT·PT ratio as the ledger states it; None when it cannot be read."""
        try:
            return parse_ratio(self.installation.ct_ratio) * parse_ratio(self.installation.pt_ratio)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointFact:
    """A metering point with what is fitted there at the moment."""

    point: MeteringPoint
    seq: int
    meter: Fitted | None
    transformers: tuple[Fitted, ...]

    @property
    def device(self) -> str:
        """The device that reads it; empty where none does."""
        return self.meter.installation.device if self.meter else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """Everything the ledger and the configuration say at one moment."""

    points: Mapping[str, PointFact]
    instruments: Mapping[str, Instrument]
    installations: tuple[Fitted, ...]
    configurations: Mapping[str, Configuration]
    channels: Mapping[str, tuple[ChannelFact, ...]]
    memory: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What was looked up once for a point while this picture is used."""

    def roots(self) -> list[PointFact]:
        """Points without a parent on record, in order of level and id."""
        return [fact for fact in self.points.values() if fact.point.parent not in self.points]

    def children(self, point: str) -> list[PointFact]:
        """Points that hang under one."""
        known: dict[str, list[PointFact]] | None = self.memory.get(_CHILDREN)
        if known is None:
            known = self.memory[_CHILDREN] = {}
            for fact in self.points.values():
                if fact.point.parent != fact.point.id:
                    known.setdefault(fact.point.parent, []).append(fact)
        return known.get(point, [])

    def walk(self) -> Iterator[tuple[int, PointFact]]:
        """Every point once with its depth, parents before children; a ring of parents is cut where it closes."""
        seen: set[str] = set()
        pending = [(0, fact) for fact in reversed(self.roots())]
        while pending:
            depth, fact = pending.pop()
            if fact.point.id in seen:
                continue
            seen.add(fact.point.id)
            yield depth, fact
            if depth < MAX_DEPTH:
                pending += [(depth + 1, child) for child in reversed(self.children(fact.point.id))]
        for fact in self.points.values():
            if fact.point.id not in seen:
                yield 0, fact

    def subtree(self, point: str) -> list[PointFact]:
        """A point and all that hang under it."""
        found: dict[str, PointFact] = {}
        pending = [point]
        while pending:
            each = pending.pop()
            if each in found or each not in self.points:
                continue
            found[each] = self.points[each]
            pending += [child.point.id for child in self.children(each)]
        return list(found.values())

    def register(self, fact: PointFact) -> ChannelFact | None:
        """The main register of a point's meter: the channel its installation names, else the first counter."""
        if fact.meter is None:
            return None
        counters = [each for each in self.channels.get(fact.device, ()) if each.is_counter]
        wanted = fact.meter.installation.channel
        return next((each for each in counters if each.id == wanted), None) if wanted else next(iter(counters), None)


def plant(sources: Sources, asking: Asking) -> Plant:
    """The plant as of, and as known at, the moment of asking."""
    registry, organisation = sources.registry, asking.organisation
    as_of, known = asking.as_of_us, asking.known_seq
    instruments = registry.objects(organisation, "instrument", as_of, known)
    by_id = {record.id: record for record in instruments}
    fitted = tuple(_fitted(record, by_id) for record in registry.objects(organisation, "installation", as_of, known))
    by_point: dict[str, list[Fitted]] = {}
    for each in fitted:
        by_point.setdefault(each.installation.point, []).append(each)
    points = registry.objects(organisation, "point", as_of, known)
    facts = [_point_fact(record, by_point.get(record.id, [])) for record in points]
    facts.sort(key=lambda fact: (fact.point.level or 9, fact.point.id))
    configurations = {each.id: each for each in registry.configurations(organisation, "device", known)}
    return Plant(
        points={fact.point.id: fact for fact in facts},
        instruments={record.id: record.read_as(Instrument) for record in instruments},
        installations=fitted,
        configurations=configurations,
        channels={device: channel_facts(each) for device, each in configurations.items()},
    )


def _fitted(record: Record, instruments: Mapping[str, Record]) -> Fitted:
    installation = record.read_as(Installation)
    instrument = instruments.get(installation.instrument)
    return Fitted(
        id=record.id,
        seq=record.seq,
        from_us=record.from_us,
        to_us=record.to_us,
        installation=installation,
        instrument=None if instrument is None else instrument.read_as(Instrument),
        instrument_seq=None if instrument is None else instrument.seq,
    )


def _point_fact(record: Record, fitted: list[Fitted]) -> PointFact:
    meters = [each for each in fitted if each.installation.role == InstallationRole.METER]
    others = [each for each in fitted if each.installation.role != InstallationRole.METER]
    newest = max(meters, key=lambda each: (each.from_us or 0, each.seq), default=None)
    return PointFact(point=record.read_as(MeteringPoint), seq=record.seq, meter=newest, transformers=tuple(others))


def channel_facts(configuration: Configuration) -> tuple[ChannelFact, ...]:
    """Every channel of a device's configuration entry, in order."""
    groups = configuration.body.get("groups") or {}
    return tuple(
        ChannelFact(
            device=configuration.id,
            group=group,
            position=position,
            id=str(channel["id"]),
            measurand=str(channel.get("measurand") or ""),
            unit=str(channel.get("unit") or ""),
            kind=str(channel.get("kind") or ""),
            decimals=int(channel.get("decimals") or 0),
            modulus=None if channel.get("modulus") is None else int(channel["modulus"]),
            primary=bool(channel.get("primary")),
            identity=bool(described.get("identity")),
            period_us=int(described.get("period_us") or 0),
        )
        for group, described in groups.items()
        for position, channel in enumerate(described.get("channels") or ())
    )


_ENERGY_OR_POWER = frozenset({"kWh", "kvarh", "kVAh", "kW", "kvar", "kVA", "MWh", "MW"})


def factor(channel: ChannelFact, installation: Installation | None) -> Fraction:
    """What a meter-side value is multiplied by to stand for the primary side; 1 where nothing is known or needed."""
    if installation is None or channel.primary:
        return Fraction(1)
    try:
        ct, pt = parse_ratio(installation.ct_ratio), parse_ratio(installation.pt_ratio)
    except ValueError:
        return Fraction(1)
    if channel.unit in _ENERGY_OR_POWER:
        return ct * pt
    if channel.unit in {"V", "kV"} and not channel.measurand.startswith("pt_"):
        return pt
    if channel.unit == "A" and not channel.measurand.startswith("ct_"):
        return ct
    return Fraction(1)
