"""Tiers of uncertainty as one law grades them: a view beside a figure, which always names its law."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.domain.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTable:
    """One row of a law: what it grades, and its limits of relative expanded uncertainty in percent, tier 1 first."""

    id: str
    law: str
    name_zh: str
    name_en: str
    limits: tuple[Fraction, ...]
    standing: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierView:
    """``tier`` reached (1 is the coarsest, None: not even that, or U not known); ``next_percent`` what the next
    needs.
    """

    law: str
    expanded_percent: float | None
    tier: int | None
    next_percent: Fraction | None


def tier(figure: Figure, limits: Sequence[Fraction], law: str) -> TierView:
    """Grade a figure by limits of relative expanded uncertainty in percent, tier 1 first."""
    percent = figure.relative_percent
    if percent is None:
        return TierView(law=law, expanded_percent=None, tier=None, next_percent=None)
    reached = sum(1 for limit in limits if percent <= float(limit))
    # limits fall from tier to tier, so those kept are the first ones
    following = limits[reached] if reached < len(limits) else None
    return TierView(law=law, expanded_percent=percent, tier=reached or None, next_percent=following)
