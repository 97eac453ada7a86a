"""What installations mean for counters: stretches under one ratio, and instants where another register begins."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise

from gateway.domain.ledger import Installation
from gateway.domain.ratio import parse_ratio
from gateway.registry.record import Record
from gateway.settlement.counter import THOUSANDTHS, Break
from gateway.settlement.store import CounterChannel
from gateway.settlement.windows import Segment

FAR = 2**62


def segments(installed: Sequence[tuple[Record, Installation]]) -> list[Segment]:
    """All of time, cut where an installation begins or ends. Where two overlap the later one counts."""
    segments: list[Segment] = []
    at = -FAR
    for index, (record, installation) in enumerate(installed):
        start = max(at, -FAR if record.from_us is None else record.from_us)
        end = FAR if record.to_us is None else record.to_us
        if index + 1 < len(installed):
            following = installed[index + 1][0].from_us
            end = min(end, following if following is not None else end)
        if end <= start:
            continue
        if start > at:
            segments.append(Segment(at, start, None))
        ratio = parse_ratio(installation.ct_ratio) * parse_ratio(installation.pt_ratio)
        segments.append(Segment(start, end, record.seq, ratio.numerator, ratio.denominator))
        at = end
    segments.append(Segment(at, FAR, None))
    return segments


def breaks(installed: Sequence[tuple[Record, Installation]], channel: CounterChannel, *, is_first: bool) -> list[Break]:
    """Where another register begins: between installations of different instruments, or where an index is declared."""
    found: list[Break] = []
    for (record, old), (following, new) in pairwise([(None, None), *installed, (None, None)]):
        ends = None if record is None else record.to_us
        begins = None if following is None else following.from_us
        closing = _index(old, "closing", channel, is_first=is_first)
        opening = _index(new, "opening", channel, is_first=is_first)
        changed = old is not None and new is not None and old.instrument != new.instrument
        closing_seq = record.seq if record is not None else 0
        opening_seq = following.seq if following is not None else 0
        if ends is not None and ends == begins:
            if changed or closing is not None or opening is not None:
                found.append(Break(ends, closing, closing_seq, opening, opening_seq))
            continue
        if ends is not None and (changed or closing is not None):
            found.append(Break(ends, closing, closing_seq, None, 0))
        if begins is not None and (changed or opening is not None):
            found.append(Break(begins, None, 0, opening, opening_seq))
    return found


def _index(installation: Installation | None, which: str, channel: CounterChannel, *, is_first: bool) -> int | None:
    """A declared index in thousandths of the resolution.

    It speaks of the installation's main channel, or of the group's first counter when the ledger names none.
    """
    if installation is None:
        return None
    text = installation.closing_index if which == "closing" else installation.opening_index
    if not text or (installation.channel != channel.id if installation.channel else not is_first):
        return None
    scaled = Decimal(text).scaleb(channel.decimals) * THOUSANDTHS
    return int(scaled.to_integral_value(ROUND_HALF_EVEN))
