"""``reading.range``: a value outside what its quantity or its meter can have."""

from collections.abc import Sequence

from gateway.domain.device import Channel
from gateway.domain.finding import Finding
from gateway.validation.pack import finding

LOWEST = -(2**63)
HIGHEST = 2**63 - 1
"""The ends of a stored integer stand where a channel declares no limit."""


def bounds(channel: Channel) -> tuple[int, int]:
    """The inclusive range of a channel in scaled integers."""
    return (
        LOWEST if channel.minimum is None else channel.minimum,
        HIGHEST if channel.maximum is None else channel.maximum,
    )


def out_of_range(channels: Sequence[Channel], values: Sequence[int | str | None]) -> list[Finding]:
    """One finding per number outside its range; facts: ``value`` and the limit it passed (``minimum``, ``maximum``)."""
    found = []
    for channel, value in zip(channels, values, strict=True):
        if not isinstance(value, int):
            continue
        if channel.minimum is not None and value < channel.minimum:
            found.append(finding("reading.range", channel.id, value=value, minimum=channel.minimum))
        elif channel.maximum is not None and value > channel.maximum:
            found.append(finding("reading.range", channel.id, value=value, maximum=channel.maximum))
    return found
