"""The gate before the watch: gross errors first, because an unmetered load looks like a drifting meter.

Node by node: the global test of the whole period, the measurement test with serial elimination (Mah and Tamhane 1982;
转载), the mean of the squared normalised innovations, and their whiteness. The measurement test is made where the
estimate is (``gateway.metrology.watch.estimate``): the calibrations are the measurements, the hourly balances the
constraints, and a meter eliminated is one let go of its calibration. Where a gate is shut the node's data answer
another question (an unmetered load, a missing meter, a wrong ratio, a changed topology), and no meter of it is named.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import erfc, exp, gamma, sqrt
from statistics import NormalDist

import numpy as np

from gateway.metrology.watch import KAPPA_CEILING, MAX_RELEASED, NodeEstimate, Vector

ALPHA = 0.001
LEAST_STEPS = 168
"""A week of hours: below it whiteness cannot be told."""
LAGS_H = (1, 2, 24)


class Reason(StrEnum):
    """Why a gate is shut."""

    TOO_FEW = "too_few_steps"
    GLOBAL = "global_test"
    MEASUREMENT = "measurement_test"
    NOISE = "noise_beyond_meters"
    INNOVATION = "innovations_too_large"
    WHITENESS = "innovations_not_white"


NEIGHBOURS_LEAST = -0.5
"""Neighbouring steps share a register edge: what one gains by rounding the next loses, down to −½ at lag 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A node's gate. ``global_z`` in standard deviations; ``released`` the meters that the measurement test let go of
    their calibration with their statistics (none behind a shut gate), ``departure`` the largest of the rest; ``nis``
    the mean squared normalised innovation (1 expected); ``correlations`` by lag; each with the limit it was held
    against; ``neighbours_least`` is how far lag 1 may go below zero before its limit counts.
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
    released: tuple[tuple[str, float], ...] = ()
    departure: float = 0.0
    departure_limit: float = 0.0
    neighbours_least: float = NEIGHBOURS_LEAST


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
    if len(found.released) == MAX_RELEASED and found.departure > found.departure_limit:
        reasons.append(Reason.MEASUREMENT)
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
        released=() if reasons else found.released,
        departure=found.departure,
        departure_limit=found.departure_limit,
    )


def _least(lag: int) -> float:
    return NEIGHBOURS_LEAST if lag == 1 else 0.0


def _correlation(values: Vector, lag: int) -> float:
    """Covariance at a lag of innovations normalised by the scatter the model allows (white: 0 ± 1/√n). What is smaller
    than that scatter may follow any course.
    """
    return float(values[lag:] @ values[:-lag]) / (len(values) - lag)


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
