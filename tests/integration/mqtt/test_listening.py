"""The listener against a real Mosquitto: nothing acknowledged early, nothing lost, bounded, and back by itself."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.mqtt.plugin import PLUGIN
from gateway.assembly.platform import SystemClock, SystemRandom, SystemStreams
from tests.integration.mqtt.listening import publisher, tapped
from tests.services import LOOPBACK, Mosquitto

pytestmark = pytest.mark.integration
VERSIONS = pytest.mark.parametrize("version", ["3.1.1", "5"])


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as running:
        yield running


@VERSIONS
async def test_what_is_not_acknowledged_comes_again_and_what_is_does_not(broker: Mosquitto, version: str) -> None:
    async with publisher(broker) as client:
        async with tapped(broker, ["p/a"], acknowledge=False, protocol=version) as first:
            for index in range(5):
                await client.publish("p/a", b"%d" % index, qos=1)
            await first.until(lambda: len(first.deliveries) == 5)
            assert not any(each.message.duplicate for each in first.deliveries)
            for index in (0, 3):
                first.deliveries[index].acknowledge()
                first.deliveries[index].acknowledge()  # twice is once
            await asyncio.sleep(0.1)
        await client.publish("p/a", b"while away", qos=1)
        async with tapped(broker, ["p/a"], protocol=version) as second:
            await second.until(lambda: len(second.deliveries) >= 4)
            await asyncio.sleep(0.1)
            assert second.payloads == [b"1", b"2", b"4", b"while away"]
            assert [each.message.duplicate for each in second.deliveries] == [True, True, True, False]
            assert second.listener.unsettled == 0


@VERSIONS
async def test_a_stopped_broker_is_found_again_with_all_it_kept(broker: Mosquitto, version: str) -> None:
    async with tapped(broker, ["p/a"], acknowledge=False, protocol=version) as tap:
        async with publisher(broker) as client:
            for index in range(3):
                await client.publish("p/a", b"%d" % index, qos=1)
            await tap.until(lambda: len(tap.deliveries) == 3)
        broker.stop()
        await tap.until(lambda: not tap.listener.connected)
        early = list(tap.deliveries)
        broker.start()
        await tap.connected()
        await tap.until(lambda: len(tap.deliveries) == 6)
        assert tap.payloads[3:] == [b"0", b"1", b"2"]
        assert tap.listener.unsettled == 6
        for each in early:
            each.acknowledge()  # of a session that is gone: makes room, tells nobody
        for each in tap.deliveries[3:]:
            each.acknowledge()
        assert (tap.listener.unsettled, tap.listener.connections, tap.listener.sessions_lost) == (0, 2, 0)


async def test_a_broker_that_forgot_us_is_noticed_and_subscribed_anew(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker", persistence=False) as broker:
        async with tapped(broker, ["p/a"]) as tap:
            broker.stop()
            await tap.until(lambda: not tap.listener.connected)
            broker.start()
            await tap.connected()
            assert tap.listener.sessions_lost == 1
            async with publisher(broker) as client:
                await client.publish("p/a", b"1", qos=1)
            await tap.until(lambda: tap.payloads == [b"1"])


@VERSIONS
async def test_retained_messages_come_once_and_marked(broker: Mosquitto, version: str) -> None:
    async with publisher(broker) as client:
        await client.publish("p/a", b"old", qos=1, retain=True)
        async with tapped(broker, ["p/a"], protocol=version) as tap:
            await tap.until(lambda: len(tap.deliveries) == 1)
            await client.publish("p/a", b"new", qos=1, retain=True)
            await tap.until(lambda: len(tap.deliveries) == 2)
            assert [each.message.retained for each in tap.deliveries] == [True, False]
            await asyncio.sleep(0.1)  # the acknowledgement is on its way
            broker.stop()
            await tap.until(lambda: not tap.listener.connected)
            broker.start()
            await tap.connected()
            await asyncio.sleep(0.2)
            assert len(tap.deliveries) == 2


@pytest.mark.parametrize(("qos", "max_inflight"), [(0, 20), (1, 0)])
async def test_a_slow_consumer_bounds_memory_whatever_the_broker_keeps(
    tmp_path: Path, qos: int, max_inflight: int
) -> None:
    """QoS 0 and an unlimited in-flight window have no back-pressure of the broker: then reading stops."""
    window, count = 10, 3_000
    with Mosquitto(tmp_path / "broker", max_inflight=max_inflight) as broker:
        async with tapped(broker, ["p/a"], acknowledge=False, window=window) as tap:
            async with publisher(broker) as client:
                for index in range(count):
                    await client.publish("p/a", b"%d" % index, qos=qos)
                await asyncio.sleep(0.2)
                assert tap.listener.unsettled == len(tap.deliveries) == 2 * window
                tap.acknowledge = True
                for each in list(tap.deliveries):
                    each.acknowledge()
                await tap.until(lambda: len(tap.deliveries) == count)
            assert tap.payloads == [b"%d" % index for index in range(count)]


async def test_a_flood_of_large_messages_bounds_memory_too(broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    size, count = 300_000, 24
    monkeypatch.setattr("drivers.mqtt.listener.MOST_UNSETTLED_BYTES", 4 * size)
    async with tapped(broker, ["p/a"], acknowledge=False) as tap:
        async with publisher(broker) as client:
            for index in range(count):
                await client.publish("p/a", b"%02d" % index + b"x" * size, qos=1)
            await asyncio.sleep(0.2)
            assert 4 <= len(tap.deliveries) <= 6
            tap.acknowledge = True
            for each in list(tap.deliveries):
                each.acknowledge()
            await tap.until(lambda: len(tap.deliveries) == count)
        assert [each[:2] for each in tap.payloads] == [b"%02d" % index for index in range(count)]


async def test_poison_and_large_messages_do_not_stop_the_flow(broker: Mosquitto) -> None:
    async with tapped(broker, ["p/a"]) as tap, publisher(broker) as client:
        for payload in (b"", b"\x00" * 200_000, b"\xff\xfe", b"last"):
            await client.publish("p/a", payload, qos=1)
        await tap.until(lambda: tap.payloads[-1:] == [b"last"])
        assert [len(each) for each in tap.payloads] == [0, 200_000, 2, 4]


async def test_a_topic_that_an_entry_cannot_hold_is_escaped_and_is_nobodys(broker: Mosquitto) -> None:
    async with tapped(broker, ["p/+"]) as tap, publisher(broker) as client:
        for topic in ("p/e\u0301", "p/\u00e9", "p/" + "x" * 2_000):
            await client.publish(topic, b"1", qos=1)
        await tap.until(lambda: len(tap.deliveries) == 3)
        strange, plain, long = (each.message.topic for each in tap.deliveries)
        assert (strange, plain) == ("('p/e\\u0301')", "p/\u00e9")
        assert len(long) < 1_100


async def test_a_fault_of_ours_ends_the_deliveries(broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a programming error")

    monkeypatch.setattr("drivers.mqtt.listener.BrokerSession", broken)
    block = {"host": LOOPBACK, "port": broker.port}
    listener = PLUGIN.open("e", block, ["a"], clock=SystemClock(), streams=SystemStreams(), random=SystemRandom())
    with pytest.raises(RuntimeError, match="a programming error"):
        async for _ in listener.deliveries():
            pass
    await listener.close()


async def test_many_topics_are_subscribed_in_parts(broker: Mosquitto) -> None:
    topics = [f"p/{index}" for index in range(250)]
    async with tapped(broker, topics) as tap, publisher(broker) as client:
        assert tap.listener.refused_topics == []
        for topic in topics:
            await client.publish(topic, topic.encode(), qos=1)
        await tap.until(lambda: len(tap.deliveries) == 250)
        assert sorted(each.message.topic for each in tap.deliveries) == sorted(topics)


async def test_several_brokers_do_not_disturb_each_other(tmp_path: Path, broker: Mosquitto) -> None:
    with Mosquitto(tmp_path / "second") as other:
        async with tapped(broker, ["p/a"]) as one, tapped(other, ["p/a"]) as two:
            other.pause()
            try:
                async with publisher(broker) as client:
                    for _ in range(20):
                        await client.publish("p/a", b"x", qos=1)
                await one.until(lambda: len(one.deliveries) == 20)
                assert two.deliveries == []
            finally:
                other.resume()


async def test_a_broker_that_hangs_with_its_sockets_open_is_noticed(broker: Mosquitto) -> None:
    async with tapped(broker, ["p/a"], keepalive_s=5) as tap:
        broker.pause()
        try:
            await tap.until(lambda: not tap.listener.connected, 14)
        finally:
            broker.resume()
        await tap.connected()
        async with publisher(broker) as client:
            await client.publish("p/a", b"1", qos=1)
        await tap.until(lambda: tap.payloads == [b"1"])


async def test_a_listener_waits_for_a_broker_that_is_not_there_yet(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "broker")
    async with tapped(broker, ["p/a"], connect=False) as tap:
        await tap.until(lambda: tap.listener.last_error != "")
        assert not tap.listener.connected
        with broker:
            await tap.connected()


async def test_a_refused_subscription_is_named(tmp_path: Path) -> None:
    """Mosquitto grants any subscription and delivers nothing; other brokers say no, as this one does."""
    refusing = Mosquitto(tmp_path / "never started")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2 + (await reader.readexactly(2))[1] - 2)  # CONNECT
        writer.write(b"\x20\x02\x00\x00")
        subscribe = await reader.readexactly(4)
        await reader.readexactly(subscribe[1] - 2)
        writer.write(b"\x90\x04" + subscribe[2:4] + b"\x01\x80")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, LOOPBACK, refusing.port)
    async with server, tapped(refusing, ["p/open", "p/closed"]) as tap:
        assert tap.listener.refused_topics == ["p/closed"]


async def test_a_broker_that_ends_while_we_subscribe_is_left_at_once(tmp_path: Path) -> None:
    ending = Mosquitto(tmp_path / "never started")
    connects = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connects
        connects += 1
        await reader.readexactly(2 + (await reader.readexactly(2))[1] - 2)  # CONNECT
        writer.write(b"\x20\x02\x00\x00")
        await reader.readexactly(4)  # a SUBSCRIBE that is never answered
        writer.close()

    server = await asyncio.start_server(answer, LOOPBACK, ending.port)
    async with server, tapped(ending, ["p/a"], connect=False) as tap:
        await tap.until(lambda: connects >= 2, 5)
        assert not tap.listener.connected


async def test_a_peer_that_accepts_and_says_nothing_is_left_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.mqtt.client.CONNECT_TIMEOUT_S", 0.3)
    silent = Mosquitto(tmp_path / "never started")
    with socket.socket() as listener:
        listener.bind((LOOPBACK, silent.port))
        listener.listen(16)
        listener.settimeout(5)
        async with tapped(silent, ["p/a"], connect=False) as tap:
            await tap.until(lambda: "timed out" in tap.listener.last_error)
            accepted, _ = await asyncio.to_thread(listener.accept)
            with accepted:
                accepted.settimeout(5)

                def read_all() -> bytes:
                    received = b""
                    while part := accepted.recv(4096):
                        received += part
                    return received

                assert (await asyncio.to_thread(read_all))[:1] == b"\x10"  # CONNECT, then closed by us
