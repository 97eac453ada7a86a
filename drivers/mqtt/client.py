"""The one place that knows the MQTT library: aiomqtt, with the public manual acknowledge of the paho client beneath it.

aiomqtt acknowledges a message before anybody has seen it, so a crash loses whatever was acknowledged but not yet
stored. The paho client under it can leave the acknowledgement to us (``manual_ack_set`` and ``ack``, both public
there); aiomqtt offers no way to that client but a protected attribute. This class is that way, and nothing else in
the product touches either library. It also hands messages over without aiomqtt's queue, which has a task a message
and throws messages away when full: here reading from the socket stops instead, and the broker keeps what we have no
room for.

aiomqtt opens its socket itself, on a thread of its own; this is the one exception to streams behind ``ports.Streams``.
"""

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Self
from unicodedata import is_normalized

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

ConnectionLostError = aiomqtt.MqttError
"""Whatever ended or prevented a session."""

Codes = tuple[int, ...] | list[ReasonCode]

CONNECT_TIMEOUT_S = 10.0
PACKETS_A_TURN = 50
MAX_TOPIC = 1_000
SUBSCRIBE_BATCH = 100
"""Topic filters in one SUBSCRIBE packet."""


@dataclass(slots=True)
class Incoming:
    """One PUBLISH as it came, and its packet id for the acknowledgement (0 with QoS 0). Not changed once made; frozen
    would cost a microsecond a message."""

    topic: str
    payload: bytes
    qos: int
    retained: bool
    duplicate: bool
    packet_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """What a session needs, secrets included; never journaled and never printed."""

    host: str
    port: int
    client_id: str
    username: str | None
    password: str | None
    tls: ssl.SSLContext | None
    version: str
    window: int
    keepalive_s: int
    session_expiry_s: int

    def __repr__(self) -> str:
        return f"SessionSettings({self.client_id!r} at {self.host}:{self.port})"


