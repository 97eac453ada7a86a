"""A simulated MQTT broker and the gateway's session with it, in virtual time.

The real decoder and the real acquisition run; the client library and its socket do not. The broker keeps what is not
acknowledged (QoS 1, persistent session, an in-flight window) and brings it again, marked, to the next session.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.domain.device import Device
from gateway.domain.errors import Problem
from gateway.domain.reading import Message
from gateway.ports import Clock, Delivery, Document, ListeningDriver, PayloadDecoder, Random, Streams

WINDOW = 20


@dataclass
class SimulatedBroker:
    """``waiting`` is what the gateway has not acknowledged, oldest first."""

    endpoint: str
    waiting: list[Message] = field(default_factory=list)
    published: Counter[tuple[str, bytes]] = field(default_factory=Counter)
    acknowledged: Counter[tuple[str, bytes]] = field(default_factory=Counter)
    session: "Session | None" = None
    down: bool = False

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """A meter publishes; nothing gets through while the broker is down."""
        if self.down:
            return
        self.published[topic, payload] += 1
        message = Message(endpoint=self.endpoint, topic=topic, payload=payload, received_us=0, qos=1, retained=retain)
        self.waiting.append(message)
        self.wake()

    def wake(self) -> None:
        """Tell the session that something changed."""
        if self.session is not None:
            self.session.changed.set()

    def go_down(self) -> None:
        """Every session ends; what was not acknowledged comes again afterwards, marked."""
        self.down = True
        if self.session is not None:
            self.session.lost()

    def come_back(self) -> None:
        """Sessions are taken up again."""
        self.down = False
        self.wake()


class Session:
    """Listener of gateway.ports."""

    def __init__(self, broker: SimulatedBroker, clock: Clock) -> None:
        self._broker = broker
        self._clock = clock
        self.changed = asyncio.Event()
        self._sent: list[Message] = []
        self._again: list[Message] = list(broker.waiting)
        self._closed = False
        broker.session = self

    @property
    def connected(self) -> bool:
        """See Listener."""
        return not self._closed and not self._broker.down

    def lost(self) -> None:
        """The connection broke: what was on its way comes again."""
        self._again, self._sent = [*self._sent], []

    async def deliveries(self) -> AsyncIterator[Delivery]:
        """See Listener."""
        while not self._closed:
            self.changed.clear()
            for message in self._due():
                self._sent.append(message)
                again = any(message is each for each in self._again)
                stamped = replace(message, received_us=self._clock.utc_us(), duplicate=again)
                yield Delivery(stamped, self._acknowledgement(message))
                await asyncio.sleep(0.002)
            await self.changed.wait()

    def _due(self) -> list[Message]:
        if not self.connected:
            return []
        on_the_way = {id(each) for each in self._sent}
        return [each for each in self._broker.waiting if id(each) not in on_the_way][: WINDOW - len(self._sent)]

    def _acknowledgement(self, message: Message) -> Callable[[], None]:
        def acknowledge() -> None:
            broker = self._broker
            if broker.session is not self or not any(message is each for each in self._sent):
                return  # the session it came in is over: the broker never hears of it
            self._sent = [each for each in self._sent if each is not message]
            broker.waiting = [each for each in broker.waiting if each is not message]
            broker.acknowledged[message.topic, message.payload] += 1
            self.changed.set()

        return acknowledge

    async def close(self) -> None:
        """See Listener."""
        self._closed = True
        if self._broker.session is self:
            self._broker.session = None


class SimulatedMqtt:
    """The MQTT driver with the simulated session in place of its socket."""

    name = "mqtt"

    def __init__(self, driver: ListeningDriver, brokers: Mapping[str, SimulatedBroker]) -> None:
        self._driver = driver
        self._brokers = brokers

    def check_connection(self, connection: Mapping[str, Any]) -> list[Problem]:
        """See ListeningDriver."""
        return self._driver.check_connection(connection)

    def check_device(self, address: Mapping[str, Any], profile: Mapping[str, Any]) -> list[Problem]:
        """See ListeningDriver."""
        return self._driver.check_device(address, profile)

    def decoder(
        self, connection: Mapping[str, Any], devices: Sequence[tuple[Device, Mapping[str, Any]]]
    ) -> PayloadDecoder:
        """See ListeningDriver."""
        return self._driver.decoder(connection, devices)

    def load_decoder(self, documents: Mapping[str, Document], devices: Sequence[Device]) -> PayloadDecoder:
        """See ListeningDriver."""
        return self._driver.load_decoder(documents, devices)

    def open(
        self,
        endpoint: str,
        connection: Mapping[str, Any],
        topics: Sequence[str],
        *,
        clock: Clock,
        streams: Streams,
        random: Random,
    ) -> Session:
        """See ListeningDriver."""
        del connection, topics, streams, random
        return Session(self._brokers[endpoint], clock)
