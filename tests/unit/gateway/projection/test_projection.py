"""The one apply: live equals rebuilt, any order of arrival settles alike, nothing is said twice."""

import json
import random
import sqlite3
from fractions import Fraction

import pytest
from click.testing import CliRunner

from gateway.assembly.projecting import Projection, drop_projections
from gateway.assembly.rebuilding import rebuild
from gateway.cli.ledger import command as ledger_command
from gateway.cli.revisions import command as revisions_command
from gateway.cli.substitute import command as substitute_command
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, Period, parse_iso
from gateway.registry.registry import Registry
from gateway.settlement.query import DAY, HOUR, MONTH, YEAR, Settlement
from gateway.settlement.row import Method
from tests.unit.gateway.projection.content import tables

ORG = "works"
T0 = parse_iso("2026-10-18T00:00:00+08:00")
STEP = 5 * US_PER_MINUTE


def readers(works):
    registry = Registry.open(works.folder.registry)
    return registry, Settlement.open(works.folder.settlement, registry)


def fill(works):
    """Two days of two devices: a silence, a rollover, an installation, a certificate that runs out."""
    works.device("a")
    works.device("b", modulus=10**6)
    works.record("point", "P", name_zh="进线", energy_kind="electricity", level=1, must_measure=1, compulsory=0)
    works.record(
        "instrument", "M", name="表", kind="electricity_meter", serial="S1", accuracy_class="0.5S", compulsory=0
    )
    works.record(
        "installation", "I", from_us=T0 - US_PER_DAY, point="P", instrument="M", device="a", role="meter", channel="e",
        ct_ratio="200/5",
    )  # fmt: skip
    works.record(
        "certificate", "C", kind="verification", instrument="M", serial="s-1", performed_on="2025-10-18",
        valid_until="2026-10-18", result="pass",
    )  # fmt: skip
    drafts = []
    for k in range(577):
        at = T0 + k * STEP
        drafts.append(works.miss("a", at) if 100 < k < 150 else works.poll("a", at, 1000 + 7 * k))
        drafts.append(works.poll("b", at, (999_000 + 9 * k) % 10**6))
    works.append(*drafts)


def test_rebuilt_projections_equal_the_live_ones_row_for_row(works):
    fill(works)
    works.project(limit=200)
    live = tables(works.folder)
    assert len(live["interval"]) > 300
    assert live["verdict"]
    head = works.journal.head()
    works.projection.close()
    drop_projections(works.folder)
    works.projection = Projection(works.folder, works.clock)
    works.project(limit=177)
    assert works.journal.head() == head, "a rebuild must not say anything new"
    assert tables(works.folder) == live


def test_energy_of_a_point_is_the_register_difference_times_the_ratio(works):
    fill(works)
    works.project()
    registry, settlement = readers(works)
    # the first slot is observed a second after midnight, so the first window has no register at its start
    day = Period(T0 + 15 * US_PER_MINUTE, T0 + US_PER_DAY)
    found = settlement.energy(ORG, "P", day)
    # the register rises by 0.07 kWh a slot; every edge is one second short of a reading, alike at both ends
    assert found.value == Fraction(7 * 285 * 40, 100)
    assert (found.unit, found.windows, found.missing) == ("kWh", 95, 0)
    assert found.value == settlement.energy(ORG, "P", day, known_seq=works.journal.head()).value
    assert sum(found.by_method.values()) == found.value
    assert sum(found.installations.values()) == found.value
    hours = settlement.rollups(ORG, "a", "e", HOUR, Period(T0, T0 + US_PER_DAY))
    days = settlement.rollups(ORG, "a", "e", DAY, Period(T0, T0 + US_PER_DAY))
    assert len(hours) == 24
    assert sum(each.energy for each in hours) == days[0].energy
    month = settlement.totals(ORG, MONTH, Period(parse_iso("2026-10-01T00:00:00+08:00"), T0))
    assert month["a", "e"][0].energy == sum(
        each.energy or 0 for each in settlement.intervals(ORG, "a", "e", Period(T0, T0 + 3 * US_PER_DAY))
    )
    year = settlement.totals(ORG, YEAR, Period(parse_iso("2026-01-01T00:00:00+08:00"), T0))
    assert year["a", "e"][0].energy == month["a", "e"][0].energy
    # the rollover of b
    energies = [
        each.row.energy for each in settlement.intervals(ORG, "b", "e", Period(T0 + US_PER_HOUR, T0 + US_PER_DAY))
    ]
    assert set(energies) == {27_000}
    settlement.close()
    registry.close()


