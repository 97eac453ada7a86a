"""Questions that quarter-hour energies raise: each on a series made for it, and silence where nothing is wrong."""

import random

from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_DAY
from gateway.review import anomalies as found
from gateway.review.anomalies import Series

STEP = SETTLEMENT_WINDOW_US


def series(values: list[int], point: str = "p", start: int = 0) -> Series:
    return Series(point, {start + place * STEP: value for place, value in enumerate(values)})


def lively(count: int, seed: int = 1) -> list[int]:
    chance = random.Random(seed)
    return [chance.randrange(5_000, 90_000) * 1_000 for _ in range(count)]


def test_a_lively_series_raises_nothing() -> None:
    one = series(lively(600))
    assert [*found.flat(one), *found.repeated_days(one), *found.last_digits(one)] == []
    assert list(found.twins([one, series(lively(600, 2), "q")])) == []


def test_six_hours_without_energy_in_a_series_that_moves() -> None:
    values = lively(40) + [0] * 24 + lively(40)
    (only,) = found.flat(series(values))
    assert (only.from_us, only.to_us, only.detail) == (40 * STEP, 64 * STEP, "24")
    assert list(found.flat(series(lively(40) + [0] * 23 + lively(40)))) == []
    assert list(found.flat(series([0] * 200))) == []  # never moves: that is the silent device's finding


def test_a_hole_is_no_flat_run() -> None:
    values = {place * STEP: value for place, value in enumerate(lively(40) + [0] * 30)}
    del values[50 * STEP]
    assert list(found.flat(Series("p", values))) == []


def test_a_day_that_is_the_day_before_again() -> None:
    day = lively(96)
    (only,) = found.repeated_days(series(day + day))
    assert only.from_us == US_PER_DAY
    assert list(found.repeated_days(series([5_000] * 192))) == []  # even consumption is no copy


def test_two_points_with_the_very_same_energies() -> None:
    values = lively(80)
    other = values[:60] + lively(20, 3)
    (only,) = found.twins([series(values), series(other, "q")])
    assert (only.point, only.other, only.detail) == ("p", "q", "60/80")


def test_last_digits_that_somebody_made_up() -> None:
    chance = random.Random(5)
    made_up = [chance.randrange(500, 9_000) * 10_000 + chance.choice([0, 5]) * 1_000 for _ in range(300)]
    (only,) = found.last_digits(series(made_up))
    assert only.what == "last_digit"
    assert list(found.last_digits(series(made_up[:150]))) == []  # too few to say


def test_chi_square_of_ten_digits() -> None:
    assert found.chi_square(dict.fromkeys(range(10), 20), 200) == 0
    assert found.chi_square({0: 200}, 200) == 9 * 20 + 180**2 / 20


def test_a_step_at_a_known_time() -> None:
    values = [100_000] * 96 + [140_000] * 96
    (only,) = found.steps(series(values), [96 * STEP])
    assert only.detail == "+40%"
    assert list(found.steps(series([100_000] * 96 + [120_000] * 96), [96 * STEP])) == []
    assert list(found.steps(series(values[:100]), [96 * STEP])) == []
