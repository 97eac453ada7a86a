"""Beside the watch: what a meter's own channels must satisfy whatever the node does.

P² + Q² = S² (with harmonics S is larger, never smaller), the phases' sum, and energy per time = mean power. A channel
that breaks one of these contradicts its own meter; no other meter is needed to see it. Limits are standing 推断: wide
enough for rounding, sampling and distortion, far below a lost phase (33 %) or a wrong factor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import hypot, sqrt
from statistics import fmean, pstdev

LEAST = 12
OVER_LIMIT = 0.01
DISTORTION_LIMIT = 0.15
PHASES_LIMIT = 0.005
ENERGY_LIMIT = 0.01
IDLE_SHARE = 0.05
"""Below this share of its own largest value a reading is rounding and little else."""


class Identity(StrEnum):
    """功率三角形, 分相之和, 电量与功率."""

    TRIANGLE = "power_triangle"
    PHASES = "phase_sum"
    ENERGY = "energy_power"


class Agreement(StrEnum):
    """Agrees, differs, or not measured often enough to say."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityResidual:
    """One identity of one meter: mean and scatter of the relative residual over ``count`` readings, against limits."""

    identity: Identity
    count: int
    mean: float | None
    scatter: float | None
    lower: float
    upper: float
    agreement: Agreement


def triangle(readings: Sequence[tuple[float, float, float]]) -> IdentityResidual:
    """(P, Q, S) of the same moments: √(P² + Q²)/S − 1."""
    busy = _busy(readings, 2)
    residuals = [hypot(p, q) / abs(s) - 1 for p, q, s in busy]
    return _judged(Identity.TRIANGLE, residuals, -DISTORTION_LIMIT, OVER_LIMIT)


def phases(readings: Sequence[tuple[float, ...]]) -> IdentityResidual:
    """(total, phase 1, phase 2, …) of the same moments: Σ phases/total − 1."""
    busy = _busy(readings, 0)
    residuals = [sum(each[1:]) / each[0] - 1 for each in busy]
    return _judged(Identity.PHASES, residuals, -PHASES_LIMIT, PHASES_LIMIT)


def energy_against_power(steps: Sequence[tuple[float, float]]) -> IdentityResidual:
    """(energy of an hour, mean power of the hour): sums against each other; the limit grows with what sampling the
    power leaves open, which the scatter of the hours themselves shows.
    """
    whole = sum(energy for energy, _ in steps)
    count = len(steps)
    if count < LEAST or whole <= 0:
        return _judged(Identity.ENERGY, [], -ENERGY_LIMIT, ENERGY_LIMIT)
    differences = [power - energy for energy, power in steps]
    mean = sum(differences) / whole
    scatter = pstdev(differences) * count / whole
    limit = ENERGY_LIMIT + 3 * scatter / sqrt(count)
    return IdentityResidual(
        identity=Identity.ENERGY,
        count=count,
        mean=mean,
        scatter=scatter,
        lower=-limit,
        upper=limit,
        agreement=Agreement.AGREES if abs(mean) <= limit else Agreement.DIFFERS,
    )


def _busy(readings: Sequence[tuple[float, ...]], position: int) -> list[tuple[float, ...]]:
    most = max((abs(each[position]) for each in readings), default=0.0)
    return [each for each in readings if abs(each[position]) > IDLE_SHARE * most] if most else []


def _judged(identity: Identity, residuals: Sequence[float], lower: float, upper: float) -> IdentityResidual:
    enough = len(residuals) >= LEAST
    mean = fmean(residuals) if residuals else None
    state = Agreement.UNKNOWN
    if enough and mean is not None:
        state = Agreement.AGREES if lower <= mean <= upper else Agreement.DIFFERS
    return IdentityResidual(
        identity=identity,
        count=len(residuals),
        mean=mean,
        scatter=pstdev(residuals) if len(residuals) > 1 else None,
        lower=lower,
        upper=upper,
        agreement=state,
    )
