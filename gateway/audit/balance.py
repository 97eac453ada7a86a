"""Energy balance: what a point took against what the points under it took, judged against the meters' own limits.

The limit is made from accuracy classes only: a meter of class c is taken to err evenly within ±c %, so u = E · c / √3
(rectangular distribution, JJF 1059.1; 记忆), its transformers likewise, and U = 2·u of the difference itself: what
parent and child share (one transformer) cancels in it (``gateway.accounting.closure``). Certificates' errors, drift
and missing data are not in it. Where a class is not stated or data are missing, nothing is judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from gateway.accounting.budget import class_u
from gateway.accounting.closure import Closure, NodePart, judge
from gateway.accounting.estimate import Effect, Estimate, measured
from gateway.audit.asking import Asking, Sources
from gateway.audit.energy import Energy, amount
from gateway.audit.plant import Plant, PointFact, plant
from gateway.domain.ledger import Direction, InstallationRole, MeteringPoint
from gateway.domain.ratio import class_rank
from gateway.domain.time import Period

__all__ = ["Balance", "Closure", "Share", "balances"]


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


def balances(sources: Sources, asking: Asking, period: Period) -> list[Balance]:
    """Every point with children of its own energy kind, over a period that begins at a midnight."""
    there = plant(sources, asking)
    found = []
    for _depth, fact in there.walk():
        children = [
            child for child in there.children(fact.point.id) if child.point.energy_kind == fact.point.energy_kind
        ]
        if children and there.register(fact) is not None:
            found.append(_balance(sources, asking, there, fact, children=children, period=period))
    return found


def _balance(
    sources: Sources,
    asking: Asking,
    there: Plant,
    parent: PointFact,
    *,
    children: Sequence[PointFact],
    period: Period,
) -> Balance:
    effects: dict[str, Effect] = {}
    mine, own = _share(sources, asking, there, parent, period, effects=effects)
    shares = [_share(sources, asking, there, child, period, effects=effects) for child in children]
    # the parent is what is explained, whichever way it flows
    judged = judge(replace(own, sign=1), [part for _, part in shares], effects)
    return Balance(
        parent=mine,
        children=[share for share, _ in shares],
        total=judged.explained,
        difference=judged.remainder,
        limit=judged.limit,
        closure=judged.closure,
        reasons=judged.reasons,
    )


def _share(
    sources: Sources, asking: Asking, there: Plant, fact: PointFact, period: Period, *, effects: dict[str, Effect]
) -> tuple[Share, NodePart]:
    energy = amount(sources, asking, there, fact, period)
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
