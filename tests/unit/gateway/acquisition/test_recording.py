"""The poll entry is written by hand for speed; it is what the journal's own encoder would have written."""

import json
import struct
from base64 import b64encode
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from gateway.acquisition.recording import Recorder
from gateway.acquisition.tally import Tally
from gateway.domain.finding import Finding, Severity
from gateway.domain.reading import Arrival, Message, Outcome, Sample
from gateway.journal import canonical
from gateway.validation import RULE_PACK, NoRegistry
from tests.scenarios.acquisition_world import World, meter

raws = st.lists(st.one_of(st.none(), st.binary(max_size=40)), min_size=1, max_size=4)


def arrival(raw: tuple[bytes | None, ...], outcome: Outcome = Outcome.OK) -> Arrival:
    return Arrival(
        device="m", group="g", slot_us=10, outcome=outcome, sent_us=11, received_us=12, raw=raw, code=3, detail="x"
    )


class NoPlan:
    """Decodes nothing but finds what it is told."""

    def __init__(self, requests: int, findings: tuple[Finding, ...] = ()) -> None:
        self.requests = tuple(range(requests))
        self._findings = findings

    def document(self) -> dict[str, object]:
        return {}

    def decode(self, raw: object) -> tuple[tuple[None], tuple[int], tuple[Finding, ...]]:
        return (None,), (3,), self._findings


CIRCUMSTANCES = {"clock": None, "configuration": None, "software": "test"}


def recorder() -> Recorder:
    return Recorder("o", NoRegistry(), Tally(), lambda: CIRCUMSTANCES)


@given(raw=raws, outcome=st.sampled_from([Outcome.OK, Outcome.PARTIAL]), fact=st.integers(-(2**63), 2**63))
def test_the_quick_encoding_is_the_canonical_one(raw: list[bytes | None], outcome: Outcome, fact: int) -> None:
    line = World().lines([meter("m")])[0]
    facts: dict[str, int | str] = {"value": fact, "raw": "ü„“"}
    line.plan = NoPlan(len(raw), (Finding("reading.overflow", Severity.ERROR, "c0", facts),))
    draft = recorder().poll(line, arrival(tuple(raw), outcome), 99)
    wanted = {
        "v": 1,
        "kind": "poll",
        "at": 99,
        "subject": "o/device/m",
        "group": "g",
        "slot": 10,
        "sent": 11,
        "received": 12,
        "cfg": line.cfg,
        "outcome": outcome.value,
        "raw": [None if each is None else b64encode(each).decode() for each in raw],
        "findings": [["reading.overflow", "c0", {"value": fact, "raw": "ü„“"}]],
        "rules": RULE_PACK,
        "registry": 0,
    }
    assert draft.body_bytes == canonical.encode(wanted)
    assert draft.leaf == sha256(b"\x00" + draft.body_bytes).digest()
    assert (draft.at_us, draft.kind, draft.subject) == (99, "poll", "o/device/m")


def test_a_miss_says_why() -> None:
    line = World().lines([meter("m")])[0]
    body = json.loads(recorder().miss(line, arrival((), Outcome.EXCEPTION), 99).body_bytes)
    assert (body["outcome"], body["code"], body["detail"], body["slot"]) == ("exception", 3, "x", 10)


def test_a_stop_is_one_entry_for_the_whole_range() -> None:
    line = World().lines([meter("m", period_s=10)])[0]
    recording = recorder()
    draft = recording.stopped(line, 5_000_000, 45_000_000, 99)
    assert draft is not None
    body = json.loads(draft.body_bytes)
    assert (body["slot"], body["to"], body["count"], body["outcome"]) == (10_000_000, 45_000_000, 4, "stopped")
    assert recording.tally.outcomes == {Outcome.STOPPED: 4}
    assert recording.stopped(line, 50, 50, 99) is None


def test_a_message_keeps_payload_samples_and_judged_quality() -> None:
    line = World().lines([meter("m", period_s=10)])[0]
    recording = recorder()
    message = Message(endpoint="broker", topic="a/b", payload=b"\x00\xff", received_us=77, retained=False)
    sample = Sample(device="m", group="g", at_us=12_000_000, device_time_us=None, values=(2**60,), quality=(0,))
    judged = recording.judged([sample], {("m", "g"): line})
    low = Sample(device="m", group="g", at_us=13_000_000, device_time_us=None, values=(5,), quality=(0,))
    judged += recording.judged([low], {("m", "g"): line})
    body = json.loads(recording.message(message, judged, (), 99).body_bytes)
    assert body["payload"] == "AP8="
    assert body["samples"][0]["values"] == [str(2**60)], "beyond what every reader counts exactly"
    assert body["samples"][0]["slot"] == 10_000_000
    assert body["samples"][1]["findings"][0][:2] == ["counter.glitch", "c0"]
    assert body["samples"][1]["quality"][0] & 3 == 2
    assert recording.tally.readings == {"sim": 2}


def test_samples_of_groups_nobody_configured_are_left_out() -> None:
    sample = Sample(device="x", group="g", at_us=1, device_time_us=None, values=(1,), quality=(0,))
    assert recorder().judged([sample], {}) == []


def test_text_that_is_not_in_normal_form_is_kept_with_its_payload() -> None:
    message = Message(endpoint="broker", topic="cafe\u0301", payload=b"1", received_us=77)
    body = json.loads(recorder().message(message, [], (), 99).body_bytes)
    assert body["topic"] == "café"


def test_counting_plan_is_as_strict_as_a_driver() -> None:
    line = World().lines([meter("m")])[0]
    draft = recorder().poll(line, arrival((struct.pack(">I", 7),)), 1)
    assert json.loads(draft.body_bytes)["findings"] == []
