"""Sums of standard coal by kind, level, process and equipment, over any network: nothing counts twice in one."""

from collections.abc import Mapping
from fractions import Fraction
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.accounting.account import groups
from gateway.accounting.closure import Closure, NodePart, judge, remainder_trend
from gateway.accounting.estimate import Effect, Estimate
from gateway.domain.ledger import MeteringPoint

KINDS = ("electricity", "coal")
WORDS = ("", "mill", "kiln")


@st.composite
def networks(draw: st.DrawFn) -> dict[str, MeteringPoint]:
    """Points whose parent comes before them, so that there is no ring, or anything at all."""
    count = draw(st.integers(1, 12))
    found = {}
    for number in range(count):
        parents = ["", "nowhere", *found, f"p{draw(st.integers(0, count))}"]
        found[f"p{number}"] = MeteringPoint(
            id=f"p{number}",
            energy_kind=draw(st.sampled_from(KINDS)),
            level=draw(st.integers(0, 3)),
            parent=draw(st.sampled_from(parents)),
            direction=draw(st.sampled_from(["in", "out", "internal"])),
            process=draw(st.sampled_from(WORDS)),
            main_equipment=draw(st.sampled_from(WORDS)),
        )
    return found


def above(point: MeteringPoint, points: Mapping[str, MeteringPoint]) -> list[str]:
    """Written for this test: whose energy holds this point's."""
    chain: list[str] = []
    walked = {point.id}
    at = point.parent
    while at in points and at not in walked:
        walked.add(at)
        if points[at].energy_kind == point.energy_kind:
            chain.append(at)
        at = points[at].parent
    return chain


def under_a_ring(point: MeteringPoint, points: Mapping[str, MeteringPoint]) -> bool:
    """Whether the points above one, of whatever kind, lead back into themselves."""
    walked = {point.id}
    at = point.parent
    while at in points:
        if at in walked:
            return True
        walked.add(at)
        at = points[at].parent
    return False


@settings(max_examples=150, deadline=None)
@given(networks())
def test_nothing_counts_twice_in_a_group(points: dict[str, MeteringPoint]) -> None:
    members: dict[str, list[str]] = {}
    for name, point in points.items():
        for group in groups(point, points):
            members.setdefault(group, []).append(name)
    for group, names in members.items():
        for first, second in combinations(names, 2):
            for upper, lower in ((first, second), (second, first)):
                if upper not in above(points[lower], points) or lower in above(points[upper], points):
                    continue
                if group.startswith("kind/"):
                    continue  # level 1 is the border: what lies under another border point crossed it too
                # only what a generating unit uses itself stands beside what it gives
                assert group.startswith("process/"), group
                assert points[upper].direction == "out" != points[lower].direction


@settings(max_examples=100, deadline=None)
@given(networks())
def test_every_process_and_piece_of_equipment_is_in_some_sum(points: dict[str, MeteringPoint]) -> None:
    sums = {group for point in points.values() for group in groups(point, points)}
    for point in points.values():
        ring = under_a_ring(point, points)
        if point.process and point.level != 1 and not ring:
            assert f"process/{point.process}" in sums
        if point.main_equipment and not ring:
            assert f"equipment/{point.main_equipment}" in sums
        if point.level == 1:
            assert f"kind/{point.energy_kind}" in sums


def part(name: str, value: int, *, metered: bool = True) -> NodePart:
    estimate = Estimate(Fraction(value), {name: Fraction(value)})
    return NodePart(point=name, sign=1, metered=metered, amount=estimate, coverage_permille=1000)


EFFECTS = {name: Effect(id=name, kind="meter", label=name, u=0.005) for name in ("p", "a", "b", "c")}


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 10_000),
    st.lists(st.integers(0, 4_000), min_size=1, max_size=3),
    st.none() | st.integers(0, 100).map(lambda percent: Fraction(percent, 100)),
)
def test_a_node_is_judged_by_its_difference_alone(whole: int, children: list[int], losses: Fraction | None) -> None:
    found = judge(part("p", whole), [part(n, v) for n, v in zip("abc", children, strict=False)], EFFECTS, losses=losses)
    assert found.remainder == whole - sum(children)
    limit = 2 * (sum((0.005 * each) ** 2 for each in (whole, *children))) ** 0.5
    difference = whole - sum(children)
    edge = abs(abs(difference) - limit) < 1e-6 or (
        losses is not None and abs(difference - limit - float(losses) * whole) < 1e-6
    )
    if edge:
        return  # rounding decides
    if difference < -limit:
        wanted = Closure.EXCEEDED
    elif difference <= limit + (float(losses) * whole if losses is not None else 0.0):
        wanted = Closure.BALANCED
    else:
        wanted = Closure.UNMETERED if losses is None else Closure.EXCEEDED
    assert found.closure is wanted


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-1_000, 1_000), min_size=4, max_size=20), st.integers(-50, 50))
def test_a_trend_moves_with_what_is_added_to_every_day(values: list[int], slope: int) -> None:
    plain = remainder_trend([Fraction(each) for each in values])
    tilted = remainder_trend([Fraction(each + slope * day) for day, each in enumerate(values)])
    assert plain is not None
    assert tilted is not None
    assert tilted.slope == plain.slope + slope
