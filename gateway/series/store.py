"""The embedded series store: a row a poll, one SQLite file a month, many readers beside one writer.

The key of a row is (organisation, device, group, slot); one store object sees one organisation. The store is a
projection of the journal: it can be dropped and written again.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from zoneinfo import ZoneInfo

from gateway.domain.errors import DataFolderError
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, Period
from gateway.series.closing import close_hours, pack_days
from gateway.series.codec import decode, zeros
from gateway.series.index import ConflictKey, SeriesIndex
from gateway.series.month import month_name, month_period, open_month
from gateway.series.months import MAX_WRITTEN, Months
from gateway.series.reading import MonthSeries, month_series, read_snapshot, series_number
from gateway.series.rollup import PositionOf, Positions, by_day, joined, month_hours
from gateway.series.row import Conflict, HourColumn, SeriesRow
from gateway.series.writing import MonthWriter

__all__ = ["Conflict", "HourColumn", "SeriesRow", "SeriesStore"]

CURSOR = "series"
_MAX_SCANNED = 1_000_000

Usable = Callable[[SeriesRow], bool]


def _any_row(_row: SeriesRow) -> bool:
    return True


class SeriesStore:
    """Readings of one organisation. One process writes; any number read meanwhile (``read_only=True``)."""

    def __init__(self, folder: Path, *, organisation: str, read_only: bool = False) -> None:
        """Open ``folder`` (usually ``<data>/series``); a writer creates it, a reader waits for it to appear.

        DataFolderError when the folder cannot be made or holds files that are not ours.
        """
        if not read_only:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise DataFolderError(
                    "cannot create %(folder)s: %(reason)s", folder=str(folder), reason=reason
                ) from error
        self.folder = folder
        self.organisation = organisation
        self.read_only = read_only
        self._lock = Lock()
        # reads have connections of their own, so that another thread never sees a half-written batch
        self._months = Months(folder, read_only=True)
        self._written = Months(folder, read_only=read_only, max_open=MAX_WRITTEN)
        self._index = SeriesIndex(folder, read_only=read_only)
        self._writers: dict[str, MonthWriter] = {}

    # ------------------------------------------------------------------ writing

    def write(self, rows: Sequence[SeriesRow], applied_seq: int | None = None) -> list[Conflict]:
        """Store rows and move the cursor to ``applied_seq``; the rows are synced before the cursor says so.

        Writing the same rows again changes nothing. The first value for a key wins; a later one that differs comes back
        as a conflict. Rows of one month are one transaction; a batch over several months is one a month, and a crash
        between them is healed by writing the batch again.
        """
        by_month: dict[str, list[SeriesRow]] = {}
        within, bucket = Period(0, 0), list[SeriesRow]()
        touched: dict[tuple[str, str, str], None] = {}
        for row in rows:
            slot = row.slot_us
            if not within.start_us <= slot < within.end_us:
                name = month_name(slot)
                within = month_period(name)
                bucket = by_month.setdefault(name, [])
            bucket.append(row)
        conflicts: list[Conflict] = []
        for name, batch in by_month.items():
            conflicts += self._writer(name).write(batch)
            touched.update(dict.fromkeys((row.device, row.group, name) for row in batch))
        keys = ((self.organisation, device, group, name) for device, group, name in touched)
        refused = [
            (self.organisation, each.kept.device, each.kept.group, each.kept.slot_us, each.kept.seq, each.refused.seq)
            for each in conflicts
        ]
        self._index.record(keys, CURSOR, applied_seq, refused)
        return conflicts

    def conflicts(self) -> list[ConflictKey]:
        """Every key for which a second, differing value came, the first such value each; for the writer only."""
        return self._index.conflicts(self.organisation)

    def _writer(self, name: str) -> MonthWriter:
        connection = self._written.get(name, create=True)
        assert connection is not None, "a created month is open"
        writer = self._writers.get(name)
        if writer is None or writer.connection is not connection:
            writer = self._writers[name] = MonthWriter(connection, self.organisation)
        return writer

    def accept(self, rows: Sequence[SeriesRow], applied_seq: int | None = None) -> None:
        """Put rows in place of what stands under their keys: an entry accepted a value that had been refused."""
        touched = []
        for row in rows:
            name = month_name(row.slot_us)
            self._writer(name).write([row], accept=True)
            touched.append((self.organisation, row.device, row.group, name))
        self._index.record(touched, CURSOR, applied_seq)

    def close_hours(self, before_us: int, positions: Positions, limit: int = 20_000) -> int:
        """Roll up hours that ended by ``before_us`` and got rows since they were last; how many were done.

        ``positions(device, group, cfg_seq)`` names the instantaneous channels. Which hours wait is kept with the rows,
        so a restart forgets none, and a late row makes its hour wait again.
        """
        done = 0
        for name in self._written.names():
            if done >= limit:
                break
            if month_period(name).start_us + US_PER_HOUR <= before_us:
                writer = self._writer(name)
                marks = close_hours(writer.connection, self.organisation, before_us, positions, limit - done)
                writer.forget_pending(marks)
                done += len(marks)
        return done

    def pack_days(self, before_us: int, limit: int = 20_000) -> int:
        """Pack UTC days that ended by ``before_us``, and late rows into days packed before; series-days done."""
        done = 0
        for name in self._written.names():
            if done >= limit:
                break
            if month_period(name).start_us + US_PER_DAY <= before_us:
                writer = self._writer(name)
                days = pack_days(writer.connection, self.organisation, before_us, limit - done)
                writer.remember_packed(days)
                done += len(days)
        return done

    def replace_month(self, name: str, rebuilt: Path) -> None:
        """Put a month rebuilt in another folder in place of this one's, in one transaction that readers never see half.

        The cursor stays: whoever rebuilds moves it when the last month is in place.
        """
        self._writers.pop(name, None)
        target = self._written.get(name, create=True)
        assert target is not None, "a created month is open"
        source = open_month(rebuilt / f"{name}.sqlite", read_only=True)
        if source is None:
            raise DataFolderError("%(file)s is not a series file: %(reason)s", file=str(rebuilt), reason=name)
        try:
            source.backup(target)
            known = source.execute("SELECT organisation, device, grp FROM series").fetchall()
        finally:
            source.close()
        self._index.record(((*key, name) for key in known), CURSOR, None)

    def applied_seq(self) -> int:
        """The last journal entry whose rows are all in the store; 0 at the beginning."""
        return self._index.seq(CURSOR)

    # ------------------------------------------------------------------ reading

    def series(self) -> list[tuple[str, str]]:
        """``(device, group)`` of every series, sorted."""
        return [(device, group) for device, group, _first, _last in self._index.series(self.organisation)]

    def row(self, device: str, group: str, slot_us: int) -> SeriesRow | None:
        """The row of exactly that slot."""
        month = self._month_series(month_name(slot_us), device, group)
        return None if month is None else month.row(slot_us)

    def rows(
        self, device: str, group: str, period: Period, limit: int | None = None, *, descending: bool = False
    ) -> Iterator[SeriesRow]:
        """At most ``limit`` rows whose slot lies in ``period``, by slot time. Pages: no transaction stays open."""
        left = _MAX_SCANNED if limit is None else min(limit, _MAX_SCANNED)
        if left <= 0:
            return
        for span, month in self._walk(device, group, period, descending=descending):
            for row in month.rows(span, descending=descending):
                yield row
                left -= 1
                if left == 0:
                    return

    def neighbours(
        self, device: str, group: str, at_us: int, *, usable: Usable = _any_row
    ) -> tuple[SeriesRow | None, SeriesRow | None]:
        """The usable rows nearest to an instant by *observed* time: at or before it, and at or after it."""
        return (
            self._nearest(device, group, at_us, usable, before=True),
            self._nearest(device, group, at_us, usable, before=False),
        )

    def _nearest(self, device: str, group: str, at_us: int, usable: Usable, *, before: bool) -> SeriesRow | None:
        best: SeriesRow | None = None
        for name, month in self._months_of(device, group, descending=before):
            whole = month_period(name)
            # slot = observed - dt, so only these slots can be observed on the wanted side
            if before:
                span = (whole.start_us, min(whole.end_us, at_us - month.dt_min + 1))
            else:
                span = (max(whole.start_us, at_us - month.dt_max), whole.end_us)
            if best is not None and not self._could_beat(best, whole, month, before=before):
                break
            if span[0] >= span[1]:
                continue
            for row in month.rows(Period(*span), descending=before):
                if best is not None and _settled(best, row.slot_us, month, before=before):
                    break
                on_side = row.observed_us <= at_us if before else row.observed_us >= at_us
                if on_side and (best is None or _nearer(row, best, before=before)) and usable(row):
                    best = row
        return best

    @staticmethod
    def _could_beat(best: SeriesRow, whole: Period, month: MonthSeries, *, before: bool) -> bool:
        if before:
            return whole.end_us + month.dt_max > best.observed_us
        return whole.start_us + month.dt_min < best.observed_us

    def last(self, device: str, group: str) -> SeriesRow | None:
        """The row with the greatest slot."""
        for _name, month in self._months_of(device, group, descending=True):
            row = month.last()
            if row is not None:
                return row
        return None

    def latest(self, devices: Iterable[str]) -> dict[tuple[str, str], SeriesRow]:
        """The last row of every group of those devices, by (device, group)."""
        wanted = set(devices)
        by_month: dict[str, list[tuple[str, str]]] = {}
        for device, group, _first, last in self._index.series(self.organisation):
            if device in wanted:
                by_month.setdefault(last, []).append((device, group))
        found: dict[tuple[str, str], SeriesRow] = {}
        for name, keys in by_month.items():
            connection = self._months.get(name)
            if connection is None:
                continue
            if len(keys) <= _FEW:
                records = connection.execute(_LATEST + _OF_DEVICES, (self.organisation, json.dumps(sorted(wanted))))
            else:  # reading all and dropping some is faster than a look-up for each
                records = connection.execute(_LATEST, (self.organisation,))
            for device, group, slot, dt, seq, cfg, values, words, newest_day in records:
                if device in wanted and (newest_day is None or slot // US_PER_DAY > newest_day):
                    numbers = decode(values)
                    quality = zeros(len(numbers)) if words is None else decode(words)
                    found[device, group] = SeriesRow(device, group, slot, slot + dt, seq, cfg, numbers, quality)  # type: ignore[arg-type]
        for key in (key for keys in by_month.values() for key in keys if key not in found):
            row = self.last(*key)
            if row is not None:
                found[key] = row
        return found

    def hours(self, device: str, group: str, position_of: PositionOf, period: Period) -> HourColumn:
        """Hours of one instantaneous channel whose start lies in ``period``, once they are rolled up.

        ``position_of(cfg_seq)`` is where the channel stands in the group under that configuration, or None.
        """
        parts = []
        for name in self._names(device, group):
            whole = month_period(name)
            span = (max(whole.start_us, period.start_us), min(whole.end_us, period.end_us))
            connection = self._months.get(name) if span[0] < span[1] else None
            if connection is not None:
                with self._lock, read_snapshot(connection):
                    number = series_number(connection, self.organisation, device, group)
                    if number is not None:
                        parts.append(month_hours(connection, number, position_of, Period(*span)))
        return joined(parts)

    def days(self, device: str, group: str, position_of: PositionOf, period: Period, zone: ZoneInfo) -> HourColumn:
        """Civil days of one instantaneous channel, from its hours in ``period``."""
        return by_day(self.hours(device, group, position_of, period), zone)

    # ------------------------------------------------------------------ months

    def months(self) -> list[str]:
        """``YYYY-MM`` of the files there are, oldest first."""
        return self._months.names()

    def _month_series(self, name: str, device: str, group: str) -> MonthSeries | None:
        connection = self._months.get(name)
        if connection is None:
            return None
        return month_series(connection, self._lock, self.organisation, device, group)

    def _names(self, device: str, group: str) -> list[str]:
        """The months that may know a series, oldest first."""
        known = self._index.span(self.organisation, device, group)
        return [] if known is None else self._months.between(*known)

    def _months_of(self, device: str, group: str, *, descending: bool) -> Iterator[tuple[str, MonthSeries]]:
        names = self._names(device, group)
        for name in reversed(names) if descending else names:
            month = self._month_series(name, device, group)
            if month is not None:
                yield name, month

    def _walk(
        self, device: str, group: str, period: Period, *, descending: bool
    ) -> Iterator[tuple[Period, MonthSeries]]:
        for name, month in self._months_of(device, group, descending=descending):
            whole = month_period(name)
            start, end = max(whole.start_us, period.start_us), min(whole.end_us, period.end_us)
            if start < end:
                yield Period(start, end), month

    def close(self) -> None:
        """Close every file; idempotent."""
        self._writers.clear()
        self._months.close()
        self._written.close()
        self._index.close()


_LATEST = """
SELECT s.device, s.grp, h.slot, h.dt, h.seq, h.cfg, h.v, h.q, (SELECT max(day) FROM day WHERE day.series = s.id)
FROM series AS s JOIN hot AS h ON h.series = s.id AND h.slot =
  (SELECT slot FROM hot WHERE hot.series = s.id ORDER BY slot DESC LIMIT 1)
WHERE s.organisation = ?
"""
_OF_DEVICES = " AND s.device IN (SELECT value FROM json_each(?))"
_FEW = 50


def _nearer(row: SeriesRow, best: SeriesRow, *, before: bool) -> bool:
    return row.observed_us > best.observed_us if before else row.observed_us < best.observed_us


def _settled(best: SeriesRow, slot_us: int, month: MonthSeries, *, before: bool) -> bool:
    """True when no row from this slot on can lie nearer than the best one."""
    if before:
        return slot_us + month.dt_max <= best.observed_us
    return slot_us + month.dt_min >= best.observed_us
