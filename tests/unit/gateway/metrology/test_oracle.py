"""Metrology's formulas against GTC, which keeps correlations and budgets of its own."""

import random
from math import atan, cos, isclose, radians, sin, sqrt, tan

import pytest
from GTC import set_correlation, ureal

from gateway.metrology.correction import (
    ErrorPoint,
    TransformerError,
    corrected,
    error_at,
    mean_correction,
    point_error,
    quantisation_u,
)
from gateway.metrology.history import effect_on_total

SEED = 20_261_122


def fully_correlated(values, uncertainties):
    made = [ureal(value, u, independent=False) for value, u in zip(values, uncertainties, strict=True)]
    for place, one in enumerate(made):
        for other in made[place + 1 :]:
            set_correlation(1.0, one, other)
    return made


def test_an_error_between_points_that_share_a_standard():
    rng = random.Random(SEED)
    for _ in range(50):
        errors = [rng.uniform(-1, 1) for _ in range(2)]
        us = [rng.uniform(0.01, 0.2) for _ in range(2)]
        at = rng.uniform(1, 5)
        points = [ErrorPoint(1, errors[0], us[0]), ErrorPoint(5, errors[1], us[1])]
        low, high = fully_correlated(errors, us)
        weight = (at - 1) / 4
        bend = ureal(0.0, abs(errors[1] - errors[0]) / (2 * sqrt(3)) * 4 * weight * (1 - weight))
        theirs = (1 - weight) * low + weight * high + bend
        ours = error_at(points, at, mpe=1)
        assert isclose(ours.error, theirs.x, rel_tol=1e-9, abs_tol=1e-12)
        assert isclose(ours.u, theirs.u, rel_tol=1e-9)


def test_the_mean_of_points_that_share_a_standard():
    errors, us = [0.1, 0.3, -0.2], [0.05, 0.04, 0.06]
    made = fully_correlated(errors, us)
    mean = sum(made) / 3
    scatter = sum((each - mean.x) ** 2 for each in errors) / 3
    ours = mean_correction([ErrorPoint(place, *each) for place, each in enumerate(zip(errors, us, strict=True))])
    assert isclose(ours.error, mean.x, rel_tol=1e-9)
    assert isclose(ours.u, (mean + ureal(0.0, sqrt(scatter))).u, rel_tol=1e-9)


def test_a_corrected_total_and_its_uncertainty():
    energy, error = ureal(1000.0, quantisation_u(0.01)), ureal(0.4, 0.05)
    theirs = energy / (1 + error / 100)
    assert isclose(corrected(1000.0, 0.4), theirs.x, rel_tol=1e-12)
    first_order = sqrt((quantisation_u(0.01) / 1.004) ** 2 + (1000 * 0.0005 / 1.004**2) ** 2)
    assert isclose(theirs.u, first_order, rel_tol=1e-9)


def test_the_phase_term_against_the_exact_ratio_of_measured_to_true_power():
    """The formula is the first order of cos(φ − δ)/cos φ − 1, whose δ is the angle the transformers add together."""
    for power_factor in (1.0, 0.9, 0.5):
        phi = atan(sqrt(1 / power_factor**2 - 1))
        for minutes in (1.0, 10.0, -7.0):
            none = TransformerError(0.0, 0.0)
            ours = point_error(0.0, TransformerError(0.0, minutes), none, power_factor)
            delta = radians(minutes / 60)
            exact = 100 * (cos(phi - delta) / cos(phi) - 1)
            assert isclose(ours, 100 * sin(radians(1 / 60)) * minutes * tan(phi), rel_tol=1e-6, abs_tol=1e-12)
            assert ours == pytest.approx(exact, abs=5e-4)


def test_the_effect_of_a_found_error_takes_the_total_to_what_it_would_have_been():
    found = effect_on_total(1008.0, 0.8)
    assert 1008.0 + found.bound == pytest.approx(1000.0, rel=1e-12)
    assert found.u == pytest.approx(abs(found.bound) / sqrt(12), rel=1e-12)
