"""What the simulated meters measure: loads that wander, nodes whose parent carries what its children take."""

import random
from collections.abc import Sequence
from itertools import accumulate

from simulators.instruments.fitted import MICRO, Fitted, Quantity
from simulators.instruments.instrument import identity_text

STEP_S = 600
AHEAD_S = 12 * 3_600
"""Loads go on after the end of the world: its clock may be set forward."""


def wandering(chance: random.Random, length_s: float, mean: float) -> list[float]:
    """One level a step: a random walk between 0.4 and 1.6 of the mean with a twentieth of noise on it."""
    level, levels = chance.uniform(0.7, 1.3), []
    for _ in range(int((length_s + AHEAD_S) / STEP_S) + 2):
        level = min(1.6, max(0.4, level + chance.uniform(-0.12, 0.12)))
        levels.append(mean * level * chance.uniform(0.95, 1.05))
    return levels


def steady(length_s: float, mean: float) -> list[float]:
    """The same all the time."""
    return [mean] * (int((length_s + AHEAD_S) / STEP_S) + 2)


def summed(members: Sequence[Sequence[float]]) -> list[float]:
    """What a parent carries."""
    return [sum(levels) for levels in zip(*members, strict=True)]


class LoadMeter:
    """A meter with an index and the flow that moves it, per hour; ``gain`` is 1 + its own error."""

    def __init__(
        self,
        name: str,
        levels: Sequence[float],
        start_us: int,
        *,
        flow: str,
        index: str,
        opening: float,
        gain: float,
        others: dict[str, int | float | str],
    ) -> None:
        self.name = name
        self.levels = levels
        self._start_us = start_us
        self._flow, self._index = flow, index
        self._opening, self._gain = opening, gain
        self._others = others
        self._passed = [0.0, *accumulate(level * STEP_S / 3_600 for level in levels)]
        self._fitted = Fitted(serial=f"S{name}", from_us=start_us, firmware="1.0")

    def fitted(self, _at_us: int) -> Fitted:
        """The meter."""
        return self._fitted

    def true_micro(self, measurand: str, at_us: int) -> int | None:
        """What passed, without the meter's error."""
        return int(self.passed(at_us) * MICRO) if measurand == self._index else None

    def passed(self, at_us: int) -> float:
        """True amount since the start."""
        at_s = max(0, at_us - self._start_us) / MICRO
        step = int(at_s // STEP_S)
        return self._passed[step] + self.levels[step] * (at_s - step * STEP_S) / 3_600

    def quantity(self, measurand: str, at_us: int) -> Quantity:
        """Index, flow, or one of the constants."""
        if measurand == self._index:
            return int((self._opening + self._gain * self.passed(at_us)) * MICRO)
        if measurand == self._flow:
            return self._gain * self.levels[max(0, at_us - self._start_us) // (STEP_S * MICRO)]
        known = self._others.get(measurand)
        return identity_text(self._fitted, measurand) if known is None else known
