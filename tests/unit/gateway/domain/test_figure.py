"""What a figure shows."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.figure import Figure, decimal_fraction, decimal_text


@pytest.mark.parametrize(
    ("value", "u", "shown"),
    [
        ("1234.5678", 0.5, ("1234.6", "1.0")),
        ("1234.5678", 60.0, ("1230", "120")),
        ("1234.5678", 0.0498, ("1234.57", "0.10")),
        ("0.000123456", 0.00000061, ("0.0001235", "0.0000012")),
        ("527.214285714", 0.0, ("527.214", "0")),
        ("-12.345", 0.05, ("-12.34", "0.10")),
        ("1234567.25", None, ("1234567", "")),
    ],
)
def test_digits_follow_the_uncertainty(value: str, u: float | None, shown: tuple[str, str]) -> None:
    assert Figure(value=Fraction(value), unit="t", u=u).displayed() == shown


@pytest.mark.parametrize(
    ("value", "shown"), [("2700/28", "96.43"), ("100", "100"), ("0.124882", "0.12"), ("0.00345", "0.0034"), ("0", "0")]
)
def test_a_share_has_two_places(value: str, shown: str) -> None:
    assert Figure(value=Fraction(value), unit="%").displayed() == (shown, "")


def test_what_is_not_known_shows_nothing() -> None:
    figure = Figure(value=None, unit="t")
    assert figure.displayed() == ("", "")
    assert figure.expanded is None
    assert figure.relative_percent is None


def test_relative() -> None:
    assert Figure(value=Fraction(200), unit="t", u=1.0).relative_percent == pytest.approx(1.0)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=9))
def test_decimal_text_goes_there_and_back(value: object) -> None:
    assert decimal_fraction(decimal_text(Fraction(str(value)))) == Fraction(str(value))


def test_quotients() -> None:
    assert decimal_fraction("293.15/273.15") == Fraction(29315, 27315)
    with pytest.raises(ValueError, match="by zero"):
        decimal_fraction("1/0")