def rows_without_entries(works, device="a"):
    registry, settlement = readers(works)
    found = [
        (each.start_us, (None, *each.row[3:11]))
        for each in settlement.intervals(ORG, device, "e", Period(T0 - US_PER_DAY, T0 + 9 * US_PER_DAY))
    ]
    settlement.close()
    registry.close()
    return found


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_arrival_settles_alike(works, another, seed):
    """Samples sent late, twice, and in any order end in the same intervals as in order."""
    chance = random.Random(seed)
    samples, value = [], 0
    for k in range(120):
        value += chance.randrange(0, 30)
        if not 40 <= k < 40 + seed * 6:
            samples.append((T0 + k * STEP + chance.randrange(0, 200) * 1_000_000, value))
    works.device("a", pushed=1)
    another.device("a", pushed=1)
    end = samples[-1][0] + US_PER_HOUR
    works.append(*(works.message("a", at, [v, 0]) for at, v in samples), works.message("a", end, [value, 0]))
    works.project()
    late = [*samples, *chance.sample(samples, 10)]
    chance.shuffle(late)
    for start in range(0, len(late), 17):
        another.append(*(another.message("a", at, [v, 0], received_us=end) for at, v in late[start : start + 17]))
        another.project(limit=5)
    another.append(another.message("a", end, [value, 0]))
    another.project()
    assert rows_without_entries(works) == rows_without_entries(another)
    assert len(rows_without_entries(works)) > 30


def test_late_data_is_a_new_revision_and_the_old_one_is_still_known(works):
    works.device("a")
    before = [works.poll("a", T0 + k * STEP, 10 * k) for k in range(12)]
    missed = [works.miss("a", T0 + k * STEP) for k in range(12, 60)]
    works.append(*before, *missed)
    works.project()
    known = works.journal.head()
    window = Period(T0 + 2 * US_PER_HOUR, T0 + 2 * US_PER_HOUR + 1)
    registry, settlement = readers(works)
    assert [each.energy for each in settlement.intervals(ORG, "a", "e", window)] == [None]
    works.append(*(works.poll("a", T0 + k * STEP, 10 * k) for k in range(60, 70)))
    works.project()
    (now,) = settlement.intervals(ORG, "a", "e", window)
    assert (now.energy, now.row.method.word) == (Fraction(30, 100), "caught_up")
    assert [each.energy for each in settlement.intervals(ORG, "a", "e", window, known_seq=known)] == [None]
    states = settlement.revisions(ORG, "a", "e", window.start_us)
    assert [each.energy for each in states] == [None, Fraction(3, 10)]
    (change,) = [each for each in settlement.changes(ORG, known) if each.old.start_us == window.start_us]
    assert (change.old.energy, change.new.energy, change.why) == (None, Fraction(3, 10), "late_readings")
    shown = CliRunner().invoke(revisions_command, ["--data", str(works.folder.path), "--after", str(known)], obj="en")
    assert "2026-10-17T18:00:00Z a e: – [missing] → 0.3 [caught_up] (readings came late; #" in shown.output
    lines = CliRunner().invoke(revisions_command, ["--data", str(works.folder.path), "--json"], obj="en").output
    assert {json.loads(line)["why"] for line in lines.splitlines()} == {"late_readings"}
    assert settlement.interval_evidence(ORG, states[1].seq)[1] > settlement.interval_evidence(ORG, states[0].seq)[1]
    settlement.close()
    registry.close()


def test_an_installation_declared_later_settles_its_time_again(works):
    works.device("a")
    works.append(*(works.poll("a", T0 + k * STEP, 100 * k) for k in range(60)))
    works.project()
    known = works.journal.head()
    at = T0 + 2 * US_PER_HOUR + 7 * US_PER_MINUTE
    works.record("point", "P", name_zh="进线", energy_kind="electricity", level=1)
    works.record("installation", "I", from_us=at, point="P", instrument="M", device="a", channel="e", ct_ratio="40")
    works.project()
    registry, settlement = readers(works)
    period = Period(T0, T0 + 5 * US_PER_HOUR)
    found = settlement.energy(ORG, "P", period)
    settled_to = settlement.channels(ORG)[0].settled_to_us
    assert found.value == Fraction(settled_to - at, STEP) * 100 * 40 / 100
    assert settlement.energy(ORG, "P", period, known_seq=known).value == 0
    assert len(settlement.intervals(ORG, "a", "e", Period(at - 10 * US_PER_MINUTE, at))) == 2  # cut in two
    settlement.close()
    registry.close()


