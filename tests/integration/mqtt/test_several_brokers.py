"""Two brokers at one gateway: each message has its entry under its broker, and one broker's end is no other's."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from gateway.assembly.site_loading import examine_site
from tests.integration.mqtt.gateway_process import Gateway, wait_until, write_site
from tests.integration.mqtt.raw_publisher import RawPublisher
from tests.services import Mosquitto

pytestmark = pytest.mark.integration


def two_broker_site(folder: Path, first: int, second: int, **connection: str) -> Path:
    """Meters 0 and 1 on a broker each, on the same topic."""
    site = write_site(folder, first)
    document = yaml.safe_load(site.read_text())
    (one,) = document["endpoints"]
    one["connection"] |= connection
    other = {**one, "id": "other", "connection": {**one["connection"], "port": second}}
    document["endpoints"] = [one, other]
    zero, meter = document["devices"][:2]
    document["devices"] = [zero, meter | {"endpoint": "other", "address": dict(zero["address"])}]
    site.write_text(yaml.safe_dump(document, allow_unicode=True))
    return site


def readings(gateway: Gateway) -> list[tuple[str, str]]:
    """Endpoint and device of every sample."""
    with closing(sqlite3.connect(f"file:{gateway.journal}?mode=ro", uri=True, timeout=30)) as connection:
        rows = connection.execute("SELECT subject, body FROM entry WHERE kind = 'message' ORDER BY seq").fetchall()
    return [(subject, each["device"]) for subject, body in rows for each in json.loads(body)["samples"]]


def speak(port: int) -> None:
    """One confirmed message on the topic of both."""
    payload = json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "power_kw": time.time()})
    publisher = RawPublisher(port, iter([("plant/meter0", payload.encode())]))
    publisher.start()
    publisher.join(10)
    assert publisher.confirmed == 1


def test_each_broker_has_its_own_session_and_its_own_meters(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "a") as first, Mosquitto(tmp_path / "b") as second:
        gateway = Gateway(two_broker_site(tmp_path / "plant", first.port, second.port))
        gateway.start()
        try:
            for broker in (first, second):
                wait_until(lambda broker=broker: "as meterproof-" in broker.log, 30, "not connected")  # type: ignore[misc]
            speak(first.port)
            wait_until(lambda: len(readings(gateway)) == 1, 20, "the first did not come")
            first.stop()
            speak(second.port)
            wait_until(lambda: len(readings(gateway)) == 2, 20, "the second did not come")
            assert gateway.stop() == 0
        finally:
            gateway.end()
    assert readings(gateway) == [("o/endpoint/broker", "m0"), ("o/endpoint/other", "m1")]


def test_one_client_id_twice_at_one_broker_is_refused(tmp_path: Path) -> None:
    assembled, problems = examine_site(two_broker_site(tmp_path / "x", 1883, 1883, client_id="works"))
    assert assembled is None
    assert [each.facts["line"] for each in problems if "line" in each.facts] == ["works at 127.0.0.1:1883"]
    assembled, problems = examine_site(two_broker_site(tmp_path / "y", 1883, 1884, client_id="works"))
    assert assembled is not None, problems
