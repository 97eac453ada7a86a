"""The uncertainty budget of a total: which meter, certificate or factor dominates, and what a better one would buy."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import sqrt

from gateway.accounting.estimate import Effect, Estimate

# the accuracy classes of electricity meters and transformers, in the order one would improve them
CLASS_STEPS = ("2", "1", "0.5", "0.2", "0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One cause's part. ``contribution`` is |s|·u in the total's unit; ``share`` of the variance (0..1)."""

    effect: Effect | None  # None: the independent remainder
    sensitivity: float
    contribution: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A total's budget, largest contribution first; ``u`` covers what is on record, ``unstated`` what is not."""

    value: Fraction
    u: float
    contributions: tuple[Contribution, ...]
    unstated: tuple[str, ...]

    def dominating(self, share: float = 0.5) -> tuple[Contribution, ...]:
        """The fewest contributions that together hold a share of the variance."""
        found: list[Contribution] = []
        held = 0.0
        for each in self.contributions:
            if held >= share or each.contribution == 0:
                break
            found.append(each)
            held += each.share
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Improvement:
    """What replacing one cause by a better one does to the total's standard uncertainty."""

    effect: Effect
    better_u: float
    before: float
    after: float

    @property
    def saved_percent(self) -> float:
        """By how much u shrinks, in percent of what it is."""
        return 0.0 if self.before == 0 else 100 * (1 - self.after / self.before)


def budget(estimate: Estimate, effects: Mapping[str, Effect]) -> Budget:
    """The budget of an estimate."""
    variance = estimate.shared_and_own(effects)
    rows = [
        _contribution(effects[effect], float(sensitivity), abs(float(sensitivity)) * effects[effect].u, variance)
        for effect, sensitivity in estimate.sensitivities.items()
    ]
    if estimate.variance:
        rows.append(_contribution(None, 1.0, sqrt(float(estimate.variance)), variance))
    rows.sort(key=lambda row: (-row.contribution, row.effect.id if row.effect else ""))
    return Budget(
        value=estimate.value, u=sqrt(variance), contributions=tuple(rows), unstated=tuple(sorted(estimate.unstated))
    )


def _contribution(effect: Effect | None, sensitivity: float, contribution: float, variance: float) -> Contribution:
    share = contribution**2 / variance if variance else 0.0
    return Contribution(effect=effect, sensitivity=sensitivity, contribution=contribution, share=share)


def with_better(estimate: Estimate, effects: Mapping[str, Effect], effect: str, better_u: float) -> Improvement:
    """What the total's u would be with ``better_u`` (relative) for one effect; KeyError when it has no such effect."""
    if effect not in estimate.sensitivities:
        raise KeyError(effect)
    improved = {**effects, effect: replace(effects[effect], u=better_u)}
    before, after = sqrt(estimate.shared_and_own(effects)), sqrt(estimate.shared_and_own(improved))
    return Improvement(effect=effects[effect], better_u=better_u, before=before, after=after)


def class_u(accuracy_class: float, in_service_factor: float = 1.0) -> float:
    """Relative standard uncertainty of an instrument of a class: ±class % taken as a rectangle (JJF 1059.1; 记忆)."""
    return accuracy_class * in_service_factor / (100 * sqrt(3))


def next_class(u: float) -> tuple[str, float] | None:
    """The next better class than one whose relative u is ``u``, and its u; None when none is better."""
    for step in CLASS_STEPS:
        better = class_u(float(step))
        if better < u * (1 - 1e-9):
            return step, better
    return None


def improvements(estimate: Estimate, effects: Mapping[str, Effect], limit: int = 10) -> list[Improvement]:
    """One class better for each instrument, what it buys, most first; at most ``limit``."""
    found = []
    for effect in sorted(estimate.sensitivities):
        step = next_class(effects[effect].u) if effects[effect].kind in {"meter", "ct", "pt"} else None
        if step is not None:
            found.append(with_better(estimate, effects, effect, step[1]))
    found.sort(key=lambda each: (each.after, each.effect.id))
    return found[:limit]
