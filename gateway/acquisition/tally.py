"""What was collected since the start: counted where it happens, beside the journal that holds the evidence."""

from collections import Counter
from collections.abc import Iterable

from gateway.acquisition.line import Line
from gateway.domain.finding import Finding
from gateway.domain.reading import Outcome


class Tally:
    """Slots by outcome, readings by protocol, findings by rule."""

    __slots__ = ("findings", "outcomes", "readings", "samples")

    def __init__(self) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.readings: Counter[str] = Counter()
        self.findings: Counter[str] = Counter()
        self.samples = 0

    def slot(self, line: Line, outcome: Outcome, readings: int = 0, *, slots: int = 1) -> None:
        """Slots that ended, and how many values they brought."""
        self.outcomes[outcome] += slots
        if readings:
            self.readings[line.device.protocol] += readings

    def sample(self, line: Line, readings: int) -> None:
        """One pushed sample."""
        self.samples += 1
        self.readings[line.device.protocol] += readings

    def found(self, findings: Iterable[Finding]) -> None:
        """Findings of one reading or message."""
        for finding in findings:
            self.findings[finding.rule] += 1
