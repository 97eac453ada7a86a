"""An open subscription: one persistent session on one broker, reconnecting by itself, with a bounded number of messages
between the socket and the journal.

Back-pressure: the broker sends no more than its in-flight window of unacknowledged messages. Should a broker keep no
window (or the messages carry QoS 0), reading from the socket stops at ``2 * window`` messages in our hands and goes
on at half of that, and a new connection is not opened before.
"""

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from drivers.mqtt.client import BrokerSession, ConnectionLostError, Incoming, SessionSettings
from gateway.domain.reading import Message
from gateway.ports import Clock, Delivery, Random

LOG = logging.getLogger(__name__)

BACKOFF_FIRST_S = 0.5
BACKOFF_LIMIT_S = 60.0
MOST_UNSETTLED_BYTES = 32 * 1024 * 1024
"""Payload in hand at which reading stops, however few messages it is: a topic can be flooded with large ones."""
SETTLED_AFTER_NS = 10_000_000_000
"""A session this old has proved itself, as does an acknowledged message: the next pause starts small again."""


def default_client_id(endpoint: str, host: str) -> str:
    """A stable client id; the persistent session at the broker hangs on it, so it never changes by itself."""
    digest = hashlib.sha256(f"{endpoint}@{host}".encode()).hexdigest()[:8]
    return f"meterproof-{endpoint[:40]}-{digest}"


class Watcher(Protocol):
    """Looks at every message as it comes in and may ask for messages to be published (Sparkplug rebirth)."""

    def connected(self, at_us: int) -> list[tuple[str, bytes]]:
        """Topics and payloads to publish once we are connected and subscribed."""
        ...

    def observe(self, incoming: Incoming, at_us: int) -> list[tuple[str, bytes]]:
        """Topics and payloads to publish in answer."""
        ...


