"""Faults in what is published."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from simulators.faults.fault import Fault

POISON = b'{"this is": no JSON'


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message about to be published for some devices."""

    at_us: int
    topic: str
    payload: bytes
    devices: tuple[str, ...]
    retain: bool = False


class MessageFaults:
    """Applies message faults and counts them by kind."""

    def __init__(self, faults: Iterable[Fault], log: Callable[[Fault, int], None] | None = None) -> None:
        self._faults = sorted((each for each in faults if each.place == "message"), key=lambda each: each.from_us)
        self._turns: dict[int, int] = {}
        self._log = log
        self.applied: dict[str, int] = {}

    def really_sent(self, message: Outgoing) -> Sequence[Outgoing]:
        """What is published instead of the message."""
        sent = [message]
        for index, fault in enumerate(self._faults):
            if fault.device not in message.devices or not fault.active(message.at_us):
                continue
            turn = self._turns.get(index, 0)
            self._turns[index] = turn + 1
            if turn % fault.every:
                continue
            self.applied[fault.kind] = self.applied.get(fault.kind, 0) + 1
            if self._log is not None:
                self._log(fault, message.at_us)
            sent = [changed for each in sent for changed in _changed(fault, each)]
        return sent


def _changed(fault: Fault, message: Outgoing) -> list[Outgoing]:
    if fault.kind == "no_message":
        return []
    if fault.kind == "duplicate":
        return [message, message]
    if fault.kind == "poison":
        return [replace(message, payload=POISON)]
    return [replace(message, retain=True)]
