"""Tests of a monitor: vectors worked by hand from the formulas of 40 CFR 75, appendix A, to the printed digit.

Each figure below was computed with pencil from the equation named beside it, not with the product.
"""

from fractions import Fraction

import pytest

from gateway.cems.assurance import check, linearity, relative_accuracy, t_value
from gateway.cems.pack import AccuracyLimits, CheckLimits, LinearityLimits

CHECK = CheckLimits(percent_of_span=Fraction("2.5"), absolute=Fraction("0.5"), out_factor=Fraction(2))
LINEAR = LinearityLimits(percent=Fraction(5), absolute=Fraction("0.5"))
ACCURACY = AccuracyLimits(
    least_runs=9,
    percent=Fraction(10),
    absolute=Fraction(1),
    reduced_percent=Fraction("7.5"),
    reduced_absolute=Fraction("0.7"),
    quarters=2,
    reduced_quarters=4,
    bias=("flow",),
)


def _pairs(reference: str, monitor: str) -> list[tuple[Fraction, Fraction]]:
    return [(Fraction(a), Fraction(b)) for a, b in zip(reference.split(), monitor.split(), strict=True)]


def test_a_calibration_error_by_a5() -> None:
    """|12.00 − 11.70| / 20.0 · 100 = 1.50 % of span."""
    found = check(Fraction("12.00"), Fraction("11.70"), Fraction(20), CHECK)
    assert found.error == Fraction("1.5")
    assert found.difference == Fraction("-0.3")
    assert (found.passed, found.out_of_control) == (True, False)


@pytest.mark.parametrize(
    ("reading", "passed", "out"),
    [("12.5", True, False), ("12.51", False, False), ("13.0", False, False), ("13.01", False, True)],
)
def test_a_check_fails_beyond_its_limit_and_is_out_of_control_beyond_twice_it(
    reading: str, passed: bool, out: bool
) -> None:
    """Span 20: 2.5 % is 0.50, twice it 1.00; the absolute limit of 0.5 % CO2 is the same here."""
    found = check(Fraction(12), Fraction(reading), Fraction(20), CHECK)
    assert (found.passed, found.out_of_control) == (passed, out)


def test_the_absolute_limit_helps_where_the_span_is_small() -> None:
    """Span 10: 0.4 is 4.0 % of span but only 0.4 % CO2."""
    found = check(Fraction(5), Fraction("5.4"), Fraction(10), CHECK)
    assert found.error == 4
    assert found.passed


def test_linearity_by_a4() -> None:
    """Low 5.0: (4.9, 5.0, 4.8), mean 4.9, 2.0 %. Mid 11.0: (11.4, 11.5, 11.6), mean 11.5, 4.5454… %. High 18.0: 16.8,
    17.0, 16.9, mean 16.9, 6.11… % and 1.1 % CO2 absolute: it fails."""
    levels = [
        (Fraction(5), [Fraction("4.9"), Fraction(5), Fraction("4.8")]),
        (Fraction(11), [Fraction("11.4"), Fraction("11.5"), Fraction("11.6")]),
        (Fraction(18), [Fraction("16.8"), Fraction(17), Fraction("16.9")]),
    ]
    found = linearity(levels, LINEAR)
    assert [each.error for each in found] == [2, Fraction(50, 11), Fraction(55, 9)]
    assert [each.passed for each in found] == [True, True, False]


def test_relative_accuracy_by_a7_to_a10() -> None:
    """Nine runs, differences (0.2 0.1 0.3 0.2 0.0 0.2 0.1 0.3 0.4): sum 1.8, d̄ 0.2000; Σd² 0.48, (Σd)²/n 0.36, so
    S_d = √(0.12/8) = √0.015 = 0.122474; cc = 2.306 · 0.122474/3 = 0.094142; RM̄ = 12.0; RA = (0.2 + 0.094142)/12 · 100 =
    2.45118 %. d̄ > cc: biased; mean monitor 11.8; factor 1 + 0.2/11.8 = 1.016949."""
    reference = "12.0 12.1 11.9 12.0 12.2 11.8 12.0 12.1 11.9"
    monitor = "11.8 12.0 11.6 11.8 12.2 11.6 11.9 11.8 11.5"
    found = relative_accuracy(_pairs(reference, monitor), ACCURACY, parameter="flow")
    assert f"{found.mean_difference:.4f}" == "0.2000"
    assert f"{found.deviation:.6f}" == "0.122474"
    assert f"{found.confidence:.4f}" == "0.0941"
    assert f"{found.relative:.4f}" == "2.4512"
    assert found.biased
    assert found.factor is not None
    assert f"{found.factor:.6f}" == "1.016949"
    assert (found.passed, found.quarters) == (True, 4)


