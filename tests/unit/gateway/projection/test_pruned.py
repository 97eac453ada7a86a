"""Raw readings past their retention are gone; intervals, ledger and verdicts are built again without them."""

import sqlite3
from contextlib import closing
from datetime import date

from gateway.assembly.rebuilding import rebuild
from gateway.assembly.rebuilding_facts import rebuild_from_facts
from gateway.domain.time import US_PER_DAY, US_PER_MINUTE, parse_iso
from gateway.sealing.archivist import Archivist
from gateway.sealing.sealer import Sealer
from tests.unit.gateway.projection.content import tables

T0 = parse_iso("2026-10-18T00:00:00+08:00")
STEP = 5 * US_PER_MINUTE
FROM_FACTS = ("interval", "superseded", "rollup", "load", "entry", "recorded", "version", "reference", "verdict")


def fill(works):
    works.device("a")
    works.record("point", "P", name_zh="进线", energy_kind="electricity", level=1, must_measure=1, compulsory=0)
    works.record("instrument", "M", name="表", kind="electricity_meter", serial="S1", compulsory=0)
    # recorded from the start: what it covers is settled again whenever the entry is applied
    works.record(
        "installation", "I", from_us=T0 - US_PER_DAY, point="P", instrument="M", device="a", role="meter", channel="e",
        ct_ratio="200/5",
    )  # fmt: skip
    drafts = []
    for k in range(3 * 288):
        at = T0 + k * STEP
        drafts.append(works.miss("a", at) if 100 < k < 150 else works.poll("a", at, 1000 + 7 * k))
    works.append(*drafts[:500])
    works.project()
    works.append(*drafts[500:])
    works.project()


def prune(works, before):
    works.clock.at_us = T0 + 4 * US_PER_DAY
    Sealer(works.folder, works.clock).seal(works.journal)
    archivist = Archivist(works.folder, works.journal, works.clock)
    assert archivist.close_days()
    return archivist.prune(before, "custodian", "retention")


def test_intervals_and_ledger_are_built_again_without_the_readings(works):
    fill(works)
    removed = prune(works, date(2026, 10, 20))
    assert len(removed) == 3, "the days UTC that the first two local days touch"
    works.project()
    live = {name: rows for name, rows in tables(works.folder).items() if name in FROM_FACTS}
    assert len(live["interval"]) > 250
    works.projection.close()
    works.projection = None
    head = works.journal.head()
    rebuild(works.folder, works.clock, lambda done, head: None)
    assert works.journal.head() == head, "what is gone is no reason for a revision"
    found = tables(works.folder)
    for name, rows in live.items():
        assert found[name] == rows, name


def test_an_installation_put_on_record_later_does_not_settle_what_cannot_be_read_any_more(works):
    fill(works)
    prune(works, date(2026, 10, 20))
    works.project()
    works.projection.close()
    works.projection = None
    rebuild(works.folder, works.clock, lambda done, head: None)
    before = {row[:3]: row for row in tables(works.folder)["interval"]}
    works.record(
        "installation", "I", at_us=works.clock.at_us, from_us=T0 - US_PER_DAY, point="P", instrument="M", device="a",
        role="meter", channel="e", ct_ratio="300/5",
    )  # fmt: skip
    works.project()
    after = {row[:3]: row for row in tables(works.folder)["interval"]}
    assert after.keys() == before.keys()
    energies = [(old[7], after[key][7]) for key, old in before.items() if old[7] is not None]
    assert all(old == new for old, new in energies), "no energy is lost"


def test_facts_alone_build_what_was_there_even_of_pruned_readings(works):
    fill(works)
    prune(works, date(2026, 10, 20))
    works.append(works.poll("a", T0 + 900 * STEP, 9000))
    works.project()
    works.projection.close()
    works.projection = None
    live = tables(works.folder)
    assert live["outcome"]
    assert live["silence"]
    facts = rebuild_from_facts(works.folder, lambda done, last: None)
    assert facts is not None
    assert facts < works.journal.head() - 500, "no poll was read"
    assert tables(works.folder) == live
    head = works.journal.head()
    works.project()
    assert works.journal.head() == head, "and nothing is said again"


def test_files_that_ended_apart_are_not_built_from_facts(works):
    fill(works)
    works.projection.close()
    works.projection = None
    with closing(sqlite3.connect(works.folder.settlement)) as db:
        db.execute("UPDATE meta SET value = value - 1 WHERE name = 'applied'")
        db.commit()
    live = tables(works.folder)
    assert rebuild_from_facts(works.folder, lambda done, last: None) is None
    assert tables(works.folder) == live
