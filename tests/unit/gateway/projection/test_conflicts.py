"""Two values for one key: said once, visible, decided by a person, and the same after a rebuild."""

import sqlite3
from fractions import Fraction

import pytest
from click.testing import CliRunner

from gateway.assembly.projecting import Projection, drop_projections
from gateway.cli.conflict import command
from gateway.cli.status import command as status_command
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, Period, parse_iso
from gateway.projection.conflicts import CONFLICT
from gateway.registry.registry import Registry
from gateway.settlement.query import Settlement
from tests.unit.gateway.projection.content import tables

ORG = "works"
T0 = parse_iso("2026-10-18T00:00:00+08:00")
STEP = 5 * US_PER_MINUTE


def fill(works, slots=60):
    works.device("a")
    works.append(*(works.poll("a", T0 + k * STEP, 1000 + 7 * k, k) for k in range(slots)))


def conflicts(works):
    registry = Registry.open(works.folder.registry)
    try:
        return registry.verdicts(ORG, rule=CONFLICT)
    finally:
        registry.close()


def run(works, *arguments):
    return CliRunner().invoke(command, [*arguments, "--data", str(works.folder.path)], obj="en")


def again(works, limit):
    works.projection.close()
    drop_projections(works.folder)
    works.projection = Projection(works.folder, works.clock)
    works.project(limit)


def test_a_second_value_is_said_once_and_never_again_in_a_rebuild(works):
    fill(works)
    works.project()
    works.append(works.poll("a", T0 + 20 * STEP, 9_000), works.poll("a", T0 + 20 * STEP, 9_001))
    works.append(works.poll("a", T0 + 21 * STEP, 1000 + 7 * 21, 21))
    works.project()
    (said,) = conflicts(works)
    assert (said.device, said.from_us, said.to_us, said.severity) == ("a", T0 + 20 * STEP, None, "warning")
    assert said.facts["group"] == "main"
    assert works.journal.entry(said.facts["refused"]).body["slot"] == T0 + 20 * STEP
    assert said.facts["refused"] > said.facts["kept"]
    assert works.projection.projector.series.row("a", "main", T0 + 20 * STEP).values[0] == 1140
    head, live = works.journal.head(), tables(works.folder)
    again(works, 7)
    assert works.journal.head() == head
    assert tables(works.folder) == live
    works.projection.close()
    works.projection = None
    works.project()
    assert works.journal.head() == head, "a restart must not say it again"


def test_a_conflict_found_before_a_crash_is_said_after_it(works, monkeypatch):
    fill(works)
    works.project()
    works.append(works.poll("a", T0 + 20 * STEP, 9_000))
    monkeypatch.setattr(works.projection, "_conflicts", lambda: 0)
    works.project()
    works.projection.close()
    assert not conflicts(works)
    works.projection = None
    works.project()
    assert len(conflicts(works)) == 1


@pytest.mark.parametrize("packed", [False, True])
def test_the_later_value_stands_once_it_is_accepted(works, packed):
    fill(works, 400)
    works.project()
    if packed:
        assert works.projection.projector.series.pack_days(T0 + 2 * US_PER_DAY)
    # the register of one edge read 0.06 kWh too high: two windows change, the sum does not
    works.append(works.poll("a", T0 + 21 * STEP, 1000 + 7 * 21 + 6, 5))
    works.project()
    (said,) = conflicts(works)
    windows = Period(T0 + US_PER_HOUR, T0 + 3 * US_PER_HOUR)
    before = energies(works, windows)
    done = run(works, "accept", str(said.seq), "--reason", "read again at the meter")
    assert done.exit_code == 0, done.output
    works.project()
    assert works.projection.projector.series.row("a", "main", T0 + 21 * STEP).values == (1153, 5)
    assert conflicts(works)[0].to_us is not None
    after = energies(works, windows)
    assert sum(after) == sum(before)
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 2
    # 105 min after midnight, observed a second later: at the edge all but a 300th of the rise is there
    assert changed[0][1] - changed[0][0] == pytest.approx(6_000 * Fraction(299, 300), abs=1)
    head, live = works.journal.head(), tables(works.folder)
    again(works, 50)
    assert (works.journal.head(), tables(works.folder)) == (head, live)
    assert works.projection.projector.series.row("a", "main", T0 + 21 * STEP).values == (1153, 5)
    second = run(works, "accept", str(said.seq), "--reason", "x")
    assert second.exception is not None, "decided is decided"


def energies(works, period):
    registry = Registry.open(works.folder.registry)
    settlement = Settlement.open(works.folder.settlement, registry)
    try:
        return [each.row.energy for each in settlement.intervals(ORG, "a", "e", period)]
    finally:
        settlement.close()
        registry.close()


def test_keeping_the_first_value_closes_the_finding_and_changes_nothing(works):
    fill(works)
    works.append(works.poll("a", T0 + 20 * STEP, 9_000))
    works.project()
    (said,) = conflicts(works)
    status = CliRunner().invoke(status_command, [str(works.folder.path)], obj="en")
    assert "1 conflicts wait for a decision" in status.output
    listed = run(works, "list")
    assert f"{said.seq}: a, main, " in listed.output
    kept = run(works, "keep", str(said.seq), "--reason", "a test of the line")
    assert kept.exit_code == 0, kept.output
    works.project()
    assert conflicts(works)[0].to_us is not None
    assert works.projection.projector.series.row("a", "main", T0 + 20 * STEP).values[0] == 1140
    assert "0 conflicts." in run(works, "list").output
    assert "1 conflicts." in run(works, "list", "--all").output


def test_conflicts_of_an_index_written_before_they_were_kept_have_a_table(works):
    fill(works)
    works.project()
    works.projection.close()
    works.projection = None
    index = sqlite3.connect(works.folder.series / "index.sqlite")
    index.execute("DROP TABLE conflict")
    index.close()
    works.append(works.poll("a", T0 + 20 * STEP, 9_000))
    works.project()
    assert len(conflicts(works)) == 1
