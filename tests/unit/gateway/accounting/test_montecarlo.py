"""Seeded, and right where first order is right; different where it is not."""

from fractions import Fraction

import pytest

from gateway.accounting.estimate import Effect, factor_estimate, measured
from gateway.accounting.montecarlo import of_estimate, of_quotient, sample

METER = Effect(id="m", kind="meter", label="", u=0.01)
EF = Effect(id="e", kind="factor", label="", u=0.05)


def test_the_same_seed_gives_the_same_digits() -> None:
    model = of_estimate(measured(Fraction(100), ["m"]))
    first, again = (sample(model, {"m": METER}, seed=7, draws=2000) for _ in range(2))
    assert first == again
    assert first != sample(model, {"m": METER}, seed=8, draws=2000)


def test_a_linear_total_agrees_with_first_order() -> None:
    carbon = measured(Fraction(1000), ["m"]) * factor_estimate(Fraction(1, 2), "e")
    effects = {"m": METER, "e": EF}
    drawn = sample(of_estimate(carbon), effects, seed=1, draws=40_000)
    u = carbon.u(effects)
    assert u is not None
    assert drawn.agrees(float(carbon.value), u)


def test_a_ratio_over_an_uncertain_denominator_is_skewed() -> None:
    wide = Effect(id="w", kind="factor", label="", u=0.25)
    top, bottom = measured(Fraction(100), ["m"]), measured(Fraction(10), ["w"])
    effects = {"m": METER, "w": wide}
    drawn = sample(of_quotient(top, bottom), effects, seed=1, draws=20_000)
    ratio = top / bottom
    u = ratio.u(effects)
    assert u is not None
    assert not drawn.agrees(float(ratio.value), u)
    assert drawn.high - 10 > 10 - drawn.low
    assert drawn.mean > 10.4


@pytest.mark.parametrize("shape", ["normal", "rectangular", "triangular", "lognormal"])
def test_every_shape_has_the_standard_deviation_it_is_given(shape: str) -> None:
    effect = Effect(id="x", kind="factor", label="", u=0.2, shape=shape)
    drawn = sample(lambda errors: 1 + errors["x"], {"x": effect}, seed=3, draws=30_000)
    assert drawn.u == pytest.approx(0.2, rel=0.03)
    assert drawn.mean == pytest.approx(1, abs=0.005)


def test_limits() -> None:
    with pytest.raises(ValueError, match="draws"):
        sample(lambda _: 0, {}, seed=1, draws=10_000_000)
    with pytest.raises(ValueError, match="no distribution"):
        sample(lambda e: e["x"], {"x": Effect(id="x", kind="factor", label="", u=1, shape="odd")}, seed=1, draws=100)
