"""What the journal's latest polls say about each line: how long they took, how much of the line's time they need.

It stands beside the prediction in ``check``. A plan never changes by it: the plan is part of a device's configuration
entry, by which its raw words are decoded for ever, so it changes only when somebody writes a measured ``turnaround_ms``
into the site file.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from gateway.assembly.site_loading import AssembledDevice
from gateway.journal.journal import Journal

LATEST = 20_000
"""Entries looked at, from the journal's end."""
PAGE = 2_000
FEWEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredLine:
    """One endpoint: polls counted, first question to last answer (ms), share of the line's time (permille)."""

    polls: int
    median_ms: float
    most_ms: float
    permille: int


def poll_times_us(journal: Journal) -> dict[tuple[str, str], list[int]]:
    """Microseconds from question to answer of the latest polls, by device subject and group."""
    times: dict[tuple[str, str], list[int]] = defaultdict(list)
    seq = max(0, journal.head() - LATEST)
    while page := journal.read(seq, PAGE, kinds=("poll",)):
        seq = page[-1].seq
        for entry in page:
            body = entry.body
            times[entry.subject, body["group"]].append(int(body["received"]) - int(body["sent"]))
    return times


def measured_line(
    devices: Sequence[AssembledDevice], times_us: dict[tuple[str, str], list[int]]
) -> MeasuredLine | None:
    """What was measured on the line of these devices; None while there are fewer than FEWEST polls."""
    found: list[int] = []
    share = 0.0
    for each in devices:
        for group in each.device.groups:
            taken = times_us.get((each.device.subject, group.id), [])
            found += taken
            share += median(taken) / group.period_us if taken else 0.0
    if len(found) < FEWEST:
        return None
    return MeasuredLine(
        polls=len(found),
        median_ms=median(found) / 1_000,
        most_ms=quantiles(found, n=20)[-1] / 1_000,
        permille=round(1_000 * share),
    )
