"""What settlement answers: channels, intervals, roll-ups, changes, energy of a point."""

from dataclasses import dataclass, field
from fractions import Fraction

from gateway.domain.quality import worst
from gateway.settlement.counter import THOUSANDTHS
from gateway.settlement.row import IntervalRow, Method


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """A settled channel. One resolution (``decimals``) of a channel is one series."""

    id: int
    device: str
    channel: str
    decimals: int
    measurand: str
    unit: str
    settled_to_us: int

    @property
    def step(self) -> Fraction:
        """The unit's value of one thousandth of the resolution, in which intervals are kept."""
        return Fraction(1, THOUSANDTHS * 10**self.decimals)


@dataclass(frozen=True, slots=True)
class Interval:
    """A settled window of a channel (or its part under one installation); ``seq`` is its settlement entry."""

    start_us: int
    end_us: int
    part: int
    seq: int
    row: IntervalRow
    step: Fraction

    @property
    def energy(self) -> Fraction | None:
        """Energy in the channel's unit with the transformer ratio applied; None when not known."""
        return None if self.row.energy is None else self.row.energy * self.step * Fraction(self.row.num, self.row.den)


@dataclass(frozen=True, slots=True)
class RollUp:
    """An hour, day or month of a channel under one installation; energies in the channel's unit, ratio applied.

    ``coverage_sum`` adds the permilles of its windows; ``by_method`` sums by how energy is known.
    """

    start_us: int
    installation: int | None
    windows: int
    missing: int
    coverage_sum: int
    quality: int
    energy: Fraction
    by_method: dict[Method, Fraction]

    @property
    def coverage(self) -> int:
        """Mean permille of its windows."""
        return self.coverage_sum // self.windows


@dataclass(frozen=True, slots=True)
class Change:
    """A settled interval and what took its place in entry ``seq``; ``new`` None where its part is gone.

    ``why``: ``substituted``, ``installation`` (another one, or another ratio), ``late_readings`` (what was not known
    now is), ``other_readings`` (the register at an edge is another one).
    """

    old: Interval
    new: Interval | None
    seq: int
    why: str


@dataclass(slots=True)
class Energy:
    """Energy of a metering point in a period. ``windows`` expected quarter hours with a meter on record; ``missing`` of
    them have no energy. ``installations``: entries whose ratio was used, with their share."""

    value: Fraction = Fraction(0)
    unit: str = ""
    windows: int = 0
    missing: int = 0
    coverage: int = 0  # mean permille over all windows
    quality: int = 0
    by_method: dict[Method, Fraction] = field(default_factory=dict)
    installations: dict[int, Fraction] = field(default_factory=dict)
    tickets: int = 0  # weighings counted

    def add(self, method: Method, installation: int, value: Fraction, quality: int) -> None:
        """One more share."""
        self.value += value
        self.quality = worst((self.quality, quality))
        self.by_method[method] = self.by_method.get(method, Fraction(0)) + value
        self.installations[installation] = self.installations.get(installation, Fraction(0)) + value
