"""Reconciliation of measurements by linear constraints as textbooks write it: oracle of the watch's measurement test.

Global test r'V⁻¹r; measurement test |a|/√W with a = S A'V⁻¹r and W = S A'V⁻¹A S; serial elimination
(Mah and Tamhane 1982).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
ALPHA = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """Constraints against measurements. ``chi2`` over ``freedom`` against ``chi2_limit``; ``eliminated`` are the
    streams the measurement test took out, in order, with their statistic; ``passed`` whether the rest agrees.
    """

    chi2: float
    freedom: int
    chi2_limit: float
    passed: bool
    eliminated: tuple[tuple[int, float], ...]
    statistics: tuple[float, ...]
    statistic_limit: float


def reconcile(
    constraints: Matrix, values: Vector, variances: Vector, *, alpha: float = ALPHA, most: int = 5
) -> Reconciled:
    """Global test r'V⁻¹r of A·z = 0, the measurement test, and serial elimination of at most ``most`` streams.

    An eliminated stream becomes unmeasured: its column is projected out of the constraints.
    """
    system = constraints
    eliminated: list[tuple[int, float]] = []
    first = _tested(system, values, variances, alpha)
    now = first
    while not now.passed and now.freedom > 1 and len(eliminated) < most:
        worst = int(np.argmax(now.statistics))
        if now.statistics[worst] <= now.statistic_limit or _ambiguous(now.statistics, worst):
            break
        eliminated.append((worst, now.statistics[worst]))
        system = _without(system, worst)
        now = _tested(system, values, variances, alpha)
    return Reconciled(
        chi2=first.chi2,
        freedom=first.freedom,
        chi2_limit=first.chi2_limit,
        passed=now.passed,
        eliminated=tuple(eliminated),
        statistics=first.statistics,
        statistic_limit=first.statistic_limit,
    )


def _ambiguous(statistics: Sequence[float], worst: int) -> bool:
    """Streams that no constraint tells apart have one and the same statistic: then none of them is named."""
    top = statistics[worst]
    return sum(1 for each in statistics if abs(each - top) <= 1e-9 * top) > 1


def _tested(system: Matrix, values: Vector, variances: Vector, alpha: float) -> Reconciled:
    residual = system @ values
    spread = system * variances
    covariance = spread @ system.T
    inverse = np.linalg.pinv(covariance)
    freedom = int(np.linalg.matrix_rank(covariance))
    statistic = float(residual @ inverse @ residual)
    adjustment = spread.T @ (inverse @ residual)
    weight = np.einsum("ij,jk,ki->i", spread.T, inverse, spread)
    known = weight > 1e-12 * variances
    statistics = np.where(known, np.abs(adjustment) / np.sqrt(np.where(known, weight, 1.0)), 0.0)
    seen = max(1, int(known.sum()))
    each_alpha = 1 - (1 - alpha) ** (1 / seen)
    limit = float(chi2.ppf(1 - alpha, freedom)) if freedom else 0.0
    return Reconciled(
        chi2=statistic,
        freedom=freedom,
        chi2_limit=limit,
        passed=statistic <= limit,
        eliminated=(),
        statistics=tuple(float(each) for each in statistics),
        statistic_limit=NormalDist().inv_cdf(1 - each_alpha / 2),
    )


def _without(system: Matrix, column: int) -> Matrix:
    """The constraints free of a column: combinations of rows in which it does not occur."""
    own = system[:, column]
    pivot = int(np.argmax(np.abs(own)))
    reduced = system - np.outer(own / own[pivot], system[pivot])
    return np.delete(reduced, pivot, axis=0)
