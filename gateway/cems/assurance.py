"""Quality assurance of a stack monitor: zero and span checks, linearity, relative accuracy, bias.

The arithmetic is that of 40 CFR 75, appendix A, section 7 (equations A-4, A-5, A-7 to A-12; formulas 记忆, held by
vectors worked by hand); the limits come from a pack. Values are exact decimals; percent and percent CO2 where named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from statistics import fmean

from gateway.cems.pack import AccuracyLimits, CheckLimits, LinearityLimits

MAX_RUNS = 100
# two-sided 95 % (t at 0.025) by degrees of freedom (tables of Student's t)
T_025 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """A zero or span check. ``error`` in percent of span, ``difference`` in the gas's own unit (reading − reference);
    ``passed`` None where the pack has no limit; ``out_of_control`` likewise.
    """

    error: Fraction
    difference: Fraction
    passed: bool | None
    out_of_control: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelResult:
    """One level of a linearity check: mean reading, error in percent of the reference, absolute difference."""

    reference: Fraction
    mean: Fraction
    error: Fraction
    difference: Fraction
    passed: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyResult:
    """A relative accuracy test. ``mean_difference`` = mean(reference − monitor); ``confidence`` the confidence
    coefficient; ``relative`` in percent of the mean reference; ``factor`` the bias adjustment factor (1: no bias, None:
    not asked for this parameter); ``quarters`` until the next test; ``passed`` None without limits.
    """

    runs: int
    mean_reference: float
    mean_monitor: float
    mean_difference: float
    deviation: float
    confidence: float
    relative: float
    passed: bool | None
    biased: bool
    factor: float | None
    quarters: int | None


def check(reference: Fraction, reading: Fraction, span: Fraction, limits: CheckLimits | None) -> CheckResult:
    """Calibration error CE = |R − A| / S · 100 (A-5). ValueError without a span."""
    if span <= 0:
        raise ValueError("a check needs a span above zero")
    difference = reading - reference
    error = abs(difference) / span * 100
    if limits is None:
        return CheckResult(error=error, difference=difference, passed=None, out_of_control=None)
    by_span, absolute = limits.percent_of_span, limits.absolute
    within = _within(error, by_span, 1) or _within(abs(difference), absolute, 1)
    held = _within(error, by_span, limits.out_factor) or _within(abs(difference), absolute, limits.out_factor)
    return CheckResult(error=error, difference=difference, passed=within, out_of_control=not held)


def _within(value: Fraction, limit: Fraction | None, factor: Fraction | int) -> bool:
    return limit is not None and value <= limit * factor


def linearity(
    levels: Sequence[tuple[Fraction, Sequence[Fraction]]], limits: LinearityLimits | None
) -> list[LevelResult]:
    """Each level's (reference, readings): LE = |R − mean(A)| / R · 100 (A-4). ValueError without readings or with a
    reference of zero.
    """
    found = []
    for reference, readings in levels:
        if not readings or reference <= 0 or len(readings) > MAX_RUNS:
            raise ValueError("a level needs readings and a reference above zero")
        mean = sum(readings, Fraction(0)) / len(readings)
        difference = reference - mean
        error = abs(difference) / reference * 100
        passed = None
        if limits is not None:
            passed = error <= limits.percent or _within(abs(difference), limits.absolute, 1)
        found.append(LevelResult(reference=reference, mean=mean, error=error, difference=difference, passed=passed))
    return found


def relative_accuracy(
    runs: Sequence[tuple[Fraction, Fraction]], limits: AccuracyLimits | None, *, parameter: str = "co2"
) -> AccuracyResult:
    """Runs of (reference method, monitor): d̄, S_d, cc = t·S_d/√n, RA = (|d̄| + |cc|)/RM̄ · 100 (A-7 to A-10).

    The bias test fails where d̄ > |cc|; then the factor is 1 + |d̄|/CEM̄ (A-11, A-12). ValueError below three runs.
    """
    count = len(runs)
    if not 3 <= count <= MAX_RUNS:
        raise ValueError(f"a relative accuracy test has 3 to {MAX_RUNS} runs")
    differences = [float(reference - monitor) for reference, monitor in runs]
    mean = fmean(differences)
    deviation = sqrt(max(sum(each**2 for each in differences) - sum(differences) ** 2 / count, 0.0) / (count - 1))
    confidence = t_value(count - 1) * deviation / sqrt(count)
    reference = fmean(float(each) for each, _ in runs)
    monitor = fmean(float(each) for _, each in runs)
    if reference <= 0:
        raise ValueError("the mean of the reference method must be above zero")
    relative = (abs(mean) + abs(confidence)) / reference * 100
    biased = mean > abs(confidence)
    factor = None
    if limits is not None and parameter in limits.bias and monitor > 0:
        factor = 1 + abs(mean) / monitor if biased else 1.0
    return AccuracyResult(
        runs=count,
        mean_reference=reference,
        mean_monitor=monitor,
        mean_difference=mean,
        deviation=deviation,
        confidence=confidence,
        relative=relative,
        passed=_passes(relative, mean, count, limits),
        biased=biased,
        factor=factor,
        quarters=_quarters(relative, mean, count, limits),
    )


def t_value(freedom: int) -> float:
    """t at 0.025; beyond the table its last value, which is the larger and so the safer one."""
    return T_025[min(freedom, len(T_025)) - 1]


def _passes(relative: float, mean: float, runs: int, limits: AccuracyLimits | None) -> bool | None:
    if limits is None:
        return None
    if runs < limits.least_runs:
        return False
    return relative <= float(limits.percent) or (limits.absolute is not None and abs(mean) <= float(limits.absolute))


def _quarters(relative: float, mean: float, runs: int, limits: AccuracyLimits | None) -> int | None:
    """Quarters until the next test; None where it did not pass, or without limits."""
    if limits is None or not _passes(relative, mean, runs, limits):
        return None
    reduced = relative <= float(limits.reduced_percent)
    reduced = reduced or (limits.reduced_absolute is not None and abs(mean) <= float(limits.reduced_absolute))
    return limits.reduced_quarters if reduced else limits.quarters
