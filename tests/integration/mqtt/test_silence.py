"""Silence is a fact: slots of a pushed meter without a sample end as ``silent``, without a broker ``unreachable``."""

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tests.integration.mqtt.gateway_process import Gateway, wait_until, write_site
from tests.integration.mqtt.raw_publisher import RawPublisher
from tests.services import Mosquitto

pytestmark = pytest.mark.integration


def outcomes(gateway: Gateway, device: str) -> dict[str, int]:
    """Miss outcomes of a device so far, by name."""
    counted: dict[str, int] = {}
    with closing(sqlite3.connect(f"file:{gateway.journal}?mode=ro", uri=True, timeout=30)) as connection:
        for (body,) in connection.execute(
            "SELECT body FROM entry WHERE kind = 'miss' AND subject = ?", (f"o/device/{device}",)
        ):
            outcome = json.loads(body)["outcome"]
            counted[outcome] = counted.get(outcome, 0) + 1
    return counted


def speak(port: int, topic: str) -> None:
    """One message, confirmed."""
    payload = f'{{"time":"{datetime.now(UTC).isoformat()}","power_kw":1}}'.encode()
    publisher = RawPublisher(port, iter([(topic, payload)]))
    publisher.start()
    publisher.join(10)
    assert publisher.confirmed == 1


def test_silent_topics_and_an_absent_broker_become_missing_slots(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        site = write_site(tmp_path / "plant", broker.port)
        document = yaml.safe_load(site.read_text())
        document["devices"] = [each | {"period_s": 1} for each in document["devices"][:2]]
        site.write_text(yaml.safe_dump(document, allow_unicode=True))
        gateway = Gateway(site)
        gateway.start()
        try:
            wait_until(lambda: "as meterproof-" in broker.log, 30, "the gateway did not connect")

            def heard(condition: Callable[[], bool], patience_s: float = 20) -> None:
                """Let meter 0 speak every 0.3 s until the condition holds."""
                deadline = time.monotonic() + patience_s
                while not condition():
                    assert time.monotonic() < deadline, (outcomes(gateway, "m0"), outcomes(gateway, "m1"))
                    speak(broker.port, "plant/meter0")
                    time.sleep(0.3)

            heard(lambda: outcomes(gateway, "m1").get("silent", 0) >= 1)
            before = outcomes(gateway, "m0").get("silent", 0)
            heard(lambda: outcomes(gateway, "m1").get("silent", 0) >= 4)
            # only slots that ended before the first word may be missing of the meter that speaks
            assert outcomes(gateway, "m0").get("silent", 0) <= before + 1
            wait_until(lambda: outcomes(gateway, "m0").get("silent", 0) >= before + 2, 20, "meter 0 is not missed")
            broker.stop()
            wait_until(lambda: outcomes(gateway, "m0").get("unreachable", 0) >= 1, 20, "the broker is not missed")
            gateway.check()
            assert gateway.stop() == 0
        finally:
            gateway.end()
