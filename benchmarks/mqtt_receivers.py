"""One MQTT receiver as a process of its own: ``python -m benchmarks.mqtt_receivers CLIENT PORT COUNT``.

Prints seconds and CPU µs a message between the first and the last of COUNT QoS 1 messages on ``plant/#``, as JSON.
Clients: ``aiomqtt`` and ``paho`` as their documentation shows them, acknowledging before anybody has stored anything;
``driver`` is our listener alone, acknowledged at once.
"""

import asyncio
import json
import os
import resource
import sys
import threading
import time

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from drivers.mqtt.plugin import PLUGIN
from gateway.assembly.platform import SystemClock, SystemRandom, SystemStreams

HOST = "127.0.0.1"
CLIENT_ID = "bench-receiver"
QUIET_S = 20.0


class Stopwatch:
    """Runs from the first message to the last."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._got = 0
        self._started = 0.0
        self._cpu_started = 0.0
        self.result: dict[str, float] = {}

    def tick(self) -> bool:
        """One message more; whether it was the last."""
        self._got += 1
        if self._got == 1:
            self._started, self._cpu_started = time.perf_counter(), _cpu_s()
        if self._got < self._count:
            return False
        seconds, cpu_s = time.perf_counter() - self._started, _cpu_s() - self._cpu_started
        self.result = {"seconds": seconds, "cpu_us": cpu_s / self._count * 1e6, "count": self._got}
        return True


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def plain_aiomqtt(port: int, watch: Stopwatch, ready: asyncio.Event) -> None:
    async with aiomqtt.Client(HOST, port, identifier=CLIENT_ID, clean_session=False) as client:
        await client.subscribe("plant/#", qos=1)
        ready.set()
        async for _ in client.messages:
            if watch.tick():
                return


def plain_paho(port: int, watch: Stopwatch, ready: threading.Event) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=CLIENT_ID, clean_session=False)
    finished = False

    def on_message(*_: object) -> None:
        nonlocal finished
        finished = watch.tick()

    client.on_message = on_message
    client.on_subscribe = lambda *_: ready.set()
    client.connect(HOST, port)
    client.subscribe("plant/#", 1)
    while not finished:
        client.loop(QUIET_S)


async def our_listener(port: int, watch: Stopwatch, ready: asyncio.Event) -> None:
    block = {"host": HOST, "port": port, "client_id": CLIENT_ID}
    listener = PLUGIN.open(
        "bench", block, ["plant/#"], clock=SystemClock(), streams=SystemStreams(), random=SystemRandom()
    )

    async def announce() -> None:
        while not listener.connected:  # noqa: ASYNC110  # the port has no event for it
            await asyncio.sleep(0.01)
        ready.set()

    announcing = asyncio.create_task(announce())
    async for delivery in listener.deliveries():
        delivery.acknowledge()
        if watch.tick():
            break
    await announcing
    await listener.close()


async def _with_events(client: str, port: int, watch: Stopwatch) -> None:
    ready = asyncio.Event()

    async def say() -> None:
        await ready.wait()
        print("ready", flush=True)

    saying = asyncio.create_task(say())
    receive = {"aiomqtt": plain_aiomqtt, "driver": our_listener}[client]
    await asyncio.wait_for(receive(port, watch, ready), 300)
    await saying


def main() -> None:
    client, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.sched_setaffinity(0, {0})
    watch = Stopwatch(count)
    if client == "paho":
        ready = threading.Event()
        threading.Thread(target=lambda: (ready.wait(), print("ready", flush=True)), daemon=True).start()
        plain_paho(port, watch, ready)
    else:
        asyncio.run(_with_events(client, port, watch))
    print(json.dumps(watch.result), flush=True)


if __name__ == "__main__":
    main()
