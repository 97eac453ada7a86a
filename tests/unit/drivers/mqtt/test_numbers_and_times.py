"""Exact scaling and the trust in device time, against fractions and hand-computed instants."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.mqtt.locators import ABSENT, at_path, parse_path
from drivers.mqtt.numbers import Scale, parse_number, round_half_even
from drivers.mqtt.timestamps import TimeRule, Trust, zone_minutes

S = 1_000_000


def scaled(value: int | Decimal, numerator: int, denominator: int, decimals: int) -> int | None:
    return Scale(numerator, denominator, decimals).apply(value)


NOON_US = 1_795_348_800 * S  # 2026-11-22T12:00:00Z


def rule(text: str = "iso8601", zone: int | None = None, ahead_s: int = 60, age_s: int = 604_800) -> TimeRule:
    return TimeRule(text, zone, ahead_s * S, age_s * S)


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**6))
def test_rounding_is_to_the_nearest_and_ties_to_even(numerator: int, denominator: int) -> None:
    assert round_half_even(numerator, denominator) == round(Fraction(numerator, denominator))


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6),
    st.integers(1, 1000),
    st.integers(1, 1000),
    st.integers(0, 9),
)
def test_scaling_is_exact(value: Decimal, numerator: int, denominator: int, decimals: int) -> None:
    exact = Fraction(value) * Fraction(numerator, denominator) * 10**decimals
    fits = -(2**63) <= round(exact) < 2**63
    assert scaled(value, numerator, denominator, decimals) == (round(exact) if fits else None)


@pytest.mark.parametrize(
    "value",
    [
        Decimal("1e999999"),
        Decimal("-1e31"),
        Decimal("NaN"),
        Decimal("Infinity"),
        2**63,
        -(2**63) - 1,
        Decimal("0." + "1" * 61),
    ],
)
def test_what_does_not_fit_is_refused(value: Decimal | int) -> None:
    assert scaled(value, 1, 1, 0) is None


def test_the_ends_of_the_range_and_tiny_numbers_fit() -> None:
    assert scaled(2**63 - 1, 1, 1, 0) == 2**63 - 1
    assert scaled(-(2**63), 1, 1, 0) == -(2**63)
    assert scaled(Decimal("1e-999999"), 1, 1, 9) == 0
    assert scaled(Decimal("0e999999"), 1, 1, 9) == 0
    assert scaled(Decimal("0.5"), 1, 1, 0) == 0
    assert scaled(Decimal("1.5"), 1, 1, 0) == 2
    assert scaled(Decimal("-0.5"), 1, 1, 0) == 0


@pytest.mark.parametrize(
    "text", ["", "1,5", "1 000", "0x10", "１２", "NaN", "inf", "1.", ".5", "1e", "--1", "1_0", "1e9999"]
)
def test_a_text_that_may_mean_two_things_is_no_number(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize(("text", "value"), [(" 12.50\r\n", "12.5"), ("-3e2", "-300"), ("+007", "7")])
def test_plain_numbers(text: str, value: str) -> None:
    assert parse_number(text) == Decimal(value)


@pytest.mark.parametrize(
    ("subject", "raw", "at_us"),
    [
        (rule(), "2026-11-22T12:00:00Z", NOON_US),
        (rule(), "2026-11-22T20:00:00.250+08:00", NOON_US + 250_000),
        (rule(), "2026-11-22 20:00:00+0800", NOON_US),
        (rule(zone=480), "2026-11-22T20:00:00", NOON_US),
        (rule("epoch_s"), 1_795_348_800, NOON_US),
        (rule("epoch_s"), Decimal("1795348800.5"), NOON_US + 500_000),
        (rule("epoch_ms"), "1795348800123", NOON_US + 123_000),
        (rule("epoch_us"), NOON_US, NOON_US),
        (rule("%Y%m%d%H%M%S", 480), "20261122200000", NOON_US),
        (rule("%Y%m%d%H%M%S", 480), 20_261_122_200_000, NOON_US),
        (rule("%d/%m/%Y %H:%M", -300), "22/11/2026 07:00", NOON_US),
    ],
)
def test_times_are_read(subject: TimeRule, raw: object, at_us: int) -> None:
    assert subject.judge(raw, NOON_US + S) == (at_us, Trust.TRUSTED)


@pytest.mark.parametrize(
    ("subject", "raw"),
    [
        (rule(), "2026-11-22T12:00:00"),
        (rule(), "2026-W47-7T12:00:00Z"),
        (rule(), "２026-11-22T12:00:00Z"),
        (rule(), "2026-13-22T12:00:00Z"),
        (rule(), 1_795_348_800),
        (rule("epoch_s"), True),
        (rule("epoch_s"), "12:00"),
        (rule("epoch_s"), Decimal("1e999")),
        (rule("epoch_ms"), -1),
        (rule("%Y%m%d%H%M%S", 480), "20261122"),
        (rule("%Y%m%d%H%M%S", 480), [1]),
        (rule("%Y%m%d%H%M%S", 480), 10**30),
    ],
)
def test_what_is_no_time_is_unreadable(subject: TimeRule, raw: object) -> None:
    assert subject.judge(raw, NOON_US) == (None, Trust.UNREADABLE)


def test_tolerance_ends_are_inside() -> None:
    subject = rule("epoch_us", ahead_s=60, age_s=3600)
    assert subject.judge(NOON_US + 60 * S, NOON_US)[1] is Trust.TRUSTED
    assert subject.judge(NOON_US + 60 * S + 1, NOON_US)[1] is Trust.AHEAD
    assert subject.judge(NOON_US - 3600 * S, NOON_US)[1] is Trust.TRUSTED
    assert subject.judge(NOON_US - 3600 * S - 1, NOON_US)[1] is Trust.TOO_OLD
    assert subject.judge(None, NOON_US) == (None, Trust.ABSENT)


@pytest.mark.parametrize(("text", "minutes"), [("+08:00", 480), ("-03:30", -210), ("+00:00", 0), ("+14:00", 840)])
def test_zones(text: str, minutes: int) -> None:
    assert zone_minutes(text) == minutes


@pytest.mark.parametrize("text", ["8", "+8:00", "+15:00", "+08:60", "Z", "UTC+8"])
def test_no_zones(text: str) -> None:
    assert zone_minutes(text) is None


@pytest.mark.parametrize(
    ("text", "path"),
    [("a", ("a",)), ("a.b[2].c", ("a", "b", 2, "c")), ('["x.y"][0]', ("x.y", 0)), ("[3]", (3,)), ("电能", ("电能",))],
)
def test_paths(text: str, path: tuple[str | int, ...]) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize("text", ["", ".", "a..b", "a[", "a[-1]", "a[x]", ".a", "a.", "a" + ".a" * 16])
def test_no_paths(text: str) -> None:
    assert parse_path(text) is None


def test_a_path_answers_absent_and_never_guesses() -> None:
    value = {"a": [1, {"b": None}], "0": "x"}
    assert at_path(value, ("a", 1, "b")) is None
    for path in (("a", 2), ("a", "0"), (0,), ("a", 0, "b"), ("z",)):
        assert at_path(value, path) is ABSENT
