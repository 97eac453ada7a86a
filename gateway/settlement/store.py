"""Settlement as a projection: entries in, intervals and roll-ups out; and what is still to be settled."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from gateway.domain.time import SETTLEMENT_WINDOW_US
from gateway.settlement import schema
from gateway.settlement.entered import EnteredTables
from gateway.settlement.rollups import RollUps
from gateway.settlement.row import METHODS, IntervalRow, Method

_OPEN = 2**62


@dataclass(frozen=True, slots=True)
class CounterChannel:
    """A cumulative channel as its configuration entry declares it; ``position`` in the group's values."""

    id: str
    position: int
    decimals: int
    modulus: int | None
    primary: bool
    measurand: str
    unit: str


@dataclass(frozen=True, slots=True)
class CounterGroup:
    """The cumulative channels of one request group of one device under one configuration entry."""

    organisation: str
    device: str
    group: str
    period_us: int
    cfg: int
    channels: tuple[CounterChannel, ...]

    @property
    def reach_us(self) -> int:
        """How far apart two readings may be for the time between them to count as covered."""
        return self.period_us * 3 // 2


@dataclass(slots=True)
class Heard:
    """Where a group stands. ``last_us``: newest observation with every counter that ever had a value."""

    group: CounterGroup
    first_us: int = 0
    last_us: int = 0
    slot_us: int = 0
    mask: int = 0
    settled_to: int = 0  # of the channel settled furthest


