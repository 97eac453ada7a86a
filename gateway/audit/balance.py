"""Energy balance: what a point took against what the points under it took, judged against the meters' own limits.

The limit is made from accuracy classes only: a meter of class c is taken to err evenly within ±c %, so u = E · c / √3
(rectangular distribution, JJF 1059.1; 记忆), its transformers likewise, and U = 2·u of the difference itself: what
parent and child share (one transformer) cancels in it (``gateway.accounting.closure``). Certificates' errors, drift
and missing data are not in it. Where a class is not stated or data are missing, nothing is judged. A node is taken to
be metered whole only where the accounting plan says so; elsewhere a remainder is what nobody measures (未计量份额).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from gateway.accounting.budget import class_u
from gateway.accounting.closure import Closure, NodePart, judge, remainder_trend
from gateway.accounting.estimate import Effect, Estimate, measured
from gateway.accounting.plan import Plan
from gateway.audit.asking import Asking, Sources
from gateway.audit.days import day_edges
from gateway.audit.energy import Energy, amounts_of, totals
from gateway.audit.plant import Plant, PointFact, plant
from gateway.domain.errors import UnknownObjectError
from gateway.domain.ledger import Direction, InstallationRole, MeteringPoint
from gateway.domain.ratio import class_rank
from gateway.domain.time import Period

__all__ = ["Balance", "Closure", "DayRemainder", "RemainderTrend", "Share", "balances", "remainder_days"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One point's part in a balance. ``sign`` is −1 for energy that leaves."""

    point: MeteringPoint
    sign: int
    metered: bool
    amount: Energy
    standard_uncertainty: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One parent with its children: ``difference`` = parent − Σ children, ``limit`` its expanded uncertainty (k = 2).

    ``reasons`` says why nothing could be judged: ``no_value``, ``coverage``, ``unmetered``, ``no_class``.
    """

    parent: Share
    children: Sequence[Share]
    total: Fraction | None
    difference: Fraction | None
    limit: Fraction | None
    closure: Closure
    reasons: Sequence[str]
    unmetered_permille: int | None = None
    losses: Fraction | None = None
    """Where the plan says that everything under the node is metered: the share of losses it allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRemainder:
    """One civil day of a node: ``remainder`` = parent − Σ children, ``limit`` its U; None where unknown.

    ``upper`` is what the remainder may reach: the limit, and the losses the plan allows the node.
    """

    start_us: int
    remainder: Fraction | None
    limit: Fraction | None
    upper: Fraction | None
    closure: Closure


@dataclass(frozen=True, slots=True, kw_only=True)
class RemainderTrend:
    """A node's remainder day by day. ``slope`` per day, ``systematic`` where it exceeds what chance makes of the days;
    both None where fewer than four days have a value. ``nodes`` are the points that may be asked for.
    """

    point: MeteringPoint
    unit: str
    days: Sequence[DayRemainder]
    slope: Fraction | None
    systematic: bool | None
    nodes: Sequence[MeteringPoint]


def balances(sources: Sources, asking: Asking, period: Period) -> list[Balance]:
    """Every point with children of its own energy kind, over a period that begins at a midnight."""
    there = plant(sources, asking)
    energies = amounts_of(sources, asking, there, period)
    losses = _losses(sources, asking, period)
    return [
        _balance(there, fact, children, [energies[each.point.id] for each in (fact, *children)], losses)
        for fact, children in _nodes(there)
    ]