def test_a_monitor_that_reads_high_is_not_biased() -> None:
    """The bias test is one-sided: d̄ = −0.2 is below cc, the factor stays 1."""
    reference = "11.8 12.0 11.6 11.8 12.2 11.6 11.9 11.8 11.5"
    monitor = "12.0 12.1 11.9 12.0 12.2 11.8 12.0 12.1 11.9"
    found = relative_accuracy(_pairs(reference, monitor), ACCURACY, parameter="flow")
    assert not found.biased
    assert found.factor == 1.0


def test_between_the_limits_the_next_test_is_due_sooner() -> None:
    """Ten runs, reference 10.0 throughout; monitor 9.1 five times and 9.3 five times: d̄ 0.8; Σd² = 5·0.81 + 5·0.49 =
    6.5, (Σd)²/n = 6.4, S_d = √(0.1/9) = 0.105409; cc = 2.262 · 0.105409/√10 = 0.075400; RA = 8.7540 %: passed, but
    above 7.5 % and 0.7 % CO2, so two quarters. No factor for CO2."""
    found = relative_accuracy(_pairs("10 " * 10, "9.1 9.3 " * 5), ACCURACY)
    assert f"{found.deviation:.6f}" == "0.105409"
    assert f"{found.confidence:.4f}" == "0.0754"
    assert f"{found.relative:.4f}" == "8.7540"
    assert (found.passed, found.quarters, found.factor) == (True, 2, None)


def test_the_alternative_limit_passes_a_small_mean_difference() -> None:
    """Reference 4.0, monitor 3.4 and 3.6 in turn: RA about 14 %, but d̄ = 0.5 % CO2 is within 1.0, and within 0.7."""
    found = relative_accuracy(_pairs("4 " * 10, "3.4 3.6 " * 5), ACCURACY)
    assert found.relative > 10
    assert (found.passed, found.quarters) == (True, 4)


def test_a_test_of_eight_runs_is_none() -> None:
    found = relative_accuracy(_pairs("10 " * 8, "10 " * 8), ACCURACY)
    assert (found.passed, found.quarters) == (False, None)


def test_a_failed_test() -> None:
    """d̄ = 2: RA at least 20 %."""
    found = relative_accuracy(_pairs("10 " * 9, "8 " * 9), ACCURACY)
    assert (found.passed, found.quarters, found.relative) == (False, None, 20.0)


def test_without_limits_there_is_no_verdict() -> None:
    assert check(Fraction(1), Fraction(2), Fraction(10), None).passed is None
    assert linearity([(Fraction(1), [Fraction(1)])], None)[0].passed is None
    found = relative_accuracy(_pairs("1 1 1", "1 1 1"), None)
    assert (found.passed, found.factor, found.quarters) == (None, None, None)


def test_what_is_no_test_is_refused() -> None:
    with pytest.raises(ValueError, match="span"):
        check(Fraction(1), Fraction(1), Fraction(0), CHECK)
    with pytest.raises(ValueError, match="level"):
        linearity([(Fraction(0), [Fraction(1)])], LINEAR)
    with pytest.raises(ValueError, match="runs"):
        relative_accuracy(_pairs("1 1", "1 1"), ACCURACY)
    with pytest.raises(ValueError, match="above zero"):
        relative_accuracy(_pairs("0 0 0", "1 1 1"), ACCURACY)


@pytest.mark.parametrize(("freedom", "t"), [(1, 12.706), (8, 2.306), (9, 2.262), (10, 2.228), (30, 2.042), (99, 2.042)])
def test_student(freedom: int, t: float) -> None:
    assert t_value(freedom) == t
