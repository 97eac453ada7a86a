"""The quality word of each value, from what the sealed entry says: status (0 good, 1 uncertain, 2 bad, 3 missing) plus
four times the flags of the tests that spoke."""

from collections.abc import Sequence
from typing import Any

MISSING = 3
NOT_READ = 1 << 17
WIDTH_UNKNOWN = 1 << 24
# rule: the best status the value can still have, and its flag
EFFECTS = {
    "reading.no_value": (3, 1 << 0),
    "reading.not_a_number": (3, 1 << 1),
    "reading.overflow": (3, 1 << 2),
    "reading.float32_coarse": (1, 1 << 3),
    "reading.range": (2, 1 << 4),
    "counter.jitter": (0, 1 << 5),
    "counter.glitch": (2, 1 << 6),
    "counter.rollover": (0, 1 << 7),
    "counter.reset": (1, 1 << 8),
    "counter.exchange": (0, 1 << 9),
    "counter.stuck": (1, 1 << 11),
    "reading.frozen": (1, 1 << 11),
    "identity.changed": (0, 1 << 13),
    "identity.serial_mismatch": (1, 1 << 13),
}


def words(names: Sequence[str], values: Sequence[Any], findings: Sequence[Any]) -> list[int]:
    """A word for each value of a poll; ``findings`` as in its entry, ``[rule, channel, facts]``.

    A null that no finding explains was not read. A glitch found afterwards (fact ``slot``) is about an earlier reading.
    """
    status, flags = [0] * len(values), [0] * len(values)
    for rule, channel, facts in findings:
        if rule in EFFECTS and channel in names and not (rule == "counter.glitch" and "slot" in facts):
            at = names.index(channel)
            least, flag = EFFECTS[rule]
            status[at] = max(status[at], least)
            flags[at] |= flag | (WIDTH_UNKNOWN if "width" in facts else 0)
    for at, value in enumerate(values):
        if value is None and not flags[at] & 0b111:
            status[at], flags[at] = MISSING, flags[at] | NOT_READ
    return [each | flag << 2 for each, flag in zip(status, flags, strict=True)]


def worst(quality: Sequence[int]) -> int:
    """The word of a whole row: the worst status and every flag."""
    flags = 0
    for each in quality:
        flags |= each >> 2
    return max((each & 3 for each in quality), default=0) | flags << 2
