"""Rules over interval energies: twins, repeated stretches, nodes that no longer close."""

import random

import pytest

from gateway.validation import identical_series, node_residual, replayed_stretches

STEP = 1_000


def load(seed: int, windows: int = 192, mean: int = 5_000) -> list[int | None]:
    """Interval energies of a load that wanders, thousandths of a step."""
    chance = random.Random(seed)
    level, found = 1.0, []
    for _ in range(windows):
        level = min(1.6, max(0.4, level + chance.uniform(-0.1, 0.1)))
        found.append(round(mean * STEP * level))
    return list(found)


def test_a_copied_series_is_found_with_its_span() -> None:
    one, other = load(1), load(2)
    other[40:90] = [None if each is None else each + (-1) ** n * STEP for n, each in enumerate(one[40:90])]
    (found,) = identical_series({"a": one, "b": other, "c": load(3)})
    assert (found.one, found.other, found.start, found.end) == ("a", "b", 40, 90)


def test_main_and_check_meter_within_their_errors_are_no_twins() -> None:
    main = load(1)
    check = [None if each is None else each * 1_003 // 1_000 for each in main]
    assert identical_series({"main": main, "check": check}) == []


def test_steady_equal_loads_are_not_named() -> None:
    assert identical_series({"a": [5_000 * STEP] * 96, "b": [5_000 * STEP] * 96}) == []


def test_idle_meters_are_not_named() -> None:
    assert identical_series({name: [0] * 96 for name in "abc"}) == []


@pytest.mark.parametrize("seed", range(20))
def test_honest_loads_have_no_twins(seed: int) -> None:
    assert identical_series({str(each): load(1_000 * seed + each) for each in range(30)}) == []


def test_a_repeated_day_is_found_with_its_lag() -> None:
    series = load(5, 288)
    series[150:246] = [None if each is None else each - STEP for each in series[54:150]]
    (found,) = replayed_stretches(series)
    assert (found.start, found.end, found.lag) == (150, 246, 96)


@pytest.mark.parametrize("seed", range(20))
def test_honest_loads_do_not_repeat(seed: int) -> None:
    assert replayed_stretches(load(seed, 480)) == []


def test_a_steady_load_does_not_repeat() -> None:
    assert replayed_stretches([5_000 * STEP] * 192) == []


def test_gaps_end_a_repetition() -> None:
    series = load(5, 192)
    series[100:140] = series[20:60]
    series[119] = None
    assert replayed_stretches(series) == []


def node(errors: list[float], seed: int = 0) -> tuple[list[int | None], list[list[int | None]]]:
    true = [load(seed * 10 + n) for n in range(len(errors) - 1)]
    parent = [round(sum(each[at] or 0 for each in true) * (1 + errors[0])) for at in range(192)]
    children = [
        [round((each or 0) * (1 + error)) for each in energies]
        for energies, error in zip(true, errors[1:], strict=True)
    ]
    return list(parent), [list(each) for each in children]


@pytest.mark.parametrize("seed", range(20))
def test_errors_within_the_class_are_not_named(seed: int) -> None:
    chance = random.Random(seed)
    parent, children = node([chance.uniform(-0.005, 0.005) for _ in range(6)], seed)
    assert node_residual(parent, children) is None


@pytest.mark.parametrize("seed", range(10))
def test_a_changed_transformer_is_named_with_its_meter(seed: int) -> None:
    parent, children = node([0.002, -0.003, 0.001, 0.004, 0.0], seed)
    children[2][100:] = [round((each or 0) * 1.5) for each in children[2][100:]]
    found = node_residual(parent, children)
    assert found is not None
    assert found.suspect == 3
    assert found.start == 100
    assert found.error_permille == pytest.approx(333.0, rel=0.1)  # of what it shows now: 0.5/1.5


def test_a_parent_that_errs_is_named() -> None:
    parent, children = node([0.0, 0.001, -0.002, 0.0])
    parent[60:] = [round((each or 0) * 1.05) for each in parent[60:]]
    found = node_residual(parent, children)
    assert found is not None
    assert (found.start, found.suspect) == (60, 0)


def test_a_drift_is_found_once_it_exceeds_the_permissible_errors() -> None:
    parent, children = node([0.0, 0.001, -0.002, 0.0])
    drift = [1 + 0.0005 * n for n in range(132)]
    children[0][60:] = [round((each or 0) * by) for each, by in zip(children[0][60:], drift, strict=True)]
    found = node_residual(parent, children)
    assert found is not None
    share = sum(each or 0 for each in children[0]) / sum(each or 0 for each in parent)
    assert drift[found.start - 60] == pytest.approx(1 + 0.010 / share, abs=0.02)


def test_too_little_is_not_judged() -> None:
    parent, children = node([0.0, 0.0, 0.0])
    assert node_residual(parent[:30], [each[:30] for each in children]) is None
