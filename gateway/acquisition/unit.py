"""What the actor of an endpoint knows of one device behind it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.acquisition.breaker import FAILURES_TO_OPEN, Breaker
from gateway.acquisition.line import Line
from gateway.acquisition.timeouts import AdaptiveTimeout, Siblings
from gateway.domain.device import Device
from gateway.domain.reading import Outcome
from gateway.ports import Answer, Random

GATEWAY_EXCEPTIONS = frozenset({10, 11})
"""Modbus exceptions by which a gateway says that the unit behind it is silent (Application Protocol V1.1b3, 7)."""
BUSY_EXCEPTIONS = frozenset({5, 6})
"""Acknowledge and server device busy: ask again later."""


@dataclass(slots=True, eq=False)
class Unit:
    """A device, its breaker and its learned time-outs, one per request of each group."""

    device: Device
    breaker: Breaker
    siblings: Siblings
    identity_line: Line | None = None
    identity_due: bool = False
    timeouts: dict[tuple[str, int], AdaptiveTimeout] = field(default_factory=dict)

    def timeout(self, group: str, request: int) -> AdaptiveTimeout:
        """The estimator of one request."""
        key = (group, request)
        estimator = self.timeouts.get(key)
        if estimator is None:
            estimator = self.timeouts[key] = AdaptiveTimeout(self.siblings)
        return estimator

    def hopeless(self, group: str, requests: int) -> frozenset[int]:
        """Requests of a group that stayed without answer again and again while the unit answers others of it."""
        silent = frozenset(n for n in range(requests) if self.timeout(group, n).silences >= FAILURES_TO_OPEN)
        return silent if len(silent) < requests else frozenset()

    def forget(self, group: str) -> None:
        """The group is read by other requests from now on."""
        for key in [key for key in self.timeouts if key[0] == group]:
            del self.timeouts[key]


def speaks(answer: Answer) -> bool:
    """Whether the unit itself answered, if only with a refusal."""
    return answer.outcome == Outcome.OK or (
        answer.outcome == Outcome.EXCEPTION and answer.code not in GATEWAY_EXCEPTIONS
    )


def worth_repeating(answer: Answer) -> bool:
    """Whether asking once more within the slot may bring what this answer did not."""
    return answer.outcome != Outcome.EXCEPTION or answer.code in BUSY_EXCEPTIONS | GATEWAY_EXCEPTIONS


def units_of(lines: Iterable[Line], random: Random, longest_pause_s: float) -> dict[str, Unit]:
    """One unit per device of these lines, by device id."""
    units: dict[str, Unit] = {}
    siblings = Siblings()
    for line in lines:
        unit = units.get(line.device.id)
        if unit is None:
            unit = units[line.device.id] = Unit(line.device, Breaker(random, longest_s=longest_pause_s), siblings)
        if line.is_identity:
            unit.identity_line = line
    return units
