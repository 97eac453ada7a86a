"""Where a difference between stack and fuel comes from: flow, concentration, fuel amount, carbon content.

One difference cannot tell four causes apart. Relations that hold whatever the plant makes can: the CO2 of the gas
without air, that gas per tonne emitted by the books, fuel per product, fuel against bought and stock, the analyser's
own span checks, the laboratory's carbon content. Each relation's change against a reference time is a residual to
which the causes contribute in known ways; the cause whose signature explains the residuals is named by the
generalised likelihood ratio (Narasimhan and Mah 1987; 转载), one after another, and only where chance and
calibration do not. Two causes whose signatures fit alike are not told apart: then neither is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gateway.metrology.watch_gate import chi2_limit

Array = NDArray[np.float64]
ALPHA = 0.01
MARGIN = 6.63
"""By how much the best cause's statistic must exceed the second's: the 1 % point of χ² with one degree (推断)."""
MAX_CAUSES = 3

CONCENTRATION = "concentration"
FLOW = "flow"
AMOUNT = "amount"
CARBON = "carbon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """One relation: ``change`` is the logarithm of its ratio to the reference time, ``u`` how far it wanders by itself.

    ``signature``: by cause, what a relative error of one of that cause adds to the change.
    """

    name: str
    change: float
    u: float
    signature: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A named cause: relative ``error`` with its standard ``u``, ``statistic`` against ``limit`` (both χ², one degree),
    and ``contribution`` to the difference stack − fuel in tCO2.
    """

    name: str
    error: float
    u: float
    statistic: float
    limit: float
    contribution: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decomposition:
    """What the relations say of a time. ``agrees``: the global test passes, no cause stands out. ``causes`` in order as
    they were named; ``alike``: causes that fit equally well, where none could be named; ``explained``: the named
    ones leave nothing significant. ``unnamed`` is what of the difference they do not explain, tCO2.
    """

    relations: tuple[Relation, ...]
    chi2: float
    freedom: int
    chi2_limit: float
    agrees: bool
    causes: tuple[Cause, ...]
    alike: tuple[str, ...]
    explained: bool
    unnamed: float


def decompose(
    relations: Sequence[Relation],
    priors: Mapping[str, float],
    weights: Mapping[str, float],
    difference: float,
    *,
    alpha: float = ALPHA,
) -> Decomposition:
    """Name the causes of a difference.

    ``priors``: by cause, the relative standard uncertainty its calibration leaves it; ``weights``: tCO2 a relative
    error of one adds to the difference stack − fuel.
    """
    if not relations:
        return Decomposition(
            relations=(),
            chi2=0.0,
            freedom=0,
            chi2_limit=0.0,
            agrees=True,
            causes=(),
            alike=(),
            explained=False,
            unnamed=difference,
        )
    names = sorted(priors)
    change = np.array([each.change for each in relations], dtype=np.float64)
    signature = np.array([[each.signature.get(name, 0.0) for name in names] for each in relations], dtype=np.float64)
    own = np.diag([each.u**2 for each in relations])
    spread = signature @ np.diag([priors[name] ** 2 for name in names]) @ signature.T if names else 0.0
    covariance = own + spread
    inverse: Array = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
    chi2, limit = float(change @ inverse @ change), chi2_limit(len(relations), alpha)
    chosen: list[int] = []
    alike: tuple[str, ...] = ()
    rest, rest_limit = chi2, limit
    while len(chosen) < min(MAX_CAUSES, len(relations) - 1):
        ranked = _ranked(change, signature, inverse, chosen)
        if not ranked or ranked[0][0] < _single_limit(alpha, len(names)):
            break
        near = [names[each] for gain, each in ranked if ranked[0][0] - gain < MARGIN]
        if len(near) > 1:
            alike = tuple(sorted(near))
            break
        chosen.append(ranked[0][1])
        rest = _rest(change, signature, inverse, chosen)
        rest_limit = chi2_limit(len(relations) - len(chosen), alpha)
    causes = _causes(change, signature, inverse, chosen, names=names, weights=weights, alpha=alpha)
    return Decomposition(
        relations=tuple(relations),
        chi2=chi2,
        freedom=len(relations),
        chi2_limit=limit,
        agrees=chi2 <= limit and not causes and not alike,
        causes=causes,
        alike=alike,
        explained=bool(causes) and rest <= rest_limit,
        unnamed=difference - sum(each.contribution for each in causes),
    )


def _ranked(change: Array, signature: Array, inverse: Array, chosen: list[int]) -> list[tuple[float, int]]:
    """How much each further cause takes off the test statistic, most first."""
    before = _rest(change, signature, inverse, chosen)
    found = [
        (before - _rest(change, signature, inverse, [*chosen, each]), each)
        for each in range(signature.shape[1])
        if each not in chosen and np.any(signature[:, each])
    ]
    return sorted(found, key=lambda each: -each[0])


def _rest(change: Array, signature: Array, inverse: Array, chosen: list[int]) -> float:
    """χ² of what is left once the chosen causes' errors are fitted."""
    if not chosen:
        return float(change @ inverse @ change)
    part = signature[:, chosen]
    fitted, *_ = np.linalg.lstsq(part.T @ inverse @ part, part.T @ inverse @ change, rcond=None)
    left = change - part @ fitted
    return float(left @ inverse @ left)


def _causes(
    change: Array,
    signature: Array,
    inverse: Array,
    chosen: list[int],
    *,
    names: Sequence[str],
    weights: Mapping[str, float],
    alpha: float,
) -> tuple[Cause, ...]:
    if not chosen:
        return ()
    part = signature[:, chosen]
    information = part.T @ inverse @ part
    covariance = np.linalg.pinv(information)
    fitted = covariance @ (part.T @ inverse @ change)
    limit = _single_limit(alpha, len(names))
    found = []
    for position, index in enumerate(chosen):
        u = sqrt(float(covariance[position, position]))
        error = float(fitted[position])
        found.append(
            Cause(
                name=names[index],
                error=error,
                u=u,
                statistic=(error / u) ** 2 if u else 0.0,
                limit=limit,
                contribution=error * weights.get(names[index], 0.0),
            )
        )
    return tuple(found)


def _single_limit(alpha: float, causes: int) -> float:
    """χ² with one degree at the level left to each of several causes (Šidák)."""
    each = 1 - (1 - alpha) ** (1 / max(causes, 1))
    return NormalDist().inv_cdf(1 - each / 2) ** 2


def change_of(now: float | None, reference: float | None) -> float | None:
    """Logarithm of a ratio to its reference; None where either is not known or not above zero."""
    if now is None or reference is None or now <= 0 or reference <= 0:
        return None
    return log(now / reference)
