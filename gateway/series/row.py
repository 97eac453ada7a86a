"""What the series store keeps and gives back: one row a poll."""

from dataclasses import dataclass
from typing import NamedTuple


class SeriesRow(NamedTuple):
    """The values one poll or sample brought, meter side, in the order of the group's channels at ``cfg_seq``.

    ``device`` is the id part of the subject. ``values`` are scaled integers, None where nothing is known or where the
    channel is a text. ``seq`` is the entry the row came from, ``cfg_seq`` the configuration entry that names its
    channels. Times are microseconds UTC. A named tuple, because every poll makes one and a frozen class
    costs three times as much.
    """

    device: str
    group: str
    slot_us: int
    observed_us: int
    seq: int
    cfg_seq: int
    values: tuple[int | None, ...]
    quality: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A second, differing row for a key: ``kept`` stays, ``refused`` stays out until an entry accepts it."""

    kept: SeriesRow
    refused: SeriesRow


@dataclass(frozen=True, slots=True)
class HourColumn:
    """Hours of one instantaneous channel, sorted: start (µs UTC), number of usable values, their minimum, maximum and
    exact sum in scaled integers. Hours without a usable value are not in it."""

    starts: list[int]
    counts: list[int]
    minima: list[int]
    maxima: list[int]
    sums: list[int]