class SettlementProjection:
    """The one writer of ``settlement.sqlite``."""

    def __init__(self, connection: sqlite3.Connection, zone: ZoneInfo) -> None:
        self.db = connection
        self.rollups = RollUps(connection, zone)
        self.entered = EnteredTables(connection)
        self._series: dict[tuple[str, str, str], tuple[int, int]] = {}  # newest: id, decimals
        self.settled_to: dict[tuple[str, str, str], int] = {}
        self.heard: dict[tuple[str, str, str], Heard] = {}
        self._heard_of: dict[tuple[str, str, str], Heard] = {}  # by channel
        self._channels: dict[tuple[str, str, str], CounterChannel] = {}
        self._changed: set[tuple[str, str, str]] = set()
        self.moved = True
        """Whether a group passed a window's end, or a span was marked, since somebody last set this to False."""
        self._settled_changed: set[tuple[str, str, str]] = set()
        for organisation, device, channel, id_, decimals, settled_to in self.db.execute(
            "SELECT organisation, device, channel, id, decimals, settled_to FROM series ORDER BY id"
        ):
            self._series[organisation, device, channel] = (id_, decimals)
            key = (organisation, device, channel)
            self.settled_to[key] = max(settled_to, self.settled_to.get(key, 0))

    @classmethod
    def open(cls, path: Path, zone: ZoneInfo) -> Self:
        """Open for writing; the file is made when absent."""
        return cls(schema.connect(path, read_only=False), zone)

    def close(self) -> None:
        """Close the file; idempotent."""
        self.db.close()

    def applied_seq(self) -> int:
        """The newest journal entry contained."""
        row = self.db.execute("SELECT value FROM meta WHERE name = 'applied'").fetchone()
        return int(row[0]) if row else 0

    def begin(self) -> None:
        """Start a batch."""
        self.db.execute("BEGIN IMMEDIATE")

    def commit(self, applied_seq: int) -> None:
        """End a batch that went up to an entry."""
        self.rollups.flush()
        self.db.executemany(
            "UPDATE series SET settled_to = ? WHERE id = ?",
            [(self.settled_to[key], self._series[key][0]) for key in sorted(self._settled_changed)],
        )
        self._settled_changed.clear()
        self.db.executemany(
            "INSERT OR REPLACE INTO heard VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (*key, heard.first_us, heard.last_us, heard.slot_us, heard.mask, heard.group.cfg)
                for key in sorted(self._changed)
                for heard in (self.heard[key],)
            ],
        )
        self._changed.clear()
        self.db.execute("INSERT OR REPLACE INTO meta VALUES ('applied', ?)", (applied_seq,))
        self.db.execute("COMMIT")

    def roll_back(self) -> None:
        """Drop a batch that failed; the object must not be used afterwards."""
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")

    # -- what the devices bring

    def configure(self, group: CounterGroup) -> None:
        """A configuration entry: from now on these are the group's counters."""
        if not group.channels:
            return
        key = (group.organisation, group.device, group.group)
        heard = self.heard.get(key)
        if heard is None:
            row = self.db.execute(
                "SELECT first_us, last_us, slot_us, mask FROM heard WHERE organisation = ? AND device = ? AND grp = ?",
                key,
            ).fetchone()
            self.heard[key] = Heard(group, *(row or ()))
        elif heard.group.channels != group.channels:
            self.heard[key] = Heard(group, heard.first_us, heard.last_us, heard.slot_us)
        else:
            heard.group = group
        heard = self.heard[key]
        heard.settled_to = 0
        for channel in group.channels:
            of_channel = (group.organisation, group.device, channel.id)
            self._channels[of_channel] = channel
            self._heard_of[of_channel] = heard
            heard.settled_to = max(heard.settled_to, self.settled_to.get(of_channel, 0))

    def is_primary(self, organisation: str, device: str, channel: str) -> bool:
        """Whether the meter multiplies a channel by its transformer ratio itself; blank: any of its counters."""
        if channel:
            found = self._channels.get((organisation, device, channel))
            return found is not None and found.primary
        return any(each.primary for key, each in self._channels.items() if key[:2] == (organisation, device))

    def channel(self, organisation: str, device: str, channel: str) -> CounterChannel | None:
        """What a device's counter is, as configured last; blank: its first. None when it counts nothing."""
        if channel:
            return self._channels.get((organisation, device, channel))
        return next((each for key, each in self._channels.items() if key[:2] == (organisation, device)), None)

    def observed(self, key: tuple[str, str, str], at_us: int, slot_us: int, values: Sequence[int | str | None]) -> None:
        """A reading of a group (organisation, device, group). Readings that change settled windows mark them."""
        heard = self.heard.get(key)
        if heard is None:
            return
        self._changed.add(key)
        present = 0
        for channel in heard.group.channels:
            if values[channel.position] is not None:
                present |= 1 << channel.position
        if slot_us > heard.slot_us:
            self.moved = self.moved or slot_us // SETTLEMENT_WINDOW_US != heard.slot_us // SETTLEMENT_WINDOW_US
            heard.slot_us = slot_us
        if not present:
            return
        if not heard.first_us:
            heard.first_us = heard.last_us = at_us
            heard.mask = present
            return
        settled_to = heard.settled_to
        if at_us < heard.last_us:
            heard.first_us = min(heard.first_us, at_us)
            if settled_to:
                # it may lie between the last settled edge and the reading that edge was drawn to
                self.mark(key, at_us, at_us)
            return
        heard.mask |= present
        if present == heard.mask:
            if heard.last_us < settled_to:
                # windows since the last whole reading were settled without this one
                self.mark(key, heard.last_us, min(at_us, settled_to))
            self.moved = self.moved or at_us // SETTLEMENT_WINDOW_US != heard.last_us // SETTLEMENT_WINDOW_US
            heard.last_us = at_us

    def missed(self, key: tuple[str, str, str], until_us: int) -> None:
        """Slots up to an instant ended without a reading."""
        heard = self.heard.get(key)
        if heard is not None and until_us > heard.slot_us:
            self.moved = self.moved or until_us // SETTLEMENT_WINDOW_US != heard.slot_us // SETTLEMENT_WINDOW_US
            heard.slot_us = until_us
            self._changed.add(key)

    def mark(self, key: tuple[str, str, str], from_us: int, to_us: int) -> None:
        """Settle a span of a group again."""
        self.moved = True
        self.db.execute("INSERT OR IGNORE INTO dirty VALUES (?, ?, ?, ?, ?)", (*key, from_us, to_us))

    def mark_device(self, organisation: str, device: str, from_us: int | None, to_us: int | None) -> None:
        """Settle a span of every group of a device again: its installation changed."""
        for key, heard in self.heard.items():
            if key[:2] == (organisation, device) and heard.first_us:
                start = max(heard.first_us, from_us if from_us is not None else 0)
                end = min(heard.settled_to, to_us if to_us is not None else _OPEN)
                if start < end:
                    self.mark(key, start, end)

    # -- settlement entries

    def apply(self, seq: int, organisation: str, body: Mapping[str, Any]) -> None:
        """A settlement entry: its rows replace those of the same window, device and channel."""
        start, end = body["from"], body["to"]
        substitution = body.get("substitution")
        said = None if substitution is None else json.dumps(substitution, ensure_ascii=False, sort_keys=True)
        self.db.execute(
            "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)",
            (organisation, start, body["revision"], body["chunk"], seq, body["registry"] or 0, said),
        )
        grouped: dict[tuple[str, str], list[list[Any]]] = {}
        for row in body["rows"]:
            grouped.setdefault((row[0], row[1]), []).append(row)
        inserts = []
        for (device, channel), rows in grouped.items():
            key = (organisation, device, channel)
            series = self._series_id(key)
            replaces = start < self.settled_to.get(key, 0)
            if replaces:
                self._supersede(series, start, seq)
                self.rollups.touch(series, start)
            else:
                self.settled_to[key] = end
                self._settled_changed.add(key)
                heard = self._heard_of.get(key)
                if heard is not None:
                    heard.settled_to = max(heard.settled_to, end)
            for part, row in enumerate(rows):
                installation, r0, r1, energy, coverage, word, quality, num, den = row[2:11]
                if energy.__class__ is str or r0.__class__ is str or r1.__class__ is str:
                    # integers beyond 2^53 stand in the journal as text
                    r0, r1, energy = (None if each is None else int(each) for each in (r0, r1, energy))
                method = METHODS[word]
                inserts.append(
                    (
                        series,
                        start,
                        part,
                        seq,
                        installation,
                        r0,
                        r1,
                        energy,
                        coverage,
                        method,
                        quality,
                        num,
                        den,
                        *row[11:],
                    )
                )
                if not replaces:
                    self.rollups.add(
                        series, start, (installation or 0, num, den, energy, coverage, method, quality, seq)
                    )
        self.db.executemany(
            "INSERT OR REPLACE INTO interval VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", inserts
        )

    def _supersede(self, series: int, start: int, seq: int) -> None:
        self.db.execute(
            "INSERT OR REPLACE INTO superseded SELECT *, ? FROM interval WHERE series = ? AND start = ? AND seq <> ?",
            (seq, series, start, seq),
        )
        self.db.execute("DELETE FROM interval WHERE series = ? AND start = ? AND seq <> ?", (series, start, seq))

    def _series_id(self, key: tuple[str, str, str]) -> int:
        channel = self._channels.get(key)
        found = self._series.get(key)
        decimals = channel.decimals if channel is not None else 0
        if found is not None and (channel is None or found[1] == decimals):
            return found[0]
        measurand, unit = (channel.measurand, channel.unit) if channel is not None else ("", "")
        cursor = self.db.execute(
            "INSERT INTO series (organisation, device, channel, decimals, measurand, unit, settled_to) "
            "VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET unit = excluded.unit RETURNING id",
            (*key, decimals, measurand, unit),
        )
        id_ = int(cursor.fetchone()[0])
        self._series[key] = (id_, decimals)
        return id_

    # -- work in hand

    def dirty(self) -> list[tuple[tuple[str, str, str], int, int]]:
        """Spans to settle again, merged per group: (organisation, device, group), from, to (µs UTC)."""
        spans: dict[tuple[str, str, str], list[list[int]]] = {}
        rows = self.db.execute("SELECT organisation, device, grp, from_us, to_us FROM dirty ORDER BY 1, 2, 3, 4, 5")
        for organisation, device, group, from_us, to_us in rows:
            merged = spans.setdefault((organisation, device, group), [])
            if merged and from_us <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], to_us)
            else:
                merged.append([from_us, to_us])
        return [(key, from_us, to_us) for key, merged in spans.items() for from_us, to_us in merged]

    def clean(self, left: Iterable[tuple[tuple[str, str, str], int, int]]) -> None:
        """The dirty spans were settled (their entries, if any, are in the journal) but for what is left."""
        self.db.execute("BEGIN IMMEDIATE")
        self.db.execute("DELETE FROM dirty")
        for key, from_us, to_us in left:
            self.mark(key, from_us, to_us)
        self.db.execute("COMMIT")

    def revisions(self, organisation: str, starts: Iterable[int]) -> dict[int, int]:
        """The next revision number of windows."""
        found = {}
        for start in starts:
            (newest,) = self.db.execute(
                "SELECT max(revision) FROM entry WHERE organisation = ? AND start = ?", (organisation, start)
            ).fetchone()
            found[start] = 0 if newest is None else newest + 1
        return found

    def substitution(self, organisation: str, device: str, channel: str, window: int) -> str | None:
        """JSON of the pack, person and reason behind the rows in force for a window; None: settled by rule."""
        series = self._series.get((organisation, device, channel))
        row = self.db.execute(
            "SELECT e.substitution FROM interval AS i JOIN entry AS e ON e.organisation = ? AND e.seq = i.seq "
            "WHERE i.series = ? AND i.start = ? LIMIT 1",
            (organisation, series[0] if series else 0, window),
        ).fetchone()
        return row[0] if row else None

    def rows_of(
        self, organisation: str, device: str, channel: str, first_us: int, last_us: int
    ) -> dict[int, list[IntervalRow]]:
        """The rows in force for windows in a span, by window start."""
        series = self._series.get((organisation, device, channel))
        found: dict[int, list[IntervalRow]] = {}
        if series is None:
            return found
        for start, *values in self.db.execute(
            "SELECT start, installation, r0, r1, energy, coverage, method, quality, num, den, e0, e1, e2, e3 "
            "FROM interval WHERE series = ? AND start >= ? AND start < ? ORDER BY start, part",
            (series[0], first_us, last_us),
        ):
            values[5] = Method(values[5])
            found.setdefault(start, []).append(IntervalRow(device, channel, *values))
        return found