def test_an_exchange_with_indexes_is_exact(works):
    works.device("a")
    at = T0 + 2 * US_PER_HOUR + 7 * US_PER_MINUTE
    for id_, from_us, to_us, more in (
        ("I1", T0 - US_PER_DAY, at, {"closing_index": "2.60", "instrument": "M1"}),
        ("I2", at, None, {"opening_index": "77.00", "instrument": "M2"}),
    ):
        works.record("installation", id_, from_us=from_us, to_us=to_us, point="P", device="a", channel="e", **more)
    works.append(*(works.poll("a", T0 + k * STEP, 10 * k) for k in range(26)))  # 2.50 kWh at the last one
    works.append(*(works.poll("a", T0 + k * STEP, 7700 + 10 * (k - 26)) for k in range(26, 60)))
    works.project()
    registry, settlement = readers(works)
    found = settlement.energy(ORG, "P", Period(T0 + 15 * US_PER_MINUTE, T0 + 4 * US_PER_HOUR))
    # old: from 00:15 (30 less one second's worth) to 2.60; new: from 77.00 to its register at 04:00
    edge = {each.start_us: each.row for each in settlement.intervals(ORG, "a", "e", Period(T0, T0 + 5 * US_PER_HOUR))}
    start = edge[T0 + 15 * US_PER_MINUTE].start
    end = edge[T0 + 4 * US_PER_HOUR].start
    assert found.value == Fraction((260_000 - start) + (end - 7_700_000), 100_000)
    assert len(found.installations) == 2
    settlement.close()
    registry.close()


def test_a_restart_says_nothing_twice(works):
    fill(works)
    works.project(limit=300)
    head = works.journal.head()
    works.projection.close()
    works.projection = None
    works.project()
    assert works.journal.head() == head


def test_a_stopped_gateway_is_no_silent_meter_and_a_silent_meter_is(works):
    works.device("a")
    works.append(works.poll("a", T0, 1))
    stopped = works.miss("a", T0 + STEP, "stopped")
    stopped.body.update(to=T0 + 20 * STEP, count=19)
    works.append(stopped, works.poll("a", T0 + 20 * STEP, 2))
    works.project()
    registry = works.projection.projector.registry
    assert registry.verdicts(ORG, rule="device.silent") == []
    works.append(*(works.miss("a", T0 + k * STEP) for k in range(21, 30)))
    works.project()
    (open_verdict,) = registry.open_verdicts(ORG)
    assert (open_verdict.rule, open_verdict.from_us, open_verdict.to_us) == ("device.silent", T0 + 21 * STEP, None)
    works.append(works.poll("a", T0 + 30 * STEP, 3))
    works.project()
    assert registry.open_verdicts(ORG) == []
    (closed,) = registry.verdicts(ORG, rule="device.silent")
    assert closed.to_us == T0 + 30 * STEP
    assert registry.outcomes(ORG) == {("a", "ok"): 3, ("a", "timeout"): 9, ("a", "stopped"): 19}


def test_another_period_later_does_not_make_the_past_a_gap(works):
    works.device("a")
    works.append(*(works.poll("a", T0 + k * STEP, 10 * k) for k in range(30)))
    works.project()
    before = rows_without_entries(works)
    assert {row[5].word for _, row in before[1:]} == {"measured"}
    works.device("a", period_s=10)
    works.record("installation", "I", from_us=T0 - US_PER_DAY, point="P", instrument="M", device="a", channel="e")
    start = T0 + 30 * STEP
    works.append(*(works.poll("a", start + k * 10_000_000, 300 + k) for k in range(360)))
    works.project()
    after = rows_without_entries(works)
    assert [row for row in after if row[0] <= before[-1][0]] == before
    assert {row[5].word for _, row in after[1:]} == {"measured"}


