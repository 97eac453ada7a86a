"""The slot grid against plain enumeration."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.acquisition.schedule import MOST_SPREAD_US, SlotGrid, stagger_us

grids = st.builds(SlotGrid, st.integers(1, 50), st.integers(0, 60))


@given(grid=grids, begin=st.integers(-200, 200), length=st.integers(-20, 300))
def test_counting_is_enumerating(grid: SlotGrid, begin: int, length: int) -> None:
    slots = [at for at in range(begin, begin + max(length, 0)) if (at - grid.offset_us) % grid.period_us == 0]
    assert grid.count(begin, begin + length) == len(slots)


@given(grid=grids, at=st.integers(-500, 500))
def test_the_slots_around_an_instant(grid: SlotGrid, at: int) -> None:
    assert grid.current(at) <= at < grid.following(at)
    assert grid.following(at) - grid.current(at) == grid.period_us
    assert (grid.current(at) - grid.offset_us) % grid.period_us == 0
    first = grid.first_from(at)
    assert at <= first < at + grid.period_us
    assert (first - grid.offset_us) % grid.period_us == 0


def test_endpoints_are_spread_evenly_and_never_far() -> None:
    spread = [stagger_us(place, 8, 10_000_000) for place in range(8)]
    assert spread == [place * 250_000 for place in range(8)]
    assert max(stagger_us(place, 500, 300_000_000) for place in range(500)) < MOST_SPREAD_US
    assert stagger_us(0, 0, 1_000_000) == 0
