"""Does a node of the metering network close: parent − Σ children against the uncertainty of that very difference.

Effects that parent and children share (one laboratory standard, one transformer) cancel in the difference, which is
why the limit comes from the difference and not from the parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from gateway.accounting.estimate import Effect, Estimate, total
from gateway.domain.figure import COVERAGE_FACTOR

MIN_COVERAGE_PERMILLE = 950


class Closure(StrEnum):
    """平衡, 超差, 无法判定; between them a share that no point under the node is said to measure (未计量份额)."""

    BALANCED = "balanced"
    EXCEEDED = "exceeded"
    UNMETERED = "unmetered"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePart:
    """A point's part in a node: ``sign`` −1 for energy that leaves; ``amount`` None where nothing is known."""

    point: str
    sign: int
    metered: bool
    amount: Estimate | None
    coverage_permille: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBalance:
    """The judgement. ``limit`` is U = k·u of the difference; ``remainder`` what no child explains,
    ``unmetered_permille`` its share of the parent; ``reasons``: ``no_value``, ``coverage``, ``unmetered``,
    ``no_class``."""

    explained: Fraction | None
    remainder: Fraction | None
    limit: Fraction | None
    unmetered_permille: int | None
    closure: Closure
    reasons: tuple[str, ...]


def judge(
    parent: NodePart,
    children: Sequence[NodePart],
    effects: Mapping[str, Effect],
    *,
    k: Fraction = COVERAGE_FACTOR,
    min_coverage_permille: int = MIN_COVERAGE_PERMILLE,
    losses: Fraction | None = None,
) -> NodeBalance:
    """Judge a node. Nothing is judged where a part is missing, thinly covered or without an uncertainty.

    ``losses`` says that everything under the node is metered, but for losses of at most that share of the parent: then
    a remainder beyond it is 超差. Without it a remainder above the limit is what nobody measures (未计量份额); children
    that take more than their parent are 超差 in any case.
    """
    known = [each.amount.scaled(Fraction(each.sign)) for each in children if each.amount is not None]
    explained = total(known) if known else None
    difference = None
    if parent.amount is not None and explained is not None:
        difference = parent.amount.scaled(Fraction(parent.sign)) - explained
    u = None if difference is None else difference.u(effects)
    limit = None if u is None else (k * Fraction(u)).limit_denominator(10**9)
    reasons = _reasons((parent, *children), min_coverage_permille)
    closure = Closure.UNDECIDED
    if difference is not None and limit is not None and not set(reasons) - {"unmetered"}:
        allowed = Fraction(0) if losses is None or parent.amount is None else losses * abs(parent.amount.value)
        closure = _closure(difference.value, limit, allowed, whole=losses is not None, unmetered=bool(reasons))
    return NodeBalance(
        explained=None if explained is None else explained.value,
        remainder=None if difference is None else difference.value,
        limit=limit,
        unmetered_permille=_share(difference, parent),
        closure=closure,
        reasons=reasons,
    )


def _closure(difference: Fraction, limit: Fraction, allowed: Fraction, *, whole: bool, unmetered: bool) -> Closure:
    if difference < -limit:
        return Closure.EXCEEDED
    if difference > limit + allowed:
        return Closure.EXCEEDED if whole and not unmetered else Closure.UNMETERED
    return Closure.UNDECIDED if unmetered else Closure.BALANCED


def _share(difference: Estimate | None, parent: NodePart) -> int | None:
    if difference is None or parent.amount is None or parent.amount.value == 0:
        return None
    return round(1000 * difference.value / (parent.amount.value * parent.sign))


def _reasons(parts: Sequence[NodePart], min_coverage_permille: int) -> tuple[str, ...]:
    metered = [each for each in parts if each.metered]
    reasons = {
        "no_value": any(each.amount is None for each in metered),
        "coverage": any(each.coverage_permille < min_coverage_permille for each in metered),
        "unmetered": len(metered) < len(parts),
        "no_class": any(each.amount is not None and each.amount.unstated for each in metered),
    }
    return tuple(name for name, holds in reasons.items() if holds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Where a node's remainder goes: the slope per step and whether it lies beyond what chance makes of the steps."""

    slope: Fraction
    steps: int
    systematic: bool


def remainder_trend(remainders: Sequence[Fraction]) -> Trend | None:
    """Least squares over equal steps; None for fewer than four.

    ``systematic`` where |slope| exceeds twice its standard error from the scatter about the line.
    """
    count = len(remainders)
    if count < 4:
        return None
    middle = Fraction(count - 1, 2)
    mean = sum(remainders, Fraction(0)) / count
    spread = sum(((step - middle) ** 2 for step in range(count)), Fraction(0))
    slope = sum(((step - middle) * each for step, each in enumerate(remainders)), Fraction(0)) / spread
    residual = sum(((each - mean - slope * (step - middle)) ** 2 for step, each in enumerate(remainders)), Fraction(0))
    # slope² > 4 · s²/Σx², all in exact numbers
    systematic = slope * slope * spread * (count - 2) > 4 * residual
    return Trend(slope=slope, steps=count, systematic=systematic)
