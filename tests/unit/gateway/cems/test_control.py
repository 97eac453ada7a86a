"""Out-of-control windows, drift records, and packs as data."""

from fractions import Fraction

import pytest

from config.stack_plan import shipped_packs
from gateway.cems.control import QualityTest, drifts, judged, windows
from gateway.cems.pack import NO_LIMITS, CemsPack

DAY_US = 86_400_000_000
US = CemsPack.of(shipped_packs()["us-40cfr75"].document())


def _test(day: int, reading: str, *, parameter: str = "co2", type_: str = "span") -> QualityTest:
    return QualityTest(
        seq=day + 1,
        stack="kiln",
        parameter=parameter,
        type=type_,
        at_us=day * DAY_US,
        pairs=((Fraction(20), Fraction(reading)),),
        span=Fraction(25),
    )


def test_a_monitor_is_out_from_the_failing_test_until_one_of_its_kind_passes() -> None:
    """Span 25: 2.5 % is 0.625, twice it 1.25. Day 2 is beyond it; day 3 fails still, day 5 passes."""
    readings = {0: "20.1", 2: "21.5", 3: "21.0", 5: "20.2", 6: "20.0"}
    tests = [judged(_test(day, reading), US) for day, reading in readings.items()]
    (window,) = windows(tests)
    assert (window.from_us, window.to_us) == (2 * DAY_US, 5 * DAY_US)
    assert (window.opened, window.closed) == (3, 6)
    assert window.covers(2 * DAY_US)
    assert not window.covers(5 * DAY_US)


def test_a_test_of_another_kind_closes_nothing() -> None:
    tests = [
        judged(_test(0, "23"), US),
        judged(_test(1, "20", type_="zero"), US),
        judged(_test(2, "20", parameter="o2"), US),
    ]
    (window,) = windows(tests)
    assert window.to_us is None
    assert window.touches(9 * DAY_US, 9 * DAY_US + 1)


def test_without_limits_nothing_is_out_of_control() -> None:
    tested = judged(_test(0, "10"), NO_LIMITS)
    assert tested.passed is None
    assert windows([tested]) == []


def test_the_drift_record_has_sign_and_slope() -> None:
    """0.25 more every ten days on a span of 25 is 1 % in ten days, 3.044 % a month of 30.44 days."""
    tests = [judged(_test(10 * step, str(20 + 0.25 * step)), US) for step in range(4)]
    (drift,) = drifts(tests)
    assert (drift.count, drift.newest) == (4, 3)
    assert drift.slope_per_month == pytest.approx(3.044, abs=0.001)


@pytest.mark.parametrize(
    ("type_", "span", "count"), [("span", None, 1), ("zero", "25", 2), ("rata", None, 2), ("smell", None, 1)]
)
def test_data_that_make_no_such_test_are_refused(type_: str, span: str | None, count: int) -> None:
    odd = QualityTest(
        seq=1,
        stack="kiln",
        parameter="co2",
        type=type_,
        at_us=0,
        pairs=((Fraction(1), Fraction(1)),) * count,
        span=None if span is None else Fraction(span),
    )
    with pytest.raises(ValueError):  # noqa: PT011  # the sentence differs by kind
        judged(odd, US)


def test_packs_say_whose_law_they_are_and_unread_ones_are_empty() -> None:
    packs = {name: CemsPack.of(each.document()) for name, each in shipped_packs().items()}
    assert set(packs) == {"eu-2018-2066", "us-40cfr75", "cn-hj75", "cn-dlt2376", "cn-tcstm00947"}
    for pack in packs.values():
        assert pack.chinese == pack.id.startswith("cn-")
        assert pack.empty == (pack.text == "unread") == pack.chinese
        assert pack.chinese or ("非中国规则" in pack.name["zh"] and "not a Chinese rule" in pack.name["en"])
    assert packs["eu-2018-2066"].validity is not None
    assert packs["eu-2018-2066"].validity.least_permille == 800
    assert packs["us-40cfr75"].validity is not None
    assert packs["us-40cfr75"].validity.quadrants == 4
