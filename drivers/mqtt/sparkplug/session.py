"""What is known of an edge node: whether it lives, its births, its sequence (Sparkplug 3.0.0, sections 5 and 6.4).

A sequence number counts the messages of a node modulo 256. A gap means that messages were lost, and a birth may have
been among them: metrics that name themselves are still read, aliases are not, until the birth that the node is asked
for has come. An alias may mean another metric by then.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from drivers.mqtt.sparkplug.payload import DataType, Metric, Payload

NAMESPACE = "spBv1.0"
NODE_TYPES = ("NBIRTH", "NDATA", "NDEATH")
DEVICE_TYPES = ("DBIRTH", "DDATA", "DDEATH")
SEQ_MODULUS = 256
BD_SEQ = "bdSeq"


@dataclass(frozen=True, slots=True)
class SparkplugTopic:
    """A parsed Sparkplug topic: ``spBv1.0/<group>/<type>/<node>[/<device>]``."""

    group: str
    type: str
    node: str
    device: str | None

    @classmethod
    def parse(cls, topic: str) -> "SparkplugTopic | None":
        """The parts of a topic, or None when it is none of births, deaths and data."""
        parts = topic.split("/")
        if len(parts) == 4 and parts[0] == NAMESPACE and parts[2] in NODE_TYPES:
            return cls(parts[1], parts[2], parts[3], None)
        if len(parts) == 5 and parts[0] == NAMESPACE and parts[2] in DEVICE_TYPES:
            return cls(parts[1], parts[2], parts[3], parts[4])
        return None


def filters(group: str, node: str) -> list[str]:
    """Topic filters of one edge node and its devices; commands are left out, ours would come back to us."""
    own = [f"{NAMESPACE}/{group}/{each}/{node}" for each in NODE_TYPES]
    return own + [f"{NAMESPACE}/{group}/{each}/{node}/+" for each in DEVICE_TYPES]


class Trouble(StrEnum):
    """What a message shows to be wrong with the session; each but STALE_DEATH asks for a rebirth."""

    NONE = ""
    GAP = "gap"
    NO_BIRTH = "no_birth"
    AFTER_DEATH = "after_death"
    STALE_DEATH = "stale_death"


@dataclass(frozen=True, slots=True)
class Step:
    """What one message did to a node: its trouble, and the sequence number that was expected."""

    trouble: Trouble
    expected: int | None = None


ENGINEERING_UNIT = "engUnit"


@dataclass(slots=True)
class Birth:
    """Names, data types and units a birth certificate declared; data messages need not repeat them."""

    by_alias: dict[int, str] = field(default_factory=dict)
    types: dict[str, int | None] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    doubtful: bool = False  # messages were lost since, perhaps another birth: aliases are not taken

    @classmethod
    def of(cls, payload: Payload) -> "Birth":
        """From a birth payload."""
        birth = cls()
        for metric in payload.metrics:
            if metric.name is not None:
                birth.types[metric.name] = metric.datatype
                unit = metric.properties.get(ENGINEERING_UNIT)
                if isinstance(unit, str) and unit:
                    birth.units[metric.name] = unit
                if metric.alias is not None:
                    birth.by_alias[metric.alias] = metric.name
        return birth


class Life(StrEnum):
    """Whether a node was born, as far as we heard."""

    UNKNOWN = "unknown"
    BORN = "born"
    DEAD = "dead"


class EdgeNode:
    """The state of one edge node, moved by its messages in order."""

    def __init__(self) -> None:
        self.life = Life.UNKNOWN
        self._bd_seq: int | None = None
        self._seq: int | None = None
        self._births: dict[str | None, Birth] = {}
        self._dead_devices: set[str] = set()

    def move(self, topic: SparkplugTopic, payload: Payload, *, again: bool) -> Step:
        """Take in one message; ``again`` is a redelivery, whose sequence number was counted before."""
        if topic.type == "NBIRTH":
            self._births = {None: Birth.of(payload)}
            self._dead_devices.clear()
            self.life, self._seq, self._bd_seq = Life.BORN, payload.seq, _bd_seq(payload)
            return Step(Trouble.NONE)
        if topic.type == "NDEATH":
            return self._death(payload)
        step = self._count(payload, again=again)
        if step.trouble is Trouble.GAP:
            for birth in self._births.values():
                birth.doubtful = True
        if topic.type == "DBIRTH":
            self._births[topic.device] = Birth.of(payload)
            self._dead_devices.discard(topic.device or "")
        elif topic.type == "DDEATH":
            self._births.pop(topic.device, None)
            self._dead_devices.add(topic.device or "")
        elif topic.device in self._dead_devices:
            return Step(Trouble.AFTER_DEATH)
        elif topic.device not in self._births and step.trouble is Trouble.NONE:
            return Step(Trouble.NO_BIRTH)
        return step

    def _death(self, payload: Payload) -> Step:
        bd_seq = _bd_seq(payload)
        if self.life is Life.BORN and bd_seq is not None and self._bd_seq is not None and bd_seq != self._bd_seq:
            return Step(Trouble.STALE_DEATH)  # the will of an earlier session, delivered late
        self.life = Life.DEAD
        self._births.clear()
        self._seq = None
        return Step(Trouble.NONE)

    def _count(self, payload: Payload, *, again: bool) -> Step:
        if self.life is not Life.BORN:
            return Step(Trouble.NO_BIRTH if self.life is Life.UNKNOWN else Trouble.AFTER_DEATH)
        if again or payload.seq is None:
            return Step(Trouble.NONE)
        expected = None if self._seq is None else (self._seq + 1) % SEQ_MODULUS
        self._seq = payload.seq
        if expected is not None and payload.seq != expected:
            return Step(Trouble.GAP, expected)
        return Step(Trouble.NONE)

    @property
    def in_doubt(self) -> bool:
        """Whether something was missed that only a birth of the whole node mends."""
        return self.life is not Life.BORN or any(birth.doubtful for birth in self._births.values())

    def knows_aliases(self, device: str | None) -> bool:
        """Whether the birth that gives a device's aliases their meaning is known and still trusted."""
        birth = self._births.get(device)
        return birth is not None and not birth.doubtful

    def identify(self, device: str | None, metric: Metric) -> tuple[str | None, int | None, str]:
        """Name, data type and unit of a metric: its own, else what the birth declared; None, None and "" where neither
        says."""
        birth = self._births.get(device)
        name, datatype, unit = metric.name, metric.datatype, metric.properties.get(ENGINEERING_UNIT)
        if birth is not None:
            if name is None and metric.alias is not None and not birth.doubtful:
                name = birth.by_alias.get(metric.alias)
            if name is not None:
                datatype = datatype or birth.types.get(name)
                unit = unit or birth.units.get(name)
        return name, datatype, unit if isinstance(unit, str) else ""


def _bd_seq(payload: Payload) -> int | None:
    for metric in payload.metrics:
        if metric.name == BD_SEQ:
            value = metric.value(metric.datatype or DataType.INT64)
            return value if isinstance(value, int) else None
    return None
