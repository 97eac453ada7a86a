"""The error of a meter at a load between calibrated points, and what it makes of a total.

Errors in percent of the reference; uncertainties are standard uncertainties in percent unless named ``expanded``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import radians, sqrt, tan

_SQRT3 = sqrt(3)
MINUTE_PERCENT = 100 * radians(1 / 60)
"""One minute of arc in percent: 0.0291 (100·sin 1′)."""


@dataclass(frozen=True, slots=True)
class ErrorPoint:
    """One calibrated point: at influencing quantity ``at`` (current, flow) the error and its standard uncertainty."""

    at: float
    error: float
    u: float


@dataclass(frozen=True, slots=True)
class ErrorAt:
    """Error and standard uncertainty at a load; ``outside``: not between calibrated points."""

    error: float
    u: float
    outside: bool = False


def error_at(points: Sequence[ErrorPoint], at: float, mpe: float) -> ErrorAt:
    """Piecewise linear error between calibrated points (sorted by ``at``).

    The points share the laboratory's standard, so their uncertainties are fully correlated and add linearly (GUM 5.2.2
    note 1); the interpolation's own error is a rectangle of half the step, zero at the points. Outside the covered
    range the curve is not extended: the error is taken as zero with the MPE as a rectangle.
    """
    if not points or at < points[0].at or at > points[-1].at:
        return ErrorAt(0.0, mpe / _SQRT3, outside=True)
    for low, high in pairwise(points):
        if low.at <= at <= high.at:
            weight = (at - low.at) / (high.at - low.at)
            shared = (1 - weight) * low.u + weight * high.u
            bend = (high.error - low.error) / (2 * _SQRT3) * 4 * weight * (1 - weight)
            return ErrorAt((1 - weight) * low.error + weight * high.error, sqrt(shared**2 + bend**2))
    return ErrorAt(points[0].error, points[0].u)


def error_of_total(points: Sequence[ErrorPoint], loads: Sequence[tuple[float, float]], mpe: float) -> ErrorAt:
    """Mode a over a total: each (energy, load it was counted at) errs as the curve says there.

    The errors share the laboratory's standard, so their uncertainties add linearly like the errors. ``outside`` when a
    share's load is not between calibrated points. ValueError without energy.
    """
    total = sum(energy for energy, _ in loads)
    if total <= 0:
        raise ValueError("a total needs energy")
    found = [(energy / total, error_at(points, load, mpe)) for energy, load in loads]
    return ErrorAt(
        sum(weight * each.error for weight, each in found),
        sum(weight * each.u for weight, each in found),
        outside=any(each.outside for _, each in found),
    )


def mean_correction(points: Sequence[ErrorPoint]) -> ErrorAt:
    """Mode b: one correction for the whole range, the mean error; the variance of the errors about it is added.

    The points' own uncertainties are fully correlated, so their mean counts. ValueError without a point.
    """
    if not points:
        raise ValueError("a mean needs at least one calibrated point")
    mean = sum(each.error for each in points) / len(points)
    scatter = sum((each.error - mean) ** 2 for each in points) / len(points)
    shared = sum(each.u for each in points) / len(points)
    return ErrorAt(mean, sqrt(shared**2 + scatter))


def worst_of_curve(points: Sequence[ErrorPoint]) -> ErrorAt:
    """Mode a where no load is named: the mean error of the curve, and the largest u a load between its points can have.

    The interpolation's own error is largest half way: a rectangle of half the step. ValueError without a point.
    """
    if not points:
        raise ValueError("a curve needs at least one calibrated point")
    mean = sum(each.error for each in points) / len(points)
    steps = [abs(high.error - low.error) / (2 * _SQRT3) for low, high in pairwise(points)]
    return ErrorAt(mean, sqrt(max(each.u for each in points) ** 2 + max(steps, default=0.0) ** 2))


def corrected(indicated: float, error_percent: float) -> float:
    """The energy corrected for a relative error: W / (1 + g/100)."""
    return indicated / (1 + error_percent / 100)


def uncorrected_u(mpe: float, in_service_factor: float = 1.0) -> float:
    """Mode c, no correction: the MPE as a rectangle, standard uncertainty in percent.

    ``in_service_factor`` is the jurisdiction's: 1 where its regulation names none.
    """
    return mpe * in_service_factor / _SQRT3


def quantisation_u(resolution: float) -> float:
    """Standard uncertainty of the difference of two register readings, whatever lies between."""
    return resolution / sqrt(6)


@dataclass(frozen=True, slots=True)
class TransformerError:
    """Ratio error in percent and phase displacement in minutes of an instrument transformer at its load."""

    ratio_error: float
    phase_minutes: float


def point_error(
    meter: float, ct: TransformerError, pt: TransformerError, power_factor: float, lead_drop: float = 0.0
) -> float:
    """Error of a whole electricity metering point in percent: meter + CT + PT + phase term + lead drop.

    γ = γ_m + f_I + f_U + 0.0291·(δ_I − δ_U)·tan φ + γ_lead. ValueError when the power factor is not in (0, 1].
    """
    if not 0 < power_factor <= 1:
        raise ValueError("the power factor must lie above 0 and not above 1")
    tan_phi = sqrt(1 / power_factor**2 - 1)
    phase = MINUTE_PERCENT * (ct.phase_minutes - pt.phase_minutes) * tan_phi
    return meter + ct.ratio_error + pt.ratio_error + phase + lead_drop


def phase_term(minutes: float, angle_degrees: float) -> float:
    """The phase term alone in percent for a phase angle in degrees (10′ at 60° is half a percent)."""
    return MINUTE_PERCENT * minutes * tan(radians(angle_degrees))
