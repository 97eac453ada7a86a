"""Published numbers and the borders of each decision rule."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.metrology.conformity import RULES, Conformity, conformance_probability, decide
from gateway.metrology.correction import (
    ErrorPoint,
    TransformerError,
    corrected,
    error_at,
    phase_term,
    point_error,
    quantisation_u,
)
from gateway.metrology.history import (
    US_PER_YEAR,
    Check,
    drift_per_year,
    effect_on_total,
    is_significant,
    look_back,
    risk_date,
)


def test_the_example_of_jcgm_106():
    assert conformance_probability(13.6, 1.8, 12.5, 16.3) == pytest.approx(0.6626, abs=5e-5)


@pytest.mark.parametrize(
    ("error", "expanded", "state"),
    [
        (0.99, 0.3, Conformity.PASS),  # U ≤ L/3: simple acceptance
        (1.01, 0.3, Conformity.FAIL),
        (0.5, 0.5, Conformity.PASS),
        (0.51, 0.5, Conformity.UNDETERMINED),
        (-1.49, 0.5, Conformity.UNDETERMINED),
        (-1.5, 0.5, Conformity.FAIL),
    ],
)
def test_jjf_1094(error, expanded, state):
    assert decide(error, expanded, 2, 1.0).state is state


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (0.8, Conformity.PASS),
        (0.9, Conformity.CONDITIONAL_PASS),
        (-1.1, Conformity.CONDITIONAL_FAIL),
        (1.21, Conformity.FAIL),
    ],
)
def test_ilac_g8(error, state):
    found = decide(error, 0.2, 2, 1.0, "ilac_g8")
    assert (found.state, found.guard_band, found.rule_id) == (state, 0.2, "ilac_g8")


def test_the_one_sided_guard_band_of_jcgm_106_is_eighty_two_percent_of_u():
    assert decide(0, 0.2, 2, 1.0, "jcgm106").guard_band == pytest.approx(0.8225 * 0.2)


@given(st.floats(-5, 5), st.floats(0, 3), st.sampled_from(sorted(RULES)))
def test_a_pass_is_never_less_likely_than_a_fail(error, expanded, rule):
    found = decide(error, expanded, 2, 1.0, rule)
    assert 0 <= found.p_conformity <= 1
    if found.state is Conformity.FAIL and abs(error) > 1:
        assert found.p_conformity <= 0.5
    if found.state is Conformity.PASS and expanded > 1 / 3:
        assert found.p_conformity >= 0.5


@pytest.mark.parametrize("bad", [(0, -1, 2, 1), (0, 1, 0, 1), (0, 1, 2, 0)])
def test_nonsense_is_refused(bad):
    with pytest.raises(ValueError, match="positive"):
        decide(*bad)


def test_the_error_between_two_points():
    points = [ErrorPoint(1, 0.1, 0.05), ErrorPoint(5, 0.3, 0.05), ErrorPoint(10, 0.3, 0.1)]
    middle = error_at(points, 3, mpe=1)
    assert middle.error == pytest.approx(0.2)
    assert middle.u == pytest.approx(math.hypot(0.05, 0.2 / (2 * math.sqrt(3))))
    assert error_at(points, 5, mpe=1).u == pytest.approx(0.05)
    assert error_at(points, 7.5, mpe=1).u == pytest.approx(0.075)  # fully correlated: linear
    outside = error_at(points, 0.5, mpe=1)
    assert (outside.outside, outside.u) == (True, pytest.approx(1 / math.sqrt(3)))


def test_formulas_of_the_metering_point():
    assert corrected(100.5, 0.5) == pytest.approx(100)
    assert phase_term(10, 60) == pytest.approx(0.5, abs=0.005)
    none = TransformerError(0, 0)
    assert point_error(0.1, none, none, 1.0) == pytest.approx(0.1)
    assert point_error(0.1, TransformerError(0.2, 10), TransformerError(-0.1, 0), 0.5) == pytest.approx(
        0.2 + 100 * math.sin(math.radians(1 / 60)) * 10 * math.tan(math.acos(0.5)), rel=1e-6
    )
    assert quantisation_u(0.01) == pytest.approx(0.01 / math.sqrt(6))


def year(number):
    return round(number * US_PER_YEAR)


def test_look_back_goes_to_the_last_good_evidence():
    checks = [Check(year(1), 0.1, 0.05, True, as_left=True), Check(year(2), 0.2, 0.05, True)]
    failed = Check(year(3), 1.4, 0.05, False)
    found = look_back(checks, failed, year(3))
    assert (found.from_us, found.to_us, found.possible) == (year(2), year(3), True)
    assert look_back(checks, Check(year(3), 0.3, 0.05, True), year(3)) is None
    blind = look_back(checks, None, year(3))
    assert (blind.from_us, blind.possible) == (year(2), False)
    assert look_back([], failed, year(3)).from_us == 0


def test_the_effect_of_a_found_error():
    effect = effect_on_total(101_000, 1.0)
    assert effect.bound == pytest.approx(-1000)
    assert (effect.estimate, effect.u) == (pytest.approx(-500), pytest.approx(1000 / (2 * math.sqrt(3))))
    assert is_significant(effect, 2900)
    assert not is_significant(effect, 3100)


def test_the_risk_date_comes_from_the_instruments_own_drift():
    checks = [Check(year(1), 0.1, 0.05, True, as_left=True), Check(year(3), 0.3, 0.05, True)]
    drift = drift_per_year(checks)
    assert drift == pytest.approx(0.1)
    assert risk_date(checks[-1], 0.5, drift) == pytest.approx(year(4.5), abs=5)
    assert risk_date(checks[-1], 0.5, 0) is None
    assert drift_per_year(checks[:1]) is None
