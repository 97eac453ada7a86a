"""The slot grid: pure arithmetic over microseconds UTC.

A slot is (device, group, slot time); slot times are ``k * period_us + offset_us`` since the epoch, so that the slots
of all gateways and restarts agree.
"""

from dataclasses import dataclass

from gateway.domain.time import floor_to


@dataclass(frozen=True, slots=True)
class SlotGrid:
    """The slot times of one group."""

    period_us: int
    offset_us: int = 0

    def __post_init__(self) -> None:
        if self.period_us <= 0:
            raise ValueError("a slot grid needs a period above zero")

    def current(self, at_us: int) -> int:
        """The last slot time not after an instant."""
        return floor_to(at_us, self.period_us, self.offset_us)

    def following(self, at_us: int) -> int:
        """The first slot time after an instant."""
        return floor_to(at_us, self.period_us, self.offset_us) + self.period_us

    def first_from(self, at_us: int) -> int:
        """The first slot time not before an instant."""
        return self.following(at_us - 1)

    def count(self, from_us: int, to_us: int) -> int:
        """How many slot times lie in ``[from_us, to_us)``; 0 when the span is empty or runs backwards."""
        if to_us <= from_us:
            return 0
        return (self.current(to_us - 1) - self.current(from_us - 1)) // self.period_us


SPREAD_SHARE = 4
MOST_SPREAD_US = 2_000_000


def stagger_us(position: int, count: int, period_us: int) -> int:
    """How long after its slot time an endpoint begins, so that ``count`` endpoints do not all ask at once.

    Evenly spread over a quarter of the period, at most two seconds: the slot's time does not move, and the readings'
    own times are recorded beside it.
    """
    return min(period_us // SPREAD_SHARE, MOST_SPREAD_US) * position // max(count, 1)
