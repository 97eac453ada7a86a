"""The promise of the room: what the broker confirmed to a publisher is in the journal exactly once, whatever is killed.

``meterproof collect`` runs as a process of its own and is killed with SIGKILL; the broker is stopped with SIGTERM and
started again; the publisher sends again what was not confirmed. Afterwards every payload is looked for in the journal.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.campaign import share
from tests.integration.mqtt.gateway_process import METERS, Gateway, wait_until, write_site
from tests.integration.mqtt.raw_publisher import Message, RawPublisher
from tests.services import Mosquitto

pytestmark = [pytest.mark.integration, pytest.mark.campaign]
MAX_INFLIGHT = 100


def numbered(count: int, start: datetime) -> Iterator[Message]:
    """Messages of METERS meters, each meter's own clock a second further with each, so that no two say the same."""
    for index in range(count):
        meter, step = index % METERS, index // METERS
        at = (start + timedelta(seconds=step)).isoformat()
        yield (
            f"plant/meter{meter}",
            f'{{"time":"{at}","energy_import_kwh":{1000 + step}.{meter:02},"power_kw":{index}}}'.encode(),
        )


def a_day_ago() -> datetime:
    """The meters send what they stored since then."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)


def assert_exactly_once(gateway: Gateway, messages: Iterator[Message]) -> int:
    """Every message once, with one sample each; returns how many repetitions were recognised."""
    payloads, samples, repeated = gateway.payloads()
    wanted = Counter(payload for _, payload in messages)
    missing, surplus = wanted - payloads, payloads - wanted
    assert not missing, f"{missing.total()} lost, first {next(iter(missing))!r}"
    assert not surplus, f"{surplus.total()} twice, first {next(iter(surplus))!r}"
    assert len(samples) == len(wanted)
    assert set(samples.values()) == {1}
    return repeated


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_every_confirmed_message_is_journaled_once_through_kills_and_restarts(
    tmp_path: Path, version: str, record_property: Callable[[str, object], None]
) -> None:
    count, kills, restarts = share(200_000, 12_000), share(20, 4), share(5, 1)
    chance = random.Random(20261122)
    start = a_day_ago()
    with Mosquitto(tmp_path / "broker", max_inflight=MAX_INFLIGHT) as broker:
        gateway = Gateway(write_site(tmp_path / "plant", broker.port, version))
        events = ["kill"] * kills + ["restart"] * restarts
        chance.shuffle(events)
        marks = sorted(chance.sample(range(count // 50, count * 9 // 10), len(events)))
        gateway.start()
        wait_until(lambda: "as meterproof-" in broker.log, 30, "the gateway did not connect")
        publisher = RawPublisher(broker.port, numbered(count, start))
        publisher.start()
        try:
            for event, mark in zip(events, marks, strict=True):
                # the events are tied to what the journal holds, so that each one falls into the flow
                wait_until(lambda mark=mark: gateway.messages() >= mark, 240, f"stuck before {mark}")  # type: ignore[misc]
                if event == "kill":
                    gateway.kill()
                    gateway.start()
                else:
                    broker.stop()
                    broker.start()
            publisher.join(240)
            assert publisher.error is None
            assert publisher.confirmed == count
            wait_until(lambda: gateway.drained(count), 240, "the rest did not come", 0.5)
            gateway.check()
            time.sleep(1.0)  # would more come than was sent?
            assert gateway.stop() == 0
        finally:
            publisher.halt.set()
            gateway.end()
    repeated = assert_exactly_once(gateway, numbered(count, start))
    record_property("messages", count)
    record_property("kills", kills)
    record_property("broker_restarts", restarts)
    record_property("repetitions_recognised", repeated)
    print(f"MQTT {version}: {count} messages, {kills} kills, {restarts} restarts: {repeated} repetitions recognised")


@pytest.mark.timeout(300)
def test_a_stalled_disk_bounds_memory_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    stall_s, start = share(30, 6), a_day_ago()
    with Mosquitto(tmp_path / "broker", max_inflight=MAX_INFLIGHT) as broker:
        gateway = Gateway(write_site(tmp_path / "plant", broker.port))
        gateway.start()
        count = share(60_000, 12_000)
        publisher = RawPublisher(broker.port, numbered(count, start), rate=1_500)
        try:
            wait_until(lambda: "as meterproof-" in broker.log, 30, "the gateway did not connect")
            publisher.start()
            wait_until(lambda: gateway.messages() > 1_000, 30, "nothing came")
            before_kb = gateway.memory_kb()
            gateway.stall_file.touch()
            highest_kb, stalled_at = before_kb, publisher.confirmed
            for _ in range(stall_s * 10):
                time.sleep(0.1)
                gateway.check()
                highest_kb = max(highest_kb, gateway.memory_kb())
            # everything published meanwhile waits in the broker, not in the gateway
            held = publisher.confirmed - stalled_at
            assert held > stall_s * 500
            assert highest_kb - before_kb < 8_000, f"grew by {highest_kb - before_kb} kB"
            gateway.kill()  # and even so nothing acknowledged is lost
            gateway.stall_file.unlink()
            gateway.start()
            publisher.join(120)
            wait_until(lambda: gateway.drained(count), 120, "the rest did not come", 0.5)
            time.sleep(1.0)
            assert gateway.stop() == 0
        finally:
            publisher.halt.set()
            gateway.end()
    assert_exactly_once(gateway, numbered(count, start))
    print(f"stalled {stall_s} s with {held} messages arriving: memory grew by {highest_kb - before_kb} kB")