def test_weighing_tickets_count_once_and_a_number_with_other_contents_is_kept_apart(works):
    works.weighbridge("w")
    works.record("installation", "I", from_us=T0, point="P", instrument="M", device="w")
    at = [T0 + k * US_PER_HOUR for k in range(4)]
    works.append(works.ticket("w", at[0], "1", 20_500), works.ticket("w", at[1], "2", 30_000))
    works.append(works.ticket("w", at[0], "1", 20_500), works.ticket("w", at[2], "2", 31_000))
    works.project()
    registry, settlement = readers(works)
    day = Period(T0, T0 + US_PER_DAY)
    found = settlement.energy(ORG, "P", day)
    assert (found.value, found.unit, found.tickets) == (Fraction(505, 10), "t", 2)
    assert settlement.energy(ORG, "P", Period(at[1], at[3])).value == 30
    (refused,) = settlement.refused_tickets(ORG)
    assert (refused.number, refused.at_us) == ("2", at[2])
    works.append(works.entered("batch", "P", number="A", at=at[3], net="4.25", unit="t"))
    works.project()
    known = works.journal.head()
    assert settlement.energy(ORG, "P", day).value == Fraction(5475, 100)
    works.append(works.entered("batch", "P", withdrawn=1, number="A"))
    works.project()
    assert settlement.energy(ORG, "P", day).value == Fraction(505, 10)
    assert settlement.energy(ORG, "P", day, known_seq=known).value == Fraction(5475, 100)
    settlement.close()
    registry.close()


def test_registers_read_by_people_are_energy_between_the_readings(works):
    works.record("installation", "I", from_us=T0, to_us=T0 + 4 * US_PER_DAY, point="P", instrument="M", ct_ratio="40")
    works.record(
        "installation", "J", from_us=T0 + 4 * US_PER_DAY, point="P", instrument="N", ct_ratio="60", opening_index="0"
    )
    for day, register in ((0, "100"), (2, "112.5"), (6, "7")):
        works.append(works.entered("manual", "P", at=T0 + day * US_PER_DAY, register=register, unit="kWh"))
    works.project()
    registry, settlement = readers(works)
    found = settlement.energy(ORG, "P", Period(T0 + US_PER_DAY, T0 + 2 * US_PER_DAY))
    assert (found.value, found.missing, found.unit) == (Fraction(125 * 40, 20), 0, "kWh")
    # nobody read the old meter when it was taken down: two days are not known, and said so
    found = settlement.energy(ORG, "P", Period(T0, T0 + 5 * US_PER_DAY))
    assert (found.value, found.missing) == (Fraction(125, 10) * 40 + Fraction(7, 2) * 60, 1)
    works.append(
        works.entered("invoice", "P", number="F1", to=T0 + US_PER_DAY, amount="1000", unit="kWh", **{"from": T0})
    )
    works.project()
    (invoice,) = settlement.invoices(ORG, "P")
    assert (invoice.number, invoice.amount) == ("F1", 1000)
    settlement.close()
    registry.close()


