"""Single points in many periods: amounts, and what went through by day, by hour and by quarter hour."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

from gateway.accounting.metered import (
    Amount,
    Fitting,
    Piece,
    entered,
    first_channels,
    fittings_of,
    rolled,
    spans_of,
    summed,
    take,
)
from gateway.accounting.weighting import Steps
from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_HOUR, Period, local_date, local_midnight
from gateway.registry.registry import Registry
from gateway.settlement.calendar import Calendar
from gateway.settlement.query import DAY, HOUR, ChannelInfo, Settlement, Then


class PointAmounts:
    """Asks for single points, as known now or at an entry; the ledger is read once, when the first is asked for."""

    def __init__(
        self,
        settlement: Settlement,
        registry: Registry,
        organisation: str,
        *,
        zone: ZoneInfo,
        known_seq: int | None = None,
    ) -> None:
        self._settlement = settlement
        self._organisation = organisation
        self._zone = zone
        self._known_seq = known_seq
        self._calendar = Calendar(zone)
        self._then = None if known_seq is None else Then(known_seq, self._calendar)
        self._registry = registry

    @cached_property
    def _fittings(self) -> Mapping[str, Mapping[int, Fitting]]:
        found: dict[str, dict[int, Fitting]] = {}
        for seq, fitting in fittings_of(self._registry, self._organisation, self._known_seq).items():
            found.setdefault(fitting.point, {})[seq] = fitting
        return found

    @cached_property
    def _first(self) -> Mapping[str, str]:
        return first_channels(self._settlement, self._organisation)

    @cached_property
    def _infos(self) -> Mapping[tuple[str, str], ChannelInfo]:
        return {(info.device, info.channel): info for info in self._settlement.channels(self._organisation)}

    def of(self, point: str, period: Period, begins: Sequence[str] = ()) -> Amount:
        """What went through a point in a period: the digits ``metered.amounts`` gives for it.

        ``begins``: civil days at whose midnight an instrument behind it began anew, the first day of all before them.
        """
        amount = self._of(point, period)
        amount.epochs = self.epochs(point, period, begins)
        return amount

    def epochs(
        self, point: str, period: Period, begins: Sequence[str]
    ) -> tuple[tuple[str, Mapping[int, Fraction]], ...]:
        """Amounts by installation, cut at the midnights of civil days: (day, values) for each in the period."""
        starts = [local_midnight(date.fromisoformat(day), self._zone) for day in begins]
        spans = [
            (day, max(start, period.start_us), min(end, period.end_us))
            for day, (start, end) in zip(begins, pairwise([*starts, period.end_us]), strict=True)
        ]
        return tuple(
            (day, self._of(point, Period(start, end)).installations) for day, start, end in spans if start < end
        )

    def _of(self, point: str, period: Period) -> Amount:
        amount = Amount(point=point, expected=period.duration_us // SETTLEMENT_WINDOW_US)
        for kind, span in spans_of(period, self._zone):
            for _, piece in self._pieces(point, span, kind):
                take(amount, piece)
        if amount.windows:
            return amount
        return entered(self._settlement, self._organisation, point, period, self._known_seq)

    def days(self, point: str, period: Period) -> Steps:
        """Amounts by civil day, cut to the period; None where nothing is known of a day."""
        edges = [period.start_us]
        while edges[-1] < period.end_us:
            edges.append(
                min(local_midnight(local_date(edges[-1], self._zone) + timedelta(days=1), self._zone), period.end_us)
            )
        whole = self._by(point, period, DAY)
        found: dict[int, Fraction | None] = {}
        for start, end in pairwise(edges):
            is_cut = self._calendar.day(start) != start or self._calendar.next_day(start) != end
            found[start] = self._of(point, Period(start, end)).value if is_cut or not whole else whole.get(start)
        return found

    def hours(self, point: str, period: Period) -> Steps:
        """Amounts by hour, of hours that begin in the period and of which something is known; a point without a
        counter has none.
        """
        return self._by(point, period, HOUR)

    def quarters(
        self, point: str, period: Period, *, whole_hours: bool = False
    ) -> list[tuple[int, Fraction | None, int]]:
        """Quarter hours as (start µs UTC, energy or None, 1 where it is missing), by time; two where a meter was
        exchanged. With ``whole_hours`` they come added up to hours, with the number of missing ones.
        """
        fittings = self._fittings.get(point, {})
        if whole_hours and period.start_us % US_PER_HOUR == 0 and period.end_us % US_PER_HOUR == 0:
            found = [
                (
                    start,
                    sum(each.by_method.values(), Fraction(0)) if each.windows > each.missing else None,
                    each.missing,
                )
                for start, each in self._pieces(point, period, HOUR)
            ]
        else:
            found = [
                (interval.start_us, interval.energy, int(interval.energy is None))
                for device, channel in channels_of(fittings.values(), self._first)
                for interval in self._settlement.intervals(self._organisation, device, channel, period, self._known_seq)
                if interval.row.installation in fittings
            ]
        return sorted(found, key=lambda each: each[0])

    def _by(self, point: str, period: Period, kind: int) -> dict[int, Fraction | None]:
        found: dict[int, Fraction | None] = {}
        for start, piece in self._pieces(point, period, kind):
            if piece.energy is not None:
                found[start] = (found.get(start) or Fraction(0)) + piece.energy
        return found

    def _pieces(self, point: str, span: Period, kind: int | None) -> Iterator[tuple[int, Piece]]:
        fittings = self._fittings.get(point, {})
        for device, channel in channels_of(fittings.values(), self._first):
            info = self._infos.get((device, channel))
            if info is None:
                continue
            if kind is None:
                sums = self._settlement.interval_sums(self._organisation, span, self._known_seq, only=(device, channel))
                found = [(span.start_us, summed(*each)) for each in sums.get((device, channel), ())]
            else:
                rows = self._settlement.rollups(self._organisation, device, channel, kind, span, then=self._then)
                found = [(row.start_us, rolled(info, row)) for row in rows]
            yield from ((start, piece) for start, piece in found if piece.installation in fittings)


def channels_of(fittings: Iterable[Fitting], first: Mapping[str, str]) -> list[tuple[str, str]]:
    """The (device, channel) pairs that counted, each once."""
    return sorted({(each.device, each.channel or first.get(each.device, "")) for each in fittings})
