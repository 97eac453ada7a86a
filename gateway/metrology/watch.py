"""失准 watch: a node of the meter tree, watched by a Bayesian estimate of each meter's error; nothing is dismounted.

For a step of ``dt`` hours the node's balance says, with R = (1 + e)·E for every meter,

    R₀ − Σ s·R_i  =  −Σ e_i·s·R_i + r·R₀²/dt + b·dt + n,      s = −1 for energy that leaves

so errors are *relative to the parent*: an error common to all meters moves nothing and cannot be seen; the parent's own
uncertainty is added afterwards. Errors, copper loss r and standing loss b walk slowly; a Kalman filter in Joseph form
follows them from priors out of calibration. Without excitation the estimate stays at its prior, and that is said:
``not_observable`` is an answer. Nothing here is a verdict: the outcome is a suggestion to check a meter (核查), with
its evidence, and only where the gate (``gateway.metrology.watch_gate``) let the node's data pass.

Textbook least squares with priors. Standing of the numbers below: 推断, held by the campaign ``benchmarks/watch.py``.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import erfc, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

HOURS_PER_YEAR = 8_766.0
MAX_CHILDREN = 100
MAX_STEPS = 20_000
SUSPECT_P = 0.9
CLEAR_P = 0.1
LEAST_GAIN = 0.5
KAPPA_FLOOR = 1e-4
KAPPA_CEILING = 2.5e-3
SYNC_S = 1.0
RELEASE_ALPHA = 0.001
RELEASED_U = 0.5
"""A meter let go of its calibration may be off by half its reading."""
MAX_RELEASED = 3
LOSS_SHARE = 0.02
"""Prior standard deviation of copper loss and of standing loss, each as a share of the mean load."""


class Watched(StrEnum):
    """What the watch can say of a meter: 疑似失准, 未见异常, 不能判断, 不可观测."""

    SUSPECT = "suspect"
    CLEAR = "clear"
    UNDETERMINED = "undetermined"
    NOT_OBSERVABLE = "not_observable"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedMeter:
    """A child of a node. Errors, uncertainties and the limit are relative (0.01 = 1 %); ``step`` is the register's
    step on the primary side in the node's energy unit; ``drift`` what its class may walk in a year; ``sign`` −1 feeds
    in.
    """

    name: str
    sign: int = 1
    error: float = 0.0
    u: float = 0.01
    drift: float = 0.002
    limit: float = 0.02
    step: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedNode:
    """A parent with all its children. ``parent_error`` and ``parent_u`` are the parent's own relative error and its
    standard uncertainty, as calibration or the node above it says.

    ``copper`` and ``standing`` are prior losses at the mean load as shares of it, from transformer data where known,
    with their standard deviations.
    """

    name: str
    children: tuple[WatchedMeter, ...]
    parent_error: float = 0.0
    parent_u: float = 0.002
    parent_step: float = 0.01
    copper: float = 0.0
    copper_u: float = LOSS_SHARE
    standing: float = 0.0
    standing_u: float = LOSS_SHARE

    def __post_init__(self) -> None:
        if not 1 <= len(self.children) <= MAX_CHILDREN:
            raise ValueError(f"a watched node has 1 to {MAX_CHILDREN} children")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSteps:
    """What parent and children counted, step by step: ``hour`` (hours from any origin, ascending, of each step's
    start), ``parent`` and ``children`` (steps × children) in one energy unit; ``dt`` the steps' length in hours.

    Steps without a value of every meter are left out beforehand: a gap stays a gap.
    """

    hour: Vector
    parent: Vector
    children: Matrix
    dt: float = 1.0

    def __post_init__(self) -> None:
        steps = len(self.hour)
        if steps > MAX_STEPS or len(self.parent) != steps or self.children.shape[0] != steps:
            raise ValueError(f"steps of parent and children differ, or are more than {MAX_STEPS}")

    @property
    def mean_load(self) -> float:
        """Mean of the parent's absolute energy a step."""
        return float(np.mean(np.abs(self.parent))) if len(self.parent) else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterEstimate:
    """A meter's error as the node's balance shows it. ``error`` and ``u`` relative; ``u`` holds the parent's own.

    ``gain`` is what the data added to the prior (0 nothing, 1 all); ``p`` the probability that |error| is beyond
    ``limit``.
    """

    name: str
    error: float
    u: float
    gain: float
    limit: float
    p: float
    state: Watched


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEstimate:
    """A node's estimate with what the gate looks at: normalised innovations of the steps in order.

    The measurement test: ``released`` are the meters let go of their calibration, in order, each with its statistic;
    ``departure`` is the largest statistic of the others, ``departure_limit`` what chance allows.
    """

    node: str
    meters: tuple[MeterEstimate, ...]
    copper: float
    standing: float
    kappa: float
    needed_kappa: float
    steps: int
    innovations: Vector = field(repr=False)
    prior_z: float = 0.0
    released: tuple[tuple[str, float], ...] = ()
    departure: float = 0.0
    departure_limit: float = 0.0


