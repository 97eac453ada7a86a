"""What a rule found. Facts only; the sentence is made where it is shown, in the reader's language."""

from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters to a reviewer."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's result about one channel, or about the whole poll when ``channel`` is empty.

    ``rule`` is a stable id such as ``counter.rollover``; it names the translation, the documentation and the test.
    ``facts`` are integers (scaled as the channel is) and strings, ready for the journal.
    """

    rule: str
    severity: Severity
    channel: str = ""
    facts: dict[str, int | str] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """The journal form: ``{"rule", "severity", "channel", "facts"}``."""
        return {
            "rule": self.rule,
            "severity": str(self.severity),
            "channel": self.channel,
            "facts": dict(self.facts),
        }
