"""What went through each metering point in a period, exact, with the instruments whose errors it carries.

Two ways give the same digits: roll-ups for what is known now, settled intervals for any recorded moment. Points
without a counter (weighbridges, registers read by people) are asked one by one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from itertools import chain
from zoneinfo import ZoneInfo

from gateway.domain.ledger import Installation, InstallationRole
from gateway.domain.quality import GOOD, Status, word, worst
from gateway.domain.time import SETTLEMENT_WINDOW_US, Period, local_date, local_midnight
from gateway.registry.registry import Registry
from gateway.settlement.calendar import Calendar
from gateway.settlement.query import DAY, MONTH, ChannelInfo, IntervalSum, RollUp, Settlement, Then
from gateway.settlement.row import Method


@dataclass(slots=True, kw_only=True)
class Amount:
    """Through one point: ``value`` in ``unit``, None where nothing is known.

    ``windows`` quarter hours were settled, ``missing`` of them without a value, ``expected`` lie in the period;
    ``coverage_permille`` over the expected ones. ``installations``: value by installation entry (0: none on record).
    ``tickets`` weighings counted; a point of tickets or hand readings expects no windows.
    """

    point: str
    unit: str = ""
    value: Fraction | None = None
    windows: int = 0
    missing: int = 0
    expected: int = 0
    coverage_sum: int = 0
    quality: int = GOOD
    by_method: dict[Method, Fraction] = field(default_factory=dict)
    installations: dict[int, Fraction] = field(default_factory=dict)
    tickets: int = 0
    resolution: Fraction = Fraction(0)  # the register's step with the ratio in force, in ``unit``; 0: no register
    epochs: tuple[tuple[str, Mapping[int, Fraction]], ...] = ()
    """``installations`` cut where an instrument was calibrated anew: (first civil day, values); empty: never."""

    @property
    def coverage_permille(self) -> int:
        """How much of the period lay between observations."""
        if not self.expected:
            return 1000 if self.value is not None else 0
        return min(1000, self.coverage_sum // self.expected)

    @property
    def lacking(self) -> int:
        """Quarter hours of the period without a value."""
        return max(0, self.expected - (self.windows - self.missing)) if self.expected else self.missing

    def add(self, installation: int, method: Method, value: Fraction) -> None:
        """One more share."""
        self.value = (self.value or Fraction(0)) + value
        self.by_method[method] = self.by_method.get(method, Fraction(0)) + value
        self.installations[installation] = self.installations.get(installation, Fraction(0)) + value


@dataclass(frozen=True, slots=True)
class Piece:
    """A share of an amount: windows under one installation; ``coverage`` the sum of their permilles."""

    installation: int
    windows: int
    missing: int
    coverage: int
    quality: int
    by_method: dict[Method, Fraction]
    unit: str
    resolution: Fraction

    @property
    def energy(self) -> Fraction | None:
        """Its sum; None where nothing of it is known."""
        return sum(self.by_method.values(), Fraction(0)) if self.windows > self.missing else None


@dataclass(frozen=True, slots=True)
class Fitting:
    """Which channel counted for a point."""

    point: str
    device: str
    channel: str  # empty: the device's first


def amounts(
    settlement: Settlement,
    registry: Registry,
    organisation: str,
    period: Period,
    *,
    zone: ZoneInfo,
    known_seq: int | None = None,
    from_intervals: bool = False,
) -> dict[str, Amount]:
    """Every point that was on record, by id.

    Roll-ups of whole months and days of ``zone`` are summed, and intervals only for what is left of a day at either end
    and, with ``known_seq``, for days that changed since; with ``from_intervals`` nothing but intervals.
    """
    found: dict[str, Amount] = {}
    fittings = fittings_of(registry, organisation, known_seq)
    first = first_channels(settlement, organisation)
    then = None if known_seq is None else Then(known_seq, Calendar(zone))
    pieces = chain.from_iterable(
        _from_intervals(settlement, organisation, span, known_seq)
        if kind is None
        else _from_rollups(settlement, organisation, span, kind, then)
        for kind, span in ([(None, period)] if from_intervals else spans_of(period, zone))
    )
    expected = period.duration_us // SETTLEMENT_WINDOW_US
    for device, channel, piece in pieces:
        fitting = fittings.get(piece.installation)
        if fitting is None or fitting.device != device or (fitting.channel or first.get(device)) != channel:
            continue
        amount = found.setdefault(fitting.point, Amount(point=fitting.point, expected=expected))
        take(amount, piece)
    for record in registry.objects(organisation, "point", None, known_seq):
        if record.id not in found:
            found[record.id] = entered(settlement, organisation, record.id, period, known_seq)
    return dict(sorted(found.items()))


def take(amount: Amount, piece: Piece) -> None:
    """One more share."""
    amount.unit = amount.unit or piece.unit
    amount.windows += piece.windows
    amount.missing += piece.missing
    amount.coverage_sum += piece.coverage
    amount.quality = worst((amount.quality, piece.quality))
    amount.resolution = max(amount.resolution, piece.resolution)
    if piece.windows > piece.missing:
        amount.value = amount.value or Fraction(0)
    for method, value in piece.by_method.items():
        amount.add(piece.installation, method, value)


def fittings_of(registry: Registry, organisation: str, known_seq: int | None) -> dict[int, Fitting]:
    """Meter installations by every entry that ever described them; withdrawn ones count for nothing."""
    found: dict[int, Fitting] = {}
    for versions in registry.versions(organisation, "installation", known_seq).values():
        newest = versions[-1]
        if newest.withdrawn:
            continue
        installation = newest.read_as(Installation)
        if installation.role == InstallationRole.METER and installation.device:
            for version in versions:
                found[version.seq] = Fitting(installation.point, installation.device, installation.channel)
    return found


def first_channels(settlement: Settlement, organisation: str) -> dict[str, str]:
    """Each device's first channel: what counts where an installation names none."""
    first: dict[str, str] = {}
    for info in settlement.channels(organisation):
        first.setdefault(info.device, info.channel)
    return first