def fill_gap(works, pack, *extra):
    arguments = ["a", "e", "--pack", pack, "--from", "2026-10-17T00:00:00Z", "--to", "2026-10-20T00:00:00Z"]
    arguments += ["--data", str(works.folder.path), "--actor", "li", "--reason", "meter was out", *extra]
    result = CliRunner().invoke(substitute_command, arguments, obj="en", catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_filled_gap_says_so_keeps_the_total_and_gives_way_to_late_readings(works):
    works.device("a")
    missing = range(120, 132)
    polls = [works.poll("a", T0 + k * STEP, 10 * k) for k in range(288) if k not in missing]
    works.append(*polls)
    works.project()
    registry, settlement = readers(works)
    span = Period(T0 + 2 * US_PER_HOUR, T0 + 20 * US_PER_HOUR)
    before = settlement.intervals(ORG, "a", "e", span)
    total = sum(each.energy for each in before)
    assert "Nothing was written" in fill_gap(works, "linear-2h", "--preview")
    assert "This is not a Chinese rule." in fill_gap(works, "linear-2h")
    works.project()
    after = settlement.intervals(ORG, "a", "e", span)
    filled = [each for each in after if each.row.method.word == "substituted"]
    assert filled
    assert sum(each.energy for each in after) == total
    said = settlement.substitution(ORG, filled[0].seq)
    assert (said["pack"], said["version"], said["actor"], said["reason"]) == ("linear-2h", "1", "li", "meter was out")
    assert settlement.substitution(ORG, before[0].seq) is None
    hours = settlement.rollups(ORG, "a", "e", HOUR, span)
    assert sum(each.by_method.get(Method.SUBSTITUTED, 0) for each in hours) == sum(each.energy for each in filled)
    head = works.journal.head()
    fitted = {"point": "P", "instrument": "M", "device": "a", "channel": "e", "ct_ratio": "40"}
    works.record("installation", "I", from_us=T0 - US_PER_DAY, **fitted)
    works.project()
    again = [each for each in settlement.intervals(ORG, "a", "e", span) if each.row.method.word == "substituted"]
    assert [each.energy for each in again] == [40 * each.energy for each in filled], "carried under the new ratio"
    assert settlement.substitution(ORG, again[0].seq) == said
    assert {each.why for each in settlement.changes(ORG, head)} == {"installation", "substituted"}
    assert works.journal.head() > head
    works.append(*(works.poll("a", T0 + k * STEP, 10 * k) for k in missing))
    works.project()
    assert {each.row.method.word for each in settlement.intervals(ORG, "a", "e", span)} == {"measured"}
    settlement.close()
    registry.close()


def exchange(works, *extra):
    arguments = ["exchange", "P", "--data", str(works.folder.path), "--when", "2026-10-18 02:07", "--instrument", "N"]
    arguments += ["--closing-index", "2.60", "--opening-index", "77", "--people", "王、李", "--reason", "失准", *extra]
    return CliRunner().invoke(ledger_command, arguments, obj="en", catch_exceptions=False)


def test_an_exchange_put_on_record_later_closes_opens_and_settles_again(works):
    works.device("a")
    works.record("instrument", "M", serial="1")
    fitted = {"point": "P", "instrument": "M", "device": "a", "channel": "e", "ct_ratio": "200/5"}
    works.record("installation", "I", from_us=T0 - US_PER_DAY, **fitted)
    works.append(*(works.poll("a", T0 + k * STEP, 10 * k) for k in range(26)))
    works.append(*(works.poll("a", T0 + k * STEP, 7700 + 10 * (k - 26)) for k in range(26, 60)))
    works.project()
    registry, settlement = readers(works)
    period = Period(T0 + 2 * US_PER_HOUR, T0 + 3 * US_PER_HOUR)
    with pytest.raises(UnknownObjectError):
        exchange(works)
    works.record("instrument", "N", serial="2")
    assert "I closed, I-2 opened" in exchange(works, "--ct-ratio", "300/5").output
    works.project()
    rows = settlement.intervals(ORG, "a", "e", period)
    assert all(each.energy is not None for each in rows)
    at = T0 + 2 * US_PER_HOUR + 7 * US_PER_MINUTE
    assert [each.row.num for each in rows if each.start_us <= at < each.end_us] == [40, 60]
    assert registry.installation_of_device(ORG, "a", at).id == "I-2"
    assert registry.installation_of_device(ORG, "a", at - 1).object["closing_index"] == "2.60"
    settlement.close()
    registry.close()


def test_a_rebuild_grows_beside_the_live_files_and_takes_their_place_whole(works):
    fill(works)
    works.project()
    works.projection.close()
    works.projection = None
    live = tables(works.folder)
    marked = sqlite3.connect(works.folder.registry)
    marked.execute("CREATE TABLE old (x)")
    seen = []

    def stop(done, head):
        seen.append((done, head))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(works.folder, works.clock, stop)
    assert seen
    assert marked.execute("SELECT count(*) FROM old").fetchone() == (0,)
    assert tables(works.folder) == live
    count = rebuild(works.folder, works.clock, lambda done, head: None)
    assert count == works.journal.head()
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        marked.execute("SELECT count(*) FROM old")
    marked.close()
    assert tables(works.folder) == live
    assert not (works.folder.state / "rebuild").exists()
    works.append(works.poll("a", T0 + 600 * STEP, 9000))
    assert works.project().projector.series.last("a", "main").slot_us == T0 + 600 * STEP