def remainder_days(sources: Sources, asking: Asking, first: date, last: date, node: str = "") -> RemainderTrend | None:
    """A node's remainder for each civil day from first to last, both included, at most ``MAX_STEPS``; the first node
    where none is named. None where there is no node; UnknownObjectError where the point named is none.
    """
    there = plant(sources, asking)
    nodes = {fact.point.id: (fact, children) for fact, children in _nodes(there)}
    if not nodes:
        return None
    if node and node not in nodes:
        raise UnknownObjectError("the ledger has no metering point %(id)s at that moment", id=node)
    fact, children = nodes[node or next(iter(nodes))]
    edges = [each for each in day_edges(asking, first, last) if each <= asking.settling_us]
    columns = [totals(sources, asking, there, each, edges, step="day") for each in (fact, *children)]
    losses = _losses(sources, asking, Period(edges[0], edges[-1])) if len(edges) > 1 else {}
    days = []
    for place, start_us in enumerate(edges[:-1]):
        judged = _balance(there, fact, children, [column[place] for column in columns], losses)
        lost = (judged.losses or Fraction(0)) * abs(judged.parent.amount.value or Fraction(0))
        days.append(
            DayRemainder(
                start_us=start_us,
                # a day with gaps has a difference too, but it says nothing about the node
                remainder=None if set(judged.reasons) & {"no_value", "coverage"} else judged.difference,
                limit=judged.limit,
                upper=None if judged.limit is None else judged.limit + lost,
                closure=judged.closure,
            )
        )
    trend = remainder_trend([each.remainder for each in days if each.remainder is not None])
    units = [each.unit for column in columns for each in column if each.unit]
    return RemainderTrend(
        point=fact.point,
        unit=units[0] if units else "",
        days=days,
        slope=None if trend is None else trend.slope,
        systematic=None if trend is None else trend.systematic,
        nodes=[each.point for each, _ in nodes.values()],
    )


def _nodes(there: Plant) -> list[tuple[PointFact, list[PointFact]]]:
    """Every metered point with points of its own energy kind under it."""
    found = []
    for _depth, fact in there.walk():
        children = [
            child for child in there.children(fact.point.id) if child.point.energy_kind == fact.point.energy_kind
        ]
        if children and there.register(fact) is not None:
            found.append((fact, children))
    return found


def _losses(sources: Sources, asking: Asking, period: Period) -> Mapping[str, Fraction]:
    try:
        plan = Plan.on_record(sources.registry, asking.organisation, max(period.end_us - 1, 0), asking.known_seq)
    except UnknownObjectError:
        return {}
    return plan.losses


def _balance(
    there: Plant,
    parent: PointFact,
    children: Sequence[PointFact],
    energies: Sequence[Energy],
    losses: Mapping[str, Fraction],
) -> Balance:
    effects: dict[str, Effect] = {}
    mine, own = _share(there, parent, energies[0], effects)
    shares = [_share(there, child, energy, effects) for child, energy in zip(children, energies[1:], strict=True)]
    allowed = losses.get(parent.point.id)
    # the parent is what is explained, whichever way it flows
    judged = judge(replace(own, sign=1), [part for _, part in shares], effects, losses=allowed)
    return Balance(
        parent=mine,
        children=[share for share, _ in shares],
        total=judged.explained,
        difference=judged.remainder,
        limit=judged.limit,
        closure=judged.closure,
        reasons=judged.reasons,
        unmetered_permille=judged.unmetered_permille,
        losses=allowed,
    )


def _share(there: Plant, fact: PointFact, energy: Energy, effects: dict[str, Effect]) -> tuple[Share, NodePart]:
    metered = there.register(fact) is not None
    sign = -1 if fact.point.direction == Direction.OUT else 1
    estimate = None if energy.value is None else _estimate(fact, energy.value, effects)
    u = None if estimate is None or not metered else estimate.u(effects)
    share = Share(
        point=fact.point,
        sign=sign,
        metered=metered,
        amount=energy,
        standard_uncertainty=None if u is None else Fraction(u).limit_denominator(10**9),
    )
    part = NodePart(
        point=fact.point.id,
        sign=sign,
        metered=metered,
        amount=estimate,
        coverage_permille=energy.coverage_permille,
    )
    return share, part


def _estimate(fact: PointFact, value: Fraction, effects: dict[str, Effect]) -> Estimate:
    """The amount with the errors of its meter and transformers, by the classes of each; one without a class is
    named.
    """
    if fact.meter is None or fact.meter.instrument is None:
        return measured(value, (), unstated=[fact.point.id])
    roles = {InstallationRole.CT, InstallationRole.PT}
    instruments = [fact.meter.instrument]
    instruments += [
        each.instrument for each in fact.transformers if each.installation.role in roles and each.instrument is not None
    ]
    unstated = []
    for each in instruments:
        rank = class_rank(each.accuracy_class)
        if rank is None:
            unstated.append(each.id)
        else:
            u = class_u(float(rank[0]))
            effects[each.id] = Effect(id=each.id, kind="meter", label=each.id, u=u, basis=each.accuracy_class)
    return measured(value, [each.id for each in instruments if each.id in effects], unstated=unstated)
