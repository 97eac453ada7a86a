"""Completeness, statistics, balance, network, plan and journal over the small folder, against what was planted."""

from datetime import date
from fractions import Fraction
from math import isclose, sqrt

import pytest

from gateway.assembly.reading import OpenFolder
from gateway.audit.asking import Asking
from gateway.audit.balance import Closure, balances
from gateway.audit.calibration_plan import calibration_plan
from gateway.audit.completeness import completeness
from gateway.audit.consumption import consumption
from gateway.audit.days import edges, preceding
from gateway.audit.equipping import Equipping, network
from gateway.audit.record import journal_page
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, Period
from tests.plant_folder import NOW, QUARTER_KWH, START

DAY_KWH = 96 * QUARTER_KWH


def test_completeness_shows_the_planted_gap_and_nothing_before_the_first_reading(
    reader: OpenFolder, asking: Asking
) -> None:
    found = completeness(reader.sources, asking, days=3)
    rows = {row.point.id: row for row in found.points}
    assert [str(day) for day in found.days] == ["2026-03-09", "2026-03-10", "2026-03-11"]
    intake, mill = rows["P-01"], rows["P-02"]
    assert [each.covered_permille for each in intake.days] == [None, 1000, 1000]
    # an hour of 24 lies between readings too far apart
    assert mill.days[1].covered_permille == pytest.approx(1000 * 23 / 24, abs=2)
    assert "P-03" not in rows
    slots = {row.device: row for row in found.devices}
    assert slots["mill"].by_outcome == {"ok": slots["intake"].slots - 11, "timeout": 11}
    assert slots["intake"].answered == slots["intake"].slots


def test_statistics_by_hour_day_and_month_agree(reader: OpenFolder, asking: Asking) -> None:
    day = date(2026, 3, 10)
    by_day = consumption(reader.sources, asking, first=day, last=day)
    by_hour = consumption(reader.sources, asking, first=day, last=day, step="hour")
    assert by_day.chosen is not None
    assert by_day.chosen.id == "P-01"
    assert [each.value for each in by_day.steps] == [DAY_KWH]
    assert [each.value for each in by_hour.steps] == [4 * QUARTER_KWH] * 24
    assert by_day.total is not None
    assert by_day.total.value == DAY_KWH
    assert by_day.before is not None
    assert by_day.before.value is None
    today = consumption(reader.sources, asking, first=day, last=date(2026, 3, 20), step="month")
    assert today.last == date(2026, 3, 11), "not after the moment"
    assert today.total is not None
    assert len(today.steps) == 1
    assert today.steps[0].value == today.total.value
    with pytest.raises(UnknownObjectError):
        consumption(reader.sources, asking, first=day, last=day, point="P-99")


def test_statistics_as_known_then_use_what_was_recorded_then(reader: OpenFolder) -> None:
    before_settling = reader.asking(NOW, START + US_PER_HOUR)
    found = consumption(reader.sources, before_settling, first=date(2026, 3, 10), last=date(2026, 3, 10))
    assert found.total is None or found.total.value is None


@pytest.mark.parametrize("step", ["hour", "day", "month"])
def test_statistics_as_known_at_the_end_are_those_of_now(reader: OpenFolder, asking: Asking, step: str) -> None:
    then = reader.asking(NOW, NOW)
    assert then.known_seq is not None
    assert asking.known_seq is None
    for point in ("P-01", "P-02"):
        of = {"first": date(2026, 3, 9), "last": date(2026, 3, 11), "point": point, "step": step}
        now, again = (consumption(reader.sources, each, **of) for each in (asking, then))
        assert again.steps == now.steps
        assert again.total == now.total


def test_edges_of_days_hours_and_months(asking: Asking) -> None:
    days = edges(asking, date(2026, 2, 27), date(2026, 3, 2), "day")
    assert len(days) == 5
    assert edges(asking, date(2026, 2, 27), date(2026, 3, 2), "month") == [days[0], days[2], days[4]]
    assert len(edges(asking, date(2026, 2, 27), date(2026, 2, 27), "hour")) == 25
    assert preceding(date(2026, 3, 1), date(2026, 3, 10)) == (date(2026, 2, 19), date(2026, 2, 28))


def test_a_balance_with_an_unmetered_child_is_not_judged(reader: OpenFolder, asking: Asking) -> None:
    (found,) = balances(reader.sources, asking, Period(START, START + US_PER_DAY))
    assert found.parent.point.id == "P-01"
    assert found.parent.amount.value == DAY_KWH
    mill = next(each for each in found.children if each.point.id == "P-02")
    assert found.difference == DAY_KWH - (mill.amount.value or 0)
    assert found.closure is Closure.UNDECIDED
    assert "unmetered" in found.reasons


def test_standard_uncertainty_comes_from_the_classes(reader: OpenFolder, asking: Asking) -> None:
    (found,) = balances(reader.sources, asking, Period(START, START + US_PER_DAY))
    # the intake's transformer states no class, so nothing is known; the mill has a meter of class 1 alone
    assert found.parent.standard_uncertainty is None
    mill = next(each for each in found.children if each.point.id == "P-02")
    assert mill.amount.value is not None
    assert mill.standard_uncertainty is not None
    assert isclose(float(mill.standard_uncertainty), float(mill.amount.value) * 0.01 / sqrt(3), rel_tol=1e-6)


def test_network_counts_what_is_demanded(reader: OpenFolder, asking: Asking) -> None:
    found = network(reader.sources, asking)
    assert [(each.depth, each.point.id, each.equipping) for each in found.points] == [
        (0, "P-01", Equipping.EQUIPPED),
        (1, "P-02", Equipping.EQUIPPED),
        (1, "P-03", Equipping.LACKING),
    ]
    rates = {(each.energy_kind, each.level): (each.equipped, each.demanded) for each in found.rates}
    assert rates == {("electricity", 1): (1, 1), ("electricity", 2): (1, 1), ("electricity", 3): (0, 1)}
    assert found.points[0].class_suffices is True


def test_the_plan_begins_with_what_is_overdue(reader: OpenFolder, asking: Asking) -> None:
    found = calibration_plan(reader.sources, asking)
    assert [row.instrument.id for row in found.rows] == ["CT-01", "M-02"]
    assert found.by_month == [("", 2)]
    assert [(rate.id, rate.part, rate.whole) for rate in found.rates] == [("verified", 1, 3), ("compulsory", 1, 1)]
    six_years = calibration_plan(reader.sources, asking, months=60)
    assert "M-01" not in [row.instrument.id for row in six_years.rows], "31 March 2031 is more than 60 months away"


def test_the_journal_goes_on_backwards_without_a_gap(reader: OpenFolder, asking: Asking) -> None:
    seen: list[int] = []
    before = 0
    for _page in range(100):
        found = journal_page(reader.sources, asking, before=before)
        seen += [each.seq for each in found.entries]
        if found.older_before is None:
            break
        before = found.older_before
    assert seen == list(range(found.head, 0, -1))
    points = journal_page(reader.sources, asking, kind="point")
    assert [each.subject.rsplit("/", 1)[1] for each in points.entries] == ["P-03", "P-02", "P-01"]
    assert points.older_before is None
    assert points.seal.signed is None, "nothing was sealed in this folder"


def test_amounts_are_exact(reader: OpenFolder, asking: Asking) -> None:
    found = consumption(
        reader.sources, asking, first=date(2026, 3, 10), last=date(2026, 3, 10), point="P-02", step="hour"
    )
    assert found.total is not None
    assert sum((each.value or Fraction(0) for each in found.steps), Fraction(0)) == found.total.value
