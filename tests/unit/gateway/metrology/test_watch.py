"""The watch over one node: planted errors found, nothing named behind a shut gate, and no claim without data."""

from dataclasses import replace

import numpy as np
import pytest

from gateway.metrology.watch import (
    KAPPA_FLOOR,
    NodeSteps,
    Watched,
    WatchedMeter,
    WatchedNode,
    beyond,
    estimate,
    state_of,
)
from gateway.metrology.watch_gate import Reason, chi2_limit, gate
from gateway.metrology.watching import NodeWatch, newest, watch
from simulators.plant.metering_node import MeteredNode, NodeWish, metered_node
from tests.campaign import share
from tests.unit.gateway.metrology.reconciliation import reconcile

RUNS = share(40, 4)


def _node(children: int, *, limit: float = 0.02, step: float = 0.01) -> WatchedNode:
    meters = tuple(WatchedMeter(name=str(each), limit=limit, step=step) for each in range(children))
    return WatchedNode(name="node", children=meters, parent_step=step)


def _steps(made: MeteredNode) -> NodeSteps:
    return NodeSteps(hour=made.hour, parent=made.parent, children=made.children)


def _watched(seed: int, wish: NodeWish) -> tuple[MeteredNode, NodeWatch]:
    made = metered_node(seed, wish)
    return made, watch(_node(wish.children, step=wish.step), _steps(made))


@pytest.mark.parametrize("seed", range(RUNS))
def test_a_planted_error_is_found_and_no_other_meter_is_named(seed: int) -> None:
    made, found = _watched(seed, NodeWish(children=8))
    assert found.gate.open
    assert {int(each.name) for each in found.suspects} == made.faulty


@pytest.mark.parametrize("seed", range(RUNS))
def test_estimates_lie_within_their_uncertainty(seed: int) -> None:
    """Errors are told relative to the parent's: the planted error less the parent's own."""
    made, found = _watched(100 + seed, NodeWish(children=10, faults=2))
    for index, each in enumerate(found.found.meters):
        relative = (1 + made.errors[index]) / (1 + made.parent_error) - 1
        assert abs(each.error - relative) < 4 * each.u


@pytest.mark.parametrize("course", ["random", "daily", "blocks"])
@pytest.mark.parametrize("unmetered", [0.01, 0.03])
@pytest.mark.parametrize("seed", range(RUNS))
def test_behind_an_unmetered_load_no_meter_is_named(seed: int, unmetered: float, course: str) -> None:
    wish = NodeWish(children=8, days=30, faults=0, unmetered=unmetered, course=course)  # type: ignore[arg-type]
    _, found = _watched(200 + seed, wish)
    assert not found.gate.open
    assert found.meters == ()
    assert found.suspects == ()


def test_without_the_gate_they_would_have_been() -> None:
    """The gate is what keeps them out: the estimate behind it does name healthy meters."""
    _, found = _watched(200, NodeWish(children=8, faults=0, unmetered=0.03))
    assert any(each.state is Watched.SUSPECT for each in found.found.meters)


