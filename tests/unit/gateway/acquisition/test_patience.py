"""Time-outs, breakers and budgets."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.acquisition.breaker import LONGEST_PAUSE_S, NS_PER_S, Breaker, TimeBudget
from gateway.acquisition.timeouts import CAP_S, FLOOR_S, INITIAL_S, AdaptiveTimeout, Siblings


class Middle:
    """No jitter."""

    def uniform(self, low: float, high: float) -> float:
        return (low + high) / 2

    def token(self, size_bytes: int) -> bytes:
        return bytes(size_bytes)


def test_the_timeout_follows_the_answers() -> None:
    estimator = AdaptiveTimeout(Siblings())
    assert estimator.timeout_s == INITIAL_S
    for _ in range(100):
        estimator.answered(0.8)
    assert estimator.timeout_s == pytest.approx(0.8, rel=0.01)
    estimator.answered(1.6)
    assert estimator.timeout_s > 1.5, "one late answer widens it at once"


def test_the_timeout_has_a_floor_and_a_cap() -> None:
    quick, slow = AdaptiveTimeout(Siblings()), AdaptiveTimeout(Siblings())
    for _ in range(50):
        quick.answered(0.001)
        slow.answered(30.0)
    assert (quick.timeout_s, slow.timeout_s) == (FLOOR_S, CAP_S)


def test_silence_doubles_the_timeout_and_begins_again_after_the_cap() -> None:
    estimator = AdaptiveTimeout(Siblings())
    seen = []
    for _ in range(6):
        seen.append(estimator.timeout_s)
        estimator.timed_out()
    assert seen == [1.0, 2.0, 4.0, 5.0, 1.0, 2.0]


def test_a_unit_never_heard_is_first_judged_by_its_siblings() -> None:
    siblings = Siblings()
    AdaptiveTimeout(siblings).answered(0.2)
    assert AdaptiveTimeout(siblings).timeout_s == pytest.approx(0.8)
    AdaptiveTimeout(siblings).answered(2.0)
    assert AdaptiveTimeout(siblings).timeout_s == INITIAL_S


@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=50))
def test_any_history_keeps_the_timeout_within_its_bounds(history: list[float | None]) -> None:
    estimator = AdaptiveTimeout(Siblings())
    for rtt_s in history:
        if rtt_s is None:
            estimator.timed_out()
        else:
            estimator.answered(rtt_s)
        assert FLOOR_S <= estimator.timeout_s <= CAP_S


def test_a_breaker_opens_after_three_failures_and_its_pause_doubles() -> None:
    breaker = Breaker(Middle())
    breaker.failed(0)
    breaker.failed(0)
    assert breaker.closed()
    pauses, now_ns = [], 0
    for _ in range(9):
        breaker.failed(now_ns)
        assert breaker.open_until_ns is not None
        assert not breaker.may_ask(breaker.open_until_ns - 1)
        assert breaker.may_ask(breaker.open_until_ns)
        pauses.append((breaker.open_until_ns - now_ns) / NS_PER_S)
        now_ns = breaker.open_until_ns
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_one_good_answer_closes_but_is_not_yet_trusted() -> None:
    breaker = Breaker(Middle())
    for _ in range(4):
        breaker.failed(0)
    breaker.good()
    assert breaker.closed()
    breaker.failed(0)
    assert breaker.open_until_ns == 20 * NS_PER_S, "it goes on where it was"
    for _ in range(3):
        breaker.good()
    breaker.failed(0)
    assert breaker.closed()


@given(st.lists(st.tuples(st.floats(0.01, 30), st.floats(0.01, 5)), max_size=200))
def test_what_is_spent_when_available_stays_within_the_share(turns: list[tuple[float, float]]) -> None:
    budget = TimeBudget(0)
    now_ns, spent_ns, longest_ns = 0, 0, 0
    for pause_s, cost_s in turns:
        now_ns += int(pause_s * NS_PER_S)
        if budget.available(now_ns):
            cost_ns = int(cost_s * NS_PER_S)
            now_ns += cost_ns
            budget.charge(cost_ns, now_ns)
            spent_ns += cost_ns
            longest_ns = max(longest_ns, cost_ns)
    assert spent_ns <= 0.05 * now_ns + longest_ns + len(turns)
    assert budget.charged_ns == spent_ns


def test_the_longest_pause_is_a_limit(monkeypatch: Any) -> None:
    breaker = Breaker(Middle())
    for _ in range(100):
        breaker.failed(0)
    assert breaker.open_until_ns == LONGEST_PAUSE_S * NS_PER_S
