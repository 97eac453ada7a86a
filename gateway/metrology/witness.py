"""What the judge has to ask of others: what was counted and how warm it was, and whether a file is the one named."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from gateway.metrology.loads import Register


@dataclass(frozen=True, slots=True)
class Outside:
    """Civil days in a row (µs UTC, half open) in which something lay ``above`` or ``below`` its range."""

    from_us: int
    to_us: int
    side: str


class Witness(Protocol):
    """Answers from what was measured and stored. Answers about days that are over may still change when late data come;
    they are asked again every day and whenever the ledger changes."""

    def register(self, device: str, channel: str) -> Register | None:
        """What a device's channel counts; blank: its first counter. None when it counts nothing."""

    def load_outside(
        self, device: str, channel: str, lower: Fraction | None, upper: Fraction | None
    ) -> Sequence[Outside]:
        """Days of which more than the tolerated share of the energy passed in quarter hours below or above these
        amounts (register's unit, meter side)."""

    def ambient_outside(self, device: str, channel: str, lower: Fraction, upper: Fraction) -> Sequence[Outside]:
        """Days on which a temperature channel left ``[lower, upper]`` °C."""

    def file_fits(self, procedure: str, digest: str, document: str) -> bool | None:
        """Whether the stored file has the digest that another certificate gives of it; None when that is not known."""


class NoWitness:
    """Nobody to ask: loads, temperatures and files are not judged."""

    def register(self, _device: str, _channel: str) -> Register | None:
        """Nothing is known."""
        return None

    def load_outside(
        self, _device: str, _channel: str, _lower: Fraction | None, _upper: Fraction | None
    ) -> Sequence[Outside]:
        """Nothing was outside as far as is known."""
        return ()

    def ambient_outside(self, _device: str, _channel: str, _lower: Fraction, _upper: Fraction) -> Sequence[Outside]:
        """Nothing was outside as far as is known."""
        return ()

    def file_fits(self, _procedure: str, _digest: str, _document: str) -> bool | None:
        """Not known."""
        return None
