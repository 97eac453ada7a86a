"""The gate before the watch: gross errors first, because an unmetered load looks like a drifting meter.

Node by node: the global test of the whole period, the mean of the squared normalised innovations, and their
whiteness. Over a tree: reconciliation of all nodes at once, with the global test, the measurement test and serial
elimination (Mah and Tamhane 1982; 转载). Where a gate is shut the node's data answer another question (an unmetered
load, a missing meter, a wrong ratio, a changed topology), and no meter of it is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import erfc, exp, gamma, sqrt
from statistics import NormalDist

import numpy as np

from gateway.metrology.watch import KAPPA_CEILING, Matrix, NodeEstimate, Vector

ALPHA = 0.001
LEAST_STEPS = 168
"""A week of hours: below it whiteness cannot be told."""
LAGS_H = (1, 2, 24)


class Reason(StrEnum):
    """Why a gate is shut."""

    TOO_FEW = "too_few_steps"
    GLOBAL = "global_test"
    NOISE = "noise_beyond_meters"
    INNOVATION = "innovations_too_large"
    WHITENESS = "innovations_not_white"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A node's gate. ``global_z`` in standard deviations; ``nis`` the mean squared normalised innovation (1 expected);
    ``correlations`` by lag; each with the limit it was held against.
    """

    open: bool
    reasons: tuple[Reason, ...]
    steps: int
    global_z: float
    global_limit: float
    nis: float
    nis_limit: float
    correlations: tuple[tuple[int, float], ...]
    correlation_limit: float
    needed_kappa: float
    kappa_limit: float = KAPPA_CEILING


def gate(found: NodeEstimate, *, alpha: float = ALPHA) -> Gate:
    """Judge whether a node's data may name meters. The first half of the steps, in which the estimate settles, is not
    looked at for scatter and whiteness.
    """
    settled = found.innovations[found.steps // 2 :]
    count = len(settled)
    z = NormalDist().inv_cdf(1 - alpha / 2)
    nis = float(np.mean(settled**2)) if count else 0.0
    nis_limit = 1 + z * sqrt(2 / count) if count else 0.0
    limit = z / sqrt(count) if count else 0.0
    correlations = tuple((lag, _correlation(settled, lag)) for lag in LAGS_H if count > 2 * lag)
    reasons = []
    if found.steps < LEAST_STEPS:
        reasons.append(Reason.TOO_FEW)
    if abs(found.prior_z) > z:
        reasons.append(Reason.GLOBAL)
    if found.needed_kappa > KAPPA_CEILING:
        reasons.append(Reason.NOISE)
    if nis > nis_limit:
        reasons.append(Reason.INNOVATION)
    if any(not _least(lag) - limit <= each <= limit for lag, each in correlations):
        reasons.append(Reason.WHITENESS)
    return Gate(
        open=not reasons,
        reasons=tuple(reasons),
        steps=found.steps,
        global_z=found.prior_z,
        global_limit=z,
        nis=nis,
        nis_limit=nis_limit,
        correlations=correlations,
        correlation_limit=limit,
        needed_kappa=found.needed_kappa,
    )


def _least(lag: int) -> float:
    """Neighbouring steps share a register edge: what one gains by rounding the next loses, down to −½ at lag 1."""
    return -0.5 if lag == 1 else 0.0


def _correlation(values: Vector, lag: int) -> float:
    """Covariance at a lag of innovations normalised by the scatter the model allows (white: 0 ± 1/√n). What is smaller
    than that scatter may follow any course.
    """
    return float(values[lag:] @ values[:-lag]) / (len(values) - lag)


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
    chi2 = float(residual @ inverse @ residual)
    adjustment = spread.T @ (inverse @ residual)
    weight = np.einsum("ij,jk,ki->i", spread.T, inverse, spread)
    known = weight > 1e-12 * variances
    statistics = np.where(known, np.abs(adjustment) / np.sqrt(np.where(known, weight, 1.0)), 0.0)
    seen = max(1, int(known.sum()))
    each_alpha = 1 - (1 - alpha) ** (1 / seen)
    limit = chi2_limit(freedom, alpha)
    return Reconciled(
        chi2=chi2,
        freedom=freedom,
        chi2_limit=limit,
        passed=chi2 <= limit,
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


def chi2_limit(freedom: int, alpha: float) -> float:
    """Quantile 1 − α of χ², by halving; 0 without a degree of freedom."""
    if freedom <= 0:
        return 0.0
    low, high = 0.0, freedom + 40 * sqrt(freedom) + 100.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _beyond(middle, freedom) > alpha else (low, middle)
    return high


def _beyond(x: float, freedom: int) -> float:
    """P(χ² > x): the finite sums for even and odd degrees of freedom."""
    half = x / 2
    if freedom % 2:
        whole, term, first = erfc(sqrt(half)), exp(-half) * sqrt(half) / gamma(1.5), 1.5
    else:
        whole, term, first = 0.0, exp(-half), 1.0
    for index in range(freedom // 2):
        whole += term
        term *= half / (first + index)
    return whole
