"""A laboratory mean over an account's time: its months, each weighted by what the parameter is multiplied by there."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Protocol

from gateway.accounting.estimate import Estimate
from gateway.accounting.inputs import Inputs
from gateway.accounting.laboratory import LaboratoryMean, Mean, MonthMean, mean
from gateway.accounting.plan import Parameter
from gateway.accounting.quantity import Quantity
from gateway.accounting.weighting import Steps, Weighing, weighted


class Ask(Protocol):
    """What of ``gateway.accounting.quantities.Quantities`` a mean needs."""

    inputs: Inputs
    means: dict[tuple[str, str, str], LaboratoryMean]

    def monthly(self, weighing: Weighing) -> list[Estimate | None]:
        """The activity by month."""

    def steps(self, weighing: Weighing | None, of: Mapping[str, Steps]) -> Steps:
        """The activity by day."""

    def with_effect(self, value: Fraction, id_: str, u: float | None, kind: str) -> Estimate:
        """A value with one cause of error of its own."""


def tested_mean(ask: Ask, parameter: Parameter, weighing: Weighing | None) -> Quantity | None:
    """The mean of a laboratory property; None without a sample. How it came about is noted in ``ask.means``.

    Months without a sample take the mean of the others; where a month's consumption is not known, samples are weighted
    as those of one month. Both are said as reasons.
    """
    inputs = ask.inputs
    point, name = parameter.laboratory, parameter.property
    months = inputs.months or (inputs.period,)
    days = ask.steps(weighing, inputs.consumption.daily)
    means = [mean(inputs.laboratory, point, name, month, inputs.units, days) for month in months]
    sampled = [each for each in means if each is not None]
    if not sampled:
        return None
    weights: Sequence[Estimate | None] = ask.monthly(weighing) if weighing is not None and len(sampled) > 1 else ()
    weights = weights or [None] * len(months)
    estimate, reasons = _over_months(ask, parameter, means, weights)
    if len(sampled) < len(months):
        reasons.add(f"unsampled:{point}:{name}:{len(months) - len(sampled)}")
    if weighing is not None:
        ask.means[weighing.line, point, name] = LaboratoryMean(
            line=weighing.line,
            point=point,
            property=name,
            unit=weighing.weight_unit or weighing.unit,
            weighted=len(sampled) > 1 and f"unweighted:{point}:{name}" not in reasons,
            months=tuple(
                MonthMean(month=month, mean=each, weight=None if weight is None else weight.value)
                for month, each, weight in zip(months, means, weights, strict=True)
            ),
        )
    evidence = frozenset(seq for each in sampled for seq in each.evidence)
    return Quantity(estimate=estimate, unit=sampled[0].unit, evidence=evidence, reasons=frozenset(reasons))


def _over_months(
    ask: Ask, parameter: Parameter, means: Sequence[Mean | None], weights: Sequence[Estimate | None]
) -> tuple[Estimate, set[str]]:
    """The mean of months, and why it is weighted otherwise than it should be."""
    point, name = parameter.laboratory, parameter.property
    tested = [(each, weight) for each, weight in zip(means, weights, strict=True) if each is not None]

    def estimate_of(each: Mean) -> Estimate:
        return ask.with_effect(each.value, f"laboratory:{point}:{name}", parameter.u, "laboratory")

    values = [estimate_of(each) for each, _ in tested]
    found = values[0] if len(values) == 1 else weighted(values, [weight for _, weight in tested])
    if found is not None:
        alike = sum(each.weighting == "equal" for each, _ in tested)
        return found, {f"unweighted_samples:{point}:{name}:{alike}"} if alike else set()
    whole = mean(ask.inputs.laboratory, point, name, ask.inputs.period, ask.inputs.units)
    assert whole is not None, "a month of it has one"
    return estimate_of(whole), {f"unweighted:{point}:{name}"}
