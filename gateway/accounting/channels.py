"""Means of instantaneous channels over a period, for parameters that are measured in the plant: pressure, temperature.

As known now the sums of whole hours are taken; as recorded up to an entry, the readings one by one. Both are exact sums
over counts, bad and missing values left out. Where the mean is multiplied by an amount, each hour's mean is weighted by
what flowed in that hour, so that the product is the sum of the hours' products.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import Any

from gateway.accounting.weighting import Steps
from gateway.domain.ledger import Installation
from gateway.domain.time import US_PER_HOUR, Period
from gateway.registry.registry import Registry
from gateway.series.store import SeriesStore

MAX_READINGS = 2_000_000
_USABLE = 2  # good and uncertain
Wanted = tuple[str, str]  # point, measurand


@dataclass(frozen=True, slots=True)
class ChannelMean:
    """A mean in ``unit`` over so many readings; ``installation`` is the entry that says which device measures there.

    ``hours``: sum and number of the readings by where their hour begins (µs UTC).
    """

    value: Fraction
    unit: str
    readings: int
    installation: int
    hours: Mapping[int, tuple[Fraction, int]] = field(default_factory=dict)

    def weighted(self, flowed: Steps) -> tuple[Fraction, int] | None:
        """The mean of the hours' means by what flowed in them, and in how many hours something flowed unread; None
        where nothing is known to have flowed, or some of it backwards.
        """
        if any(amount is not None and amount < 0 for amount in flowed.values()):
            return None
        top, bottom, unread = Fraction(0), Fraction(0), 0
        for hour, amount in flowed.items():
            if not amount:
                continue
            total, count = self.hours.get(hour, (Fraction(0), 0))
            if count:
                top += amount * total / count
                bottom += amount
            else:
                unread += 1
        return (top / bottom, unread) if bottom else None


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
    hours: dict[int, tuple[Fraction, int]] = {}
    unit, seq = "", 0
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
            found = _summed(registry, series, (installation.device, group, measurand), Period(start, end), known_seq)
            for hour, (sums, number) in found.items():
                total, count = hours.get(hour, (Fraction(0), 0))
                hours[hour] = (total + Fraction(sums, 10 ** int(channel.get("decimals") or 0)), count + number)
            unit, seq = str(channel.get("unit") or ""), record.seq
    readings = sum(count for _, count in hours.values())
    if not readings:
        return None
    return ChannelMean(sum((total for total, _ in hours.values()), Fraction(0)) / readings, unit, readings, seq, hours)


def _position(described: Mapping[str, Any], measurand: str) -> int | None:
    for place, channel in enumerate(described.get("channels") or ()):
        if channel.get("measurand") == measurand and channel.get("kind") == "instantaneous":
            return place
    return None


def _summed(
    registry: Registry, series: SeriesStore, of: tuple[str, str, str], period: Period, known_seq: int | None
) -> dict[int, tuple[int, int]]:
    """Sum and number of the usable readings of a channel (device, group, measurand) by hour."""
    device, group, measurand = of

    def position_of(cfg_seq: int) -> int | None:
        configuration = registry.configuration(cfg_seq)
        groups = {} if configuration is None else configuration.body.get("groups") or {}
        return _position(groups.get(group) or {}, measurand)

    found: dict[int, tuple[int, int]] = {}
    if known_seq is None:
        hours = series.hours(device, group, position_of, period)
        found = dict(zip(hours.starts, zip(hours.sums, hours.counts, strict=True), strict=True))
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
            hour = row.slot_us // US_PER_HOUR * US_PER_HOUR
            total, count = found.get(hour, (0, 0))
            found[hour] = (total + value, count + 1)
    return found
