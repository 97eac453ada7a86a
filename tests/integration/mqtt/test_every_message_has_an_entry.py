"""Whatever a message says, it becomes one entry the journal accepts: a poison message never stops the flow."""

import base64
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.acquisition.history import PendingEntries
from gateway.acquisition.listening import MessageIntake
from gateway.acquisition.parts import Joining
from gateway.acquisition.pushed import PushedSlots
from gateway.assembly.collecting import make_keeper, open_collection
from gateway.assembly.platform import SystemClock
from gateway.assembly.site_loading import load_assembled_site
from gateway.domain.reading import Message
from tests.unit.drivers.mqtt.test_any_message import PAYLOADS

SITE = """
meterproof: 1
organisation: {id: o, name: {zh: 甲, en: a}}
site: {id: s, name: {zh: 甲, en: a}}
simulated: true
endpoints:
  - {id: broker, protocol: mqtt, connection: {host: 127.0.0.1}}
devices:
  - {id: a, endpoint: broker, profile: meterproof-mqtt/energy-meter-json, address: {topic: p/a}}
  - {id: b, endpoint: broker, profile: meterproof-mqtt/weighbridge-json, address: {topic: p/b}}
  - {id: d, endpoint: broker, profile: meterproof-mqtt/concentrator-json, address: {topic: p/d, meter: A12}}
  - {id: e, endpoint: broker, profile: meterproof-mqtt/energy-meter-csv, address: {topic: p/e, meter: M7}}
  - {id: f, endpoint: broker, profile: meterproof-mqtt/energy-meter-value, address: {topic: p/f}}
  - {id: g, endpoint: broker, profile: meterproof-mqtt/energy-meter-sparkplug, address: {group: G, node: N, device: D}}
"""
TOPICS = ["p/a", "p/b", "p/d", "p/e", "p/f/energy_kwh", "spBv1.0/G/NBIRTH/N", "spBv1.0/G/DDATA/N/D", "no/such"]


@pytest.fixture(scope="module")
def intake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MessageIntake]:
    folder = tmp_path_factory.mktemp("site")
    path = Path(folder) / "site.yaml"
    path.write_text(SITE)
    with open_collection(load_assembled_site(path), folder / "data", SystemClock()) as collection:
        yield collection.intakes["broker"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(TOPICS),
    st.one_of(PAYLOADS, st.integers(1, 200_000).map(lambda size: b"x" * size)),
    st.booleans(),
)
def test_one_entry_a_message(intake: MessageIntake, topic: str, payload: bytes, retained: bool) -> None:
    now_us = SystemClock().utc_us()
    message = Message(endpoint="broker", topic=topic, payload=payload, received_us=now_us, retained=retained)
    drafts, _ = intake.take(message, now_us)
    bodies = [json.loads(draft.body_bytes) for draft in drafts]
    assert {(body["kind"], body["topic"]) for body in bodies} == {("message", topic)}
    kept = b"".join(base64.b64decode(body["payload"]) for body in bodies)
    assert kept == payload[: len(kept)]
    assert kept == payload or "message.undecodable" in [rule for rule, _, _ in bodies[0]["findings"]]
    if len(bodies) > 1:
        assert [(body["part"], body["parts"]) for body in bodies] == [
            (number, len(bodies)) for number in range(1, len(bodies) + 1)
        ]


def stored(records: int, now_us: int) -> bytes:
    """What a concentrator sends after an outage: a sample a minute."""
    rows = [
        {"meter": "A12", "t": now_us // 1000 - each * 60_000, "wh": 10**7 + each, "w": 5} for each in range(records)
    ]
    return json.dumps({"readings": rows}).encode()


@pytest.mark.parametrize("records", [1, 200, 288, 1_440, 4_000])
def test_stored_samples_of_one_message_all_become_readings(intake: MessageIntake, records: int) -> None:
    now_us = SystemClock().utc_us()
    payload = stored(records, now_us)
    message = Message(endpoint="broker", topic="p/d", payload=payload, received_us=now_us)
    drafts, filled = intake.take(message, now_us)
    bodies = [json.loads(draft.body_bytes) for draft in drafts]
    samples = [sample for body in bodies for sample in body["samples"]]
    assert [sample["at"] for sample in samples] == [
        now_us // 1000 * 1000 - each * 60_000_000 for each in range(records)
    ]
    assert len(filled) == records
    assert b"".join(base64.b64decode(body["payload"]) for body in bodies) == payload
    assert all(body["findings"] == [] for body in bodies)
    joining = Joining()
    joined = [joining.whole("broker", body) for body in bodies]
    assert joined[:-1] == [None] * (len(bodies) - 1)
    assert joined[-1] is not None
    assert joined[-1].payload == payload


def test_a_message_that_no_number_of_entries_holds_is_kept_by_its_beginning(
    intake: MessageIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.acquisition.parts.MOST_PARTS", 2)
    now_us = SystemClock().utc_us()
    payload = stored(1_500, now_us)
    (draft,), filled = intake.take(Message(endpoint="broker", topic="p/d", payload=payload, received_us=now_us), now_us)
    body = json.loads(draft.body_bytes)
    ((rule, _, facts),) = body["findings"]
    assert (rule, facts["reason"], facts["size"]) == ("message.undecodable", "too large", len(payload))
    assert facts["sha256"] == sha256(payload).hexdigest()
    assert (body["samples"], filled) == ([], [])
    assert payload.startswith(base64.b64decode(body["payload"]))


def test_a_message_in_parts_that_comes_again_after_a_restart_is_known(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE)
    site, clock = load_assembled_site(path), SystemClock()
    message = Message(
        endpoint="broker", topic="p/d", payload=stored(288, clock.utc_us()), received_us=clock.utc_us(), duplicate=True
    )
    with open_collection(site, tmp_path / "data", clock) as collection:
        drafts, _ = collection.intakes["broker"].take(message, clock.utc_us())
        assert len(drafts) > 1
        collection.journal.append_encoded(drafts)
    with open_collection(site, tmp_path / "data", clock) as collection:
        intake = collection.intakes["broker"]
        slots = PushedSlots(
            list(intake.lines.values()),
            recorder=collection.recorder,
            outbox=PendingEntries(collection.journal.append_encoded),
            clock=clock,
            connected=lambda: True,
        )
        make_keeper(collection, {"broker": slots}).restore(collection.journal)
        again, filled = intake.take(message, clock.utc_us())
        assert filled == []
        assert all(json.loads(draft.body_bytes)["samples"] == [] for draft in again)
        facts = {"sha256": sha256(message.payload).hexdigest(), "size": len(message.payload)}
        assert json.loads(again[0].body_bytes)["findings"] == [["message.duplicate", "", facts]]
        assert json.loads(again[0].body_bytes)["payload"] == ""
