"""A10: MQTT QoS 1 in, acknowledged after the synced commit, beside the plain client libraries in the same run.

Broker and publisher run on core 1, the receiver alone on core 0. The whole road is ``meterproof collect`` as a process:
decode, rules, entry, hash, synced SQLite commit, acknowledgement; its CPU includes the writer thread. Every payload is
looked for in the journal afterwards, and again after a run with kills.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.result import Result
from tests.integration.mqtt.gateway_process import METERS, Gateway, wait_until, write_site
from tests.integration.mqtt.raw_publisher import Message, RawPublisher
from tests.services import Mosquitto

COUNT = 30_000
ROUNDS = 3
KILLS = 3
TARGET_PER_S = 8_000
ROOT = Path(__file__).parents[1]


def messages(count: int, start: datetime) -> Iterator[Message]:
    """JSON of about 150 bytes, no two alike, METERS topics."""
    for index in range(count):
        meter, step = index % METERS, index // METERS
        at = (start + timedelta(milliseconds=100 * step)).isoformat(timespec="milliseconds")
        payload = (
            f'{{"time":"{at}","energy_import_kwh":{100000 + step}.{meter:02},"energy_export_kwh":0.00,'
            f'"power_kw":{index % 700}.125,"voltage_v":231.2,"current_a":3.71}}'
        )
        yield f"plant/meter{meter}", payload.encode()


def measure() -> list[Result]:
    """The rows of A10."""
    rates: dict[str, list[tuple[float, float]]] = {"paho": [], "aiomqtt": [], "driver": [], "whole": []}
    lost = 0
    for _ in range(ROUNDS):
        for name, figures in rates.items():
            with tempfile.TemporaryDirectory() as folder:
                if name == "whole":
                    per_s, cpu_us, missing = _whole_road(Path(folder))
                    lost += missing
                else:
                    per_s, cpu_us = _library(name, Path(folder))
            figures.append((per_s, cpu_us))
    lost += _killed()
    speed = {name: statistics.median(rate for rate, _ in each) for name, each in rates.items()}
    cpu = {name: statistics.median(cost for _, cost in each) for name, each in rates.items()}
    spread = " ".join(f"{rate:,.0f}" for rate, _ in sorted(rates["whole"]))
    note = f"median of {ROUNDS} × {COUNT:,} messages of 150 B ({spread}); decode, rules, entry, hash, synced commit"
    return [
        Result(
            "A10",
            "MQTT QoS 1 acknowledged after the synced commit, whole road, one core",
            speed["whole"],
            "messages/s",
            speed["aiomqtt"],
            TARGET_PER_S,
            speed["whole"] >= TARGET_PER_S,
            f"{note}; beside plain aiomqtt acknowledging unseen",
        ),
        Result(
            "A10",
            f"MQTT messages lost, with {KILLS} kill -9 among them",
            lost,
            "messages",
            None,
            0,
            lost == 0,
            f"every payload looked for in {ROUNDS + 1} journals",
        ),
        *(
            Result("", f"MQTT CPU per message, {what}", cpu[name], "µs", cpu["aiomqtt"], note=f"{speed[name]:,.0f}/s")
            for name, what in (
                ("whole", "whole road"),
                ("driver", "our listener, acknowledged at once"),
                ("aiomqtt", "plain aiomqtt"),
                ("paho", "plain paho"),
            )
        ),
    ]


@contextmanager
def _broker(folder: Path) -> Iterator[Mosquitto]:
    with Mosquitto(folder / "broker", max_inflight=100) as broker:
        os.sched_setaffinity(broker.pid, {1})
        yield broker


def _publish(broker: Mosquitto, count: int, start: datetime) -> RawPublisher:
    os.sched_setaffinity(0, {1})  # this process: the publisher's thread inherits it
    publisher = RawPublisher(broker.port, messages(count, start), in_flight=500)
    publisher.start()
    return publisher


def _library(name: str, folder: Path) -> tuple[float, float]:
    with _broker(folder) as broker:
        command = [sys.executable, "-m", "benchmarks.mqtt_receivers", name, str(broker.port), str(COUNT)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            publisher = _publish(broker, COUNT, _now())
            figures = json.loads(process.stdout.readline())
            publisher.join(30)
        return COUNT / figures["seconds"], figures["cpu_us"]


def _whole_road(folder: Path) -> tuple[float, float, int]:
    """Messages a second, CPU µs a message, and how many were not found in the journal."""
    start = _now()
    with _broker(folder) as broker:
        gateway = Gateway(write_site(folder / "plant", broker.port))
        gateway.start()
        try:
            os.sched_setaffinity(gateway.pid, {0})
            wait_until(lambda: "as meterproof-" in broker.log, 30, "the gateway did not connect")
            time.sleep(0.5)
            publisher = _publish(broker, COUNT, start)
            wait_until(lambda: gateway.messages() > 0, 30, "nothing came")
            first, began, cpu_began = gateway.messages(), time.perf_counter(), _cpu_s(gateway.pid)
            while (held := gateway.messages()) < COUNT:
                assert time.perf_counter() - began < 120, f"stuck at {held}"
                time.sleep(0.05)
            seconds, cpu_s = time.perf_counter() - began, _cpu_s(gateway.pid) - cpu_began
            publisher.join(30)
            assert gateway.stop() == 0
        finally:
            gateway.end()
        return (COUNT - first) / seconds, cpu_s / (COUNT - first) * 1e6, _missing(gateway, COUNT, start)


def _killed() -> int:
    """How many of COUNT / 3 messages are missing or double after KILLS kills."""
    count, start = COUNT // 3, _now()
    with tempfile.TemporaryDirectory() as name, _broker(Path(name)) as broker:
        gateway = Gateway(write_site(Path(name) / "plant", broker.port))
        gateway.start()
        try:
            wait_until(lambda: "as meterproof-" in broker.log, 30, "the gateway did not connect")
            publisher = _publish(broker, count, start)
            for kill in range(KILLS):
                mark = count * (kill + 1) // (KILLS + 2)
                while gateway.messages() < mark:
                    time.sleep(0.02)
                gateway.kill()
                gateway.start()
            wait_until(lambda: not publisher.is_alive(), 60, "the publisher is not through")
            wait_until(lambda: gateway.drained(count), 60, "the rest did not come", 0.5)
            time.sleep(1.0)
            gateway.stop()
        finally:
            gateway.end()
        return _missing(gateway, count, start)


def _missing(gateway: Gateway, count: int, start: datetime) -> int:
    payloads, _, _ = gateway.payloads()
    wanted = Counter(payload for _, payload in messages(count, start))
    return (wanted - payloads).total() + (payloads - wanted).total()


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    for each in measure():
        print(each)
