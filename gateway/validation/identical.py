"""``series.identical``: two meters move together, window by window, to the last digit.

A series copied from another meter, one meter mapped twice, or registers of one device answered for another. Two honest
meters at one load differ by their own errors; two loads that really are equal and steady are not named, because steady
windows tell nothing (their rate is in the scorecard).
"""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.validation.movement import Energies, alike, telling, tolerance

SHORTEST = 16
LEAST_TELLING = 8
_BLOCK = 8


class Twins(NamedTuple):
    """Two series alike in the windows ``[start, end)`` (places), ``telling`` of them saying something."""

    one: str
    other: str
    start: int
    end: int
    telling: int


def identical_series(series: Mapping[str, Energies]) -> list[Twins]:
    """Every run of at least 16 windows in which two series are alike, 8 of them telling; by names and start.

    All series begin at the same window. Work grows with the number of series times its logarithm: only series whose
    sums over a block of eight windows lie together are compared.
    """
    length = max((len(each) for each in series.values()), default=0)
    found: dict[tuple[str, str], list[Twins]] = {}
    for block in range(0, length - _BLOCK + 1, _BLOCK):
        for one, other in _neighbours(series, block):
            known = found.setdefault((one, other), [])
            if known and known[-1].end > block:
                continue
            run = _run(series[one], series[other], block)
            if run is not None:
                known.append(Twins(one, other, *run))
    return [each for _, runs in sorted(found.items()) for each in runs]


def _neighbours(series: Mapping[str, Energies], block: int) -> list[tuple[str, str]]:
    """Pairs whose energy over a block is about the same."""
    sums = []
    for name, energies in series.items():
        window = [each for each in energies[block : block + _BLOCK] if each is not None]
        if len(window) == _BLOCK and any(window):
            sums.append((sum(window), name))
    sums.sort()
    pairs = []
    for at, (total, name) in enumerate(sums):
        reach = _BLOCK * tolerance(total // _BLOCK)
        for further in sums[at + 1 :]:
            if further[0] - total > reach:
                break
            pairs.append((min(name, further[1]), max(name, further[1])))
    return pairs


def _run(one: Energies, other: Energies, block: int) -> tuple[int, int, int] | None:
    """The run of alike windows around a block: start, end, telling windows; None where it says too little."""
    length = min(len(one), len(other))
    start = block
    while start > 0 and alike(one[start - 1], other[start - 1]):
        start -= 1
    end = block
    while end < length and alike(one[end], other[end]):
        end += 1
    said = sum(telling(one, at) for at in range(start + 1, end))
    return (start, end, said) if end - start >= SHORTEST and said >= LEAST_TELLING else None