class BrokerSession(aiomqtt.Client):
    """One connection to a broker on a persistent session, acknowledged by hand. Used once; a new one reconnects."""

    def __init__(self, settings: SessionSettings, on_incoming: Callable[[Incoming], None]) -> None:
        version5 = settings.version == "5"
        super().__init__(
            settings.host,
            settings.port,
            identifier=settings.client_id,
            username=settings.username,
            password=settings.password,
            protocol=aiomqtt.ProtocolVersion.V5 if version5 else aiomqtt.ProtocolVersion.V311,
            # MQTT 5 says the same with clean_start and the session expiry
            clean_session=None if version5 else False,
            clean_start=False if version5 else paho.MQTT_CLEAN_START_FIRST_ONLY,
            properties=_connect_properties(settings) if version5 else None,
            tls_context=settings.tls,
            # paho looks at the server's name a second time unless told that the context has decided
            tls_insecure=True if settings.tls is not None and not settings.tls.check_hostname else None,
            keepalive=settings.keepalive_s,
            timeout=CONNECT_TIMEOUT_S,
        )
        self._client.manual_ack_set(True)
        self._client.disable_logger()  # a line a packet; what matters is said by the listener
        self._on_incoming = on_incoming
        self._packets = 0
        self._paused_fd: int | None = None
        self.session_present = False

    def _on_connect(
        self,
        client: paho.Client,
        userdata: Any,  # paho's own
        flags: paho.ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.session_present = bool(flags.session_present)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: Any,  # paho's own
        flags: paho.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if not self._connected.done():
            # closed before the broker answered, as it does with a certificate it does not know: no need to wait
            self._connected.set_exception(ConnectionLostError("the broker closed the connection before answering"))
            return
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:  # paho's callback
        del client, userdata
        self._packets += 1
        self._on_incoming(
            Incoming(
                topic=_topic(message),
                payload=bytes(message.payload),
                qos=message.qos,
                retained=bool(message.retain),
                duplicate=bool(message.dup),
                packet_id=message.mid,
            )
        )

    async def subscribe_all(self, filters: Sequence[str], qos: int = 1) -> list[str]:
        """Subscribe and wait for the answers; returns the filters the broker refused."""
        refused: list[str] = []
        for start in range(0, len(filters), SUBSCRIBE_BATCH):
            batch = filters[start : start + SUBSCRIBE_BATCH]
            codes = await self._unless_lost(self.subscribe([(each, qos) for each in batch]))
            for each, code in zip(batch, codes, strict=False):
                number = code.value if isinstance(code, ReasonCode) else int(str(code))
                if number >= 0x80:
                    refused.append(each)
        return refused

    async def _unless_lost(self, answer: Coroutine[Any, Any, Codes]) -> Codes:
        """An answer of the broker; ConnectionLostError at once, not after the time-out, when the connection ends."""
        waiting = asyncio.ensure_future(answer)
        try:
            either: set[asyncio.Future[Any]] = {waiting, self._disconnected}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise ConnectionLostError("the connection ended before the broker answered")
            return waiting.result()
        finally:
            waiting.cancel()

    def acknowledge(self, incoming: Incoming) -> None:
        """Tell the broker that the message is safe; from the event loop, once, in any order."""
        if incoming.qos > 0:
            self._client.ack(incoming.packet_id, incoming.qos)

    async def lost(self) -> None:
        """Wait until the connection ends; ConnectionLostError when it was not us who ended it."""
        try:
            await asyncio.shield(self._disconnected)
        except Exception as error:
            raise aiomqtt.MqttError(str(error)) from error

    async def publish_once(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 0; ConnectionLostError when the session is gone."""
        await self.publish(topic, payload, qos=0)

    def discard(self) -> None:
        """Close the socket without a word to the broker: it keeps the session and what we did not acknowledge."""
        if self._misc_task is not None:
            self._misc_task.cancel()
        socket = self._client.socket()
        if socket is not None and socket.fileno() >= 0:
            self._loop.remove_reader(socket.fileno())
            self._loop.remove_writer(socket.fileno())
            socket.close()
        if self._disconnected.done() and not self._disconnected.cancelled():
            self._disconnected.exception()  # seen here, so that asyncio does not report it as never retrieved

    async def __aenter__(self) -> Self:
        """Connect; ConnectionLostError when that fails."""
        await super().__aenter__()
        socket = self._client.socket()
        if socket is not None:
            # in place of the library's reader, which takes one packet a turn of the event loop
            self._loop.add_reader(socket.fileno(), self._read)
        return self

    def pause(self) -> None:
        """Stop reading from the socket: the broker and its TCP window hold what follows."""
        socket = self._client.socket()
        if self._paused_fd is None and socket is not None:
            self._paused_fd = socket.fileno()
            self._loop.remove_reader(self._paused_fd)

    def resume(self) -> None:
        """Read again."""
        fd, self._paused_fd = self._paused_fd, None
        socket = self._client.socket()
        if fd is not None and socket is not None and socket.fileno() == fd:
            self._loop.add_reader(fd, self._read)
            self._loop.call_soon(self._read)  # TLS may hold decoded bytes that no poll of the socket shows

    def _read(self) -> None:
        """Take what has come, up to PACKETS_A_TURN packets, then let others run."""
        try:
            for _ in range(PACKETS_A_TURN):
                before = self._packets
                self._client.loop_read()
                if self._paused_fd is not None:
                    return
                if self._packets == before:
                    break
        except Exception as error:  # noqa: BLE001  # paho raises whatever a broken stream makes it stumble over
            if not self._disconnected.done():
                self._disconnected.set_exception(error)
            return
        socket = self._client.socket()
        if isinstance(socket, ssl.SSLSocket) and socket.pending():
            self._loop.call_soon(self._read)


def _topic(message: paho.MQTTMessage) -> str:
    """The topic as an entry can hold it. One that is no proper text, is not in Unicode form C or is overlong is written
    escaped and shortened, so it equals no mapped topic: normalising it could make it another meter's."""
    try:
        topic = message.topic
    except UnicodeDecodeError:  # a broker has to refuse such a topic
        return "(not UTF-8)"
    if len(topic) > MAX_TOPIC or not is_normalized("NFC", topic):
        return f"({topic[:MAX_TOPIC]!a})"
    return topic


def _connect_properties(settings: SessionSettings) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = settings.session_expiry_s
    properties.ReceiveMaximum = min(settings.window, 65_535)
    return properties
