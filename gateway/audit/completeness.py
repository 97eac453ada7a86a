"""How complete the data are: per point and day, how much of the time lay between readings; and how slots ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.audit.asking import Asking, Sources
from gateway.audit.days import day_edges
from gateway.audit.energy import Energy, begun_us, reached_us, totals
from gateway.audit.findings import FindingView, findings
from gateway.audit.plant import plant
from gateway.domain.ledger import MeteringPoint
from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_DAY, local_date

MAX_DAYS = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class DayShare:
    """One day of one point: permille of its time covered by readings, quarter hours without a value.

    ``covered_permille`` is None before the point's first reading and for time still to come.
    """

    day: date
    start_us: int
    end_us: int
    covered_permille: int | None
    missing: int
    quality: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PointDays:
    """A point's days; ``covered_permille`` over those that have a share."""

    point: MeteringPoint
    device: str
    days: Sequence[DayShare]
    covered_permille: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSlots:
    """How the slots of a device ended since a UTC day."""

    device: str
    point: str
    slots: int
    answered: int
    by_outcome: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """The page of data quality. ``since_us`` is the beginning of the UTC day from which slots are counted."""

    first: date
    last: date
    days: Sequence[date]
    points: Sequence[PointDays]
    covered_permille: int | None
    devices: Sequence[DeviceSlots]
    since_us: int
    events: Sequence[FindingView]


def completeness(sources: Sources, asking: Asking, *, days: int = 35) -> Completeness:
    """The last ``days`` civil days (at most ``MAX_DAYS``) up to the moment, today as far as it is settled."""
    there = plant(sources, asking)
    last = asking.today
    first = last - timedelta(days=max(1, min(days, MAX_DAYS)) - 1)
    edges = day_edges(asking, first, last)
    settled = asking.settling_us
    rows = []
    for _depth, fact in there.walk():
        register = there.register(fact)
        if register is None:
            continue
        begun = begun_us(sources, asking, register)
        reached = min(reached_us(sources, asking, register), settled)
        sums = totals(sources, asking, there, fact, edges, step="day")
        shares = [_share(asking, each, begun, reached) for each in sums]
        rows.append(PointDays(point=fact.point, device=fact.device, days=shares, covered_permille=_mean(shares)))
    from_day = edges[0] // US_PER_DAY
    return Completeness(
        first=first,
        last=last,
        days=[first + timedelta(days=each) for each in range(len(edges) - 1)],
        points=rows,
        covered_permille=_mean([share for row in rows for share in row.days]),
        devices=_devices(sources, asking, from_day, {fact.device: fact.point.id for fact in there.points.values()}),
        since_us=from_day * US_PER_DAY,
        events=findings(sources, asking, area="readings"),
    )


def _share(asking: Asking, energy: Energy, begun: int, reached: int) -> DayShare:
    start, end = max(energy.start_us, begun), min(energy.end_us, reached)
    windows = (end - start) // SETTLEMENT_WINDOW_US if begun else 0
    covered = None if windows <= 0 else min(1000, energy.coverage_sum // windows)
    return DayShare(
        day=local_date(energy.start_us, asking.zone),
        start_us=energy.start_us,
        end_us=energy.end_us,
        covered_permille=covered,
        missing=max(0, windows - (energy.windows - energy.missing)) if windows > 0 else 0,
        quality=energy.quality,
    )


def _mean(shares: Sequence[DayShare]) -> int | None:
    known = [each.covered_permille for each in shares if each.covered_permille is not None]
    return sum(known) // len(known) if known else None


def _devices(sources: Sources, asking: Asking, from_day: int, points: dict[str, str]) -> list[DeviceSlots]:
    counted: dict[str, dict[str, int]] = {}
    to_day = asking.as_of_us // US_PER_DAY
    outcomes = sources.registry.outcomes(asking.organisation, from_day=from_day, to_day=to_day)
    for (device, outcome), count in outcomes.items():
        counted.setdefault(device, {})[outcome] = count
    rows = [
        DeviceSlots(
            device=device,
            point=points.get(device, ""),
            slots=sum(outcomes.values()),
            answered=outcomes.get("ok", 0) + outcomes.get("partial", 0),
            by_outcome=dict(sorted(outcomes.items())),
        )
        for device, outcomes in counted.items()
    ]
    return sorted(rows, key=lambda row: (row.answered * 10**6 // max(row.slots, 1), row.device))
