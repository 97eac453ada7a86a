"""Monte Carlo for what first-order propagation does badly: ratios with a large denominator error, skewed factors.

The *factors* are drawn (tens of them), not the readings. Seeded: the same seed gives the same digits (JCGM 101; 记忆).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp, fsum, log, sqrt
from random import Random

from gateway.accounting.estimate import Effect, Estimate

MAX_DRAWS = 1_000_000
DEFAULT_DRAWS = 20_000
SHAPES = ("normal", "rectangular", "triangular", "lognormal")
_LOW, _HIGH = 0.025, 0.975


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """What the draws say: ``mean`` and standard deviation ``u``, and the middle 95 % from ``low`` to ``high``."""

    draws: int
    seed: int
    mean: float
    u: float
    low: float
    high: float

    def agrees(self, value: float, u: float) -> bool:
        """Whether value ± 2 u is the same interval within half a unit of the second digit of u (JCGM 101, 8.1;
        记忆).
        """
        if u <= 0:
            return self.u == 0
        delta = 0.5 * 10.0 ** _second_digit(u)
        return abs(value - 1.96 * u - self.low) <= delta and abs(value + 1.96 * u - self.high) <= delta


def _second_digit(u: float) -> int:
    exponent = 0
    while u >= 100:
        u /= 10
        exponent += 1
    while u < 10:
        u *= 10
        exponent -= 1
    return exponent


def sample(
    model: Callable[[Mapping[str, float]], float],
    effects: Mapping[str, Effect],
    *,
    seed: int,
    draws: int = DEFAULT_DRAWS,
) -> Sampled:
    """Draw every effect's relative error ``draws`` times and ask the model for its value.

    The model gets a relative error by effect id (0.01: one percent high). ValueError: too many or too few draws, or an
    unknown shape.
    """
    if not 100 <= draws <= MAX_DRAWS:
        raise ValueError(f"between 100 and {MAX_DRAWS} draws")
    # a generator for arithmetic, not for secrets; its seed is part of the result
    chance = Random(seed)  # noqa: S311
    ordered = [effects[each] for each in sorted(effects)]
    values = sorted(model({each.id: _error(chance, each) for each in ordered}) for _ in range(draws))
    mean = fsum(values) / draws
    variance = fsum((each - mean) ** 2 for each in values) / (draws - 1)
    return Sampled(
        draws=draws,
        seed=seed,
        mean=mean,
        u=sqrt(variance),
        low=values[round(_LOW * draws)],
        high=values[min(draws - 1, round(_HIGH * draws))],
    )


def _error(chance: Random, effect: Effect) -> float:
    u = effect.u
    if u == 0:
        return 0.0
    if effect.shape == "normal":
        return chance.gauss(0.0, u)
    if effect.shape == "rectangular":
        return chance.uniform(-u * sqrt(3), u * sqrt(3))
    if effect.shape == "triangular":
        return chance.triangular(-u * sqrt(6), u * sqrt(6), 0.0)
    if effect.shape == "lognormal":
        # mean 1, standard deviation u
        variance = log(1 + u * u)
        return exp(chance.gauss(-variance / 2, sqrt(variance))) - 1
    raise ValueError(f"no distribution is called {effect.shape!r}; one of {SHAPES}")


def of_estimate(estimate: Estimate) -> Callable[[Mapping[str, float]], float]:
    """The linear model of an estimate's shared effects."""
    value = float(estimate.value)
    weights = [(effect, float(each)) for effect, each in sorted(estimate.sensitivities.items())]
    return lambda errors: value + fsum(weight * errors[effect] for effect, weight in weights)


def of_quotient(numerator: Estimate, denominator: Estimate) -> Callable[[Mapping[str, float]], float]:
    """The quotient of two estimates, drawn as it is and not linearised."""
    top, bottom = of_estimate(numerator), of_estimate(denominator)
    return lambda errors: top(errors) / bottom(errors)
