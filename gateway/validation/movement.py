"""What the rules over interval series share: when two interval energies are the same one, and when they say anything.

Energies are in thousandths of the channel's resolution, as settlement keeps them; None where nothing is known. Two are
alike when they differ by at most two steps of the resolution and 0.02 % (a copied series still passes through
registers read at slightly different instants). A window tells something when the energy moved by more than three
times that tolerance since the window before: two idle or steady loads are alike without anybody having copied anything.
"""

from collections.abc import Sequence

STEP = 1_000
TOLERANCE_STEPS = 2
TOLERANCE_PER_10_000 = 2
TELLING_TIMES = 3

Energies = Sequence[int | None]


def tolerance(energy: int) -> int:
    """How far two equal energies of this size may lie apart, thousandths of the resolution."""
    return TOLERANCE_STEPS * STEP + abs(energy) * TOLERANCE_PER_10_000 // 10_000


def alike(one: int | None, other: int | None) -> bool:
    """Whether two known energies are the same one."""
    return one is not None and other is not None and abs(one - other) <= tolerance(one)


def telling(series: Energies, at: int) -> bool:
    """Whether the window at a place moved against the one before it by more than noise."""
    if at == 0:
        return False
    before, now = series[at - 1], series[at]
    return before is not None and now is not None and abs(now - before) > TELLING_TIMES * tolerance(now)
