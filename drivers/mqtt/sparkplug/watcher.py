"""Asks edge nodes to be born again: after a gap in their sequence, without a known birth, and when we connect."""

from collections.abc import Sequence

from drivers.mqtt.client import Incoming
from drivers.mqtt.records import UndecodableError
from drivers.mqtt.sparkplug.payload import parse, rebirth_command
from drivers.mqtt.sparkplug.session import NAMESPACE, EdgeNode, SparkplugTopic, Trouble

REBIRTH_PAUSE_US = 5_000_000
"""A node is asked at most this often: a birth can be large, and a node that loses messages would flood the link."""


class RebirthWatcher:
    """Watcher of one endpoint (drivers.mqtt.listener). Births are published with QoS 0 as a rule, so a broker keeps
    none for us while we are away: each new connection asks every node."""

    def __init__(self, topics: Sequence[str]) -> None:
        parsed = [SparkplugTopic.parse(topic) for topic in topics]
        self._nodes = {(each.group, each.node): EdgeNode() for each in parsed if each is not None}
        self._asked_us: dict[tuple[str, str], int] = {}

    @property
    def watches(self) -> bool:
        """Whether any edge node is listened to here."""
        return bool(self._nodes)

    def connected(self, at_us: int) -> list[tuple[str, bytes]]:
        """Commands to publish after subscribing."""
        self._nodes = {key: EdgeNode() for key in self._nodes}
        return [command for key in sorted(self._nodes) for command in self._ask(key, at_us)]

    def observe(self, incoming: Incoming, at_us: int) -> list[tuple[str, bytes]]:
        """Commands to publish in answer to one message."""
        topic = SparkplugTopic.parse(incoming.topic)
        node = None if topic is None else self._nodes.get((topic.group, topic.node))
        if topic is None or node is None or incoming.retained:
            return []
        try:
            step = node.move(topic, parse(incoming.payload), again=incoming.duplicate)
        except UndecodableError:
            return []
        dead = topic.type == "NDEATH"  # it cannot hear us
        if step.trouble is Trouble.STALE_DEATH or dead or (step.trouble is Trouble.NONE and not node.in_doubt):
            return []
        return self._ask((topic.group, topic.node), at_us)

    def _ask(self, key: tuple[str, str], at_us: int) -> list[tuple[str, bytes]]:
        asked_us = self._asked_us.get(key)
        if asked_us is not None and 0 <= at_us - asked_us < REBIRTH_PAUSE_US:
            return []
        self._asked_us[key] = at_us
        group, node = key
        return [(f"{NAMESPACE}/{group}/NCMD/{node}", rebirth_command(at_us))]
