"""What the operator reads about a broker that is away: once what is wrong, once that it is back."""

import asyncio
import logging

import pytest

from drivers.mqtt import listener as listening
from drivers.mqtt.client import ConnectionLostError, SessionSettings
from drivers.mqtt.listener import MqttListener

SETTINGS = SessionSettings(
    host="127.0.0.1",
    port=1883,
    client_id="c",
    username=None,
    password=None,
    tls=None,
    version="5",
    window=20,
    keepalive_s=30,
    session_expiry_s=60,
)


class Clock:
    def utc_us(self) -> int:
        return 0

    def monotonic_ns(self) -> int:
        return 0

    async def sleep(self, _duration_s: float) -> None:
        await asyncio.sleep(0)


class Random:
    def uniform(self, low: float, _high: float) -> float:
        return low

    def token(self, size_bytes: int) -> bytes:
        return bytes(size_bytes)


class Broker:
    """Refuses, refuses otherwise, is there and goes away, and refuses from then on."""

    turns = ("refused", "refused", "refused", "no route", "", "refused", "refused")
    session_present = False

    def __init__(self, *_given: object) -> None:
        self._turn = type(self).begun
        type(self).begun += 1

    begun = 0
    over: asyncio.Event

    async def __aenter__(self) -> "Broker":
        await self._may_fail()
        return self

    async def __aexit__(self, *_error: object) -> None:
        return

    async def _may_fail(self) -> None:
        if self._turn >= len(self.turns):
            type(self).over.set()
            await asyncio.Event().wait()
        if self.turns[self._turn]:
            raise ConnectionLostError(self.turns[self._turn])

    async def subscribe_all(self, _topics: list[str]) -> list[str]:
        return []

    async def lost(self) -> None:
        raise ConnectionLostError("gone")

    def discard(self) -> None:
        return


async def test_each_trouble_is_said_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(listening, "BrokerSession", Broker)
    monkeypatch.setattr(Broker, "begun", 0)
    monkeypatch.setattr(Broker, "over", asyncio.Event(), raising=False)
    caplog.set_level(logging.WARNING)
    listener = MqttListener("tap", SETTINGS, ["a"], clock=Clock(), random=Random())
    waiting = asyncio.ensure_future(anext(listener.deliveries()))
    async with asyncio.timeout(60):
        await Broker.over.wait()
    await listener.close()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    said = [each.getMessage() for each in caplog.records]
    assert said == [
        "broker of endpoint tap: refused",
        "broker of endpoint tap: no route",
        "endpoint tap: connected again",
        "broker of endpoint tap: gone",
        "broker of endpoint tap: refused",
    ]
