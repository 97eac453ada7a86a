"""Packs fill gaps by their own rule; where the register knows the total it stays exact."""

from statistics import fmean, pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.settlement.substitution import PACKS, Gap, Known, RefusedGapError, substitute

W = 900_000_000
DAY = 96 * W
MONDAY = 4 * DAY  # 1970-01-05


def weekday(window):
    return (window // DAY + 3) % 7 < 5


def gap(first, count, total=None):
    return Gap(first, count, total, weekday)


def every(values, start=MONDAY):
    return {start + place * W: value for place, value in enumerate(values)}


def test_linear_joins_its_neighbours_and_refuses_long_gaps():
    known = Known({MONDAY: 100, MONDAY + 4 * W: 180})
    assert substitute(PACKS["linear-2h"], gap(MONDAY + W, 3), known) == [120, 140, 160]
    with pytest.raises(RefusedGapError, match="two hours"):
        substitute(PACKS["linear-2h"], gap(MONDAY + W, 9), known)
    with pytest.raises(RefusedGapError, match="beside"):
        substitute(PACKS["linear-2h"], gap(MONDAY + W, 2), known)


def test_like_days_are_of_the_same_kind_and_at_most_four():
    quarter = 40 * W
    known = {MONDAY + day * DAY + quarter: 10 * (day + 1) for day in range(12)}  # 10 … 120, weekend at days 5, 6
    on_saturday = substitute(PACKS["like-day"], gap(MONDAY + 12 * DAY + quarter, 1), Known(known))
    assert on_saturday == [65]  # Saturday 60 and Sunday 70 of the week before
    on_friday = substitute(PACKS["like-day"], gap(MONDAY + 11 * DAY + quarter, 1), Known(known))
    assert on_friday == [round(fmean([110, 100, 90, 80]))]
    with pytest.raises(RefusedGapError):
        substitute(PACKS["like-day"], gap(MONDAY + 60 * DAY, 1), Known(known))


@given(
    st.sampled_from(["like-day", "eu-mean-2sigma", "us-part-75"]),
    st.randoms(use_true_random=False),
    st.integers(1, 60),
    st.integers(0, 10**9),
)
@settings(max_examples=60, deadline=None)
def test_the_total_of_the_register_is_kept_exactly(pack, chance, count, total):
    values = [chance.randrange(10**6) for _ in range(96 * 8)]
    known = Known(every(values), highest=10**6)
    filled = substitute(PACKS[pack], gap(MONDAY + 8 * DAY, count, total), known)
    assert len(filled) == count
    assert sum(filled) == total
    assert min(filled) >= 0


def test_mean_and_two_sigma():
    values = [1000, 2000, 1500, 1700]
    filled = substitute(PACKS["eu-mean-2sigma"], gap(MONDAY + DAY, 2), Known(every(values)))
    assert filled == [round(fmean(values) + 2 * pstdev(values))] * 2


@pytest.mark.parametrize(
    ("missing", "hours", "expected"),
    [
        (0, 8, 500),  # ≥ 95 %: up to 24 h the mean beside the gap
        (0, 25, 900),  # longer: the 90th percentile when it is greater
        (60, 8, 500),  # 90 to 95 %
        (60, 9, 950),  # longer than 8 h: the 95th percentile
        (150, 1, 1000),  # 80 to 90 %: the maximum
        (300, 1, 5000),  # below 80 %: the greatest possible value
    ],
)
def test_part_75_by_availability(missing, hours, expected):
    values = [(place % 100 + 1) * 10 for place in range(1000)]
    known = every(values)
    for place in range(100, 100 + missing):
        del known[MONDAY + place * W]
    first = MONDAY + 1000 * W
    known[first - W] = known[first + hours * 4 * W] = 500
    filled = substitute(PACKS["us-part-75"], gap(first, hours * 4), Known(known, highest=5000))
    assert filled[0] == pytest.approx(expected, abs=10)


def test_no_pack_claims_to_be_a_chinese_rule_or_to_be_the_laws_own_text():
    assert not any(pack.chinese for pack in PACKS.values())
    assert all(pack.confidence != "原文" and pack.law for pack in PACKS.values())
