"""How means are weighted: of a laboratory's samples within a month, of its months within a year, of a channel's hours.

Each mean is meant to be multiplied by an activity, so it is weighted by that activity: then the product over a year is
the sum of the products of its months, and nothing depends on how a time is cut. Guidelines form a year's calorific
value and carbon content in this way: a month's mean weighted by the consumption of each day or the amount of each
batch, a year's by the months' consumption (发电设施 guideline, 记忆; the cement guideline's text was not at hand:
推断), and 40 CFR 98.33 its weighted annual average heat value (Equation C-2b; its name 转载, its weights 记忆).

One meter's relative error is the same in every weight and cancels in the mean; what does not cancel (meters exchanged
or adjusted between, substituted amounts) is carried on as the months' amounts have it. Weights within a month are taken
as exact: there the same meter counts every day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from gateway.accounting.estimate import Estimate, total
from gateway.domain.time import Period

Steps = Mapping[int, Fraction | None]
"""Amounts by where their day or hour begins (µs UTC), None where one is not known; in a row, none is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What a mean is weighted by: the activity ``formula`` in ``unit`` behind a ``line`` of the account.

    ``factors``: what a parameter before this one made of the activity, month by month, and ``weight_unit`` what they
    are then (heat, where carbon is per heat).
    """

    line: str
    formula: str
    unit: str
    factors: tuple[Fraction, ...] = ()
    weight_unit: str = ""

    def times(self, means: Sequence[Fraction], unit: str) -> "Weighing":
        """The activity times a parameter of each month."""
        return replace(self, factors=tuple(means), weight_unit=unit)


def weighted(values: Sequence[Estimate], weights: Sequence[Estimate | None]) -> Estimate | None:
    """The mean of values by weights with their shared errors; None where a weight is not known or negative, or all are
    zero. What is not stated of a weight is said beside the activity it comes from.
    """
    known = [replace(each, unstated=frozenset()) for each in weights if each is not None and each.value >= 0]
    whole = sum((each.value for each in known), Fraction(0))
    if len(known) < len(values) or not whole:
        return None
    found = sum((value.value * weight.value for value, weight in zip(values, known, strict=True)), Fraction(0)) / whole
    # to first order: each value by its share, and each weight by how far its value lies from the mean (these add to 0)
    parts = [value.scaled(weight.value / whole) for value, weight in zip(values, known, strict=True)]
    moved = [weight.scaled((value.value - found) / whole) for value, weight in zip(values, known, strict=True)]
    return total((*parts, *moved))


def shared_out(days: Steps, spans: Sequence[Period], within: Period) -> list[Fraction] | None:
    """Each day's consumption in equal parts to the spans that stand for the day: a weight for each span.

    Days that begin in ``within`` count. None where the consumption of a day that a span stands for is not known or
    negative, where a span stands for no day, and where nothing was consumed.
    """
    starts = sorted(each for each in days if each in within)
    weights = [Fraction(0)] * len(spans)
    counted = [False] * len(spans)
    for start, end in zip(starts, [*starts[1:], within.end_us], strict=False):
        standing = [place for place, span in enumerate(spans) if span.start_us < end and span.end_us > start]
        consumed = days[start]
        if standing and (consumed is None or consumed < 0):
            return None
        for place in standing:
            counted[place] = True
            weights[place] += (consumed or 0) / Fraction(len(standing))
    return weights if all(counted) and sum(weights) > 0 else None


def summed(terms: Mapping[str, Fraction], steps: Mapping[str, Steps]) -> Steps:
    """A formula's amounts step by step; a step that is not known of one point is not known; empty where a point is
    not there.
    """
    found: dict[int, Fraction | None] = {}
    if not terms.keys() <= steps.keys():
        return found
    for name, weight in terms.items():
        for start, amount in steps[name].items():
            before = found.get(start, Fraction(0))
            found[start] = None if amount is None or before is None else before + weight * amount
    return found
