"""Rates and their totals.

A rate is piecewise linear between knots five minutes apart, each knot an integer per second: watts, grams per second,
millilitres per second. So a total (joules, grams, millilitres) is an integer known exactly at every microsecond, sums
of rates have exactly summed totals, and any instant can be asked in any order: knots come in blocks of one local day.
"""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

CELL_S = 300
CELL_US = CELL_S * 1_000_000
CELLS_A_DAY = 288
DAY_US = CELL_US * CELLS_A_DAY
ZONE_US = 8 * 3_600_000_000
"""The plant lives eight hours ahead of UTC all year."""

_BLOCKS_KEPT = 48


def local_day(at_us: int) -> int:
    """Days since 1970-01-01 on the plant's clock."""
    return (at_us + ZONE_US) // DAY_US


def day_start_us(day: int) -> int:
    """The instant at which a local day begins."""
    return day * DAY_US - ZONE_US


@dataclass(frozen=True, slots=True)
class _Block:
    knots: list[int]  # 289: the last is the next day's first
    totals: list[int]  # 289: doubled total at each knot since the plant's first day


class Rate(ABC):
    """Something that flows. ``unit_a_second`` names the integer unit of a knot, for people."""

    def __init__(self, name: str, first_day: int, unit_a_second: str = "W") -> None:
        self.name = name
        self.first_day = first_day
        self.unit_a_second = unit_a_second
        self._days: OrderedDict[int, list[int]] = OrderedDict()
        self._blocks: OrderedDict[int, _Block] = OrderedDict()
        self._at_midnight: list[int] = [0]  # doubled totals at the start of first_day, first_day + 1, ...

    @abstractmethod
    def _day_knots(self, day: int) -> list[int]:
        """The 288 knots of a local day."""

    def knots(self, day: int) -> list[int]:
        """The 288 knots of a local day, remembered for a while."""
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = self._day_knots(day)
            if len(self._days) > _BLOCKS_KEPT:
                self._days.popitem(last=False)
        return found

    def _block(self, day: int) -> _Block:
        block = self._blocks.get(day)
        if block is None:
            index = day - self.first_day
            if index < 0:
                raise ValueError(f"{self.name} is asked about a time before the plant's first day")
            while len(self._at_midnight) <= index:
                self._at_midnight.append(self._totals(self.first_day + len(self._at_midnight) - 1)[-1])
            block = self._blocks[day] = _Block([*self.knots(day), self.knots(day + 1)[0]], self._totals(day))
            if len(self._blocks) > _BLOCKS_KEPT:
                self._blocks.popitem(last=False)
        return block

    def _totals(self, day: int) -> list[int]:
        knots = [*self.knots(day), self.knots(day + 1)[0]]
        steps = ((knots[k] + knots[k + 1]) * CELL_S for k in range(CELLS_A_DAY))
        return list(accumulate(steps, initial=self._at_midnight[day - self.first_day]))

    def at(self, at_us: int) -> float:
        """The rate at an instant, per second."""
        cell, within = divmod(at_us + ZONE_US, CELL_US)
        day, k = divmod(cell, CELLS_A_DAY)
        block = self._blocks.get(day) or self._block(day)
        low = block.knots[k]
        return low + (block.knots[k + 1] - low) * (within / CELL_US)

    def total(self, at_us: int) -> int:
        """The exact total since the start of the plant's first day, in whole units, rounded down."""
        cell, within = divmod(at_us + ZONE_US, CELL_US)
        day, k = divmod(cell, CELLS_A_DAY)
        block = self._blocks.get(day) or self._block(day)
        low = block.knots[k]
        part = within * (2 * low * CELL_US + (block.knots[k + 1] - low) * within) // (CELL_US * 1_000_000)
        return (block.totals[k] + part) // 2

    def when(self, total: int, after_us: int, before_us: int) -> int:
        """The first microsecond in the span at which the total has reached ``total``; ``before_us`` if it never
        does."""
        low, high = after_us, before_us
        while low < high:
            middle = (low + high) // 2
            if self.total(middle) >= total:
                high = middle
            else:
                low = middle + 1
        return low


class Machine(Rate):
    """A consumer or flow that follows a day's activity: 288 numbers, 0 when it stands."""

    def __init__(
        self, name: str, first_day: int, activity: Callable[[int], Sequence[float]], full: int, unit_a_second: str = "W"
    ) -> None:
        super().__init__(name, first_day, unit_a_second)
        self._activity = activity
        self._full = full

    def _day_knots(self, day: int) -> list[int]:
        return [max(0, int(self._full * share)) for share in self._activity(day)]


class Derived(Rate):
    """A rate that follows others knot by knot."""

    def __init__(
        self,
        name: str,
        sources: Sequence[Rate],
        rule: Callable[..., int],
        unit_a_second: str = "W",
    ) -> None:
        super().__init__(name, sources[0].first_day, unit_a_second)
        self._sources = tuple(sources)
        self._rule = rule

    def _day_knots(self, day: int) -> list[int]:
        return [self._rule(*values) for values in zip(*(source.knots(day) for source in self._sources), strict=True)]


class Node(Rate):
    """A busbar or feeder: the sum of what hangs on it, less what is generated there, plus its own loss.

    The loss in watts is ``fixed_loss_w + load_w**2 / loss_divisor_w``: iron and copper.
    """

    def __init__(
        self,
        name: str,
        children: Sequence[Rate],
        *,
        generators: Sequence[Rate] = (),
        fixed_loss_w: int = 0,
        loss_divisor_w: int = 0,
    ) -> None:
        super().__init__(name, children[0].first_day)
        self.children = tuple(children)
        self.generators = tuple(generators)
        self._fixed_loss_w = fixed_loss_w
        self._loss_divisor_w = loss_divisor_w

    def loss_w(self, load_w: int) -> int:
        """The loss at a load, in whole watts."""
        copper = load_w * load_w // self._loss_divisor_w if self._loss_divisor_w else 0
        return self._fixed_loss_w + copper

    def _day_knots(self, day: int) -> list[int]:
        loads = [sum(values) for values in zip(*(child.knots(day) for child in self.children), strict=True)]
        for generator in self.generators:
            loads = [load - made for load, made in zip(loads, generator.knots(day), strict=True)]
        return [load + self.loss_w(load) for load in loads]
