"""What a meter's own channels must satisfy."""

from math import sqrt

import pytest

from gateway.metrology.watch_identity import LEAST, Agreement, Identity, energy_against_power, phases, triangle


def _moments(count: int = 20) -> list[tuple[float, float]]:
    return [(100.0 + each, 30.0 + each / 2) for each in range(count)]


def test_the_power_triangle() -> None:
    whole = [(p, q, sqrt(p * p + q * q)) for p, q in _moments()]
    found = triangle(whole)
    assert (found.identity, found.agreement, found.count) == (Identity.TRIANGLE, Agreement.AGREES, 20)
    assert found.mean == pytest.approx(0, abs=1e-12)


def test_harmonics_make_the_apparent_power_larger_and_that_agrees() -> None:
    assert triangle([(p, q, 1.08 * sqrt(p * p + q * q)) for p, q in _moments()]).agreement is Agreement.AGREES


def test_an_apparent_power_below_its_parts_cannot_be() -> None:
    assert triangle([(p, q, 0.95 * sqrt(p * p + q * q)) for p, q in _moments()]).agreement is Agreement.DIFFERS


def test_a_lost_phase_breaks_the_sum() -> None:
    thirds = [(p, p / 3, p / 3, p / 3) for p, _ in _moments()]
    assert phases(thirds).agreement is Agreement.AGREES
    lost = phases([(p, p / 3, p / 3, 0.0) for p, _ in _moments()])
    assert lost.agreement is Agreement.DIFFERS
    assert lost.mean == pytest.approx(-1 / 3)


def test_energy_follows_power_within_what_sampling_leaves_open() -> None:
    noisy = [(100.0, 100.0 * (1 + (0.1 if each % 2 else -0.1))) for each in range(48)]
    assert energy_against_power(noisy).agreement is Agreement.AGREES
    tenfold = energy_against_power([(100.0, 90.0)] * 48)
    assert tenfold.agreement is Agreement.DIFFERS
    assert tenfold.mean == pytest.approx(-0.1)


def test_few_or_idle_readings_say_nothing() -> None:
    assert triangle([(1.0, 0.0, 1.0)] * (LEAST - 1)).agreement is Agreement.UNKNOWN
    assert phases([]).agreement is Agreement.UNKNOWN
    assert energy_against_power([(0.0, 0.0)] * 100).agreement is Agreement.UNKNOWN
    idle = [(1000.0, 0.0, 1000.0)] * 5 + [(0.01, 0.0, 0.02)] * 50
    assert triangle(idle).count == 5
