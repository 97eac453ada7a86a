"""The works on the wire: Modbus servers, the embedded broker, and the meters that publish to it."""

import asyncio
import contextlib
import time
from collections.abc import Mapping

import aiomqtt

from simulators.demo.places import FITTED
from simulators.demo.plant import DemoPlant
from simulators.demo.pushing import ENDPOINT, Pushers
from simulators.demo.site import HOST, LIVE_PERIOD_S, MODBUS_ENDPOINTS
from simulators.modbus.device import MeterOnTheWire
from simulators.modbus.layout import Layout
from simulators.modbus.server import ModbusServer
from simulators.mqtt.broker import EmbeddedBroker
from simulators.profiles import shipped_profile

_SERIAL_TURNAROUND_S = 0.008
_DIRECT = {"substation", "stack"}
_AFTER_SLOT_S = 0.4
_STOP_S = 5.0


def now_us() -> int:
    """This machine's clock, microseconds UTC."""
    return time.time_ns() // 1_000


class LiveWorks:
    """Starts and stops everything that meters would be."""

    def __init__(self, plant: DemoPlant, ports: Mapping[str, int]) -> None:
        self._plant = plant
        self._ports = dict(ports)
        self._pushers = Pushers(plant, shipped_profile)
        self._servers = {endpoint: self._server(endpoint) for endpoint in MODBUS_ENDPOINTS}
        self._broker: EmbeddedBroker | None = None
        self._publishing: asyncio.Task[None] | None = None

    def _server(self, endpoint: str) -> ModbusServer:
        meters = [
            MeterOnTheWire(
                device=place.device,
                unit=place.unit,
                layout=Layout(shipped_profile(place.profile)),
                instrument=self._plant.instruments[place.device],
                silent=lambda at_us, device=place.device: self._plant.silent(device, at_us),  # type: ignore[misc]
            )
            for place in FITTED
            if place.endpoint == endpoint
        ]
        return ModbusServer(meters, now_us, turnaround_s=0.0 if endpoint in _DIRECT else _SERIAL_TURNAROUND_S)

    async def start(self) -> None:
        """Listen everywhere, then begin to publish. OSError when a port is taken."""
        for endpoint, server in self._servers.items():
            await server.start(HOST, self._ports[endpoint])
        self._broker = EmbeddedBroker(HOST, self._ports[ENDPOINT])
        await self._broker.start()
        self._publishing = asyncio.create_task(self._publish(), name="publish")

    async def stop(self) -> None:
        """Stop publishing and close every port; idempotent."""
        if self._publishing is not None:
            self._publishing.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await self._publishing
            self._publishing = None
        for server in self._servers.values():
            await server.stop()
        if self._broker is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._broker.stop(), _STOP_S)
            self._broker = None

    async def _publish(self) -> None:
        """Every period the regular messages, and tickets and results as they come, QoS 1."""
        done_us = now_us()
        async with aiomqtt.Client(HOST, self._ports[ENDPOINT], identifier="demo-meters") as client:
            while True:
                wall_s = time.time()
                await asyncio.sleep(LIVE_PERIOD_S - (wall_s - _AFTER_SLOT_S) % LIVE_PERIOD_S)
                until_us = now_us()
                for sent in [*self._pushers.regular(until_us), *self._pushers.events(done_us, until_us)]:
                    await client.publish(sent.topic, sent.payload, qos=1)
                done_us = until_us
