"""A message larger than one entry becomes several, in order: ``part`` of ``parts``.

Their payloads joined are the message's payload, and their samples together are its samples; the findings about the
message stand in the first. Only a concentrator's stored samples after an outage, or a poison message, are that large.
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.domain.errors import JournalError
from gateway.domain.reading import Message

PIECE_BYTES = 30_000
"""Of the payload in one part; in base64 it leaves room for everything else."""
SAMPLES_BYTES = 45_000
MOST_PARTS = 64

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its number from 1, of how many."""

    number: int
    count: int


def pieces(payload: bytes) -> list[bytes]:
    """The payload cut for its parts; one empty piece for an empty payload."""
    return [payload[at : at + PIECE_BYTES] for at in range(0, max(len(payload), 1), PIECE_BYTES)]


def shared_out(sized: Sequence[tuple[Item, int]]) -> list[list[Item]]:
    """Samples with their encoded sizes in runs of at most SAMPLES_BYTES; JournalError when there would be too many."""
    runs: list[list[Item]] = []
    used = SAMPLES_BYTES
    for item, size in sized:
        if used + size > SAMPLES_BYTES:
            runs.append([])
            used = 0
        runs[-1].append(item)
        used += size
    if len(runs) > MOST_PARTS:
        raise JournalError("a message has more samples than %(count)s entries hold", count=str(MOST_PARTS))
    return runs


class Joining:
    """Puts messages back together from their entries."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}

    def whole(self, endpoint: str, body: Mapping[str, Any]) -> Message | None:
        """The message, once its last part is there; parts of one endpoint come in order."""
        payload = b64decode(body["payload"])
        if "part" in body:
            payload = (self._held.pop(endpoint, b"") if body["part"] > 1 else b"") + payload
            if body["part"] < body["parts"]:
                self._held[endpoint] = payload
                return None
        return Message(endpoint=endpoint, topic=body["topic"], payload=payload, received_us=int(body["received"]))
