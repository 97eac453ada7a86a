"""Energy balance: what a point took against what the points under it took, judged against the meters' own limits.

The limit is made from accuracy classes only: a meter of class c is taken to err evenly within ±c %, so u = E · c / √3
(rectangular distribution, JJF 1059.1; 记忆), its transformers' classes are added in quadrature, and U = 2·u of the
difference. Certificates' errors, drift and missing data are not in it. Where a class is not stated or data are missing,
nothing is judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import fsum, sqrt

from gateway.audit.asking import Asking, Sources
from gateway.audit.energy import Energy, amount
from gateway.audit.plant import Plant, PointFact, plant
from gateway.domain.ledger import Direction, InstallationRole, MeteringPoint
from gateway.domain.ratio import class_rank
from gateway.domain.time import Period

COVERAGE_FACTOR = 2
MIN_COVERAGE_PERMILLE = 950


class Closure(StrEnum):
    """平衡, 超差, 无法判定."""

    BALANCED = "balanced"
    EXCEEDED = "exceeded"
    UNDECIDED = "undecided"


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
    mine = _share(sources, asking, there, parent, period)
    parts = [_share(sources, asking, there, child, period) for child in children]
    known = [part.sign * part.amount.value for part in parts if part.amount.value is not None]
    total = sum(known, Fraction(0)) if known else None
    difference = None if total is None or mine.amount.value is None else mine.amount.value - total
    reasons = _reasons([mine, *parts])
    limit = None
    uncertain = [each.standard_uncertainty for each in [mine, *parts] if each.metered]
    if difference is not None and all(each is not None for each in uncertain):
        squares = fsum(float(each) ** 2 for each in uncertain if each is not None)
        limit = Fraction(COVERAGE_FACTOR * sqrt(squares)).limit_denominator(10**6)
    closure = Closure.UNDECIDED
    if difference is not None and limit is not None and not reasons:
        closure = Closure.BALANCED if abs(difference) <= limit else Closure.EXCEEDED
    return Balance(
        parent=mine,
        children=parts,
        total=total,
        difference=difference,
        limit=limit,
        closure=closure,
        reasons=reasons,
    )


def _reasons(shares: Sequence[Share]) -> list[str]:
    reasons = []
    if any(each.metered and each.amount.value is None for each in shares):
        reasons.append("no_value")
    if any(each.metered and each.amount.coverage_permille < MIN_COVERAGE_PERMILLE for each in shares):
        reasons.append("coverage")
    if any(not each.metered for each in shares):
        reasons.append("unmetered")
    if any(each.metered and each.standard_uncertainty is None and each.amount.value is not None for each in shares):
        reasons.append("no_class")
    return reasons


def _share(sources: Sources, asking: Asking, there: Plant, fact: PointFact, period: Period) -> Share:
    energy = amount(sources, asking, there, fact, period)
    metered = there.register(fact) is not None
    relative = _relative(fact)
    return Share(
        point=fact.point,
        sign=-1 if fact.point.direction == Direction.OUT else 1,
        metered=metered,
        amount=energy,
        standard_uncertainty=None
        if relative is None or energy.value is None
        else (abs(energy.value) * relative).limit_denominator(10**9),
    )


def _relative(fact: PointFact) -> Fraction | None:
    """Relative standard uncertainty of a point from the classes of its meter and transformers; None without a class."""
    if fact.meter is None or fact.meter.instrument is None:
        return None
    roles = {InstallationRole.CT, InstallationRole.PT}
    instruments = [fact.meter.instrument]
    instruments += [
        each.instrument for each in fact.transformers if each.installation.role in roles and each.instrument is not None
    ]
    ranks = [class_rank(each.accuracy_class) for each in instruments]
    if any(rank is None for rank in ranks):
        return None
    squares = sum((rank[0] / 100) ** 2 for rank in ranks if rank is not None)
    return Fraction(sqrt(squares / 3)).limit_denominator(10**9)
