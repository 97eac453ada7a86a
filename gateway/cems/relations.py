"""The relations of a time, made from both sides' hours: what the decomposition compares with a reference time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import pstdev

from gateway.cems.comparison import FuelHours, both
from gateway.cems.decomposition import (
    AMOUNT,
    CARBON,
    CONCENTRATION,
    FLOW,
    Decomposition,
    Relation,
    change_of,
    decompose,
)
from gateway.cems.hours import StackHour

LEAST_HOURS = 24
LEAST_BLOCKS = 4
LEAST_WANDER = 0.002
"""Below two per mille nothing is taken to stand still (推断)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wander:
    """How far each relation wanders by itself, relative standard deviation (0.01 = 1 %)."""

    undiluted_gas: float = 0.01
    gas_per_emission: float = 0.015
    specific_fuel: float = 0.02
    stock: float = 0.01
    checks: float = 0.005
    carbon: float = 0.01

    def of(self, name: str) -> float:
        """A relation's own."""
        kind = name.partition(":")[0]
        sizes = {
            "undiluted_gas": self.undiluted_gas,
            "gas_per_emission": self.gas_per_emission,
            "specific": self.specific_fuel,
            "stock": self.stock,
            "span_checks": self.checks,
            "carbon_content": self.carbon,
        }
        return sizes[kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a time showed. ``mass`` kg and ``undiluted`` m³ of the stack over the hours with an oxygen reading;
    ``emissions`` tCO2 and ``amounts`` by source over the same hours; ``bought``: metered amount over bought less stock,
    by source; ``span``: mean relative error of the span checks.
    """

    hours: int
    mass: float
    undiluted: float
    emissions: Mapping[str, float]
    amounts: Mapping[str, float]
    bought: Mapping[str, float] = field(default_factory=dict)
    span: float | None = None


def observed(
    hours: Sequence[StackHour],
    fuel: FuelHours,
    amounts: Mapping[int, Mapping[str, float]],
    *,
    bought: Mapping[str, float] | None = None,
    spans: Iterable[float] = (),
) -> Observed:
    """Sum up the hours in which both sides and the oxygen are known."""
    used = [each for each in both(hours, fuel) if each.undiluted is not None and each.start_us in amounts]
    checks = list(spans)
    by_source: dict[str, float] = {}
    for each in used:
        for source, amount in amounts[each.start_us].items():
            by_source[source] = by_source.get(source, 0.0) + amount
    return Observed(
        hours=len(used),
        mass=sum(float(each.mass or 0) for each in used),
        undiluted=sum(each.undiluted or 0.0 for each in used),
        emissions={name: float(value) for name, value in fuel.by_source([each.start_us for each in used]).items()},
        amounts=by_source,
        bought=dict(bought or {}),
        span=sum(checks) / len(checks) if checks else None,
    )


def levels(seen: Observed) -> dict[str, float]:
    """The ratios of a time by relation; those it cannot know are absent."""
    whole = sum(seen.emissions.values())
    found = {
        "undiluted_gas": _ratio(seen.mass, seen.undiluted),
        "gas_per_emission": _ratio(seen.undiluted, whole),
        "span_checks": None if seen.span is None else 1 + seen.span,
    }
    names = sorted(seen.amounts)
    for index, first in enumerate(names):
        found |= {
            f"specific:{first}:{second}": _ratio(seen.amounts[first], seen.amounts[second])
            for second in names[index + 1 :]
        }
    for name, emission in seen.emissions.items():
        found[f"carbon_content:{name}"] = _ratio(emission, seen.amounts.get(name))
    found |= {f"stock:{name}": ratio for name, ratio in seen.bought.items()}
    return {name: value for name, value in found.items() if value is not None and value > 0}


def signature(name: str, weights: Mapping[str, float]) -> dict[str, float]:
    """What a relative error of one of each cause adds to the logarithm of a relation; ``weights`` are the sources'
    shares of the fuel side.
    """
    kind, _, rest = name.partition(":")
    if kind in {"undiluted_gas", "span_checks"}:
        return {CONCENTRATION: 1.0}
    if kind == "gas_per_emission":
        parts = {f"{cause}:{source}": -share for source, share in weights.items() for cause in (AMOUNT, CARBON)}
        return {FLOW: 1.0, **parts}
    if kind == "specific":
        first, _, second = rest.partition(":")
        return {f"{AMOUNT}:{first}": 1.0, f"{AMOUNT}:{second}": -1.0}
    return {f"{CARBON if kind == 'carbon_content' else AMOUNT}:{rest}": 1.0}


def relations(now: Observed, reference: Observed, wander: Wander, blocks: Sequence[Observed] = ()) -> list[Relation]:
    """Every relation that both times know. ``blocks`` are parts of the reference time: where there are enough of them,
    what a relation wanders from one to the next is taken from them instead of ``wander``.
    """
    if min(now.hours, reference.hours) < LEAST_HOURS:
        return []
    whole = sum(now.emissions.values())
    weights = {name: value / whole for name, value in now.emissions.items()} if whole else {}
    then = levels(reference)
    if "span_checks" in levels(now):
        then.setdefault("span_checks", 1.0)
    found = []
    for name, level in levels(now).items():
        if name not in then and name.startswith("stock:"):
            then[name] = 1.0  # bought less stock is what was burnt, reference or not
        change = change_of(level, then.get(name))
        if change is None:
            continue
        seen = [one for each in blocks if (one := change_of(levels(each).get(name), then[name])) is not None]
        own = max(pstdev(seen), LEAST_WANDER) if len(seen) >= LEAST_BLOCKS else wander.of(name)
        # both times wander
        found.append(Relation(name=name, change=change, u=own * sqrt(2), signature=signature(name, weights)))
    return found


def _ratio(first: float | None, second: float | None) -> float | None:
    return None if not first or not second else first / second


def explained(
    now: Observed,
    reference: Observed,
    *,
    wander: Wander,
    priors: Mapping[str, float],
    difference: float,
    blocks: Sequence[Observed] = (),
) -> Decomposition:
    """The decomposition of a time's difference stack − fuel (tCO2). ``priors`` hold ``concentration``, ``flow`` and, by
    source, ``amount:…`` and ``carbon:…``.
    """
    stack = now.mass / 1_000
    weights = {CONCENTRATION: stack, FLOW: stack}
    for name, value in now.emissions.items():
        weights |= {f"{AMOUNT}:{name}": -value, f"{CARBON}:{name}": -value}
    known = {name: u for name, u in priors.items() if name in weights}
    return decompose(relations(now, reference, wander, blocks), known, weights, difference)
