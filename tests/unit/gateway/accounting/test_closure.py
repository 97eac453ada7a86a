"""Balanced, exceeded, undecided: and why."""

from fractions import Fraction

import pytest

from gateway.accounting.closure import Closure, NodePart, judge, remainder_trend
from gateway.accounting.estimate import Effect, measured

EFFECTS = {each: Effect(id=each, kind="meter", label="", u=0.01) for each in ("p", "a", "b", "ct")}


def part(
    point: str, value: str | None, *effects: str, coverage: int = 1000, metered: bool = True, sign: int = 1
) -> NodePart:
    amount = None if value is None else measured(Fraction(value), effects, unstated=() if effects else (point,))
    return NodePart(point=point, sign=sign, metered=metered, amount=amount, coverage_permille=coverage)


def test_within_the_limit_of_the_difference() -> None:
    found = judge(part("p", "1000", "p"), [part("a", "600", "a"), part("b", "390", "b")], EFFECTS)
    assert found.closure is Closure.BALANCED
    assert found.remainder == 10
    assert float(found.limit or 0) == pytest.approx(2 * (10**2 + 6**2 + 3.9**2) ** 0.5, rel=1e-9)
    assert found.unmetered_permille == 10


def test_beyond_it() -> None:
    children = [part("a", "600", "a"), part("b", "300", "b")]
    assert judge(part("p", "1000", "p"), children, EFFECTS).closure is Closure.UNMETERED
    assert judge(part("p", "1000", "p"), children, EFFECTS, losses=Fraction(0)).closure is Closure.EXCEEDED
    assert judge(part("p", "1000", "p"), children, EFFECTS, losses=Fraction("0.08")).closure is Closure.BALANCED
    over = [part("a", "700", "a"), part("b", "400", "b")]
    assert judge(part("p", "1000", "p"), over, EFFECTS).closure is Closure.EXCEEDED, "no load can be negative"


def test_a_point_without_a_meter_leaves_its_share_unmetered() -> None:
    children = [part("a", "600", "a"), part("b", None, "b", metered=False)]
    found = judge(part("p", "1000", "p"), children, EFFECTS, losses=Fraction(0))
    assert found.closure is Closure.UNMETERED
    assert found.reasons == ("unmetered",)
    assert found.unmetered_permille == 400


def test_a_shared_transformer_makes_the_limit_smaller() -> None:
    apart = judge(part("p", "1000", "p"), [part("a", "970", "a")], EFFECTS, losses=Fraction(0))
    shared = judge(part("p", "1000", "ct"), [part("a", "970", "ct")], EFFECTS, losses=Fraction(0))
    assert apart.limit
    assert shared.limit
    assert apart.closure is Closure.EXCEEDED or apart.limit > shared.limit
    assert shared.closure is Closure.EXCEEDED


def test_energy_that_leaves_counts_with_its_sign() -> None:
    found = judge(part("p", "1000", "p"), [part("a", "1100", "a"), part("b", "100", "b", sign=-1)], EFFECTS)
    assert found.remainder == 0
    assert found.explained == 1000


@pytest.mark.parametrize(
    ("child", "reason"),
    [
        (part("a", None, "a"), "no_value"),
        (part("a", "990", "a", coverage=900), "coverage"),
        (part("a", "990", "a", metered=False), "unmetered"),
        (part("a", "990"), "no_class"),
    ],
)
def test_what_cannot_be_judged_is_not_judged(child: NodePart, reason: str) -> None:
    found = judge(part("p", "1000", "p"), [child], EFFECTS)
    assert found.closure is Closure.UNDECIDED
    assert reason in found.reasons


def test_a_remainder_that_grows_is_told_from_one_that_only_scatters() -> None:
    growing = remainder_trend([Fraction(each) for each in (1, 2, 3, 4, 5, 7)])
    scattered = remainder_trend([Fraction(each) for each in (5, 1, 6, 2, 5, 1)])
    assert growing
    assert scattered
    assert growing.systematic
    assert growing.slope > 1
    assert not scattered.systematic
    assert remainder_trend([Fraction(1), Fraction(2), Fraction(3)]) is None
