"""Means of instantaneous channels over a period, for parameters that are measured in the plant: pressure, temperature.

As known now the sums of whole hours are taken; as recorded up to an entry, the readings one by one. Both are exact sums
over counts, bad and missing values left out. Hours are not weighted by what flowed in them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

from gateway.domain.ledger import Installation
from gateway.domain.time import US_PER_HOUR, Period
from gateway.registry.registry import Registry
from gateway.series.store import SeriesStore

MAX_READINGS = 2_000_000
_USABLE = 2  # good and uncertain
Wanted = tuple[str, str]  # point, measurand


@dataclass(frozen=True, slots=True)
class ChannelMean:
    """A mean in ``unit`` over so many readings; ``installation`` is the entry that says which device measures there."""

    value: Fraction
    unit: str
    readings: int
    installation: int


def channel_means(
    registry: Registry,
    series: SeriesStore,
    organisation: str,
    wanted: Iterable[Wanted],
    period: Period,
    *,
    known_seq: int | None = None,
) -> dict[Wanted, ChannelMean]:
    """The mean of each (point, measurand) that a device at the point measures; those without a reading are left out."""
    found: dict[Wanted, ChannelMean] = {}
    asked = sorted(set(wanted))
    if not asked:
        return found
    configured = {
        each.id: each.body.get("groups") or {} for each in registry.configurations(organisation, "device", known_seq)
    }
    for point, measurand in asked:
        mean = _mean(registry, series, organisation, (point, measurand), period, known_seq, configured)
        if mean is not None:
            found[point, measurand] = mean
    return found


def _mean(  # noqa: PLR0917  # one question in all its parts
    registry: Registry,
    series: SeriesStore,
    organisation: str,
    wanted: Wanted,
    period: Period,
    known_seq: int | None,
    configured: Mapping[str, Mapping[str, Any]],
) -> ChannelMean | None:
    point, measurand = wanted
    total, count, unit, seq = Fraction(0), 0, "", 0
    for record in registry.installations_of_point(organisation, point, None, known_seq):
        installation = record.read_as(Installation)
        start = max(period.start_us, record.from_us or period.start_us)
        end = min(period.end_us, period.end_us if record.to_us is None else record.to_us)
        if not installation.device or start >= end:
            continue
        for group, described in configured.get(installation.device, {}).items():
            place = _position(described, measurand)
            if place is None:
                continue
            channel = described["channels"][place]
            sums, number = _summed(
                registry, series, (installation.device, group, measurand), Period(start, end), known_seq
            )
            total += Fraction(sums, 10 ** int(channel.get("decimals") or 0))
            count += number
            unit, seq = str(channel.get("unit") or ""), record.seq
    return ChannelMean(total / count, unit, count, seq) if count else None


def _position(described: Mapping[str, Any], measurand: str) -> int | None:
    for place, channel in enumerate(described.get("channels") or ()):
        if channel.get("measurand") == measurand and channel.get("kind") == "instantaneous":
            return place
    return None


def _summed(
    registry: Registry, series: SeriesStore, of: tuple[str, str, str], period: Period, known_seq: int | None
) -> tuple[int, int]:
    """Sum and number of the usable readings of a channel (device, group, measurand)."""
    device, group, measurand = of

    def position_of(cfg_seq: int) -> int | None:
        configuration = registry.configuration(cfg_seq)
        groups = {} if configuration is None else configuration.body.get("groups") or {}
        return _position(groups.get(group) or {}, measurand)

    total, count = 0, 0
    if known_seq is None:
        hours = series.hours(device, group, position_of, period)
        total, count = sum(hours.sums), sum(hours.counts)
        # hours are rolled up once they are over; what is not yet stands in its readings
        if hours.starts:
            period = Period(min(max(hours.starts) + US_PER_HOUR, period.end_us), period.end_us)
    places: dict[int, int | None] = {}
    for row in islice(series.rows(device, group, period), MAX_READINGS):
        if row.cfg_seq not in places:
            places[row.cfg_seq] = position_of(row.cfg_seq)
        place = places[row.cfg_seq]
        if place is None or (known_seq is not None and row.seq > known_seq) or place >= len(row.values):
            continue
        value = row.values[place]
        if value is not None and row.quality[place] & 3 < _USABLE:
            total += value
            count += 1
    return total, count
