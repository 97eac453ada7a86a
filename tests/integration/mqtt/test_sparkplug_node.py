"""A Sparkplug B edge node written by others, over a real broker: births, aliases, a lost message, rebirth, death."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pysparkplug as sp
import pytest

from drivers.mqtt.plugin import PLUGIN
from drivers.mqtt.sparkplug.session import filters
from gateway.domain.finding import Finding
from gateway.domain.reading import Sample
from tests.integration.mqtt.listening import Tap, tapped
from tests.services import LOOPBACK, Mosquitto
from tests.unit.drivers.mqtt.builders import decoder, device, shipped

pytestmark = [
    pytest.mark.integration,
    # the library speaks the first callback interface of paho
    pytest.mark.filterwarnings("ignore:Callback API version 1 is deprecated:DeprecationWarning"),
]
PROFILE = shipped("meterproof-mqtt/energy-meter-sparkplug")
T = sp.DataType


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def metric(name: str | None, kind: sp.DataType, value: Any, alias: int | None = None) -> sp.Metric:
    return sp.Metric(timestamp=now_ms(), name=name, datatype=kind, value=value, alias=alias)


class Node:
    """The library's edge node. It has no rebirth of its own: told to, it comes back, which bears it again."""

    def __init__(self, port: int) -> None:
        self.rebirths = 0
        self.client = sp.Client(client_id="edge")
        self.edge = sp.EdgeNode("Plant", "Edge1", metrics=(), client=self.client, cmd_callback=self._on_command)
        metrics = (metric("Energy/Import", T.DOUBLE, 100.5, 1), metric("Power/Active", T.FLOAT, 7.25, 2))
        self.edge.register(sp.Device("M7", metrics))
        self._will = self.edge._bd_seq_metric
        self.edge.connect(LOOPBACK, port=port)

    def _on_command(self, _edge: sp.EdgeNode, message: sp.Message) -> None:
        assert isinstance(message.payload, sp.NCmd)
        (asked,) = message.payload.metrics
        assert (asked.name, asked.value) == ("Node Control/Rebirth", True)
        self.rebirths += 1
        # what the library does when it has connected, with the number of the will that stands at the broker
        self.edge._bd_seq_metric = self._will
        connected: Any = self.client._client.on_connect
        connected(self.client._client, None, {}, 0)

    def send(self, metrics: tuple[sp.Metric, ...], *, lost: bool = False) -> None:
        """Data of the device; a lost message takes its sequence number and is not sent."""
        payload = sp.DData(timestamp=now_ms(), seq=self.edge._seq, metrics=metrics)
        topic = sp.Topic(message_type=sp.MessageType.DDATA, group_id="Plant", edge_node_id="Edge1", device_id="M7")
        if not lost:
            self.client.publish(sp.Message(topic=topic, payload=payload, qos=sp.QoS.AT_MOST_ONCE, retain=False))

    def die(self) -> None:
        """Vanish without a word, so that the broker publishes the will."""
        self.client._client.loop_stop()
        socket = self.client._client.socket()
        assert socket is not None
        socket.close()


class Road:
    """Listener and decoder together."""

    def __init__(self, tap: Tap) -> None:
        self.tap = tap
        self.decoder = decoder((device("m7", PROFILE, group="Plant", node="Edge1", device="M7"), PROFILE))
        self.samples: list[Sample] = []
        self.findings: list[Finding] = []
        self._taken = 0

    def pump(self) -> None:
        """Decode what came since."""
        for delivery in self.tap.deliveries[self._taken :]:
            samples, findings = self.decoder.decode(delivery.message)
            self.samples += samples
            self.findings += findings
            self._taken += 1

    @property
    def rules(self) -> list[str]:
        return [each.rule for each in self.findings]

    async def until(self, condition: Callable[[], bool]) -> None:
        def pumped() -> bool:
            self.pump()
            return condition()

        await self.tap.until(pumped)


@pytest.fixture(autouse=True)
def library_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library calls a function that newer paho no longer has and that did nothing."""
    monkeypatch.setattr(paho.Client, "message_retry_set", lambda *_args, **_kwargs: None, raising=False)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture
async def road(broker: Mosquitto) -> AsyncIterator[Road]:
    async with tapped(broker, filters("Plant", "Edge1")) as tap:
        yield Road(tap)


async def test_births_aliases_gap_rebirth_and_death(broker: Mosquitto, road: Road) -> None:
    node = await asyncio.to_thread(Node, broker.port)
    try:
        await road.until(lambda: len(road.samples) == 1)
        assert road.samples[0].values == (10_050, 7_250)
        node.send((metric(None, T.FLOAT, 8.5, 2),))
        await road.until(lambda: len(road.samples) == 2)
        assert road.samples[1].values == (None, 8_500)
        assert road.rules == []
        await asyncio.sleep(5.1)  # a rebirth is asked for at most every 5 s, and connecting asked for one
        asked = node.rebirths
        node.send((metric(None, T.FLOAT, 9.0, 2),), lost=True)
        node.send((metric(None, T.FLOAT, 9.5, 2),))
        await road.until(lambda: len(road.samples) == 3)
        # the alias behind the gap is not trusted: what was lost may have been a birth. Then the node is born again
        assert road.samples[2].values == (10_050, 7_250)
        assert road.rules == ["message.sequence_gap", "message.undecodable"]
        assert road.findings[1].facts["reason"] == "no_birth"
        node.send((metric(None, T.FLOAT, 10.0, 2),))
        await road.until(lambda: len(road.samples) == 4)
        assert road.samples[3].values == (None, 10_000)
        assert node.rebirths == asked + 1
    finally:
        node.die()
    await road.until(lambda: "message.death" in road.rules)


async def test_a_gateway_that_comes_later_asks_and_is_told(broker: Mosquitto) -> None:
    node = await asyncio.to_thread(Node, broker.port)
    try:
        await asyncio.sleep(0.2)
        async with tapped(broker, filters("Plant", "Edge1")) as tap:
            road = Road(tap)
            await road.until(lambda: len(road.samples) == 1)
            node.send((metric(None, T.DOUBLE, 101.0, 1),))
            await road.until(lambda: len(road.samples) == 2)
            assert road.samples[1].values == (10_100, None)
            assert (node.rebirths, road.rules) == (1, [])
    finally:
        await asyncio.to_thread(node.edge.disconnect)


def test_the_driver_needs_no_protocol_buffers_library() -> None:
    assert PLUGIN.name == "mqtt"
    source = Path(__file__).parents[3] / "drivers" / "mqtt"
    assert not any("google.protobuf" in path.read_text() for path in source.rglob("*.py"))
