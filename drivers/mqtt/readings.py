"""From one record to one sample of one group: values, quality words and findings in the order of the channels."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from drivers.mqtt.locators import ABSENT
from drivers.mqtt.numbers import Scale
from drivers.mqtt.records import Locator, Lookup, number_in_text
from gateway.domain.finding import Finding, Severity
from gateway.domain.quality import GOOD, Flag, Status, word
from gateway.ports import Document

MAX_TEXT = 200

NOT_SENT = word(Status.MISSING, Flag.NOT_READ)
NO_VALUE = word(Status.MISSING, Flag.NO_VALUE)
NOT_A_NUMBER = word(Status.MISSING, Flag.NOT_A_NUMBER)
OVERFLOW = word(Status.MISSING, Flag.OVERFLOW)

Value = int | str | None
Verdict = tuple[Value, int, Finding | None]


@dataclass(frozen=True, slots=True)
class ChannelMapping:
    """Where one channel's value stands and how it becomes a stored integer or text."""

    id: str
    topic: str | None
    locator: Locator
    text: bool
    unit: str
    scale: Scale
    cumulative: bool

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> "ChannelMapping":
        """From its journal form (docs/mqtt.md)."""
        at = document["at"]
        return cls(
            id=document["id"],
            topic=document["topic"],
            locator=tuple(at) if isinstance(at, list) else at,
            text=document["type"] == "text",
            unit=document["unit"],
            scale=Scale(int(document["numerator"]), int(document["denominator"]), document["decimals"]),
            cumulative=bool(document["cumulative"]),
        )

    def read(self, raw: Any) -> Verdict:  # what a record answered
        """Value, quality word and finding of what stands in the payload."""
        if raw is ABSENT:
            return None, NOT_SENT, None
        if raw is None or raw == "":
            return None, NO_VALUE, Finding("reading.no_value", Severity.WARNING, self.id)
        if self.text:
            return self._text(raw)
        if type(raw) is not int and type(raw) is not Decimal and type(raw) is not Fraction:
            return None, NOT_A_NUMBER, Finding("reading.not_a_number", Severity.WARNING, self.id)
        value = self.scale.apply(raw)
        if value is None:
            return None, OVERFLOW, Finding("reading.overflow", Severity.ERROR, self.id)
        return value, GOOD, None

    def _text(self, raw: Any) -> Verdict:  # a text or an integer
        text = str(raw) if type(raw) is int and abs(raw) < 10**40 else raw
        clean = clean_text(text) if isinstance(text, str) else None
        if clean is None:
            return None, OVERFLOW, Finding("reading.overflow", Severity.ERROR, self.id)
        return clean, GOOD, None


def clean_text(text: str) -> str | None:
    """A text in Unicode normal form C; None when it is too long or holds controls or halves of characters."""
    if not 0 < len(text) <= MAX_TEXT:
        return None
    normal = unicodedata.normalize("NFC", text)
    if len(normal) > MAX_TEXT or any(unicodedata.category(each) in {"Cc", "Cs", "Cn"} for each in normal):
        return None
    return normal


@dataclass(frozen=True, slots=True)
class GroupMapping:
    """One request group of a pushed device."""

    id: str
    late_us: int
    channels: tuple[ChannelMapping, ...]

    @classmethod
    def load(cls, group: str, document: Document) -> "GroupMapping":
        """From its journal form."""
        return cls(group, document["late_us"], tuple(ChannelMapping.load(each) for each in document["channels"]))

    def read(
        self, record: Any, lookup: Lookup, topic: str, *, written: bool
    ) -> tuple[tuple[Value, ...], tuple[int, ...], tuple[Finding, ...]] | None:
        """The group's values out of one record, or None when the record has nothing of this group.

        ``written`` says that numbers stand as text (CSV, plain values).
        """
        values: list[Value] = []
        words: list[int] = []
        findings: list[Finding] = []
        for channel in self.channels:
            raw = lookup(record, channel.locator) if channel.topic == topic else ABSENT
            if written and not channel.text:
                raw = number_in_text(raw)
            value, quality, finding = channel.read(raw)
            values.append(value)
            words.append(quality)
            if finding is not None:
                findings.append(finding)
        if all(each == NOT_SENT for each in words):
            return None
        return tuple(values), tuple(words), tuple(findings)
