"""From findings to quality words: the one place that says what a rule does to a value's quality."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.domain.quality import Flag, Status

EFFECT: Mapping[str, tuple[Status, Flag]] = {
    "reading.range": (Status.BAD, Flag.RANGE),
    "counter.jitter": (Status.GOOD, Flag.COUNTER_JITTER),
    "counter.glitch": (Status.BAD, Flag.COUNTER_GLITCH),
    "counter.rollover": (Status.GOOD, Flag.COUNTER_ROLLOVER),
    "counter.reset": (Status.UNCERTAIN, Flag.COUNTER_RESET),
    "counter.exchange": (Status.GOOD, Flag.COUNTER_EXCHANGE),
    "counter.stuck": (Status.UNCERTAIN, Flag.STUCK),
    "reading.frozen": (Status.UNCERTAIN, Flag.STUCK),
    "identity.changed": (Status.GOOD, Flag.IDENTITY),
    "identity.serial_mismatch": (Status.UNCERTAIN, Flag.IDENTITY),
}
"""Per rule the worst status the value can still have, and the flag it gets. Rules of the decoder are not here: its
quality words already say them."""


def judged_quality(
    quality: Sequence[int],
    findings: Iterable[tuple[str, str, Mapping[str, Any]]],
    index: Mapping[str, int],
) -> tuple[int, ...]:
    """Quality words with the findings of the entry in them.

    ``findings`` as in the entry, ``[rule, channel, facts]``; ``index`` is the position of each channel id. A glitch
    found afterwards (fact ``slot``) speaks of an earlier reading and leaves this one alone.
    """
    words = list(quality)
    for rule, channel, facts in findings:
        effect = EFFECT.get(rule)
        position = index.get(channel)
        if effect is None or position is None or (rule == "counter.glitch" and "slot" in facts):
            continue
        status, flag = effect
        if "width" in facts:
            flag |= Flag.ROLLOVER_UNKNOWN_WIDTH
        word = words[position]
        words[position] = max(word & 3, status) | (word >> 2 | flag) << 2
    return tuple(words)
