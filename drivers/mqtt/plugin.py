"""The MQTT driver as the gateway finds it by entry point."""

from collections.abc import Mapping, Sequence
from typing import Any

from drivers.mqtt import blocks, mapping
from drivers.mqtt import connection as brokers
from drivers.mqtt.client import SessionSettings
from drivers.mqtt.decoder import Decoder
from drivers.mqtt.listener import MqttListener, default_client_id
from drivers.mqtt.sparkplug.watcher import RebirthWatcher
from gateway.domain.device import Device
from gateway.domain.errors import ConfigurationError, Problem
from gateway.ports import Clock, Document, ListeningDriver, Random, Streams


class MqttDriver:
    """ListeningDriver of gateway.ports for MQTT 3.1.1 and 5."""

    name = "mqtt"

    def check_connection(self, connection: Mapping[str, Any]) -> list[Problem]:
        """Everything wrong with an endpoint's ``connection`` block."""
        return brokers.check(connection)

    def line(self, connection: Mapping[str, Any]) -> str | None:
        """The session an endpoint occupies, where its client id is written: two with one id throw each other out."""
        parsed = brokers.Connection.model_validate(dict(connection))
        if parsed.client_id is None:
            return None
        return f"{parsed.client_id} at {parsed.host.lower()}:{parsed.effective_port}"

    def check_device(self, address: Mapping[str, Any], profile: Mapping[str, Any]) -> list[Problem]:
        """Everything wrong with a device's ``address``, the profile's ``options`` and its ``source`` blocks."""
        return blocks.check(address, profile)

    def decoder(self, connection: Mapping[str, Any], devices: Sequence[tuple[Device, Mapping[str, Any]]]) -> Decoder:
        """The decoder of one endpoint; ConfigurationError when units have no factor or devices claim the same meter."""
        del connection
        documents: dict[str, Document] = {}
        problems: list[str] = []
        for device, profile in devices:
            try:
                documents[device.id] = mapping.resolve(device, profile)
            except ConfigurationError as error:
                problems += error.lines
        problems += mapping.clashes(documents)
        if problems:
            raise ConfigurationError(problems)
        return Decoder(documents)

    def load_decoder(self, documents: Mapping[str, Document], devices: Sequence[Device]) -> Decoder:
        """The decoder back from journal form."""
        known = {device.id for device in devices}
        return Decoder({device: document for device, document in documents.items() if device in known})

    def open(
        self,
        endpoint: str,
        connection: Mapping[str, Any],
        topics: Sequence[str],
        *,
        clock: Clock,
        streams: Streams,
        random: Random,
    ) -> MqttListener:
        """A listener on the topics; connects when its deliveries are first asked for. SecretError when a named password
        or certificate cannot be read."""
        del streams  # the client library opens its own socket, see drivers.mqtt.client
        parsed = brokers.Connection.model_validate(dict(connection))
        settings = SessionSettings(
            host=parsed.host,
            port=parsed.effective_port,
            client_id=parsed.client_id or default_client_id(endpoint, parsed.host),
            username=parsed.username,
            password=brokers.password(parsed),
            tls=None if parsed.tls is None else brokers.tls_context(parsed.tls),
            version=parsed.protocol,
            window=parsed.window,
            keepalive_s=parsed.keepalive_s,
            session_expiry_s=parsed.session_expiry_s,
        )
        watcher = RebirthWatcher(topics)
        return MqttListener(
            endpoint, settings, topics, clock=clock, random=random, watcher=watcher if watcher.watches else None
        )


PLUGIN: ListeningDriver = MqttDriver()