def test_a_fault_that_begins_half_way_is_found_in_the_newer_half() -> None:
    made, found = _watched(3, NodeWish(children=10, onset=0.5))
    assert [set(each.reasons) <= {Reason.INNOVATION, Reason.WHITENESS, Reason.NOISE} for each in found.refused] == [
        True
    ]
    assert found.from_hour == made.hour[len(made.hour) // 2]
    assert {int(each.name) for each in found.suspects} == made.faulty


@pytest.mark.parametrize("seed", range(RUNS))
def test_a_large_error_is_not_laid_on_the_neighbours(seed: int) -> None:
    """Twelve standard deviations of its prior: the meter is let go of it, and the healthy ones stay unnamed."""
    made, found = _watched(300 + seed, NodeWish(children=10, days=20, fault=0.12))
    assert {int(each.name) for each in found.suspects} == made.faulty
    named = found.suspects[0]
    assert named.error == pytest.approx(made.errors[int(named.name)], abs=4 * named.u)


def test_a_wrong_ratio_shuts_the_gate_by_the_global_test() -> None:
    made = metered_node(5, NodeWish(children=4, faults=0))
    children = made.children.copy()
    children[:, 2] *= 1.5  # 300/5 entered as 200/5
    found = watch(_node(4), NodeSteps(hour=made.hour, parent=made.parent, children=children))
    assert Reason.GLOBAL in found.gate.reasons


def test_meters_that_stand_still_are_not_observable() -> None:
    """A child without load moves no balance: its error stays at the prior, and that is said."""
    made = metered_node(6, NodeWish(children=5, faults=0))
    idle = np.column_stack([made.children, np.zeros(len(made.hour))])
    found = watch(_node(6), NodeSteps(hour=made.hour, parent=made.parent, children=idle))
    assert found.gate.open
    states = {each.name: each.state for each in found.meters}
    assert states["5"] is Watched.NOT_OBSERVABLE
    assert {states[str(each)] for each in range(5)} == {Watched.CLEAR}


def test_an_error_common_to_all_meters_cannot_be_seen() -> None:
    made = metered_node(7, NodeWish(children=6, faults=0))
    together = NodeSteps(hour=made.hour, parent=made.parent * 1.03, children=made.children * 1.03)
    apart, joint = watch(_node(6), _steps(made)), watch(_node(6), together)
    for one, other in zip(apart.meters, joint.meters, strict=True):
        assert other.error == pytest.approx(one.error, abs=2e-4)


def test_energy_that_flows_in_counts_the_other_way() -> None:
    """A generator under the node: the parent delivers the others less what it makes."""
    made = metered_node(8, NodeWish(children=4, faults=0, child_u=0.0))
    maker = 60 + 40 * np.sin(np.arange(len(made.hour)) / 5)
    net = made.children.sum(axis=1) - maker
    parent = net + 0.01 * net**2 / net.mean() + 2.0
    meters = (*(WatchedMeter(name=str(each)) for each in range(4)), WatchedMeter(name="maker", sign=-1))
    shown = np.column_stack([made.children, maker * 1.05])
    found = watch(WatchedNode(name="node", children=meters), NodeSteps(hour=made.hour, parent=parent, children=shown))
    assert [each.name for each in found.suspects] == ["maker"]
    assert found.suspects[0].error == pytest.approx(0.05, abs=0.006)


def test_too_few_hours_shut_the_gate() -> None:
    made = metered_node(9, NodeWish(children=4, days=6))
    assert Reason.TOO_FEW in watch(_node(4), _steps(made)).gate.reasons


def test_a_gap_is_a_gap() -> None:
    """Hours left out neither name nor clear anybody by themselves."""
    made, whole = _watched(10, NodeWish(children=6))
    kept = np.r_[0:500, 700 : len(made.hour)]
    steps = NodeSteps(hour=made.hour[kept], parent=made.parent[kept], children=made.children[kept])
    assert {each.name for each in watch(_node(6), steps).suspects} == {each.name for each in whole.suspects}


def test_the_parents_own_error_moves_all_children_alike() -> None:
    made = metered_node(11, NodeWish(children=5, faults=0))
    node = _node(5)
    moved = WatchedNode(name="node", children=node.children, parent_error=0.01)
    straight, shifted = estimate(node, _steps(made)), estimate(moved, _steps(made))
    for one, other in zip(straight.meters, shifted.meters, strict=True):
        assert other.error - one.error == pytest.approx(0.01, abs=1.5e-3)


def test_the_covariance_stays_symmetric_and_positive() -> None:
    """What the Joseph form is for: a year of hours with thirty meters leaves no negative variance."""
    made = metered_node(12, NodeWish(children=30, days=share(365, 60)))
    found = estimate(_node(30), _steps(made))
    assert all(each.u > 0 and np.isfinite(each.error) for each in found.meters)
    assert all(0 <= each.gain <= 1 for each in found.meters)


def test_words() -> None:
    assert state_of(0.95, 0.1) is Watched.SUSPECT
    assert state_of(0.01, 0.4) is Watched.NOT_OBSERVABLE
    assert state_of(0.01, 0.6) is Watched.CLEAR
    assert state_of(0.5, 0.9) is Watched.UNDETERMINED
    assert beyond(0.0, 1.0, 1.959964) == pytest.approx(0.05, abs=1e-6)
    assert beyond(3.0, 0.0, 2.0) == 1.0


def test_limits_of_the_chi_square() -> None:
    """Tables of χ² (0.999): 10.828, 13.816, 16.266, 29.588 for 1, 2, 3 and 10 degrees."""
    for freedom, quantile in ((1, 10.828), (2, 13.816), (3, 16.266), (10, 29.588)):
        assert chi2_limit(freedom, 0.001) == pytest.approx(quantile, rel=5e-5)


def _tree() -> tuple[np.ndarray, np.ndarray]:
    """Streams 0 = 1 + 2, 1 = 3 + 4, 2 = 5 + 6, and 5 = 7 + 8."""
    constraints = np.zeros((4, 9))
    for row, (parent, *children) in enumerate(((0, 1, 2), (1, 3, 4), (2, 5, 6), (5, 7, 8))):
        constraints[row, parent] = 1
        constraints[row, children] = -1
    true = np.array([1000.0, 600, 400, 350, 250, 220, 180, 120, 100])
    return constraints, true


def test_reconciliation_passes_what_agrees_and_names_the_stream_that_does_not() -> None:
    constraints, true = _tree()
    variances = (0.005 * true) ** 2
    assert reconcile(constraints, true * 1.001, variances).passed
    wrong = true.copy()
    wrong[5] *= 1.1
    found = reconcile(constraints, wrong, variances)
    assert found.chi2 > found.chi2_limit
    assert [stream for stream, _ in found.eliminated] == [5]
    assert found.passed


def test_two_children_of_one_node_cannot_be_told_apart() -> None:
    """With one balance every stream has the same statistic: the node is named, no meter of it."""
    found = reconcile(np.array([[1.0, -1, -1]]), np.array([100.0, 60, 30]), np.array([1.0, 1, 1]))
    assert not found.passed
    assert found.eliminated == ()


@pytest.mark.parametrize("seed", range(3))
def test_the_measurement_test_is_that_of_reconciliation(seed: int) -> None:
    """Calibrations and the noise of each hour are the measurements, the hourly balances the constraints: each meter's
    statistic is the textbook's, and so is the one eliminated."""
    chance = np.random.default_rng(seed)
    children = np.abs(chance.normal(50, 15, (60, 5)))
    parent = children.sum(axis=1)
    children[:, 2] *= 1.07
    steps = NodeSteps(hour=np.arange(60.0), parent=parent, children=children)
    node = replace(_node(5), children=tuple(replace(each, drift=0.0) for each in _node(5).children))
    node = replace(node, copper_u=1e-9, standing_u=1e-9)
    found = estimate(node, steps)
    (released, statistic) = found.released[0]
    noise = 6 * 0.01**2 / 6 + (parent / 3_600) ** 2 + (KAPPA_FLOOR * parent) ** 2
    # Σ e_i·R_i − n_t + (R₀ − Σ R_i)·1 = 0, for y = −Σ e_i·R_i + n; the last stream is exactly one
    constraints = np.hstack([children, -np.eye(60), (parent - children.sum(axis=1))[:, None]])
    values = np.array([*np.zeros(65), 1.0])
    said = reconcile(constraints, values, np.array([*[0.01**2] * 5, *noise, 0.0]))
    assert int(released) == 2 == int(np.argmax(said.statistics[:5]))
    assert statistic == pytest.approx(said.statistics[2], rel=0.02)
    assert found.departure < found.departure_limit < statistic


def test_more_errors_than_can_be_told_apart_shut_the_gate() -> None:
    """Five of six meters far off: three are let go of their calibration, and the rest still contradict theirs."""
    made = metered_node(3, NodeWish(children=6, faults=0))
    children = made.children * np.array([1.0, 1.10, 0.90, 1.12, 0.88, 1.09])
    found = estimate(_node(6), NodeSteps(hour=made.hour, parent=made.parent, children=children))
    judged = gate(found)
    assert len(found.released) == 3
    assert judged.released == (), "behind a shut gate no meter is named"
    assert Reason.MEASUREMENT in judged.reasons
    assert judged.departure > judged.departure_limit


def test_sizes_have_limits() -> None:
    with pytest.raises(ValueError, match="children"):
        WatchedNode(name="node", children=())
    with pytest.raises(ValueError, match="differ"):
        NodeSteps(hour=np.zeros(3), parent=np.zeros(2), children=np.zeros((3, 1)))
    steps = NodeSteps(hour=np.arange(9.0), parent=np.ones(9), children=np.ones((9, 1)))
    assert list(newest(steps, 4).hour) == [5, 6, 7, 8]
    assert not gate(estimate(_node(1), newest(steps, 0))).open
