"""A value with its uncertainty split by cause: the factor model.

u²(T) = Σ_g u_g² (Σ_i c_i s_ig)² + Σ_i c_i² u_i². Effects g are shared: one meter, one transformer, one laboratory
standard, one emission factor err the same way in everything they touch, so they do not average out (JCGM 100, 5.2;
记忆). An estimate keeps per effect its sensitivity s (change of the value for a relative change of the effect) and the
variance that is its own. Sums of estimates are exact in any order and any grouping; products and quotients propagate to
first order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import fsum, sqrt


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A shared cause of error. ``u`` is its relative standard uncertainty (0.005 = 0.5 %), never negative.

    ``kind`` is what it is (``meter``, ``ct``, ``pt``, ``standard``, ``factor``, ``laboratory``, ``substitution``);
    ``shape`` the distribution a Monte Carlo run draws it from; ``basis`` where u comes from (a class, a certificate, a
    file).
    """

    id: str
    kind: str
    label: str
    u: float
    shape: str = "normal"
    basis: str = ""

    def __post_init__(self) -> None:
        if self.u < 0:
            raise ValueError(f"an uncertainty below zero: {self.id}")


@dataclass(frozen=True, slots=True)
class Estimate:
    """``value`` exact; ``sensitivities`` by effect id in the value's unit; ``variance`` the independent part, unit
    squared.

    ``unstated`` names what has no uncertainty on record: where it is not empty, u is not known, and nothing stands for
    it.
    """

    value: Fraction
    sensitivities: Mapping[str, Fraction] = field(default_factory=dict)
    variance: Fraction = Fraction(0)
    unstated: frozenset[str] = frozenset()

    def __add__(self, other: "Estimate") -> "Estimate":
        return total((self, other))

    def __sub__(self, other: "Estimate") -> "Estimate":
        return total((self, other.scaled(Fraction(-1))))

    def scaled(self, factor: Fraction) -> "Estimate":
        """Times an exact number."""
        return Estimate(
            self.value * factor,
            {effect: each * factor for effect, each in self.sensitivities.items()},
            self.variance * factor * factor,
            self.unstated,
        )

    def __mul__(self, other: "Estimate") -> "Estimate":
        left, right = self.scaled(other.value), other.scaled(self.value)
        both = total((left, right))
        return Estimate(self.value * other.value, both.sensitivities, both.variance, both.unstated)

    def __truediv__(self, other: "Estimate") -> "Estimate":
        if other.value == 0:
            raise ZeroDivisionError("an estimate divided by one of value zero")
        left = self.scaled(1 / other.value)
        right = other.scaled(-self.value / (other.value * other.value))
        both = total((left, right))
        return Estimate(left.value, both.sensitivities, both.variance, both.unstated)

    def u(self, effects: Mapping[str, Effect]) -> float | None:
        """Standard uncertainty in the value's unit; None when a part of it is not on record. KeyError: unknown
        effect.
        """
        return None if self.unstated else sqrt(self.shared_and_own(effects))

    def shared_and_own(self, effects: Mapping[str, Effect]) -> float:
        """The variance of what is on record. Summed exactly rounded, in order of effect, so digits repeat."""
        parts = [(float(each) * effects[effect].u) ** 2 for effect, each in sorted(self.sensitivities.items())]
        return fsum((*parts, float(self.variance)))


ZERO = Estimate(Fraction(0))


def total(estimates: Iterable[Estimate]) -> Estimate:
    """The sum; effects that several share add with their signs, so opposite ones cancel."""
    value, variance = Fraction(0), Fraction(0)
    sensitivities: dict[str, Fraction] = {}
    unstated: set[str] = set()
    for each in estimates:
        value += each.value
        variance += each.variance
        unstated |= each.unstated
        for effect, sensitivity in each.sensitivities.items():
            sensitivities[effect] = sensitivities.get(effect, Fraction(0)) + sensitivity
    return Estimate(value, {key: each for key, each in sensitivities.items() if each}, variance, frozenset(unstated))


def measured(value: Fraction, effects: Iterable[str], own_u: float = 0.0, unstated: Iterable[str] = ()) -> Estimate:
    """A measured amount on which relative effects act in full; ``own_u`` its independent standard uncertainty."""
    return Estimate(value, dict.fromkeys(effects, value) if value else {}, Fraction(own_u) ** 2, frozenset(unstated))


def factor_estimate(value: Fraction, effect: str | None, unstated: Iterable[str] = ()) -> Estimate:
    """A factor whose error, where it has an effect, is the same wherever the factor is used."""
    return measured(value, () if effect is None else (effect,), unstated=unstated)