class MqttListener:
    """Listener of gateway.ports over BrokerSession."""

    def __init__(
        self,
        endpoint: str,
        settings: SessionSettings,
        topics: Sequence[str],
        *,
        clock: Clock,
        random: Random,
        watcher: Watcher | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._topics = list(topics)
        self._clock = clock
        self._random = random
        self._watcher = watcher
        self._waiting: deque[Delivery] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._limit = 2 * settings.window
        self._unsettled = 0
        self._unsettled_bytes = 0
        self._session: BrokerSession | None = None
        self._up = False
        self._keeper: asyncio.Task[None] | None = None
        self._outgoing: set[asyncio.Task[None]] = set()
        self._closed = False
        self._proved = False
        self._subscribed = False
        self.connections = 0
        self.sessions_lost = 0
        self.refused_topics: list[str] = []
        self.last_error = ""
        self._complained = ""

    @property
    def connected(self) -> bool:
        """Whether the session is up and subscribed."""
        return self._up

    @property
    def unsettled(self) -> int:
        """Messages received and not yet acknowledged; never more than ``2 * window`` and what one read brings.
        Nor is there more than MOST_UNSETTLED_BYTES of payload and one message in hand."""
        return self._unsettled

    async def deliveries(self) -> AsyncIterator[Delivery]:
        """Messages as they come, until closed. One iteration at a time. Raises what is neither broker nor network."""
        if self._keeper is None and not self._closed:
            self._keeper = asyncio.create_task(self._keep_connected(), name=f"mqtt {self._endpoint}")
            self._keeper.add_done_callback(lambda _: self._arrived.set())
        while not self._closed:
            while self._waiting:
                yield self._waiting.popleft()
            self._arrived.clear()
            if self._keeper is not None and self._keeper.done():
                self._keeper.result()  # a fault of ours must not look like a silent broker
            if not self._closed:
                await self._arrived.wait()

    async def close(self) -> None:
        """Leave without ending the persistent session; what was not acknowledged comes again."""
        self._closed = True
        self._arrived.set()
        tasks = [task for task in (self._keeper, *self._outgoing) if task is not None]
        self._keeper = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._waiting.clear()

    async def _keep_connected(self) -> None:
        failures = 0
        while not self._closed:
            await self._room.wait()
            started_ns = self._clock.monotonic_ns()
            self._proved = False
            try:
                await self._one_session()
            except (ConnectionLostError, OSError) as error:
                self.last_error = str(error)
                if self.last_error != self._complained:  # a broker away for a year is said once, not a million times
                    LOG.warning("broker of endpoint %s: %s", self._endpoint, error)
                self._complained = self.last_error
            settled = self._proved or self._clock.monotonic_ns() - started_ns >= SETTLED_AFTER_NS
            failures = 0 if settled else failures + 1
            ceiling_s = min(BACKOFF_LIMIT_S, BACKOFF_FIRST_S * 2.0 ** min(failures, 20))
            await self._clock.sleep(self._random.uniform(BACKOFF_FIRST_S / 2, ceiling_s))

    async def _one_session(self) -> None:
        session = BrokerSession(self._settings, self._incoming)
        self._session = session
        try:
            async with session:
                await self._subscribe(session)
                self.connections += 1
                self._up = True
                if self._watcher is not None:
                    for topic, payload in self._watcher.connected(self._clock.utc_us()):
                        self._publish(session, topic, payload)
                if self._complained:
                    LOG.warning("endpoint %s: connected again", self._endpoint)
                self._complained = ""
                await session.lost()
        finally:
            self._up = False
            self._session = None
            session.discard()

    async def _subscribe(self, session: BrokerSession) -> None:
        """Subscribe once a process, and again whenever the broker forgot us. Subscribing anew on a kept session would
        bring every retained message again at each reconnect."""
        if self._subscribed and session.session_present:
            return
        if self._subscribed:
            self.sessions_lost += 1
            LOG.error("endpoint %s: the broker lost our session; messages of the outage may be lost", self._endpoint)
        self.refused_topics = await session.subscribe_all(self._topics)
        for topic in self.refused_topics:
            LOG.error("endpoint %s: the broker refuses the subscription to %s", self._endpoint, topic)
        self._subscribed = True

    def _incoming(self, incoming: Incoming) -> None:
        session = self._session
        if session is None or self._closed:
            return
        received_us = self._clock.utc_us()
        message = Message(
            endpoint=self._endpoint,
            topic=incoming.topic,
            payload=incoming.payload,
            received_us=received_us,
            qos=incoming.qos,
            retained=incoming.retained,
            duplicate=incoming.duplicate,
        )
        self._unsettled += 1
        self._unsettled_bytes += len(incoming.payload)
        self._waiting.append(Delivery(message, _Acknowledgement(self, session, incoming)))
        self._arrived.set()
        if self._unsettled >= self._limit or self._unsettled_bytes >= MOST_UNSETTLED_BYTES:
            self._room.clear()
            session.pause()
        if self._watcher is not None:
            for topic, payload in self._watcher.observe(incoming, received_us):
                self._publish(session, topic, payload)

    def _publish(self, session: BrokerSession, topic: str, payload: bytes) -> None:
        task = asyncio.create_task(self._publish_quietly(session, topic, payload))
        self._outgoing.add(task)
        task.add_done_callback(self._outgoing.discard)

    async def _publish_quietly(self, session: BrokerSession, topic: str, payload: bytes) -> None:
        try:
            await session.publish_once(topic, payload)
        except ConnectionLostError as error:
            LOG.warning("endpoint %s: could not publish to %s: %s", self._endpoint, topic, error)

    def settle(self, session: BrokerSession, incoming: Incoming) -> None:
        """One message is safe: acknowledge it if its session still stands (else it comes again), and make room."""
        self._unsettled -= 1
        self._unsettled_bytes -= len(incoming.payload)
        if session is self._session:
            self._proved = True
            session.acknowledge(incoming)
        if self._room.is_set():
            return
        if self._unsettled <= self._limit // 2 and self._unsettled_bytes <= MOST_UNSETTLED_BYTES // 2:
            self._room.set()
            if self._session is not None:
                self._session.resume()


class _Acknowledgement:
    """Acknowledges one message once, however often it is called."""

    __slots__ = ("_incoming", "_listener", "_session")

    def __init__(self, listener: MqttListener, session: BrokerSession, incoming: Incoming) -> None:
        self._listener: MqttListener | None = listener
        self._session = session
        self._incoming = incoming

    def __call__(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.settle(self._session, self._incoming)
