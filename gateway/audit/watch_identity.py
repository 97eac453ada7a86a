"""Identities of a meter's own channels beside the watch: the last whole day's readings, and its hours of energy."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.audit.asking import Asking, Sources
from gateway.audit.energy import totals
from gateway.audit.hourly import channel_hours
from gateway.audit.plant import ChannelFact, Plant, PointFact, factor
from gateway.domain.ledger import MeteringPoint
from gateway.domain.quality import Status
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, Period, floor_to
from gateway.metrology.watch_identity import (
    Agreement,
    Identity,
    IdentityResidual,
    energy_against_power,
    phases,
    triangle,
)

MAX_READINGS = 3_000
ENERGY_DAYS = 7
_TRIANGLE = ("active_power", "reactive_power", "apparent_power")
_PHASES = ("active_power", "active_power_l1", "active_power_l2", "active_power_l3")


@dataclass(frozen=True, slots=True, kw_only=True)
class PointIdentities:
    """What a meter's channels say of each other."""

    point: MeteringPoint
    device: str
    residuals: Sequence[IdentityResidual]

    @property
    def differing(self) -> list[IdentityResidual]:
        """Those outside their limits."""
        return [each for each in self.residuals if each.agreement is Agreement.DIFFERS]


def point_identities(sources: Sources, asking: Asking, there: Plant) -> list[PointIdentities]:
    """Every metered point whose device offers an identity, in the order of the tree."""
    found = []
    for _depth, fact in there.walk():
        residuals = _of(sources, asking, there, fact) if fact.device else []
        if residuals:
            found.append(PointIdentities(point=fact.point, device=fact.device, residuals=residuals))
    return found


def _of(sources: Sources, asking: Asking, there: Plant, fact: PointFact) -> list[IdentityResidual]:
    channels = {each.measurand: each for each in there.channels.get(fact.device, ())}
    found = []
    for identity, wanted in ((Identity.TRIANGLE, _TRIANGLE), (Identity.PHASES, _PHASES)):
        offered = [channels[name] for name in wanted if name in channels]
        if len(offered) == len(wanted) and len({each.group for each in offered}) == 1:
            readings = _moments(sources, asking, offered)
            if identity is Identity.TRIANGLE:
                found.append(triangle([(each[0], each[1], each[2]) for each in readings]))
            else:
                found.append(phases(readings))
    if "active_power" in channels and there.register(fact) is not None:
        found.append(_energy(sources, asking, there, fact, channels["active_power"]))
    return found


def _moments(sources: Sources, asking: Asking, channels: Sequence[ChannelFact]) -> list[tuple[float, ...]]:
    """The channels' usable values of the same readings over the last day, in their units."""
    period = Period(asking.as_of_us - US_PER_DAY, asking.as_of_us)
    first = channels[0]
    found = []
    for row in sources.series.rows(first.device, first.group, period, MAX_READINGS, descending=True):
        if asking.known_seq is not None and row.seq > asking.known_seq:
            continue
        values = [_value(row.values, row.quality, each) for each in channels]
        if None not in values:
            found.append(tuple(each for each in values if each is not None))
    return found


def _value(values: Sequence[int | None], quality: Sequence[int], channel: ChannelFact) -> float | None:
    if channel.position >= len(values):
        return None
    value = values[channel.position]
    if value is None or quality[channel.position] & 3 > Status.UNCERTAIN:
        return None
    return float(value) / 10.0**channel.decimals


def _energy(sources: Sources, asking: Asking, there: Plant, fact: PointFact, power: ChannelFact) -> IdentityResidual:
    end_us = floor_to(asking.settling_us, US_PER_HOUR)
    edges = list(range(end_us - ENERGY_DAYS * US_PER_DAY, end_us + 1, US_PER_HOUR))
    energies = totals(sources, asking, there, fact, edges, step="hour")
    hours = channel_hours(sources, asking, power, Period(edges[0], edges[-1]))
    ratio = factor(power, fact.meter.installation if fact.meter else None)
    steps = [
        (float(energy.value), float(hours[energy.start_us].mean * ratio))
        for energy in energies
        if energy.value is not None and energy.complete and energy.start_us in hours
    ]
    return energy_against_power(steps)
