"""``message.duplicate``: the broker may bring a message again when it did not see our acknowledgement."""

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b, sha256

from gateway.domain.finding import Finding, Severity
from gateway.domain.reading import Message, Sample

WINDOW = 100
"""In-flight window where the connection names none, as in the MQTT driver."""
DUPLICATE_RULE = "message.duplicate"
LEAST_REMEMBERED = 16_384
"""Messages remembered whatever the window. A broker is meant to keep at most ``window`` messages without our
acknowledgement, so ``2 * window`` would do; but Mosquitto 2.0.11 oversteps its limit once acknowledgements flow
(measured: 602 messages at a limit of 20), and what it had not read of our acknowledgements when either side ended
comes again."""


class RecentMessages:
    """The hashes of the last messages of one session.

    Same topic and payload among them is a message that came again if the broker says so, or if its readings carry the
    device's own time. Without device time and without the broker's mark it is a new message that says the same.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._capacity = max(2 * window, LEAST_REMEMBERED)
        self._hashes: OrderedDict[bytes, None] = OrderedDict()

    def seen(self, message: Message) -> bool:
        """Whether such a message is among the recent ones; it is one of them from now on."""
        digest = _digest(message)
        known = digest in self._hashes
        self._hashes[digest] = None
        self._hashes.move_to_end(digest)
        if len(self._hashes) > self._capacity:
            self._hashes.popitem(last=False)
        return known


def came_again(message: Message, samples: Sequence[Sample]) -> bool:
    """Whether a message seen before is the same one, not one that says the same."""
    return message.duplicate or (bool(samples) and all(sample.device_time_us is not None for sample in samples))


def came_again_finding(message: Message) -> Finding:
    """What is put on record of a repetition: which bytes came again, by hash and size, without the bytes."""
    facts: dict[str, int | str] = {"sha256": sha256(message.payload).hexdigest(), "size": len(message.payload)}
    return Finding(DUPLICATE_RULE, Severity.INFO, "", facts)


def _digest(message: Message) -> bytes:
    hashed = blake2b(message.payload, digest_size=12, key=b"")
    hashed.update(b"\x00" + message.topic.encode())
    return hashed.digest()
