"""Numbers for people, against text written by hand."""

from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web import format as shown


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (Fraction(1234567), 0, "1,234,567"),
        (Fraction(5, 2), 0, "2"),  # half to even
        (Fraction(7, 2), 0, "4"),
        (Fraction(-12345, 10), 1, "−1,234.5"),
        (Fraction(-1, 1000), 1, "0.0"),
    ],
)
def test_rounded(value: Fraction, decimals: int, text: str) -> None:
    assert shown.rounded(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "expanded", "text"),
    [
        ("10448704.224", 41794.8, "10,449,000"),  # U 42,000
        ("18936.44", 20.45, "18,936"),
        ("12345.6", 99.6, "12,350"),  # U carries to 100
        ("4.2", 0.0485, "4.200"),
        ("-0.5", 0.012, "−0.500"),
        ("3", 40.0, "3"),
        ("12345.6", None, "12,346"),
        ("0", 0.0, "0"),
    ],
)
def test_as_many_digits_as_u_allows(value: str, expanded: float | None, text: str) -> None:
    assert shown.trusted(Fraction(value), expanded) == text


def test_nothing_is_never_a_zero() -> None:
    assert shown.glance(None) == "—"
    assert shown.glance(Fraction(0)) == "0"
    assert shown.exact(None) == ""


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 4, "0%"), (4, 4, "100%"), (99_999, 100_000, "99.9%"), (1, 100_000, "0.1%"), (0, 0, "—")],
)
def test_a_share_never_rounds_to_all_or_nothing(part: int, whole: int, text: str) -> None:
    assert shown.percent(part, whole) == text


@given(st.fractions(max_denominator=10**6))
def test_exact_text_is_the_value(value: Fraction) -> None:
    assert Fraction(shown.exact(value)) == value


def test_time_of_the_site() -> None:
    assert shown.local(0, ZoneInfo("Asia/Shanghai")) == "1970-01-01 08:00:00"
    assert shown.utc_offset(0, ZoneInfo("Asia/Kathmandu")) == "UTC+05:30"
    assert shown.duration("zh", 90 * 60_000_000) == "90 分钟"
