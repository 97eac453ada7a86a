"""An embedded broker, so that a demo needs no server installed. Never for real meters: it keeps nothing through a
crash."""

import logging

from amqtt.broker import Broker

_MAX_CONNECTIONS = 50


class EmbeddedBroker:
    """amqtt on loopback, anyone may connect."""

    def __init__(self, host: str, port: int) -> None:
        listener = {"type": "tcp", "bind": f"{host}:{port}", "max_connections": _MAX_CONNECTIONS}
        plugin = "amqtt.plugins.authentication.AnonymousAuthPlugin"
        self._broker = Broker({"listeners": {"default": listener}, "plugins": {plugin: {"allow_anonymous": True}}})
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)

    async def start(self) -> None:
        """Listen; whatever amqtt raises when the port is taken."""
        await self._broker.start()

    async def stop(self) -> None:
        """Stop listening and drop every session."""
        await self._broker.shutdown()