def estimate(node: WatchedNode, steps: NodeSteps) -> NodeEstimate:
    """Follow a node. The model noise κ (share of the load) is taken from the data between its floor and ceiling: first
    with the ceiling, then with the scatter found; what the data would need is kept for the gate.

    The measurement test with serial elimination: a meter whose estimate left its calibration further than chance
    allows is let go of its prior, the worst one first, and the node followed again: an error that the prior holds back
    would be laid on its neighbours.
    """
    released: dict[int, float] = {}
    settled, needed = _settled(node, steps, set(released))
    limit = departure_limit(len(node.children))
    while len(released) < min(MAX_RELEASED, len(node.children) - 1):
        worst, statistic = settled.worst_departure(released)
        if worst is None or statistic <= limit:
            break
        released[worst] = statistic
        settled, needed = _settled(node, steps, set(released))
    return settled.result(needed, released, limit)


def departure_limit(children: int) -> float:
    """Standard deviations by which the calibrations of so many meters may be left by chance (two-sided, Bonferroni)."""
    return NormalDist().inv_cdf(1 - RELEASE_ALPHA / 2 / children)


def _settled(node: WatchedNode, steps: NodeSteps, released: set[int]) -> "tuple[_Filter, float]":
    """The filter with the κ of the data, and the κ the data would need."""
    first = _Filter(node, steps, KAPPA_CEILING, released)
    first.run()
    needed = first.needed_kappa()
    second = _Filter(node, steps, min(max(needed, KAPPA_FLOOR), KAPPA_CEILING), released)
    second.run()
    return second, max(needed, second.needed_kappa())


def beyond(error: float, u: float, limit: float) -> float:
    """Probability that a normal quantity is outside ±limit."""
    if u <= 0:
        return float(abs(error) > limit)
    return 0.5 * (erfc((limit - error) / (u * sqrt(2))) + erfc((limit + error) / (u * sqrt(2))))


def state_of(p: float, gain: float) -> Watched:
    """Suspicion needs p alone; being clear needs data that said something."""
    if p > SUSPECT_P:
        return Watched.SUSPECT
    if gain < LEAST_GAIN:
        return Watched.NOT_OBSERVABLE
    return Watched.CLEAR if p < CLEAR_P else Watched.UNDETERMINED


