"""What the series store keeps and gives back: one row a poll."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """The values one poll or sample brought, meter side, in the order of the group's channels at ``cfg_seq``.

    ``device`` is the id part of the subject. ``values`` are scaled integers, None where nothing is known or where the
    channel is a text. ``seq`` is the entry the row came from, ``cfg_seq`` the configuration entry that names its
    channels. Times are microseconds UTC.
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
class HourRow:
    """An hour of instantaneous channels: per position in the group the number of usable values, their minimum, maximum
    and exact sum (scaled integers; None where ``counts`` is 0 or where the channel is not instantaneous)."""

    device: str
    group: str
    start_us: int
    cfg_seq: int
    counts: tuple[int, ...]
    minima: tuple[int | None, ...]
    maxima: tuple[int | None, ...]
    sums: tuple[int | None, ...]
