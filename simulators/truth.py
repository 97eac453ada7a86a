"""The truth log: what every meter truly held, what it showed, and which faults acted. One JSON object a line.

``{"t": "fault", …}`` announces each planted fault; ``{"t": "truth", "at", "device", "true", "shown", "faults"}``
comes at every instant of the truth grid; ``{"t": "applied", "at", "device", "kind"}`` each time a wire or message
fault really acted. Times are µs UTC, values in the channel's unit with at most six decimals.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from config.profile import Profile
from simulators.faults.fault import FOR_EVER, Fault
from simulators.instruments.fitted import MICRO, Quantity
from simulators.instruments.instrument import Instrument


def value_of(quantity: Quantity) -> float | str | None:
    """A quantity as a plain number in its unit."""
    return quantity / MICRO if isinstance(quantity, int) else quantity


class TruthLog:
    """Writes the log; ``stream`` may be None, then it only keeps count."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.lines = 0

    def announce(self, faults: Iterable[Fault]) -> None:
        """Put every planted fault on record."""
        for fault in faults:
            self._write(
                {
                    "t": "fault",
                    "device": fault.device,
                    "kind": fault.kind,
                    "place": fault.place,
                    "from": fault.from_us,
                    "to": None if fault.to_us == FOR_EVER else fault.to_us,
                    "every": fault.every,
                    "settings": dict(fault.settings),
                }
            )

    def moment(
        self, at_us: int, device: str, profile: Profile, honest: Instrument, shown: Instrument, *, faults: list[str]
    ) -> None:
        """One meter at one instant."""
        channels = [channel for group in profile.groups for channel in group.channels]
        self._write(
            {
                "t": "truth",
                "at": at_us,
                "device": device,
                "true": {each.id: _plain(honest.quantity(each.measurand, at_us)) for each in channels},
                "shown": {each.id: _plain(shown.quantity(each.measurand, at_us)) for each in channels},
                "faults": faults,
            }
        )

    def applied(self, at_us: int, device: str, kind: str) -> None:
        """A wire or message fault acted."""
        self._write({"t": "applied", "at": at_us, "device": device, "kind": kind})

    def _write(self, document: Mapping[str, Any]) -> None:
        self.lines += 1
        if self._stream is not None:
            self._stream.write(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
            self._stream.flush()


def _plain(quantity: Quantity) -> float | str | None:
    value = value_of(quantity)
    return round(value, 6) if isinstance(value, float) else value
