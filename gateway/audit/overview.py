"""What the energy manager sees in the morning: today's energy, completeness, certificates due, findings open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.audit.asking import Asking, Sources
from gateway.audit.energy import Energy, is_totalled, joined, settled_to, totals
from gateway.audit.findings import FindingView, findings
from gateway.audit.judging import stated
from gateway.audit.ledger import LedgerRow, ledger_rows
from gateway.audit.plant import Plant, PointFact, plant
from gateway.audit.questioned import WAITS
from gateway.domain.ledger import Direction, MeteringPoint
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, Period, local_midnight

TOP_FINDINGS = 8
TOP_DUE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PointDay:
    """A point's energy of the day so far, beside the day before up to the same time of day and the whole day before.

    ``counted`` is False where the meter has no register that grows, such as a weighbridge: nothing is totalled then.
    """

    point: MeteringPoint
    counted: bool
    today: Energy
    before: Energy
    day_before: Energy


@dataclass(frozen=True, slots=True, kw_only=True)
class HourOfDay:
    """Energy of one hour of the day, today and the day before; None in ``today`` for hours still to come."""

    hour: int
    today: Energy | None
    before: Energy | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotCount:
    """How the slots since a UTC day ended."""

    slots: int
    answered: int
    by_outcome: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The first page. ``day`` is the site's civil day; ``settled_to_us`` the end of the last settled quarter hour.

    ``look_backs_waiting``: verdicts that put readings in question and wait for a person's decision.
    """

    day: date
    settled_to_us: int
    intake: PointDay | None
    hours: Sequence[HourOfDay]
    boundary: Sequence[PointDay]
    slots: SlotCount
    points_with_meter: int
    points_to_measure: int
    due: Sequence[LedgerRow]
    due_count: int
    overdue_count: int
    instruments: int
    findings: Sequence[FindingView]
    open_by_severity: dict[str, int]
    look_backs_waiting: int
    journal_head: int


def overview(sources: Sources, asking: Asking) -> Overview:
    """The figures of the day of ``as_of``."""
    there = plant(sources, asking)
    start = local_midnight(asking.today, asking.zone)
    now = max(start, asking.settling_us)
    entering = [fact for fact in there.points.values() if _at_boundary(fact)]
    settled = settled_to(sources, asking, there, entering, Period(start, now))
    boundary = [_point_day(sources, asking, there, fact, Period(start, settled)) for fact in entering]
    intake = next((each for each in boundary if each.point.energy_kind == "electricity"), None)
    open_findings = findings(sources, asking, only_open=True)
    rows = ledger_rows(sources, asking, there)
    due = sorted(
        (row for row in rows if not row.due.is_in_order),
        key=lambda row: (row.days_left if row.days_left is not None else -(10**6), row.instrument.id),
    )
    demanded = [fact for fact in there.points.values() if fact.point.must_measure and not fact.point.exemption]
    return Overview(
        day=asking.today,
        settled_to_us=settled,
        intake=intake,
        hours=hours_of_day(sources, asking, there, there.points[intake.point.id], settled) if intake else (),
        boundary=boundary,
        slots=slot_count(sources, asking, start),
        points_with_meter=sum(fact.meter is not None for fact in demanded),
        points_to_measure=len(demanded),
        due=due[:TOP_DUE],
        due_count=len(due),
        overdue_count=sum(row.days_left is not None and row.days_left < 0 for row in due),
        instruments=len(rows),
        findings=open_findings[:TOP_FINDINGS],
        open_by_severity={
            severity: sum(each.severity == severity for each in open_findings)
            for severity in ("error", "warning", "info")
        },
        look_backs_waiting=sum(each.decision in WAITS for each in open_findings),
        journal_head=sources.journal.head(),
    )


def _at_boundary(fact: PointFact) -> bool:
    return fact.point.level == 1 and fact.point.direction != Direction.INTERNAL and fact.meter is not None


def _point_day(sources: Sources, asking: Asking, there: Plant, fact: PointFact, today: Period) -> PointDay:
    start, now = today.start_us, today.end_us
    yesterday = local_midnight(asking.today - timedelta(days=1), asking.zone)
    same_time = min(yesterday + (now - start), start)
    edges = sorted({yesterday, same_time, start, now})
    amounts = {
        (each.start_us, each.end_us): each for each in totals(sources, asking, there, fact, edges, step="quarter")
    }
    unit = next(iter(amounts.values())).unit if amounts else ""
    first = amounts.get((yesterday, same_time)) or _nothing(yesterday, same_time, unit)
    rest = amounts.get((same_time, start)) or _nothing(same_time, start, unit)

    def with_u(energy: Energy) -> Energy:
        return stated(sources, asking, fact.point.id, energy)

    return PointDay(
        point=fact.point,
        counted=is_totalled(sources, asking, there, fact),
        today=with_u(amounts.get((start, now)) or _nothing(start, now, unit)),
        before=with_u(first),
        day_before=with_u(joined(first, rest)),
    )


def _nothing(start_us: int, end_us: int, unit: str) -> Energy:
    return Energy(
        start_us=start_us,
        end_us=end_us,
        unit=unit,
        value=None,
        windows=0,
        missing=0,
        coverage_permille=0,
        quality=3,
        by_method={},
    )


def hours_of_day(sources: Sources, asking: Asking, there: Plant, fact: PointFact, settled: int) -> list[HourOfDay]:
    """Hour by hour, today as far as it is settled and the day before in full."""
    start = local_midnight(asking.today, asking.zone)
    yesterday = local_midnight(asking.today - timedelta(days=1), asking.zone)
    edges = [*range(start, settled, US_PER_HOUR), settled]
    today = totals(sources, asking, there, fact, edges, step="quarter") if settled > start else []
    before_edges = [*range(yesterday, start, US_PER_HOUR), start]
    before = totals(sources, asking, there, fact, before_edges, step="hour")
    count = max(len(today), len(before))
    name = fact.point.id
    return [
        HourOfDay(
            hour=hour,
            today=stated(sources, asking, name, today[hour]) if hour < len(today) else None,
            before=stated(sources, asking, name, before[hour]) if hour < len(before) else None,
        )
        for hour in range(count)
    ]


def slot_count(sources: Sources, asking: Asking, since_us: int) -> SlotCount:
    """Slots since the UTC day in which ``since_us`` falls, up to the UTC day of the moment."""
    by_outcome: dict[str, int] = {}
    for (_device, outcome), count in sources.registry.outcomes(
        asking.organisation, from_day=since_us // US_PER_DAY, to_day=asking.as_of_us // US_PER_DAY
    ).items():
        by_outcome[outcome] = by_outcome.get(outcome, 0) + count
    answered = by_outcome.get("ok", 0) + by_outcome.get("partial", 0)
    return SlotCount(slots=sum(by_outcome.values()), answered=answered, by_outcome=by_outcome)
