"""Asking settlement: intervals of a channel, energy of a metering point, as known at a recorded number.

Energies of points are exact fractions in the channel's unit: register difference · CT·PT ratio of the installation in
force, summed. Only windows that lie wholly in the period count; periods on the quarter-hour grid lose nothing.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

from gateway.domain.quality import Flag, Status, word
from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_HOUR, Period
from gateway.registry.registry import Registry
from gateway.settlement import batches, rolled, schema
from gateway.settlement.answers import Change, ChannelInfo, Energy, Interval, RollUp
from gateway.settlement.calendar import DAY, HOUR, MONTH, YEAR
from gateway.settlement.load_sums import LoadSum, load_sums
from gateway.settlement.rolled import MAX_ROWS, Then
from gateway.settlement.row import IntervalRow, Method
from gateway.settlement.sums import IntervalSum, interval_sums

__all__ = [
    "DAY",
    "HOUR",
    "MONTH",
    "YEAR",
    "Change",
    "ChannelInfo",
    "Energy",
    "Interval",
    "IntervalSum",
    "LoadSum",
    "RollUp",
    "Settlement",
    "Then",
]

_ALL = 2**62
_FIELDS = "start, part, seq, installation, r0, r1, energy, coverage, method, quality, num, den, e0, e1, e2, e3"


class Settlement:
    """A reader of ``settlement.sqlite``; any number of them in any number of processes."""

    def __init__(self, connection: sqlite3.Connection, registry: Registry) -> None:
        self._db = connection
        self._registry = registry

    @classmethod
    def open(cls, path: Path, registry: Registry) -> Self:
        """Open for reading beside an open registry; DataFolderError when absent or of another version."""
        return cls(schema.connect(path, read_only=True), registry)

    def close(self) -> None:
        """Close the file (not the registry); idempotent."""
        self._db.close()

    def applied_seq(self) -> int:
        """The newest journal entry contained."""
        row = self._db.execute("SELECT value FROM meta WHERE name = 'applied'").fetchone()
        return int(row[0]) if row else 0

    def channels(self, organisation: str, device: str | None = None) -> list[ChannelInfo]:
        """Settled channels, by device and channel."""
        rows = self._db.execute(
            "SELECT id, device, channel, decimals, measurand, unit, settled_to FROM series WHERE organisation = ? "
            "AND (? IS NULL OR device = ?) ORDER BY device, channel, id",
            (organisation, device, device),
        ).fetchall()
        return [ChannelInfo(*row) for row in rows]

    def intervals(
        self, organisation: str, device: str, channel: str, period: Period, known_seq: int | None = None
    ) -> list[Interval]:
        """Intervals of the windows that begin in the period, by time, as known then; at most ``MAX_ROWS``."""
        found: list[Interval] = []
        for info in self.channels(organisation, device):
            if info.channel == channel:
                found += self._intervals(info, period, known_seq)
        found.sort(key=lambda each: (each.start_us, each.part))
        return found

    def interval_evidence(self, organisation: str, seq: int) -> tuple[int, int, int] | None:
        """(window start, revision, registry seq) of a settlement entry."""
        row = self._db.execute(
            "SELECT start, revision, registry FROM entry WHERE organisation = ? AND seq = ?", (organisation, seq)
        ).fetchone()
        return (int(row[0]), int(row[1]), int(row[2])) if row else None

    def substitution(self, organisation: str, seq: int) -> dict[str, Any] | None:
        """By which pack, by whom and why the values of a settlement entry were substituted; None: settled by rule."""
        row = self._db.execute(
            "SELECT substitution FROM entry WHERE organisation = ? AND seq = ?", (organisation, seq)
        ).fetchone()
        return json.loads(row[0]) if row and row[0] else None

    def next_revision(self, organisation: str, start_us: int) -> int:
        """The number the next revision of a window has."""
        (newest,) = self._db.execute(
            "SELECT max(revision) FROM entry WHERE organisation = ? AND start = ?", (organisation, start_us)
        ).fetchone()
        return 0 if newest is None else newest + 1

    def revisions(self, organisation: str, device: str, channel: str, start_us: int) -> list[Interval]:
        """Every recorded state of one window, oldest entry first: what changed, entry by entry."""
        found: list[Interval] = []
        for info in self.channels(organisation, device):
            if info.channel == channel:
                for table in ("superseded", "interval"):
                    rows = self._db.execute(
                        f"SELECT {_FIELDS} FROM {table} WHERE series = ? AND start = ?",  # noqa: S608  # ours
                        (info.id, start_us),
                    ).fetchall()
                    found += [_interval(info, row) for row in rows]
        found.sort(key=lambda each: (each.seq, each.part))
        return found

    def changes(
        self, organisation: str, after_seq: int, until_seq: int | None = None, limit: int = 10_000
    ) -> list[Change]:
        """What revisions recorded after an entry changed, oldest first, and why."""
        infos = {info.id: info for info in self.channels(organisation)}
        bound = _ALL if until_seq is None else until_seq
        rows = self._db.execute(
            f"SELECT series, until_seq, {_FIELDS} FROM superseded WHERE until_seq > ? AND until_seq <= ? "  # noqa: S608
            "ORDER BY until_seq, series, start, part LIMIT ?",
            (after_seq, bound, min(limit, MAX_ROWS)),
        ).fetchall()
        found = []
        for series, replaced_by, *row in rows:
            info = infos.get(series)
            if info is not None:
                old = _interval(info, row)
                states = self.revisions(organisation, info.device, info.channel, old.start_us)
                new = next((each for each in states if each.seq == replaced_by and each.part == old.part), None)
                found.append(
                    Change(old, new, replaced_by, _why(old, new, self.substitution(organisation, replaced_by)))
                )
        return found

    def rollups(
        self, organisation: str, device: str, channel: str, kind: int, period: Period, *, then: Then | None = None
    ) -> list[RollUp]:
        """Hours, days or months (``HOUR``, ``DAY``, ``MONTH``) that begin in the period, as known now or then; then
        one may come in several pieces.
        """
        period = self._known_part(organisation, period, then)
        found: list[RollUp] = []
        for info in self.channels(organisation, device):
            if info.channel == channel:
                found += rolled.rollups(self._db, info, kind, period, then)
        return found

    def _known_part(self, organisation: str, period: Period, then: Then | None) -> Period:
        """The period up to the end of the newest window that an entry known then settled."""
        if then is None:
            return period
        (newest,) = self._db.execute(
            "SELECT max(start) FROM entry WHERE organisation = ? AND seq <= ?", (organisation, then.seq)
        ).fetchone()
        end = period.start_us if newest is None else min(period.end_us, newest + SETTLEMENT_WINDOW_US)
        return Period(period.start_us, max(period.start_us, end))

    def load_sums(self, organisation: str, device: str, channel: str, kind: int, period: Period) -> list[LoadSum]:
        """At which load the days or months (``DAY``, ``MONTH``) that begin in the period were counted, as known now."""
        return [
            each
            for info in self.channels(organisation, device)
            if info.channel == channel
            for each in load_sums(self._db, info.id, kind, (period.start_us, period.end_us), info.step)
        ]

    def totals(
        self, organisation: str, kind: int, period: Period, then: Then | None = None
    ) -> dict[tuple[str, str], list[RollUp]]:
        """Roll-ups of every channel that begin in the period, by (device, channel), as known now or then: one question
        for a whole site. Then their pieces may be longer or shorter than ``kind``.
        """
        if then is None:
            return rolled.totals(self._db, self.channels(organisation), organisation, kind, period)
        period = self._known_part(organisation, period, then)
        found: dict[tuple[str, str], list[RollUp]] = {}
        for info in self.channels(organisation):
            rows = rolled.rollups(self._db, info, kind, period, then, joined=True)
            if rows:
                found.setdefault((info.device, info.channel), []).extend(rows)
        return found

    def interval_sums(
        self,
        organisation: str,
        period: Period,
        known_seq: int | None = None,
        *,
        only: tuple[str, str] | None = None,
    ) -> dict[tuple[str, str], list[tuple[ChannelInfo, IntervalSum]]]:
        """Every channel's intervals in a period, or one's, summed, by (device, channel): exact, and as known then."""
        found: dict[tuple[str, str], list[tuple[ChannelInfo, IntervalSum]]] = {}
        for info in self.channels(organisation, None if only is None else only[0]):
            if only is not None and info.channel != only[1]:
                continue
            sums = interval_sums(self._db, info.id, period, known_seq)
            found.setdefault((info.device, info.channel), []).extend((info, each) for each in sums)
        return found

    def energy(self, organisation: str, point: str, period: Period, known_seq: int | None = None) -> Energy:
        """Energy through a metering point: its meters' main channels while they were fitted there."""
        total = Energy()
        coverage = 0
        for info, seqs in self._meters(organisation, point, known_seq):
            total.unit = total.unit or info.unit
            for installation, energy, windows, missing, covered, quality in self._sums(info, period, known_seq):
                if installation not in seqs:
                    continue
                total.windows += windows
                total.missing += missing
                coverage += covered
                for method, value in energy.items():
                    total.add(method, installation, value, quality)
                total.quality = max(total.quality & 3, quality & 3) | ((total.quality | quality) & ~3)
        total.coverage = coverage // total.windows if total.windows else 0
        self._add_entered(total, organisation, point, period, known_seq)
        return total

    def _add_entered(self, total: Energy, organisation: str, point: str, period: Period, known_seq: int | None) -> None:
        """Weighing tickets of the point's devices and those entered for it; registers read by people."""
        fitted = [
            each
            for each in self._registry.installations_of_point(organisation, point, None, known_seq)
            if (each.object.get("role") or "meter") == "meter"
        ]
        sources = [(f"point/{point}", period, 0, Method.MANUAL)]
        for record in fitted:
            start = max(period.start_us, period.start_us if record.from_us is None else record.from_us)
            end = min(period.end_us, period.end_us if record.to_us is None else record.to_us)
            if record.object.get("device") and start < end:
                sources.append((f"device/{record.object['device']}", Period(start, end), record.seq, Method.MEASURED))
        for source, span, installation, method in sources:
            for each in self.tickets(organisation, source, span, known_seq):
                total.unit = total.unit or each.ticket.unit
                total.tickets += 1
                total.add(method, installation, Fraction(each.ticket.net), each.ticket.quality)
        readings = batches.hand_readings(self._db, organisation, point, known_seq)
        if readings:
            total.unit = total.unit or readings[0].unit
            by_hand = [each for each in fitted if not each.object.get("device")]
            shares, whole = batches.hand_energy(readings, by_hand, period)
            for share in shares:
                quality = word(Status.GOOD if whole else Status.UNCERTAIN, Flag.MANUAL)
                total.add(Method.MANUAL, share.installation, share.energy, quality)
            total.missing += not whole
        amounts = batches.entered_amounts(self._db, organisation, point, period, known_seq)
        if amounts is not None:
            total.unit = total.unit or amounts.unit
            quality = word(Status.GOOD if amounts.good and amounts.whole else Status.UNCERTAIN, Flag.MANUAL)
            total.add(Method.MANUAL, 0, amounts.energy, quality)
            total.missing += not amounts.whole

    def tickets(
        self, organisation: str, source: str, period: Period, known_seq: int | None = None
    ) -> list[batches.Weighing]:
        """Weighing tickets of ``device/<id>`` or ``point/<id>``."""
        return batches.tickets(self._db, organisation, source, period, known_seq)

    def refused_tickets(self, organisation: str) -> list[batches.RefusedTicket]:
        """Tickets whose number was taken."""
        return batches.refused_tickets(self._db, organisation)

    def hand_readings(self, organisation: str, point: str, known_seq: int | None = None) -> list[batches.HandReading]:
        """Registers read by people at a point."""
        return batches.hand_readings(self._db, organisation, point, known_seq)

    def invoices(self, organisation: str, point: str, known_seq: int | None = None) -> list[batches.Invoice]:
        """Invoices about a point."""
        return batches.invoices(self._db, organisation, point, known_seq)

    def _meters(self, organisation: str, point: str, known_seq: int | None) -> Iterator[tuple[ChannelInfo, set[int]]]:
        """The channels that counted for a point, with the installation entries under which they did."""
        wanted: dict[tuple[str, str], set[int]] = {}
        for record in self._registry.installations_of_point(organisation, point, None, known_seq):
            document = record.object
            if document.get("device") and (document.get("role") or "meter") == "meter":
                versions = self._registry.history(organisation, "installation", record.id, known_seq)
                seqs = {each.seq for each in versions}
                key = (str(document["device"]), str(document.get("channel") or ""))
                wanted.setdefault(key, set()).update(seqs)
        for (device, channel), seqs in wanted.items():
            channels = self.channels(organisation, device)
            main = channel or (channels[0].channel if channels else "")
            for info in channels:
                if info.channel == main:
                    yield info, seqs

    def _sums(
        self, info: ChannelInfo, period: Period, known_seq: int | None
    ) -> Iterator[tuple[int, dict[Method, Fraction], int, int, int, int]]:
        """(installation, energy by method, windows, missing, coverage sum, quality) pieces of a period.

        Whole hours come summed from their roll-ups, those that changed since ``known_seq`` from their intervals; only
        the ends are looked at window by window.
        """
        last_us = period.end_us - SETTLEMENT_WINDOW_US
        spans = [(period.start_us, last_us + 1)]
        first, last = self._whole_hours(info, period)
        if first < last:
            yield from self._hours(info, first, last, known_seq)
            spans = [(period.start_us, min(first, last_us + 1)), (last, last_us + 1)]
        for start, end in spans:
            for each in self._intervals(info, Period(start, end), known_seq) if start < end else ():
                row, energy = each.row, each.energy
                sums = {row.method: energy} if energy is not None else {}
                yield row.installation or 0, sums, 1, int(energy is None), row.coverage, row.quality

    def _whole_hours(self, info: ChannelInfo, period: Period) -> tuple[int, int]:
        """First roll-up hour that begins in the period and the end of the last one that ends in it."""
        first, last = self._db.execute(
            "SELECT min(start), max(start) FROM rollup WHERE kind = ? AND series = ? AND start >= ? AND start <= ?",
            (HOUR, info.id, period.start_us, period.end_us - US_PER_HOUR),
        ).fetchone()
        return (0, 0) if first is None else (first, last + US_PER_HOUR)

    def _hours(
        self, info: ChannelInfo, first: int, last: int, known_seq: int | None
    ) -> Iterator[tuple[int, dict[Method, Fraction], int, int, int, int]]:
        bound = _ALL if known_seq is None else known_seq
        rows = self._db.execute(
            "SELECT installation, num, den, sum(windows), sum(missing), sum(coverage), max(quality & 3), "
            "json_group_array(DISTINCT quality >> 2), sum(measured), sum(interpolated), sum(caught_up), "
            "sum(substituted), sum(manual) FROM rollup WHERE kind = ?1 AND series = ?2 AND start >= ?3 AND start < ?4 "
            "AND start NOT IN (SELECT start FROM rollup WHERE kind = ?1 AND series = ?2 AND start >= ?3 "
            "AND start < ?4 AND seq > ?5) GROUP BY installation, num, den ORDER BY 1, 2, 3",
            (HOUR, info.id, first, last, bound),
        ).fetchall()
        for installation, num, den, windows, missing, coverage, status, flags, *methods in rows:
            factor = info.step * Fraction(num, den)
            seen = 0
            for each in json.loads(flags):
                seen |= each
            sums = {Method(number): value * factor for number, value in enumerate(methods) if value}
            yield installation, sums, windows, missing, coverage, status | seen << 2
        for span in rolled.changed_hours(self._db, info, Period(first, last), bound):
            for each in interval_sums(self._db, info.id, span, known_seq):
                known = {each.method: each.energy * info.step * each.ratio} if each.windows > each.missing else {}
                yield each.installation or 0, known, each.windows, each.missing, each.coverage, each.quality

    def _intervals(self, info: ChannelInfo, period: Period, known_seq: int | None) -> list[Interval]:
        span = (info.id, period.start_us, period.end_us)
        if known_seq is None:
            query = f"SELECT {_FIELDS} FROM interval WHERE series = ? AND start >= ? AND start < ? LIMIT ?"  # noqa: S608
            rows: Sequence[tuple[int, ...]] = self._db.execute(query, (*span, MAX_ROWS)).fetchall()
        else:
            query = (
                f"SELECT {_FIELDS} FROM interval WHERE series = ?1 AND start >= ?2 AND start < ?3 AND seq <= ?4 "  # noqa: S608
                f"UNION ALL SELECT {_FIELDS} FROM superseded WHERE series = ?1 AND start >= ?2 AND start < ?3 "
                "AND seq <= ?4 AND until_seq > ?4 LIMIT ?5"
            )
            rows = self._db.execute(query, (*span, known_seq, MAX_ROWS)).fetchall()
        return [_interval(info, row) for row in rows]


def _why(old: Interval, new: Interval | None, substitution: object) -> str:
    if substitution is not None:
        return "substituted"
    if new is None or (old.row.num, old.row.den) != (new.row.num, new.row.den):
        return "installation"
    if new.row.coverage > old.row.coverage or old.row.energy is None:
        return "late_readings"
    return "other_readings" if (old.row.start, old.row.end) != (new.row.start, new.row.end) else "installation"


def _interval(info: ChannelInfo, row: Sequence[int]) -> Interval:
    start, part, seq, installation, r0, r1, energy, coverage, method, *rest = row
    values = IntervalRow(info.device, info.channel, installation, r0, r1, energy, coverage, Method(method), *rest)
    return Interval(start, start + SETTLEMENT_WINDOW_US, part, seq, values, info.step)
