"""Hours of an instantaneous channel: mean, extremes, and how many of the readings the schedule asked for there were.

Rolled-up hours answer what is known now; a question about what was known earlier reads the readings themselves. The
schedule that counts is the one each reading was taken under: its configuration entry.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from gateway.audit.asking import Asking, Sources
from gateway.audit.plant import ChannelFact
from gateway.domain.quality import Status
from gateway.domain.time import US_PER_HOUR, US_PER_MINUTE, Period, floor_to

QUARTER_US = 15 * US_PER_MINUTE
MAX_READINGS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHour:
    """One hour: ``mean``, ``low``, ``high`` in the channel's unit over ``count`` usable readings of ``expected``.

    ``quadrants`` counts the quarter hours with a usable reading; None where only the hour's sums are known.
    """

    start_us: int
    mean: Fraction
    low: Fraction
    high: Fraction
    count: int
    expected: int
    quadrants: int | None = None


def channel_hours(
    sources: Sources, asking: Asking, channel: ChannelFact, period: Period, *, quadrants: bool = False
) -> dict[int, ChannelHour]:
    """Hours of a channel that begin in the period, by start; hours without a usable reading are absent."""
    if quadrants or asking.known_seq is not None:
        return _from_readings(sources, asking, channel, period)
    rolled = _from_rollups(sources, channel, period)
    # the newest hours are rolled up a while after they are over
    since = max(rolled, default=period.start_us - US_PER_HOUR) + US_PER_HOUR
    newest = _from_readings(sources, asking, channel, Period(since, max(since, period.end_us)))
    return {**rolled, **newest}


class Placements:
    """Where a channel stands in its group, and the group's period, by the number of a configuration entry."""

    def __init__(self, sources: Sources, channel: ChannelFact) -> None:
        self._registry, self._channel = sources.registry, channel
        self._known: dict[int, tuple[int, int] | None] = {}

    def __call__(self, cfg_seq: int) -> tuple[int, int] | None:
        """(position, period µs); None where that configuration had no such channel."""
        if cfg_seq not in self._known:
            self._known[cfg_seq] = self._found(cfg_seq)
        return self._known[cfg_seq]

    def position(self, period_us: int | None) -> Callable[[int], int | None]:
        """The channel's position, under configurations of one period only where it is given."""

        def position_of(cfg_seq: int) -> int | None:
            found = self(cfg_seq)
            return None if found is None or period_us not in {None, found[1]} else found[0]

        return position_of

    def periods(self) -> set[int]:
        """Every period met so far."""
        return {each[1] for each in self._known.values() if each is not None}

    def _found(self, cfg_seq: int) -> tuple[int, int] | None:
        configuration = self._registry.configuration(cfg_seq)
        group = (configuration.body.get("groups") or {}).get(self._channel.group) if configuration else None
        if not group or not group.get("period_us"):
            return None
        ids = [str(each["id"]) for each in group.get("channels") or ()]
        return (ids.index(self._channel.id), int(group["period_us"])) if self._channel.id in ids else None


def _from_rollups(sources: Sources, channel: ChannelFact, period: Period) -> dict[int, ChannelHour]:
    places = Placements(sources, channel)
    column = sources.series.hours(channel.device, channel.group, places.position(None), period)
    schedules = sorted(places.periods())
    scale = 10**channel.decimals
    found: dict[int, ChannelHour] = {}
    for period_us in schedules:
        if len(schedules) > 1:
            column = sources.series.hours(channel.device, channel.group, places.position(period_us), period)
        for start, count, low, high, total in zip(
            column.starts, column.counts, column.minima, column.maxima, column.sums, strict=True
        ):
            one = ChannelHour(
                start_us=start,
                mean=Fraction(total, count * scale),
                low=Fraction(low, scale),
                high=Fraction(high, scale),
                count=count,
                expected=max(1, US_PER_HOUR // period_us),
            )
            found[start] = _joined(found[start], one) if start in found else one
    return dict(sorted(found.items()))


def _joined(first: ChannelHour, second: ChannelHour) -> ChannelHour:
    """An hour in which the schedule changed: readings together, expected as the denser schedule asks."""
    count = first.count + second.count
    return ChannelHour(
        start_us=first.start_us,
        mean=(first.mean * first.count + second.mean * second.count) / count,
        low=min(first.low, second.low),
        high=max(first.high, second.high),
        count=count,
        expected=max(first.expected, second.expected),
    )


def _from_readings(sources: Sources, asking: Asking, channel: ChannelFact, period: Period) -> dict[int, ChannelHour]:
    places = Placements(sources, channel)
    values: dict[int, list[int]] = defaultdict(list)
    seen: dict[int, set[int]] = defaultdict(set)
    periods: dict[int, set[int]] = defaultdict(set)
    for slot_us, value, period_us in usable_readings(sources, asking, channel, period, places):
        hour = floor_to(slot_us, US_PER_HOUR)
        values[hour].append(value)
        seen[hour].add((slot_us - hour) // QUARTER_US)
        periods[hour].add(period_us)
    scale = 10**channel.decimals
    return {
        hour: ChannelHour(
            start_us=hour,
            mean=Fraction(sum(each), len(each) * scale),
            low=Fraction(min(each), scale),
            high=Fraction(max(each), scale),
            count=len(each),
            expected=max(1, US_PER_HOUR // max(periods[hour])),
            quadrants=len(seen[hour]),
        )
        for hour, each in sorted(values.items())
    }


def usable_readings(
    sources: Sources, asking: Asking, channel: ChannelFact, period: Period, places: Placements
) -> Iterator[tuple[int, int, int]]:
    """(slot µs, scaled value, period µs) of good and uncertain readings as known then, by slot."""
    for row in sources.series.rows(channel.device, channel.group, period, MAX_READINGS):
        if asking.known_seq is not None and row.seq > asking.known_seq:
            continue
        place = places(row.cfg_seq)
        if place is None or place[0] >= len(row.values):
            continue
        value = row.values[place[0]]
        if value is not None and row.quality[place[0]] & 3 <= Status.UNCERTAIN:
            yield row.slot_us, value, place[1]
