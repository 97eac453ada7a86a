"""Which errors an amount carries: meters, standards they share, adjustments that begin anew; nodes judged by them."""

import math
from fractions import Fraction

import pytest

from gateway.accounting.account import Account, account
from gateway.accounting.budget import class_u
from gateway.accounting.closure import Closure
from gateway.accounting.network import balances
from gateway.accounting.quantities import Quantities
from gateway.domain.time import Period
from tests.unit.gateway.accounting.conftest import PLAN, START, World


def test_every_node_of_the_network_is_judged(world: World) -> None:
    found = dict(balances(Quantities(world.inputs())))
    assert set(found) == {"intake", "kiln", "gross"}
    assert found["intake"].remainder == 96 * 100
    assert found["intake"].unmetered_permille == 100
    limit = 2 * 96 * math.hypot(1000 * class_u(0.5), 600 * class_u(1), 300 * class_u(1))
    assert float(found["intake"].limit or 0) == pytest.approx(limit, rel=1e-4)
    assert found["intake"].closure is Closure.UNMETERED  # nobody said that everything under it is metered
    world.plan({**PLAN, "balances": [{"point": "intake", "losses_percent": "2"}]})
    whole = dict(balances(Quantities(world.inputs())))
    assert whole["intake"].closure is Closure.EXCEEDED
    world.plan({**PLAN, "balances": [{"point": "intake", "losses_percent": "10"}]})
    assert dict(balances(Quantities(world.inputs())))["intake"].closure is Closure.BALANCED
    world.settle({"kiln": None}, START, 20, revision=1, coverage=0)
    thin = dict(balances(Quantities(world.inputs())))
    assert thin["intake"].closure is Closure.UNDECIDED
    assert thin["intake"].reasons == ("coverage",)


def test_a_calibration_without_a_class_shares_its_standard(world: World) -> None:
    for point in ("gross", "own"):
        world.object("instrument", f"m-{point}", {"accuracy_class": "", "kind": "electricity_meter"})
        certificate = {"kind": "calibration", "instrument": f"m-{point}", "performed_on": "2025-06-01"}
        certificate |= {"error_percent": "0.3", "uncertainty_percent": "0.2", "coverage_factor": "2", "standards": "S1"}
        world.object("certificate", f"C-{point}", certificate)
    made = account(world.inputs())
    net = made.lines["energy/net"]
    gross, own = 96 * 50, 96 * 5
    meters = math.hypot(gross, own) * 0.003 / math.sqrt(3)
    standard = (gross - own) * 0.001  # the same standard in both: it cancels in part
    quantisation = math.sqrt(2 / 6)
    assert net.figure.u == pytest.approx(math.sqrt(meters**2 + standard**2 + quantisation**2), rel=1e-9)


def recalibrated(world: World, day: str, **said: str) -> Account:
    """Three days of one class-1 meter with a certificate of the middle one."""
    world.settle({"kiln": 600_000}, START + 86_400_000_000, 192)
    certificate = {"kind": "verification", "instrument": "m-kiln", "performed_on": day, **said}
    world.object("certificate", "again", certificate)
    return account(world.inputs(Period(START, START + 3 * 86_400_000_000)))


def test_an_adjustment_within_the_period_splits_the_effect(world: World) -> None:
    made = recalibrated(world, "2026-01-02", as_found_result="fail")
    estimate = made.lines["energy/kiln"].quantity.estimate
    assert estimate is not None
    daily = Fraction(96 * 600)
    assert estimate.sensitivities == {"meter:m-kiln": daily, "meter:m-kiln@2026-01-02": 2 * daily}
    assert estimate.value == 3 * daily
    assert made.lines["energy/kiln"].figure.u == pytest.approx(
        math.hypot(class_u(1) * float(daily), class_u(1) * 2 * float(daily), math.sqrt(1 / 6)), rel=1e-9
    )


def test_a_verification_that_changed_nothing_splits_nothing(world: World) -> None:
    made = recalibrated(world, "2026-01-02", as_found_result="pass")
    estimate = made.lines["energy/kiln"].quantity.estimate
    assert estimate is not None
    assert estimate.sensitivities == {"meter:m-kiln": Fraction(3 * 96 * 600)}


def test_a_calibration_anew_brings_its_own_error_and_standard(world: World) -> None:
    world.object("instrument", "m-kiln", {"accuracy_class": "", "kind": "electricity_meter"})
    before = {"kind": "calibration", "instrument": "m-kiln", "performed_on": "2025-06-01", "standards": "S-1"}
    world.object("certificate", "old", {**before, "error_percent": "0.6", "uncertainty_percent": "0.2"})
    said = {"standards": "S-2", "error_percent": "-0.3", "uncertainty_percent": "0.1"}
    made = recalibrated(world, "2026-01-03", **{**said, "kind": "calibration"})
    estimate = made.lines["energy/kiln"].quantity.estimate
    assert estimate is not None
    daily = Fraction(96 * 600)
    assert dict(estimate.sensitivities) == {
        "meter:m-kiln@2025-06-01": 2 * daily,
        "standard:S-1": 2 * daily,
        "meter:m-kiln@2026-01-03": daily,
        "standard:S-2": daily,
    }
    assert made.effects["meter:m-kiln@2026-01-03"].u == pytest.approx(0.003 / math.sqrt(3))
    assert made.effects["standard:S-1"].u == pytest.approx(0.001)
