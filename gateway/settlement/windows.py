"""From a channel's epochs to the rows of its windows."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gateway.domain.quality import Flag, Status, word
from gateway.domain.time import SETTLEMENT_WINDOW_US
from gateway.settlement.counter import THOUSANDTHS, Edge, Epoch
from gateway.settlement.row import IntervalRow, Method

_MISSING = word(Status.MISSING)
MAX_CUTS = 8  # a register that falls more often than four times in a window tells nothing worth a row each
_INTERPOLATED = Flag.INTERPOLATED << 2


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch in which one installation (entry ``seq``), or none, is in force at the device, with its CT·PT ratio."""

    start_us: int
    end_us: int
    seq: int | None
    num: int = 1
    den: int = 1


@dataclass(frozen=True, slots=True)
class ChannelCounter:
    """One channel of one device with all that is known of its register."""

    device: str
    channel: str
    modulus: int | None
    primary: bool
    epochs: Sequence[Epoch]
    segments: Sequence[Segment]


def settle_windows(counter: ChannelCounter, first_us: int, last_us: int) -> Iterator[tuple[int, IntervalRow]]:
    """``(window start, row)`` of every window in ``[first_us, last_us)``; one cut by an exchange has two rows or more.

    Both instants lie on the window grid.
    """
    epochs = [epoch for epoch in counter.epochs if epoch.times]
    starts = [epoch.times[0] for epoch in epochs]
    breaks = _undeclared(epochs)
    segment_starts = [segment.start_us for segment in counter.segments]
    edge: tuple[Epoch, Edge] | None = None
    edge_at = -1
    for window in range(first_us, last_us, SETTLEMENT_WINDOW_US):
        end_us = window + SETTLEMENT_WINDOW_US
        at = window
        index = bisect_right(segment_starts, window) - 1
        while at < end_us:
            segment = counter.segments[index]
            until = _until(breaks, at, min(end_us, segment.end_us), window)
            opening = (
                edge if edge_at == at and edge is not None and edge[0] is _epoch_from(epochs, starts, at) else None
            )
            opening = opening or _edge(_epoch_from(epochs, starts, at), at)
            edge, edge_at = _edge(_epoch_to(epochs, starts, until), until), until
            yield window, _row(counter, segment, (at, until), opening, edge)
            index += until == segment.end_us
            at = until


def _undeclared(epochs: Sequence[Epoch]) -> list[int]:
    """The last reading of one register and the first of the next, where no declared index joins them: between the two
    nothing is known, up to the one and from the other everything is."""
    found = []
    for old, new in pairwise(epochs):
        if old.times[-1] < new.times[0]:
            found += [old.times[-1], new.times[0]]
    return found


def _until(breaks: Sequence[int], at_us: int, until_us: int, window_us: int) -> int:
    """Where the row that begins at an instant ends: at the next break, if not too many lie in the window."""
    first = bisect_right(breaks, at_us)
    if first == len(breaks) or breaks[first] >= until_us:
        return until_us
    in_window = bisect_left(breaks, window_us + SETTLEMENT_WINDOW_US) - bisect_left(breaks, window_us)
    return until_us if in_window > MAX_CUTS else breaks[first]


def _epoch_from(epochs: Sequence[Epoch], starts: Sequence[int], at_us: int) -> Epoch | None:
    """The epoch that goes on from an instant: at a break the new one."""
    index = bisect_right(starts, at_us) - 1
    return epochs[index] if index >= 0 else None


def _epoch_to(epochs: Sequence[Epoch], starts: Sequence[int], at_us: int) -> Epoch | None:
    """The epoch that came up to an instant: at a break the old one, if it reaches it."""
    index = bisect_right(starts, at_us) - 1
    if index > 0 and starts[index] == at_us and epochs[index - 1].times[-1] == at_us:
        index -= 1
    return epochs[index] if index >= 0 else None


def _edge(epoch: Epoch | None, at_us: int) -> tuple[Epoch, Edge] | None:
    edge = epoch.edge(at_us) if epoch is not None else None
    return (epoch, edge) if epoch is not None and edge is not None else None


def _row(
    counter: ChannelCounter,
    segment: Segment,
    span: tuple[int, int],
    opening: tuple[Epoch, Edge] | None,
    closing: tuple[Epoch, Edge] | None,
) -> IntervalRow:
    num, den = (1, 1) if counter.primary else (segment.num, segment.den)
    energy = start = end = e0 = e1 = e2 = e3 = None
    if opening is not None:
        start, e0, e1 = _shown(counter, opening), opening[1].before_seq, opening[1].after_seq
    if closing is not None:
        end, e2, e3 = _shown(counter, closing), closing[1].before_seq, closing[1].after_seq
    if opening is not None and closing is not None and opening[0] is closing[0]:
        energy = closing[1].register - opening[1].register
        covered = opening[0].covered_us(*span)
        quality = opening[0].quality(*span)
    else:
        inside = [
            epoch
            for epoch in counter.epochs
            if epoch.times and epoch.times[0] <= span[1] and epoch.times[-1] >= span[0]
        ]
        covered = sum(epoch.covered_us(*span) for epoch in inside)
        quality = _MISSING
        for epoch in inside:
            quality |= epoch.quality(*span)
    coverage = covered * 1000 // (span[1] - span[0])
    if energy is None:
        method = Method.MISSING
    elif coverage == 1000:
        method = Method.MEASURED
    else:
        method = Method.INTERPOLATED if coverage else Method.CAUGHT_UP
        quality = max(quality & 3, Status.UNCERTAIN) | (quality & ~3) | _INTERPOLATED
    return IntervalRow(
        counter.device,
        counter.channel,
        segment.seq,
        start,
        end,
        energy,
        coverage,
        method,
        quality,
        num,
        den,
        e0,
        e1,
        e2,
        e3,
    )


def _shown(counter: ChannelCounter, edge: tuple[Epoch, Edge]) -> int:
    """The register as the meter would have shown it: rolled over again."""
    register = edge[1].register
    return register % (counter.modulus * THOUSANDTHS) if counter.modulus is not None and register >= 0 else register
