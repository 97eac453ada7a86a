"""Read the gateway's series store with code of our own: one SQLite file a month, rows of today and packed days."""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from itertools import accumulate
from pathlib import Path
from typing import Any

from gateway.verifier.compare import Comparison, Stored, StoreError
from gateway.verifier.readings import Readings, Row
from gateway.verifier.report import Report

DAY_US = 86_400_000_000


class SeriesStore:
    """The ``series`` folder of a data folder."""

    name = "series"

    def __init__(self, folder: Path, readings: Readings) -> None:
        self._folder = folder
        self._readings = readings

    def applied(self) -> int:
        """Up to which entry the store claims to be filled."""
        path = self._folder / "index.sqlite"
        if not path.is_file():
            return 0
        try:
            with closing(_open(path)) as connection:
                row = connection.execute("SELECT max(seq) FROM cursor").fetchone()
        except sqlite3.Error as error:
            raise StoreError(f"index.sqlite {error}") from error
        return int(row[0] or 0)

    def expected(self, row: Row) -> Stored:
        """What the store must hold of a sealed reading."""
        content = (row.observed_us, row.cfg, *row.values, *row.quality)
        return Stored(row.device, row.group, row.key_us, row.seq, content)

    def described(self, stored: Stored) -> dict[str, Any]:
        """Instant of observation, configuration entry, then the channels by name and their quality words."""
        observed, cfg, *rest = stored.content
        values, quality = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        channels = self._readings.channels.get((cfg, stored.group), [])
        names = [str(channel.get("id")) for channel in channels]
        names += [f"#{at}" for at in range(len(names), len(values))]
        described = {"observed": observed, "cfg": cfg, **dict(zip(names, values, strict=False))}
        return described | {f"{name} (quality)": word for name, word in zip(names, quality, strict=False)}

    def days(self) -> Iterator[tuple[int, Iterator[Stored]]]:
        """Every day (since 1970) that holds rows, with its rows; a month's days one after the other."""
        for path in sorted(self._folder.glob("????-??.sqlite")):
            try:
                with closing(_open(path)) as connection:
                    found = connection.execute(
                        "SELECT DISTINCT slot / 86400000000 FROM hot UNION SELECT DISTINCT day FROM day ORDER BY 1"
                    ).fetchall()
                    for (day,) in found:
                        yield day, self._rows(connection, path.name, day)
            except (sqlite3.Error, TypeError) as error:
                raise StoreError(f"{path.name} {error}") from error

    def _rows(self, connection: sqlite3.Connection, month: str, day: int) -> Iterator[Stored]:
        try:
            yield from self._read_rows(connection, day)
        except (sqlite3.Error, zlib.error, ValueError, LookupError, TypeError) as error:
            raise StoreError(f"{month} day {day}: {type(error).__name__} {error}") from error

    def _read_rows(self, connection: sqlite3.Connection, day: int) -> Iterator[Stored]:
        names = {row[0]: (row[1], row[2]) for row in connection.execute("SELECT id, device, grp FROM series")}
        hot = connection.execute(
            "SELECT series, slot, dt, seq, cfg, v, q FROM hot WHERE slot >= ? AND slot < ?",
            (day * DAY_US, (day + 1) * DAY_US),
        )
        for series, slot, dt, seq, cfg, packed, words in hot:
            values = integers(packed)
            quality = [0] * len(values) if words is None else integers(words)
            yield Stored(*names[series], slot, seq, (slot + dt, cfg, *values, *quality))
        for series, head in connection.execute("SELECT series, head FROM day WHERE day = ?", (day,)).fetchall():
            blobs = connection.execute(
                "SELECT v FROM day_channel WHERE series = ? AND day = ? ORDER BY position", (series, day)
            )
            channels = [column(blob) for (blob,) in blobs]
            slots, offsets, seqs, configurations, lengths, *words = columns(head)
            for at, slot in enumerate(slots):
                length = lengths[at] or 0
                values = [channel[at] for channel in channels[:length]]
                quality = [word[at] for word in words[:length]] or [0] * length
                key = int(slot or 0)
                content = (key + int(offsets[at] or 0), configurations[at], *values, *quality)
                yield Stored(*names[series], key, int(seqs[at] or 0), content)


def series_comparison(report: Report, folder: Path) -> Comparison:
    """A comparison with the series files of a data folder."""
    readings = Readings(report)
    return Comparison(report, SeriesStore(folder, readings), readings)


def integers(packed: bytes) -> list[int | None]:
    """A head byte with the width, then little-endian integers; with 0x80 a count and a bitmap of what is present."""
    width, at = packed[0] & 0x7F, 1
    present = None
    if packed[0] & 0x80:
        count = int.from_bytes(packed[1:5], "little")
        at = 5 + (count + 7) // 8
        bitmap = int.from_bytes(packed[5:at], "little")
        present = [bool(bitmap >> position & 1) for position in range(count)]
    if width not in {1, 2, 4, 8, 16} or (len(packed) - at) % width:
        raise ValueError("a damaged row")
    found = [
        int.from_bytes(packed[begin : begin + width], "little", signed=True) for begin in range(at, len(packed), width)
    ]
    if present is None:
        return list(found)
    if len(found) != sum(present):
        raise ValueError("a damaged row")
    values = iter(found)
    return [next(values) if here else None for here in present]


def columns(packed: bytes) -> list[list[int | None]]:
    """Columns one after the other, each with its length (4 bytes) before it."""
    found, at = [], 0
    while at < len(packed):
        size = int.from_bytes(packed[at : at + 4], "little")
        found.append(column(packed[at + 4 : at + 4 + size]))
        at += 4 + size
    return found


def column(packed: bytes) -> list[int | None]:
    """Deflated; bytes of equal weight side by side; differences of what is present."""
    content = zlib.decompress(packed)
    width = content[0] & 0x7F
    start = 5 + (int.from_bytes(content[1:5], "little") + 7) // 8 if content[0] & 0x80 else 1
    body = bytearray(len(content) - start)
    lane = len(body) // width
    for place in range(width):
        body[place::width] = content[start + place * lane : start + (place + 1) * lane]
    steps = integers(content[:start] + bytes(body))
    values = accumulate(step for step in steps if step is not None)
    return [None if step is None else next(values) for step in steps]


def _open(path: Path) -> sqlite3.Connection:
    mode = "mode=ro" if path.with_name(path.name + "-wal").exists() else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)