def spans_of(period: Period, zone: ZoneInfo) -> list[tuple[int | None, Period]]:
    """The period in whole months, whole days (``MONTH``, ``DAY``) and what is left of days at its ends (None)."""
    first_day, last_day = _midnight_after(period.start_us, zone), _midnight_before(period.end_us, zone)
    if first_day >= last_day:
        return [(None, period)]
    first = local_date(first_day, zone)
    later = first if first.day == 1 else (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    first_month = local_midnight(later, zone)
    last_month = local_midnight(local_date(last_day, zone).replace(day=1), zone)
    if first_month >= last_month:
        first_month = last_month = last_day
    cuts: list[tuple[int | None, int, int]] = [
        (None, period.start_us, first_day),
        (DAY, first_day, first_month),
        (MONTH, first_month, last_month),
        (DAY, last_month, last_day),
        (None, last_day, period.end_us),
    ]
    return [(kind, Period(start, end)) for kind, start, end in cuts if start < end]


def _midnight_before(at_us: int, zone: ZoneInfo) -> int:
    return local_midnight(local_date(at_us, zone), zone)


def _midnight_after(at_us: int, zone: ZoneInfo) -> int:
    midnight = _midnight_before(at_us, zone)
    return midnight if midnight == at_us else local_midnight(local_date(at_us, zone) + timedelta(days=1), zone)


def _from_rollups(
    settlement: Settlement, organisation: str, period: Period, kind: int, then: Then | None
) -> Iterator[tuple[str, str, Piece]]:
    infos = {(info.device, info.channel): info for info in settlement.channels(organisation)}
    for (device, channel), rows in settlement.totals(organisation, kind, period, then).items():
        for row in rows:
            yield device, channel, rolled(infos[device, channel], row)


def _from_intervals(
    settlement: Settlement, organisation: str, period: Period, known_seq: int | None
) -> Iterator[tuple[str, str, Piece]]:
    for (device, channel), sums in settlement.interval_sums(organisation, period, known_seq).items():
        for info, each in sums:
            yield device, channel, summed(info, each)


def rolled(info: ChannelInfo, row: RollUp) -> Piece:
    """A roll-up as a share of an amount."""
    return Piece(
        row.installation or 0,
        row.windows,
        row.missing,
        row.coverage_sum,
        row.quality,
        row.by_method,
        info.unit,
        Fraction(1, 10**info.decimals),
    )


def summed(info: ChannelInfo, each: IntervalSum) -> Piece:
    """A sum of intervals as a share of an amount."""
    known = each.windows > each.missing
    return Piece(
        each.installation or 0,
        each.windows,
        each.missing,
        each.coverage,
        each.quality,
        {each.method: each.energy * info.step * each.ratio} if known else {},
        info.unit,
        Fraction(1, 10**info.decimals),
    )


def entered(settlement: Settlement, organisation: str, point: str, period: Period, known_seq: int | None) -> Amount:
    """A point without a counter: weighing tickets, registers read by people, amounts from files."""
    energy = settlement.energy(organisation, point, period, known_seq)
    known = bool(energy.by_method)
    return Amount(
        point=point,
        unit=energy.unit,
        value=energy.value if known else None,
        missing=energy.missing,
        quality=energy.quality if known else word(Status.MISSING),
        by_method=dict(energy.by_method),
        installations=dict(energy.installations),
        tickets=energy.tickets,
    )
