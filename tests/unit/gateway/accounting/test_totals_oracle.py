"""Totals of a whole account, correlated and not, against two libraries that share nothing with it."""

from collections.abc import Callable
from math import isclose, sqrt
from typing import Any

import pytest
from GTC import ureal
from uncertainties import ufloat

from gateway.accounting.account import account
from tests.unit.gateway.accounting.conftest import START, World

GRID_U, HALF = 0.05, 0.005 / sqrt(3)
STEP_MWH = 0.001  # registers of the plant move in whole kilowatt hours
LIBRARIES = pytest.mark.parametrize(("make", "u_of"), [(ufloat, "s"), (ureal, "u")])


def u_and_value(world: World, line: str) -> tuple[float, float]:
    made = account(world.inputs())
    estimate = made.lines[line].quantity.estimate
    assert estimate is not None
    u = estimate.u(made.effects)
    assert u is not None
    return float(estimate.value), u


@LIBRARIES
def test_bought_less_sold_shares_the_grids_factor(world: World, make: Callable[..., Any], u_of: str) -> None:
    grid = 0.5306 * (1 + make(0.0, GRID_U))
    amounts = [mwh * (1 + make(0.0, HALF)) + make(0.0, STEP_MWH / sqrt(6)) for mwh in (96.0, 9.6)]
    theirs = amounts[0] * grid - amounts[1] * grid
    value, u = u_and_value(world, "carbon/enterprise/indirect")
    assert isclose(value, 0.5306 * (96 - 9.6), rel_tol=1e-12)
    assert isclose(u, getattr(theirs, u_of), rel_tol=1e-9)


@LIBRARIES
def test_two_meters_of_their_own_are_independent(world: World, make: Callable[..., Any], u_of: str) -> None:
    amounts = [kwh * (1 + make(0.0, HALF)) + make(0.0, 1 / sqrt(6)) for kwh in (4800.0, 480.0)]
    value, u = u_and_value(world, "energy/net")
    assert value == 4320
    assert isclose(u, getattr(amounts[0] - amounts[1], u_of), rel_tol=1e-9)


@LIBRARIES
def test_one_meter_read_at_two_points_errs_the_same_way(world: World, make: Callable[..., Any], u_of: str) -> None:
    """The same instrument behind both: what it errs by cancels in the difference but for the difference itself."""
    fitted = {"point": "own", "instrument": "m-gross", "device": "own", "role": "meter", "channel": "energy"}
    world.object("installation", "i-own", fitted, from_us=START)
    shared = make(0.0, HALF)
    theirs = [kwh * (1 + shared) + make(0.0, 1 / sqrt(6)) for kwh in (4800.0, 480.0)]
    _value, u = u_and_value(world, "energy/net")
    assert isclose(u, getattr(theirs[0] - theirs[1], u_of), rel_tol=1e-9)


def test_a_limit_of_its_own_papers_and_a_jurisdiction_change_u_and_never_the_value(world: World) -> None:
    value, u = u_and_value(world, "energy/intake")
    papers = {"kind": "electricity_meter", "accuracy_class": "0.5", "mpe_percent": "0.25", "mpe_source": "maker, 3.1"}
    world.object("instrument", "m-intake", papers)
    same, half = u_and_value(world, "energy/intake")
    own = 1 / 6
    assert same == value
    assert isclose(half**2 - own, (u**2 - own) / 4, rel_tol=1e-9)
    world.object("site", "s", {"jurisdiction": "DE"})
    assert u_and_value(world, "energy/intake") == (value, pytest.approx(u, rel=1e-12))
