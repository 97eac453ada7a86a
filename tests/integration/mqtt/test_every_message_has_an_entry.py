"""Whatever a message says, it becomes one entry the journal accepts: a poison message never stops the flow."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.acquisition.listening import MessageIntake
from gateway.assembly.collecting import open_collection
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
    draft, _ = intake.take(message, now_us)
    body = json.loads(draft.body_bytes)
    assert (body["kind"], body["topic"]) == ("message", topic)
    kept = base64.b64decode(body["payload"])
    assert kept == payload[: len(kept)]
    assert kept == payload or "message.undecodable" in [rule for rule, _, _ in body["findings"]]


@pytest.mark.parametrize("records", [1, 100, 140])
def test_stored_samples_of_one_message_all_become_readings(intake: MessageIntake, records: int) -> None:
    now_us = SystemClock().utc_us()
    rows = [
        {"meter": "A12", "t": now_us // 1000 - each * 60_000, "wh": 10**7 + each, "w": 5} for each in range(records)
    ]
    payload = json.dumps({"readings": rows}).encode()
    draft, filled = intake.take(Message(endpoint="broker", topic="p/d", payload=payload, received_us=now_us), now_us)
    body = json.loads(draft.body_bytes)
    assert len(body["samples"]) == len(filled) == records
    assert body["findings"] == []
