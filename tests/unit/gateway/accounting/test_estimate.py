"""The factor model against two libraries that share nothing with it."""

import random
from fractions import Fraction
from functools import reduce
from math import isclose, sqrt

import pytest
from GTC import component, get_covariance, ureal
from hypothesis import given
from hypothesis import strategies as st
from uncertainties import correlated_values, ufloat

from gateway.accounting.budget import budget, class_u, improvements, with_better
from gateway.accounting.estimate import Effect, Estimate, factor_estimate, measured, total

SEED = 20_260_101
U = {"meter-a": 0.003, "meter-b": 0.006, "ct": 0.0012, "ef": 0.05, "ncv": 0.01}
KINDS = {"meter-a": "meter", "meter-b": "meter"}
EFFECTS = {name: Effect(id=name, kind=KINDS.get(name, "factor"), label=name, u=u) for name, u in U.items()}


def test_shared_effects_do_not_average_out() -> None:
    hours = [measured(Fraction(10), ["meter-a"], own_u=0.1) for _ in range(10_000)]
    u = total(hours).u(EFFECTS)
    assert u is not None
    assert isclose(u, sqrt((100_000 * 0.003) ** 2 + 10_000 * 0.1**2), rel_tol=1e-12)
    assert u > 25 * 0.1 * sqrt(10_000)  # the naive sum of independent errors is far off


def test_against_uncertainties_and_gtc_on_random_plants() -> None:
    rng = random.Random(SEED)
    for _ in range(40):
        amounts = [Fraction(rng.randint(1, 10**6), 100) for _ in range(6)]
        meters = [rng.choice(["meter-a", "meter-b"]) for _ in amounts]
        owns = [rng.choice([0.25, 0.5, 3.0]) for _ in amounts]
        factor, ncv, quotient = Fraction(rng.randint(1, 99), 100), Fraction(rng.randint(10, 40)), rng.random() < 0.5
        ours_sum = total(
            measured(amount, [meter, "ct"], own_u=own) for amount, meter, own in zip(amounts, meters, owns, strict=True)
        )
        ours = ours_sum * factor_estimate(factor, "ef") * factor_estimate(ncv, "ncv")
        if quotient:
            ours = ours / measured(Fraction(777), ["ct"])
        for make in (ufloat, ureal):
            shared = {name: make(0.0, u) for name, u in U.items()}
            parts = [
                float(amount) * (1 + shared[meter] + shared["ct"]) + make(0.0, own)
                for amount, meter, own in zip(amounts, meters, owns, strict=True)
            ]
            whole = reduce(lambda a, b: a + b, parts)
            whole = whole * float(factor) * (1 + shared["ef"]) * float(ncv) * (1 + shared["ncv"])
            if quotient:
                whole = whole / (777 * (1 + shared["ct"]))
            theirs = whole.s if make is ufloat else whole.u
            value = whole.n if make is ufloat else whole.x
            assert isclose(float(ours.value), value, rel_tol=1e-12)
            assert isclose(ours.u(EFFECTS) or 0, theirs, rel_tol=1e-9)


def test_budget_components_agree_with_gtc() -> None:
    ef, meter = ureal(0.0, U["ef"]), ureal(0.0, U["meter-a"])
    theirs = 1000 * (1 + meter) * 0.5 * (1 + ef)
    ours = measured(Fraction(1000), ["meter-a"]) * factor_estimate(Fraction(1, 2), "ef")
    rows = {row.effect.id: row for row in budget(ours, EFFECTS).contributions if row.effect}
    assert isclose(rows["ef"].contribution, abs(component(theirs, ef)), rel_tol=1e-12)
    assert isclose(rows["meter-a"].contribution, abs(component(theirs, meter)), rel_tol=1e-12)
    assert isclose(sum(row.share for row in rows.values()), 1, rel_tol=1e-12)
    assert budget(ours, EFFECTS).dominating()[0].effect == EFFECTS["ef"]
    assert get_covariance(theirs, ef) != 0


def test_a_difference_of_two_meters_on_one_transformer_loses_its_error() -> None:
    parent, child = measured(Fraction(1000), ["meter-a", "ct"]), measured(Fraction(1000), ["meter-b", "ct"])
    difference = parent - child
    assert "ct" not in difference.sensitivities
    (a, b, ct) = correlated_values([0, 0, 0], [[0.003**2, 0, 0], [0, 0.006**2, 0], [0, 0, 0.0012**2]])
    theirs = 1000 * (1 + a + ct) - 1000 * (1 + b + ct)
    assert isclose(difference.u(EFFECTS) or 0, theirs.s, rel_tol=1e-12)


def test_what_is_not_on_record_makes_u_unknown_and_is_named() -> None:
    whole = measured(Fraction(5), ["meter-a"]) + measured(Fraction(7), [], unstated=["meter-x"])
    assert whole.u(EFFECTS) is None
    assert budget(whole, EFFECTS).unstated == ("meter-x",)


def test_what_a_better_meter_buys() -> None:
    poor = Effect(id="meter-a", kind="meter", label="a", u=class_u(2))
    effects = {**EFFECTS, "meter-a": poor}
    whole = measured(Fraction(1000), ["meter-a"]) + measured(Fraction(10), ["meter-b"])
    best = improvements(whole, effects)[0]
    assert best.effect == poor
    assert isclose(best.better_u, class_u(1), rel_tol=1e-12)
    better = Effect(id="x", kind="meter", label="", u=class_u(1))
    assert isclose(best.after, whole.u({**effects, "meter-a": better}) or 0)
    assert 40 < best.saved_percent < 51
    with pytest.raises(KeyError):
        with_better(whole, effects, "ef", 0.1)


def test_an_uncertainty_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="below zero"):
        Effect(id="a", kind="meter", label="", u=-0.1)


amounts = st.fractions(min_value=-1000, max_value=1000, max_denominator=1000)
parts = st.lists(
    st.builds(lambda value, effect: measured(value, [effect], own_u=0.25), amounts, st.sampled_from(sorted(U))),
    min_size=1,
    max_size=12,
)


@given(parts, st.data())
def test_any_grouping_gives_the_same_digits(estimates: list[Estimate], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(estimates)))
    shuffled = data.draw(st.permutations(estimates))
    grouped = total([total(shuffled[:cut]), total(shuffled[cut:])])
    assert grouped == total(estimates)
    assert grouped.u(EFFECTS) == total(estimates).u(EFFECTS)
