"""``series.replayed``: a stretch of a series repeats an earlier one, window by window.

A month whose figures were filled in with those of the month before, a simulator in place of the meter. A load that
repeats its day never repeats it to the last digit; what is steady tells nothing and is not named.
"""

from typing import NamedTuple

from gateway.validation.movement import Energies, alike, telling

SHORTEST = 24
_ANCHOR = 12


class Repetition(NamedTuple):
    """The windows ``[start, end)`` (places) repeat those ``lag`` windows earlier, ``telling`` of them saying
    something."""

    start: int
    end: int
    lag: int
    telling: int


def replayed_stretches(series: Energies, shortest: int = SHORTEST) -> list[Repetition]:
    """Every stretch of at least ``shortest`` windows that repeats an earlier one, half of it telling; the
    longest first at each place, none inside another.

    Work: one pass over the earlier windows for every twelfth window.
    """
    found: list[Repetition] = []
    at = shortest
    while at + _ANCHOR <= len(series):
        best = _longest(series, at, shortest)
        if best is None:
            at += _ANCHOR
        else:
            found.append(best)
            at = best.end
    return found


def _longest(series: Energies, anchor: int, shortest: int) -> Repetition | None:
    """The longest repetition that covers the windows from an anchor on."""
    best: Repetition | None = None
    first, second, third = series[anchor : anchor + 3]
    if first is None or sum(telling(series, at) for at in range(anchor, anchor + _ANCHOR)) * 3 < _ANCHOR:
        return None
    for earlier in range(anchor):
        if not (
            alike(series[earlier], first) and alike(series[earlier + 1], second) and alike(series[earlier + 2], third)
        ):
            continue
        run = _extended(series, anchor, anchor - earlier)
        size = run.end - run.start
        if size >= shortest and run.telling * 2 >= size and (best is None or size > best.end - best.start):
            best = run
    return best


def _extended(series: Energies, anchor: int, lag: int) -> Repetition:
    start = anchor
    while start - lag > 0 and alike(series[start - 1], series[start - 1 - lag]):
        start -= 1
    end = anchor
    while end < len(series) and alike(series[end], series[end - lag]):
        end += 1
    said = sum(telling(series, at) for at in range(max(start, 1), end))
    return Repetition(start, end, lag, said)
