"""What an instrument's own history says: back (which readings are in question, how far) and ahead (when it runs out).

Errors in percent; instants in µs UTC. ISO 10012 asks for the look-back, ILAC-G24 / OIML D 10 for the look-ahead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

US_PER_YEAR = 365.25 * 86_400e6


@dataclass(frozen=True, slots=True)
class Check:
    """One determination of the error: as found or as left, or a check measurement; ``passed`` its verdict."""

    at_us: int
    error: float
    expanded: float
    passed: bool
    as_left: bool = False


@dataclass(frozen=True, slots=True)
class LookBack:
    """Readings in ``(from_us, to_us]`` are questioned; ``possible`` False: without as-found data no more is known."""

    from_us: int
    to_us: int
    error: float
    possible: bool = True


@dataclass(frozen=True, slots=True)
class Effect:
    """What a found error may have done to a total, in the total's unit.

    ``bound`` if the error came at once, ``estimate`` (half of it) if it grew evenly, ``u`` the estimate's standard
    uncertainty.
    """

    bound: float
    estimate: float
    u: float


def look_back(checks: Sequence[Check], found: Check | None, adjusted_at_us: int) -> LookBack | None:
    """The span put in question by a new determination; None when it passed.

    ``checks``: earlier ones; ``found``: the as-found result, None when the laboratory gave none (then the span since
    the last good evidence is named, and that nothing can be computed). The last good evidence is the latest passing
    check before; without any, the beginning.
    """
    if found is not None and found.passed:
        return None
    until_us = found.at_us if found is not None else adjusted_at_us
    good = [each.at_us for each in checks if each.passed and each.at_us < until_us]
    start_us = max(good, default=0)
    if found is None:
        return LookBack(start_us, until_us, 0.0, possible=False)
    return LookBack(start_us, until_us, found.error)


def effect_on_total(total: float, error_percent: float) -> Effect:
    """How far a total of the questioned span may be off: −E·g/(100+g) at most; half of it if the error grew evenly."""
    bound = -total * error_percent / (100 + error_percent)
    return Effect(bound, bound / 2, abs(bound) / (2 * sqrt(3)))


def is_significant(effect: Effect, expanded_of_total: float) -> bool:
    """Whether the effect exceeds a third of the total's own expanded uncertainty."""
    return abs(effect.bound) > expanded_of_total / 3


def drift_per_year(checks: Sequence[Check]) -> float | None:
    """Error change a year between the last as-left (or last but one) and the newest check; None without two of them."""
    ordered = sorted(checks, key=lambda each: each.at_us)
    if len(ordered) < 2:
        return None
    newest = ordered[-1]
    left = next((each for each in reversed(ordered[:-1]) if each.as_left), ordered[-2])
    years = (newest.at_us - left.at_us) / US_PER_YEAR
    return (newest.error - left.error) / years if years > 0 else None


def risk_date(newest: Check, limit: float, drift: float) -> int | None:
    """When |e| + U may reach the limit at this drift: t_n + (L − |e| − U)/|d|; None when it does not drift.

    An instant in the past means it may have happened already.
    """
    if drift == 0:
        return None
    years = (limit - abs(newest.error) - newest.expanded) / abs(drift)
    return newest.at_us + round(years * US_PER_YEAR)
