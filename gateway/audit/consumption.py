"""Energy by point and by step over civil days, beside the equally long time before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gateway.audit.asking import Asking, Sources
from gateway.audit.days import edges, preceding
from gateway.audit.energy import Energy, amount, amounts_of, is_totalled, settled_to, totals
from gateway.audit.judging import stated
from gateway.audit.plant import PointFact, plant
from gateway.domain.errors import UnknownObjectError
from gateway.domain.ledger import MeteringPoint
from gateway.domain.time import Period, local_midnight


@dataclass(frozen=True, slots=True, kw_only=True)
class PointTotal:
    """A point's energy over the days and over the equally long time before."""

    depth: int
    point: MeteringPoint
    amount: Energy
    before: Energy


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """Energy statistics: the chosen point step by step, and every counted point's total. Days are both included."""

    first: date
    last: date
    step: str
    chosen: MeteringPoint | None
    steps: Sequence[Energy]
    total: Energy | None
    before: Energy | None
    points: Sequence[PointTotal]


def consumption(
    sources: Sources, asking: Asking, *, first: date, last: date, step: str = "day", point: str = ""
) -> Consumption:
    """Energy from the first to the last day (not after the moment) in hours, days or months.

    Without a ``point`` the first counted electricity point of level 1 is chosen, else the first counted point.
    """
    there = plant(sources, asking)
    last = min(last, asking.today)
    first = min(first, last)
    if point and point not in there.points:
        raise UnknownObjectError("the ledger has no metering point %(id)s at that moment", id=point)
    counted = [(depth, fact) for depth, fact in there.walk() if is_totalled(sources, asking, there, fact)]
    chosen = there.points[point] if point else _first([fact for _depth, fact in counted])
    start, end = asking.day(first).start_us, asking.settling_us
    now = settled_to(sources, asking, there, [fact for _depth, fact in counted], Period(start, max(start, end)))
    until = min(now, asking.day(last).end_us)
    cuts = [each for each in edges(asking, first, last, step) if each < until]
    cuts = [*cuts, until] if cuts else []
    source = _source(step, whole=bool(cuts) and cuts[-1] == asking.day(last).end_us)
    steps = totals(sources, asking, there, chosen, cuts, step=source) if chosen and len(cuts) > 1 else []
    span = (cuts[0], cuts[-1]) if len(cuts) > 1 else (now, now)
    earlier, _end = preceding(first, last)
    before = (local_midnight(earlier, asking.zone), local_midnight(earlier, asking.zone) + span[1] - span[0])
    during, earlier_on = (amounts_of(sources, asking, there, Period(*each)) for each in (span, before))

    def of(fact: PointFact, known: Mapping[str, Energy], period: Period) -> Energy:
        found = known.get(fact.point.id) or amount(sources, asking, there, fact, period)
        return stated(sources, asking, fact.point.id, found)

    rows = [
        PointTotal(
            depth=depth,
            point=fact.point,
            amount=of(fact, during, Period(*span)),
            before=of(fact, earlier_on, Period(*before)),
        )
        for depth, fact in counted
    ]
    mine = next((row for row in rows if chosen is not None and row.point.id == chosen.point.id), None)
    return Consumption(
        first=first,
        last=last,
        step=step,
        chosen=chosen.point if chosen else None,
        steps=[stated(sources, asking, chosen.point.id, each) for each in steps] if chosen else [],
        total=mine.amount if mine else None,
        before=mine.before if mine else None,
        points=rows,
    )


def _source(step: str, *, whole: bool) -> str:
    """What to add up; ``whole``: the last cut is a midnight. Else days come from hours and hours from quarters.

    Months come from days, because the first and the last may be cut.
    """
    if whole:
        return {"hour": "hour", "day": "day", "month": "day"}[step]
    return {"hour": "quarter", "day": "hour", "month": "hour"}[step]


def _first(facts: Sequence[PointFact]) -> PointFact | None:
    electricity = [each for each in facts if each.point.energy_kind == "electricity" and each.point.level == 1]
    return next(iter(electricity or facts), None)
