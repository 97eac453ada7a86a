"""A listener under test, with what came out of it, and a publisher that waits for the broker's confirmation."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt

from drivers.mqtt.listener import MqttListener
from drivers.mqtt.plugin import PLUGIN
from gateway.assembly.platform import SystemClock, SystemRandom, SystemStreams
from gateway.ports import Delivery
from tests.services import LOOPBACK, Mosquitto

PATIENCE_S = 15.0


class Tap:
    """Consumes a listener's deliveries; acknowledges at once, or when told."""

    def __init__(self, listener: MqttListener, *, acknowledge: bool = True) -> None:
        self.listener = listener
        self.acknowledge = acknowledge
        self.deliveries: list[Delivery] = []
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for delivery in self.listener.deliveries():
            self.deliveries.append(delivery)
            if self.acknowledge:
                delivery.acknowledge()

    @property
    def payloads(self) -> list[bytes]:
        return [each.message.payload for each in self.deliveries]

    async def until(self, condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Wait until the condition holds; AssertionError with what came so far when it does not in time."""
        deadline = asyncio.get_running_loop().time() + patience_s
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, (len(self.deliveries), self.listener.last_error)
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0.01)

    async def connected(self) -> None:
        await self.until(lambda: self.listener.connected)

    async def close(self) -> None:
        await self.listener.close()
        await self._task


@asynccontextmanager
async def tapped(
    broker: Mosquitto, topics: list[str], *, acknowledge: bool = True, connect: bool = True, **connection: Any
) -> AsyncIterator[Tap]:
    """A connected listener on the topics."""
    block = {"host": LOOPBACK, "port": broker.port, **connection}
    assert PLUGIN.check_connection(block) == []
    listener = PLUGIN.open("broker", block, topics, clock=SystemClock(), streams=SystemStreams(), random=SystemRandom())
    assert isinstance(listener, MqttListener)
    tap = Tap(listener, acknowledge=acknowledge)
    try:
        if connect:
            await tap.connected()
        yield tap
    finally:
        await tap.close()


@asynccontextmanager
async def publisher(broker: Mosquitto, **more: Any) -> AsyncIterator[aiomqtt.Client]:
    """A publishing client."""
    async with aiomqtt.Client(LOOPBACK, broker.port, **more) as client:
        client.pending_calls_threshold = 100_000
        yield client
