"""A closed day of one series as columns: small on disk, and one channel can be read without the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.series.codec import decode, decode_column, decode_columns, encode, encode_column, encode_columns
from gateway.series.row import SeriesRow

_COLUMNS = 5  # slot, observed - slot, seq, cfg, number of values


@dataclass(frozen=True, slots=True)
class PackedDay:
    """What the ``day`` and ``day_channel`` tables hold for one series and day."""

    count: int
    head: bytes
    last: bytes
    channels: tuple[bytes, ...]


def pack_day(rows: Sequence[SeriesRow]) -> PackedDay:
    """Rows of one series and day, sorted by slot, at least one."""
    widest = max(len(row.values) for row in rows)
    columns: list[list[int]] = [
        [row.slot_us for row in rows],
        [row.observed_us - row.slot_us for row in rows],
        [row.seq for row in rows],
        [row.cfg_seq for row in rows],
        [len(row.values) for row in rows],
    ]
    if any(any(row.quality) for row in rows):
        columns += [[_at(row.quality, position) or 0 for row in rows] for position in range(widest)]
    head = encode_columns(columns)
    channels = tuple(encode_column([_at(row.values, position) for row in rows]) for position in range(widest))
    return PackedDay(len(rows), head, pack_row(rows[-1]), channels)


def _at(values: Sequence[int | None], position: int) -> int | None:
    return values[position] if position < len(values) else None


def unpack_day(device: str, group: str, head: bytes, channels: Sequence[bytes]) -> list[SeriesRow]:
    """The rows back, equal to what was packed."""
    columns = [[value or 0 for value in column] for column in decode_columns(head)]
    slots, offsets, seqs, configurations, lengths = columns[:_COLUMNS]
    count, widest = len(slots), len(channels)
    values = list(zip(*(decode_column(blob) for blob in channels), strict=True)) if widest else [()] * count
    words = columns[_COLUMNS:] or [[0] * count] * widest
    quality = list(zip(*words, strict=True)) if widest else [()] * count
    return [
        SeriesRow(
            device,
            group,
            slots[index],
            slots[index] + offsets[index],
            seqs[index],
            configurations[index],
            values[index][: lengths[index]],
            quality[index][: lengths[index]],
        )
        for index in range(count)
    ]


def pack_row(row: SeriesRow) -> bytes:
    """One row on its own."""
    head = (row.slot_us, row.observed_us, row.seq, row.cfg_seq, len(row.values))
    return encode((*head, *row.values, *row.quality))


def unpack_row(device: str, group: str, blob: bytes) -> SeriesRow:
    """The row back."""
    slot, observed, seq, cfg, length, *rest = decode(blob)
    if slot is None or observed is None or seq is None or cfg is None or length is None:
        raise ValueError("not a packed row")
    quality = tuple(word or 0 for word in rest[length:])
    return SeriesRow(device, group, slot, observed, seq, cfg, tuple(rest[:length]), quality)