class _Filter:
    """The recursion over one node. State: errors of the children, copper and standing loss as shares of mean load."""

    def __init__(self, node: WatchedNode, steps: NodeSteps, kappa: float, released: set[int]) -> None:
        self.node, self.steps, self.kappa = node, steps, kappa
        children = node.children
        self.theta = _prior_mean(node)
        prior = [*(each.u**2 for each in children), node.copper_u**2, node.standing_u**2]
        self.prior = np.array(prior)
        free = self.prior.copy()
        free[list(released)] = RELEASED_U**2
        self.p = np.diag(free)
        walk = [*(each.drift**2 for each in children), (node.copper_u / 10) ** 2, (node.standing_u / 10) ** 2]
        self.walk_per_hour = np.array(walk) / HOURS_PER_YEAR
        load = steps.mean_load or 1.0
        signs = np.array([each.sign for each in children], dtype=np.float64)
        signed = steps.children * signs
        copper = steps.parent**2 / load
        standing = np.full(len(steps.parent), load)
        self.x = np.column_stack([-signed, copper, standing])
        self.y = steps.parent - signed.sum(axis=1)
        self.known = self._known_noise()
        self.innovations = np.zeros(len(self.y))
        self.variances = np.ones(len(self.y))

    def _known_noise(self) -> Vector:
        """Register steps at both ends of a step, and clocks that are not quite together: variance of each step."""
        registers = (self.node.parent_step**2 + sum(each.step**2 for each in self.node.children)) / 6
        skew = SYNC_S / 3_600.0 / self.steps.dt
        known: Vector = registers + (self.steps.parent * skew) ** 2
        return known

    def run(self) -> None:
        noise = self.known + (self.kappa * self.steps.parent) ** 2
        previous = self.steps.hour[0] if len(self.steps.hour) else 0.0
        diagonal = np.einsum("ii->i", self.p)
        for index in range(len(self.y)):
            diagonal += self.walk_per_hour * (self.steps.hour[index] - previous)
            previous = self.steps.hour[index]
            self._update(index, float(noise[index]))

    def _update(self, index: int, noise: float) -> None:
        x = self.x[index]
        px = self.p @ x
        variance = noise + float(x @ px)
        gain = px / variance
        innovation = float(self.y[index] - x @ self.theta)
        self.innovations[index], self.variances[index] = innovation, variance
        self.theta += gain * innovation
        # (I − Kx')P(I − Kx')' + K s² K', the product of Joseph, evaluated factor by factor
        self.p -= np.outer(gain, px)
        self.p -= np.outer(self.p @ x, gain)
        self.p += noise * np.outer(gain, gain)
        diagonal = np.einsum("ii->i", self.p)
        if index % 64 == 0:
            self.p += self.p.T.copy()
            self.p *= 0.5
        np.maximum(diagonal, 0.0, out=diagonal)

    def needed_kappa(self) -> float:
        """The model noise that the settled half of the steps shows beyond what is known of registers and clocks."""
        half = len(self.y) // 2
        load = self.steps.parent[half:]
        if len(load) < 2 or not np.any(load):
            return KAPPA_CEILING
        residual = self.y[half:] - self.x[half:] @ self.theta
        excess = float(np.mean(residual**2) - np.mean(self.known[half:]))
        return sqrt(max(excess, 0.0) / float(np.mean(load**2)))

    def worst_departure(self, released: Collection[int]) -> tuple[int | None, float]:
        """The child that left its prior furthest, in the standard deviations such a departure may have: the measurement
        test |a|/√W with a = θ − θ₀ and W = P₀ − P. None and 0 where the data say too little of every other child.
        """
        worst, most = None, 0.0
        mean = _prior_mean(self.node)
        for index in range(len(self.node.children)):
            room = float(self.prior[index] - self.p[index, index])
            if index in released or room <= 0.01 * self.prior[index]:
                continue
            departure = abs(float(self.theta[index] - mean[index])) / sqrt(room)
            if departure > most:
                worst, most = index, departure
        return worst, most

    def result(self, needed_kappa: float, released: Mapping[int, float], limit: float) -> NodeEstimate:
        meters = []
        for index, meter in enumerate(self.node.children):
            own = float(self.p[index, index])
            share = float(self.theta[index])
            # the balance shows e/(1 + e), the error as a share of what the register says
            stretch = 1 / max(1 - share, 0.1)
            u = sqrt(own * stretch**4 + self.node.parent_u**2)
            error = share * stretch + self.node.parent_error
            gain = max(1.0 - own / float(self.prior[index]), 0.0) if self.prior[index] else 0.0
            p = beyond(error, u, meter.limit)
            meters.append(
                MeterEstimate(
                    name=meter.name, error=error, u=u, gain=gain, limit=meter.limit, p=p, state=state_of(p, gain)
                )
            )
        return NodeEstimate(
            node=self.node.name,
            meters=tuple(meters),
            copper=float(self.theta[-2]),
            standing=float(self.theta[-1]),
            kappa=self.kappa,
            needed_kappa=needed_kappa,
            steps=len(self.y),
            innovations=self.innovations / np.sqrt(self.variances),
            prior_z=self._prior_z(),
            released=tuple((self.node.children[index].name, each) for index, each in released.items()),
            departure=self.worst_departure(released)[1],
            departure_limit=limit,
        )

    def _prior_z(self) -> float:
        """The whole period's residual at the prior over its standard deviation: what the global test squares."""
        x, y = self.x.sum(axis=0), float(self.y.sum())
        whole = float(self.steps.parent.sum())
        variance = float(x**2 @ self.prior) + (self.node.parent_u * whole) ** 2 + float(self.known.sum())
        return (y - float(x @ _prior_mean(self.node))) / sqrt(variance) if variance > 0 else 0.0


def _prior_mean(node: WatchedNode) -> Vector:
    """Errors relative to the parent's, then the losses."""
    errors = (each.error - node.parent_error for each in node.children)
    return np.array([*errors, node.copper, node.standing], dtype=np.float64)
