"""Values that move: constants, ramps, waves, steps. Each knows its value and its exact integral at any time."""

import math
from collections.abc import Sequence
from typing import Protocol


class Signal(Protocol):
    """A value over seconds since the start."""

    def value(self, at_s: float) -> float:
        """The value at a time."""
        ...

    def integral(self, at_s: float) -> float:
        """The area under the value from the start on, in value · seconds."""
        ...


class Constant:
    """Always the same."""

    def __init__(self, level: float) -> None:
        self._level = level

    def value(self, _at_s: float) -> float:
        """The level."""
        return self._level

    def integral(self, at_s: float) -> float:
        """Level times time."""
        return self._level * at_s


class Ramp:
    """From one value to another over a time, then it stays; with ``again`` it starts over, as a saw-tooth."""

    def __init__(self, start: float, end: float, over_s: float, *, again: bool = False) -> None:
        self._start, self._end, self._over_s, self._again = start, end, over_s, again

    def _area(self, at_s: float) -> float:
        return self._start * at_s + (self._end - self._start) * at_s * at_s / (2.0 * self._over_s)

    def value(self, at_s: float) -> float:
        """The value at a time."""
        along = at_s % self._over_s if self._again else min(at_s, self._over_s)
        return self._start + (self._end - self._start) * along / self._over_s

    def integral(self, at_s: float) -> float:
        """Area of the ramps gone by, and of the rest."""
        if self._again:
            whole, rest = divmod(at_s, self._over_s)
            return whole * self._area(self._over_s) + self._area(rest)
        return self._area(min(at_s, self._over_s)) + max(0.0, at_s - self._over_s) * self._end


class Wave:
    """A sine about a mean."""

    def __init__(self, mean: float, amplitude: float, period_s: float, phase_s: float = 0.0) -> None:
        self._mean, self._amplitude, self._phase_s = mean, amplitude, phase_s
        self._omega = 2.0 * math.pi / period_s

    def value(self, at_s: float) -> float:
        """The value at a time."""
        return self._mean + self._amplitude * math.sin(self._omega * (at_s + self._phase_s))

    def integral(self, at_s: float) -> float:
        """Mean times time, and the sine's own area."""
        swing = math.cos(self._omega * self._phase_s) - math.cos(self._omega * (at_s + self._phase_s))
        return self._mean * at_s + self._amplitude / self._omega * swing


class Steps:
    """One value after another, each for its time, then from the beginning."""

    def __init__(self, levels: Sequence[float], each_s: float) -> None:
        self._levels, self._each_s = tuple(levels), each_s

    def value(self, at_s: float) -> float:
        """The value at a time."""
        return self._levels[int(at_s // self._each_s) % len(self._levels)]

    def integral(self, at_s: float) -> float:
        """Whole rounds, whole steps, and the rest of one."""
        rounds, rest_s = divmod(at_s, self._each_s * len(self._levels))
        whole, within_s = divmod(rest_s, self._each_s)
        done = sum(self._levels[: int(whole)]) * self._each_s
        return rounds * sum(self._levels) * self._each_s + done + self._levels[int(whole)] * within_s
