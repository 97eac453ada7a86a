"""失准 watch of a plant: every node of the metering tree with the meters under it, from settled hours and the ledger.

What the estimator is told comes from the ledger alone: limits from accuracy classes (meter and transformers added),
priors from calibration certificates, their age and the class; nothing is assumed for an instrument without a class.
Numbers marked 推断 are ours and stand in docs/watch.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from math import sqrt

import numpy as np

from gateway.audit.asking import Asking, Sources
from gateway.audit.energy import Energy, settled_to, totals
from gateway.audit.plant import Fitted, Plant, PointFact, factor, plant
from gateway.domain.ledger import Certificate, Direction, InstallationRole, MeteringPoint
from gateway.domain.ratio import class_rank
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, Period, floor_to
from gateway.metrology.watch import MAX_CHILDREN, MeterEstimate, NodeSteps, Watched, WatchedMeter, WatchedNode
from gateway.metrology.watch_gate import Gate
from gateway.metrology.watching import NodeWatch, watch

WINDOW_DAYS = 60
MAX_WINDOW_DAYS = 180
MAX_NODES = 200
MAX_KEPT = 12
"""Answers kept for the parts of a page, beside those of the accounts."""
DRIFT_SHARE = 1 / 3
"""How much of its limit a meter may walk in a year (推断)."""
LEAST_PRIOR_SHARE = 1 / 2
"""The prior is never tighter than half the limit, or no fault could be seen (推断)."""
MOST_NUMBER = 1_000_000
_MEASURED = {"measured"}
_CHAIN = {InstallationRole.METER, InstallationRole.CT, InstallationRole.PT}


class NotWatched(StrEnum):
    """Why a node cannot be watched at all."""

    UNMETERED = "unmetered"
    NO_CLASS = "no_class"
    TOO_MANY = "too_many_children"
    TOO_FEW = "too_few_steps"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedPoint:
    """A child with what the balance says of its meter; ``estimate`` None where no meter may be named."""

    point: MeteringPoint
    instrument: str
    limit: float | None
    estimate: MeterEstimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedNodeView:
    """One node. ``reasons`` says why it is not watched at all (then ``gate`` is None); ``from_us`` to ``to_us`` is the
    time looked at, ``used_from_us`` the part whose gate opened, ``hours`` those with a measured value of every meter.
    ``copper`` and ``standing`` are losses at the mean load as shares of it; ``refused`` the gates of longer stretches.
    """

    point: MeteringPoint
    instrument: str
    children: Sequence[WatchedPoint]
    from_us: int
    to_us: int
    used_from_us: int
    hours: int
    reasons: Sequence[str]
    gate: Gate | None
    copper: float | None
    standing: float | None
    refused: Sequence[Gate]

    @property
    def suspects(self) -> list[WatchedPoint]:
        """The children to be checked, most likely first."""
        named = [each for each in self.children if each.estimate is not None and each.estimate.state is Watched.SUSPECT]
        return sorted(named, key=lambda each: (-(each.estimate.p if each.estimate else 0.0), each.point.id))


def watched_nodes(
    sources: Sources,
    asking: Asking,
    *,
    days: int = WINDOW_DAYS,
    node: str = "",
    most: int = MAX_NODES,
    there: Plant | None = None,
) -> list[WatchedNodeView]:
    """Every node (or one; at most ``most``) over the newest ``days`` settled days, parents before children.

    What a node's balance says of a child that is itself a node becomes that node's parent error: errors are told
    relative to the meter at the top.
    """
    state = (sources.registry.applied_seq(), sources.settlement.applied_seq(), asking.settling_us)
    key = ("watch", asking.organisation, asking.known_seq, days, node, most, state)
    kept = sources.memory.get(key)
    if isinstance(kept, list):
        return kept
    there = there or plant(sources, asking)
    nodes = [fact for _depth, fact in there.walk() if _children(there, fact) and there.register(fact) is not None]
    known: dict[str, MeterEstimate] = {}
    found = []
    wanted = _ancestry(there, node) if node else None
    for fact in nodes if node else nodes[: min(most, MAX_NODES)]:
        if wanted is not None and fact.point.id not in wanted:
            continue
        view = _node(sources, asking, there, fact, days=min(max(days, 1), MAX_WINDOW_DAYS), known=known)
        known |= {each.point.id: each.estimate for each in view.children if each.estimate is not None}
        if not node or fact.point.id == node:
            found.append(view)
    sources.memory[key] = found
    while len(sources.memory) > MAX_KEPT:
        sources.memory.pop(next(iter(sources.memory)))
    return found


def node_points(there: Plant) -> list[MeteringPoint]:
    """The points that are nodes, parents before children."""
    return [fact.point for _depth, fact in there.walk() if _children(there, fact) and there.register(fact) is not None]


def _ancestry(there: Plant, node: str) -> set[str]:
    """A node and the points above it, whose estimates it builds on."""
    found: set[str] = set()
    while node in there.points and node not in found:
        found.add(node)
        node = there.points[node].point.parent
    return found


def _children(there: Plant, fact: PointFact) -> list[PointFact]:
    return [each for each in there.children(fact.point.id) if each.point.energy_kind == fact.point.energy_kind]


def _node(
    sources: Sources, asking: Asking, there: Plant, fact: PointFact, *, days: int, known: dict[str, MeterEstimate]
) -> WatchedNodeView:
    children = _children(there, fact)
    end_us = floor_to(settled_to(sources, asking, there, [fact, *children], _span(asking, days)), US_PER_HOUR)
    fitted_us = max((_fitted_since(each) for each in (fact, *children)), default=0)
    start_us = max(end_us - days * US_PER_DAY, -(-fitted_us // US_PER_HOUR) * US_PER_HOUR)
    limits = {each.point.id: _limit(each) for each in (fact, *children)}
    reasons = _reasons(there, children, limits)
    watched: NodeWatch | None = None
    hours = 0
    if not reasons:
        steps = _steps(sources, asking, there, fact, children, edges=list(range(start_us, end_us + 1, US_PER_HOUR)))
        hours = len(steps.hour)
        if hours < 2:
            reasons = [NotWatched.TOO_FEW]
        else:
            watched = watch(_described(sources, asking, there, fact, children, limits=limits, known=known), steps)
    estimates = {} if watched is None else {each.name: each for each in watched.meters}
    return WatchedNodeView(
        point=fact.point,
        instrument=_instrument(fact),
        children=[
            WatchedPoint(
                point=each.point,
                instrument=_instrument(each),
                limit=limits[each.point.id],
                estimate=estimates.get(each.point.id),
            )
            for each in children
        ],
        from_us=start_us,
        to_us=max(end_us, start_us),
        used_from_us=start_us if watched is None else round(watched.from_hour) * US_PER_HOUR,
        hours=hours if watched is None else watched.found.steps,
        reasons=reasons,
        gate=None if watched is None else watched.gate,
        copper=None if watched is None else watched.found.copper,
        standing=None if watched is None else watched.found.standing,
        refused=() if watched is None else watched.refused,
    )


def _span(asking: Asking, days: int) -> Period:
    return Period(asking.settling_us - days * US_PER_DAY, asking.settling_us)


def _reasons(there: Plant, children: Sequence[PointFact], limits: dict[str, float | None]) -> list[str]:
    unmetered = [f"{NotWatched.UNMETERED}:{each.point.id}" for each in children if there.register(each) is None]
    unclassed = [
        f"{NotWatched.NO_CLASS}:{name}"
        for name, limit in limits.items()
        if limit is None and f"{NotWatched.UNMETERED}:{name}" not in unmetered
    ]
    return [*unmetered, *unclassed, *([NotWatched.TOO_MANY] if len(children) > MAX_CHILDREN else [])]


def _steps(
    sources: Sources, asking: Asking, there: Plant, fact: PointFact, children: Sequence[PointFact], *, edges: list[int]
) -> NodeSteps:
    """Hours in which every meter counted, measured and whole."""
    if len(edges) < 2:
        return NodeSteps(hour=np.zeros(0), parent=np.zeros(0), children=np.zeros((0, len(children))))
    columns = [totals(sources, asking, there, each, edges, step="hour") for each in (fact, *children)]
    whole = [index for index in range(len(edges) - 1) if all(_whole(column[index]) for column in columns)]
    values = np.array([[float(column[index].value or 0) for column in columns] for index in whole], dtype=np.float64)
    values = values.reshape(len(whole), len(columns))
    hour = np.array([edges[index] / US_PER_HOUR for index in whole], dtype=np.float64)
    return NodeSteps(hour=hour, parent=values[:, 0], children=values[:, 1:])


def _whole(energy: Energy) -> bool:
    return energy.complete and set(energy.by_method) <= _MEASURED


def _described(
    sources: Sources,
    asking: Asking,
    there: Plant,
    fact: PointFact,
    children: Sequence[PointFact],
    *,
    limits: dict[str, float | None],
    known: dict[str, MeterEstimate],
) -> WatchedNode:
    above = known.get(fact.point.id)
    own_limit = limits[fact.point.id] or 0.0
    error, u = (above.error, above.u) if above is not None else (0.0, own_limit / sqrt(3))
    return WatchedNode(
        name=fact.point.id,
        parent_error=error,
        parent_u=min(u, own_limit / sqrt(3)) if above is None else u,
        parent_step=_step(there, fact),
        children=tuple(_meter(sources, asking, there, each, limits[each.point.id] or 0.0) for each in children),
    )


def _meter(sources: Sources, asking: Asking, there: Plant, fact: PointFact, limit: float) -> WatchedMeter:
    drift = DRIFT_SHARE * limit
    error, variance, years = _calibrated(sources, asking, fact, limit)
    u = sqrt(variance + (drift * years) ** 2)
    return WatchedMeter(
        name=fact.point.id,
        sign=-1 if fact.point.direction == Direction.OUT else 1,
        error=error,
        u=max(u, LEAST_PRIOR_SHARE * limit),
        drift=drift,
        limit=limit,
        step=_step(there, fact),
    )


def _chain(fact: PointFact) -> list[Fitted]:
    """The meter and the transformers before it."""
    meter = [] if fact.meter is None else [fact.meter]
    return [*meter, *(each for each in fact.transformers if each.installation.role in _CHAIN)]


def _limit(fact: PointFact) -> float | None:
    """Largest error the chain may have in service, relative: limits of meter and transformers added; None without."""
    whole = 0.0
    chain = _chain(fact)
    for each in chain:
        if each.instrument is None:
            return None
        stated = _percent(each.instrument.mpe_percent)
        own = stated if stated is not None and stated > 0 else None
        rank = class_rank(each.instrument.accuracy_class)
        if own is None and rank is None:
            return None
        whole += own if own is not None else float(rank[0]) / 100 if rank is not None else 0.0
    return whole if chain else None


def _calibrated(sources: Sources, asking: Asking, fact: PointFact, limit: float) -> tuple[float, float, float]:
    """(error, variance, years since) from the newest certificates of the chain; without any the limit as a rectangle,
    no age.
    """
    error, variance, oldest = 0.0, 0.0, None
    known = False
    for each in _chain(fact):
        found = _newest(sources, asking, each)
        if found is None:
            continue
        deviation, expanded = _percent(found.error_percent), _percent(found.uncertainty_percent)
        k = _number(found.coverage_factor) or 2.0
        if deviation is None or expanded is None or expanded < 0 or k <= 0:
            continue
        error += deviation
        variance += (expanded / k) ** 2
        known = True
        oldest = min(filter(None, (oldest, found.performed_on)), default=None)
    if not known:
        return 0.0, limit**2 / 3, 0.0
    return error, variance, _years(asking, oldest)


def _newest(sources: Sources, asking: Asking, fitted: Fitted) -> Certificate | None:
    if fitted.instrument is None:
        return None
    today = asking.today.isoformat()
    for record in sources.registry.certificates_of_instrument(
        asking.organisation, fitted.instrument.id, asking.known_seq
    ):
        if not record.withdrawn and str(record.object.get("performed_on") or "") <= today:
            return record.read_as(Certificate)
    return None


def _years(asking: Asking, performed_on: str | None) -> float:
    try:
        return max((asking.today - date.fromisoformat(performed_on or "")).days, 0) / 365.25
    except ValueError:
        return 0.0


def _percent(text: str) -> float | None:
    number = _number(text)
    return None if number is None else number / 100


def _number(text: str) -> float | None:
    """A number of the ledger; None for what is none, or none that an instrument can have."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return float(number) if number.is_finite() and abs(number) < MOST_NUMBER else None


def _step(there: Plant, fact: PointFact) -> float:
    register = there.register(fact)
    if register is None or fact.meter is None:
        return 0.0
    return float(Fraction(1, 10**register.decimals) * factor(register, fact.meter.installation))


def _fitted_since(fact: PointFact) -> int:
    """Since when the chain is what it is: an exchange makes another meter's errors of the hours before."""
    return max((each.from_us or 0 for each in _chain(fact)), default=0)


def _instrument(fact: PointFact) -> str:
    return fact.meter.installation.instrument if fact.meter else ""
