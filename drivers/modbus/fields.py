"""The fields and scales of a decode plan, in memory and in the journal form of docs/decode-plan.md."""

from dataclasses import dataclass
from typing import Any

MAX_FIELDS = 500
MAX_SCALES = 100
MAX_REQUESTS = 200

IDENTITY_ORDER = "A"
NUMERIC_TYPES = frozenset({"uint", "int", "magnitude", "float", "bcd", "mod10k"})
TEXT_TYPES = frozenset({"text", "object", "time"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Some bytes of one answer, their order and their type."""

    request: int
    offset: int
    length: int
    type: str
    order: str = IDENTITY_ORDER
    shift: int = 0
    width: int | None = None  # None: all 8 * length bits

    def slice_document(self) -> dict[str, Any]:
        """The journal form without defaults."""
        document: dict[str, Any] = {
            "request": self.request,
            "offset": self.offset,
            "length": self.length,
            "type": self.type,
        }
        if self.order != IDENTITY_ORDER:
            document["order"] = self.order
        if self.shift:
            document["shift"] = self.shift
        if self.width is not None:
            document["width"] = self.width
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleField(Slice):
    """A register that multiplies fields."""

    kind: str
    minimum: int | None = None
    maximum: int | None = None

    def document(self) -> dict[str, Any]:
        """The journal form without defaults."""
        document = self.slice_document() | {"kind": self.kind}
        if self.minimum is not None:
            document["minimum"] = self.minimum
        if self.maximum is not None:
            document["maximum"] = self.maximum
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueField(Slice):
    """One channel: its bytes and how they become a scaled integer or a text."""

    channel: str
    format: str = "number"
    subtract: int = 0
    numerator: int = 1
    denominator: int = 1
    decimals: int = 0
    scales: tuple[int, ...] = ()
    sentinels: tuple[str, ...] = ()
    coarse: int | None = None

    def document(self) -> dict[str, Any]:
        """The journal form without defaults."""
        document = {"channel": self.channel} | self.slice_document()
        defaults = {"format": "number", "subtract": 0, "numerator": 1, "denominator": 1, "decimals": 0}
        for key, default in defaults.items():
            if getattr(self, key) != default:
                document[key] = getattr(self, key)
        if self.scales:
            document["scales"] = list(self.scales)
        if self.sentinels:
            document["sentinels"] = list(self.sentinels)
        if self.coarse is not None:
            document["coarse"] = self.coarse
        return document


def load_value_field(document: dict[str, Any]) -> ValueField:
    """The field back from its journal form; ValueError or TypeError when it is none."""
    lists = {"scales": tuple(document.get("scales", ())), "sentinels": tuple(document.get("sentinels", ()))}
    return ValueField(**(document | lists))


def load_scale_field(document: dict[str, Any]) -> ScaleField:
    """The scale back from its journal form; ValueError or TypeError when it is none."""
    return ScaleField(**document)
