"""Is an error within its limit, given the uncertainty: one function, three agreed decision rules.

- ``jjf1094``: JJF 1094-2002, as quoted (转载): U ≤ L/3 → pass if |e| ≤ L; else pass ≤ L − U, fail ≥ L + U, between
  them undetermined (待定区).
- ``ilac_g8``: ILAC-G8:09/2019 4.2.3, non-binary with guard band w = U, as quoted (转载).
- ``jcgm106``: JCGM 106:2012, one-sided guard band 1.645 u: a pass is right with at least 95 % probability (转载).

All quantities in one unit (percent, say); ``limit`` is the applicable MPE, ``expanded`` is U = k·u.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import erf, sqrt

K_ONE_SIDED_95 = 1.645


class Conformity(StrEnum):
    """What can be said."""

    PASS = "pass"  # noqa: S105  # a verdict, no password
    CONDITIONAL_PASS = "conditional_pass"  # noqa: S105
    UNDETERMINED = "undetermined"
    CONDITIONAL_FAIL = "conditional_fail"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Decision:
    """The state, the probability that the true error is within the limit, the guard band used, and the rule's id."""

    state: Conformity
    p_conformity: float
    guard_band: float
    rule_id: str


def decide(error: float, expanded: float, k: float, limit: float, rule: str = "jjf1094") -> Decision:
    """Decide by a rule of ``RULES``. ValueError when U is negative, k or the limit not positive, the rule unknown."""
    if expanded < 0 or k <= 0 or limit <= 0:
        raise ValueError("U must not be negative, k and the limit must be positive")
    if rule not in RULES:
        raise ValueError(f"no decision rule is named {rule!r}")
    u = expanded / k
    p_c = conformance_probability(error, u, -limit, limit)
    state, guard_band = RULES[rule](abs(error), expanded, u, limit, p_c)
    return Decision(state, p_c, guard_band, rule)


def conformance_probability(value: float, u: float, lower: float, upper: float) -> float:
    """JCGM 106 7.4: probability that a normally distributed true value lies within ``[lower, upper]``."""
    if u == 0:
        return 1.0 if lower <= value <= upper else 0.0
    return _phi((upper - value) / u) - _phi((lower - value) / u)


def _phi(z: float) -> float:
    return 0.5 * (1 + erf(z / sqrt(2)))


def _jjf1094(error: float, expanded: float, _u: float, limit: float, _p_c: float) -> tuple[Conformity, float]:
    if expanded <= limit / 3:
        return (Conformity.PASS if error <= limit else Conformity.FAIL), 0.0
    if error <= limit - expanded:
        return Conformity.PASS, expanded
    return (Conformity.FAIL if error >= limit + expanded else Conformity.UNDETERMINED), expanded


def _ilac_g8(error: float, expanded: float, _u: float, limit: float, _p_c: float) -> tuple[Conformity, float]:
    if error <= limit - expanded:
        return Conformity.PASS, expanded
    if error <= limit:
        return Conformity.CONDITIONAL_PASS, expanded
    return (Conformity.CONDITIONAL_FAIL if error <= limit + expanded else Conformity.FAIL), expanded


def _jcgm106(error: float, _expanded: float, u: float, limit: float, _p_c: float) -> tuple[Conformity, float]:
    guard_band = K_ONE_SIDED_95 * u
    if error <= limit - guard_band:
        return Conformity.PASS, guard_band
    return (Conformity.FAIL if error >= limit + guard_band else Conformity.UNDETERMINED), guard_band


RULES: Mapping[str, Callable[[float, float, float, float, float], tuple[Conformity, float]]] = {
    "jjf1094": _jjf1094,
    "ilac_g8": _ilac_g8,
    "jcgm106": _jcgm106,
}
