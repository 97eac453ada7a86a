import json

import pytest

from gateway.journal.canonical import encode
from gateway.verifier.log import LogFacts
from gateway.verifier.report import Report

PERIOD = 300_000_000


def take(*bodies: dict) -> Report:
    report = Report()
    facts = LogFacts(report)
    for seq, body in enumerate(bodies, 1):
        facts.entry(seq, encode({"v": 1, "at": seq, "subject": "o/device/d"} | body))
    facts.finish()
    return report


def configuration(period_us: int = PERIOD) -> dict:
    return {"kind": "configuration", "groups": {"main": {"period_us": period_us}}}


def poll(slot: int, cfg: int = 1, **facts: object) -> dict:
    return {"kind": "poll", "group": "main", "slot": slot * PERIOD, "cfg": cfg} | facts


def holes(report: Report) -> list[dict]:
    return [each.facts for each in report.notes if each.code == "note.slots"]


def test_slots_without_a_hole_are_quiet():
    stopped = {"kind": "miss", "group": "main", "slot": 3 * PERIOD, "to": 7 * PERIOD, "cfg": 1}
    assert holes(take(configuration(), poll(1), poll(2), stopped, poll(7), poll(8))) == []


def test_a_hole_is_counted_and_its_first_slot_named():
    assert holes(take(configuration(), poll(1), poll(4), poll(5), poll(7))) == [{"count": "3", "slot": str(2 * PERIOD)}]


def test_a_changed_period_is_no_hole():
    faster = configuration(PERIOD // 60)
    entries = [
        configuration(),
        poll(1),
        faster,
        {**poll(2, cfg=3)},
        {**poll(2, cfg=3), "slot": 2 * PERIOD + PERIOD // 60},
    ]
    assert holes(take(*entries)) == []


def test_a_clock_that_steps_back_is_noted():
    report = take(configuration(), poll(1, at=9_000_000), poll(2, at=4_000_000))
    assert [each.facts for each in report.notes if each.code == "note.clock_back"] == [{"seconds": "5.0", "count": "1"}]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[]", "entry.body"),
        (b"{}", "entry.fields"),
        (
            json.dumps({"v": 2, "at": 1, "kind": "x", "subject": "y"}, sort_keys=True, separators=(",", ":")).encode(),
            "entry.fields",
        ),
    ],
)
def test_a_malformed_entry_is_named(body, code):
    report = Report()
    assert LogFacts(report).entry(1, body) is None
    assert [each.code for each in report.problems] == [code]
