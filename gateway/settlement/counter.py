"""The counter of one channel over time, as epochs: stretches in which its register may be subtracted from itself.

Registers are in thousandths of the channel's resolution. Inside an epoch a rollover is undone, so the register only
moves as energy does; between epochs (exchange, reset) no energy is known except through declared opening and closing
indexes, which stand in as observations at the instant of the exchange.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.domain.quality import Flag, Status

THOUSANDTHS = 1000
JITTER_STEPS = 2
FLOAT32_MANTISSA_BITS = 23
_ROLLOVER = Flag.COUNTER_ROLLOVER << 2
_RESET = Flag.COUNTER_RESET << 2
_EXCHANGE = Flag.COUNTER_EXCHANGE << 2
_JITTER = Flag.COUNTER_JITTER << 2


class Observation(NamedTuple):
    """One reading of the register: instant of observation, scaled integer, quality word, journal entry.

    ``reach_us``: how far away a neighbouring reading may be for the time between to count as covered.
    """

    at_us: int
    value: int
    quality: int
    seq: int
    reach_us: int


@dataclass(frozen=True, slots=True)
class Break:
    """An instant at which another register begins. Indexes in thousandths of the resolution, None where not declared;
    ``seq`` is the installation entry that says so."""

    at_us: int
    closing: int | None
    closing_seq: int
    opening: int | None
    opening_seq: int


class Edge(NamedTuple):
    """The register at an instant: unrolled thousandths, and the entries of the observations around it."""

    register: int
    before_seq: int
    after_seq: int


@dataclass(slots=True)
class Epoch:
    """Observations of one register in order of time; parallel lists because settling reads them by the thousand."""

    times: list[int] = field(default_factory=list)
    registers: list[int] = field(default_factory=list)  # unrolled thousandths
    seqs: list[int] = field(default_factory=list)
    marked: list[tuple[int, int]] = field(
        default_factory=list
    )  # (index, quality word) of observations not plainly good
    gaps: list[tuple[int, int]] = field(default_factory=list)  # spans without cover between observations
    offset: int = 0  # what unrolling has added so far
    reach: int = 0

    def add(self, each: Observation, register: int) -> None:
        """Append one observation; ``register`` in thousandths, as the meter shows it."""
        at_us = each.at_us
        if each.quality:
            self.marked.append((len(self.times), each.quality))
        if self.times and at_us - self.times[-1] > max(self.reach, each.reach_us):
            self.gaps.append((self.times[-1], at_us))
        self.reach = each.reach_us
        self.times.append(at_us)
        self.registers.append(register + self.offset)
        self.seqs.append(each.seq)

    def edge(self, at_us: int) -> Edge | None:
        """The register at an instant inside the epoch, interpolated linearly and rounded half to even; else None."""
        times = self.times
        after = bisect_left(times, at_us)
        if after == len(times):
            return None
        if times[after] == at_us:
            return Edge(self.registers[after], self.seqs[after], self.seqs[after])
        if after == 0:
            return None
        before = after - 1
        start, low = times[before], self.registers[before]
        step = (self.registers[after] - low) * (at_us - start)
        return Edge(low + _half_even(step, times[after] - start), self.seqs[before], self.seqs[after])

    def covered_us(self, start_us: int, end_us: int) -> int:
        """How much of a span lies between neighbouring observations no further apart than they reach."""
        low, high = max(start_us, self.times[0]), min(end_us, self.times[-1])
        if low >= high:
            return 0
        covered = high - low
        for first, second in self.gaps[max(bisect_right(self.gaps, (low, 0)) - 1, 0) :]:
            if first >= high:
                break
            covered -= max(0, min(second, high) - max(first, low))
        return covered

    def quality(self, start_us: int, end_us: int) -> int:
        """Worst status and all flags of the observations used between two instants, those around the ends included."""
        if not self.marked:
            return 0
        first = max(bisect_right(self.times, start_us) - 1, 0)
        last = bisect_left(self.times, end_us)
        status = flags = 0
        for index, word in self.marked[bisect_left(self.marked, (first, 0)) :]:
            if index > last:
                break
            status, flags = max(status, word & 3), flags | word >> 2
        return status | flags << 2


def _half_even(numerator: int, denominator: int) -> int:
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    return quotient + (twice > denominator or (twice == denominator and quotient & 1))


def epochs(observations: Sequence[Observation], breaks: Sequence[Break], modulus: int | None) -> list[Epoch]:
    """Epochs of a channel from its usable observations (sorted by time, at most one an instant) and declared breaks.

    A fall without a declared break is, in this order: a rollover (marked so, or from the last into the first tenth of
    the modulus), jitter (marked so, or within two steps), a momentary wrong reading (the next one is back: left out),
    else a reset. An observation at the instant of a break belongs to the new register.
    """
    builder = _Builder(modulus)
    pending = 0
    count = len(observations)
    for index, each in enumerate(observations):
        while pending < len(breaks) and breaks[pending].at_us <= each.at_us:
            builder.apply_break(breaks[pending])
            pending += 1
        following = observations[index + 1] if index + 1 < count else None
        if following is not None and pending < len(breaks) and breaks[pending].at_us <= following.at_us:
            following = None
        builder.observe(each, following)
    while pending < len(breaks):
        builder.apply_break(breaks[pending])
        pending += 1
    return builder.finished


@dataclass(slots=True)
class _Builder:
    modulus: int | None
    finished: list[Epoch] = field(default_factory=list)
    last: int | None = None  # scaled integer as the meter showed it

    @property
    def _open(self) -> Epoch:
        if not self.finished:
            self.finished.append(Epoch())
        return self.finished[-1]

    def apply_break(self, each: Break) -> None:
        if each.closing is not None and self.finished and self.finished[-1].times and self.last is not None:
            closing = each.closing
            # the register may have rolled over between the last reading and the dismounting
            if (
                self.modulus is not None
                and closing < self.last * THOUSANDTHS
                and _rolled(self.last, closing // THOUSANDTHS, self.modulus)
            ):
                self._open.offset += self.modulus * THOUSANDTHS
            if self._open.times[-1] < each.at_us and closing + self._open.offset >= self._open.registers[-1]:
                self._open.add(_declared(each.at_us, each.closing_seq), closing)
        self._begin()
        if each.opening is not None:
            self._open.add(_declared(each.at_us, each.opening_seq), each.opening)
            self.last = each.opening // THOUSANDTHS

    def _begin(self) -> None:
        if not self.finished or self.finished[-1].times:
            self.finished.append(Epoch())
        self.last = None

    def observe(self, each: Observation, following: Observation | None) -> None:
        last, value, quality = self.last, each.value, each.quality
        if last is not None:
            if quality & _EXCHANGE:
                self._begin()
            elif value < last:
                if (quality & _ROLLOVER and self.modulus is not None) or _rolled(last, value, self.modulus):
                    self._open.offset += (self.modulus or 0) * THOUSANDTHS
                elif quality & _JITTER or last - value <= JITTER_STEPS * max(1, last >> FLOAT32_MANTISSA_BITS):
                    pass
                elif following is not None and following.value >= last:
                    return
                else:
                    self._begin()
                    each = each._replace(quality=max(quality & 3, Status.UNCERTAIN) | (quality & ~3) | _RESET)
        epoch = self._open
        if epoch.times and epoch.times[-1] == each.at_us:
            # a reading at the very instant of a declared index says the same thing; the reading is the better evidence
            epoch.registers[-1] = value * THOUSANDTHS + epoch.offset
            epoch.seqs[-1] = each.seq
        else:
            epoch.add(each, value * THOUSANDTHS)
        self.last = value


def _declared(at_us: int, seq: int) -> Observation:
    """A declared index as an observation; how far it reaches is its neighbour's business."""
    return Observation(at_us, 0, 0, seq, 0)


def _rolled(last: int, value: int, modulus: int | None) -> bool:
    if modulus is None or value >= last:
        return False
    return modulus - modulus // 10 <= last < modulus and 0 <= value <= modulus // 10
