"""``message.duplicate``: the broker may bring a message again when it did not see our acknowledgement."""

from collections import deque
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from gateway.domain.finding import Finding, Severity
from gateway.domain.reading import Message, Sample

WINDOW = 100
"""In-flight window where the connection names none, as in the MQTT driver."""
DUPLICATE = Finding("message.duplicate", Severity.INFO)


class RecentMessages:
    """The hashes of the last ``2 * window`` messages of one session.

    Same topic and payload among them is a message that came again if the broker says so, or if its readings carry the
    device's own time. Without device time and without the broker's mark it is a new message that says the same.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._order: deque[str] = deque(maxlen=max(2 * window, 2))

    def seen(self, message: Message) -> bool:
        """Whether such a message is among the recent ones; it is one of them from now on."""
        digest = _digest(message)
        known = digest in self._order
        self._order.append(digest)
        return known

    def state(self) -> list[str]:
        """The hashes, oldest first."""
        return list(self._order)

    def restore(self, hashes: Iterable[str]) -> None:
        """Take up what ``state`` gave."""
        self._order.extend(hashes)


def came_again(message: Message, samples: Sequence[Sample]) -> bool:
    """Whether a message seen before is the same one, not one that says the same."""
    return message.duplicate or (bool(samples) and all(sample.device_time_us is not None for sample in samples))


def _digest(message: Message) -> str:
    hashed = blake2b(message.payload, digest_size=12, key=b"")
    hashed.update(b"\x00" + message.topic.encode())
    return hashed.hexdigest()
