"""Close days: move sealed entries from the hot journal into immutable files; prune what its retention has passed."""

import hashlib
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from gateway.domain.errors import JournalError
from gateway.domain.time import US_PER_HOUR, from_datetime, to_datetime
from gateway.journal.archive import CHECKPOINTS, FACTS, POLLS, PRUNED_ACTION, Archive, file_name
from gateway.journal.audit_event import audit_event
from gateway.journal.entry import HIGH_VOLUME_KINDS, Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.journal.segment import Segment, SegmentWriter
from gateway.ports import Clock
from gateway.sealing.history import History, checkpoint_of
from gateway.sealing.tiles import write_durably

GRACE_US = US_PER_HOUR
PAGE = 2_000
CLOSED_ACTION = "archive.closed"


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """One closed day: its name (UTC), its range of entries and how many there were."""

    day: str
    first: int
    last: int


class Archivist:
    """Closes days of one data folder. Its user holds the ``archive`` lock.

    Order: write the files, sync, read them back against the hot entries, append the closing entry with their hashes,
    only then drop the hot copies. A crash at any point leaves every entry in at least one place.
    """

    def __init__(self, folder: DataFolder, journal: Journal, clock: Clock) -> None:
        self._folder = folder
        self._journal = journal
        self._clock = clock
        self._history = History(folder.seal)

    def close_days(self, limit: int = 1000) -> list[ClosedDay]:
        """Close every finished and fully sealed UTC day, oldest first, at most ``limit``; what was closed."""
        self._forget_leftovers()
        self._complete_index()
        closed: list[ClosedDay] = []
        while len(closed) < limit:
            day = self._next_day()
            if day is None:
                break
            self._close(day)
            self._complete_index()
            closed.append(day)
        return closed

    def prune(self, before: date, actor: str, reason: str) -> list[str]:
        """Remove polls and messages of days before a date; facts and the tree stay. The names of the removed files.

        The signed entry about it is committed before the first file goes.
        """
        files = [
            file for file in Archive(self._folder.archive).files if file.kind == POLLS and file.day < before.isoformat()
        ]
        names = [f"{file.path.parent.name}/{file.path.name}" for file in files]
        for begin in range(0, len(names), 200):
            facts: dict[str, object] = {"files": names[begin : begin + 200], "before": before.isoformat()}
            self._journal.append([self._event(PRUNED_ACTION, actor, reason, facts)])
        for file in files:
            file.path.unlink()
        return names

    def _complete_index(self) -> None:
        """Only closed days are indexed: the file of a day that was never closed may be written again."""
        last = self._last_closing()
        if last is not None:
            Archive(self._folder.archive).complete_index(last.last)

    def _forget_leftovers(self) -> None:
        """Finish a closing that crashed after its entry."""
        entry = self._last_closing()
        if entry is not None:
            self._forget(entry)

    def _last_closing(self) -> ClosedDay | None:
        """The newest day that has its closing entry; files a crash left without one are written again."""
        for file in reversed(Archive(self._folder.archive).files):
            if file.kind == FACTS:
                after = file.last  # the closing entry comes after the day it closes
                while page := self._journal.read(after, PAGE, {"event"}):
                    for entry in page:
                        if entry.body.get("action") == CLOSED_ACTION and entry.body["last"] == file.last:
                            return ClosedDay(entry.body["day"], entry.body["first"], entry.body["last"])
                    after = page[-1].seq
        return None

    def _next_day(self) -> ClosedDay | None:
        done = self._last_closing()
        first = done.last + 1 if done else 1
        begin = self._journal.read(first - 1, 1)
        if not begin:
            return None
        day = to_datetime(begin[0].at_us).date()
        end_us = from_datetime(datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1))
        if self._clock.utc_us() < end_us + GRACE_US:
            return None
        next_first = self._journal.first_at_or_after(first, end_us)
        note = self._history.latest()
        if next_first is None or note is None or checkpoint_of(note).size < next_first:
            return None  # nothing newer yet, or not sealed beyond the day
        return ClosedDay(day.isoformat(), first, next_first - 1)

    def _close(self, day: ClosedDay) -> None:
        files = [self._write(day, FACTS), self._write(day, POLLS)]
        numbers, checkpoints = self._write_checkpoints(day)
        self._check(day)
        facts = {
            "day": day.day,
            "first": day.first,
            "last": day.last,
            "files": [*files, *checkpoints],
            "checkpoints": [numbers[0], numbers[-1]] if numbers else None,
        }
        self._journal.append([self._event(CLOSED_ACTION, "system", "", facts)])
        self._forget(day)

    def _path(self, day: ClosedDay, kind: str) -> Path:
        return self._folder.archive / file_name(day.day, day.first, day.last, kind)

    def _write(self, day: ClosedDay, kind: str) -> dict[str, object]:
        writer = SegmentWriter(self._path(day, kind))
        try:
            for seq, entry_kind, body in self._hot(day):
                if (entry_kind in HIGH_VOLUME_KINDS) == (kind == POLLS):
                    writer.add(seq, body)
            facts = writer.finish()
        except BaseException:
            writer.abandon()
            raise
        name = file_name(day.day, day.first, day.last, kind)
        return {"name": name, "sha256": facts.sha256, "size": facts.size_bytes, "entries": facts.entries}

    def _hot(self, day: ClosedDay) -> Iterator[tuple[int, str, bytes]]:
        after = day.first - 1
        while after < day.last:
            page = self._journal.read(after, min(PAGE, day.last - after))
            if not page or page[0].seq != after + 1:
                raise JournalError("entry %(seq)s is missing from the journal", seq=str(after + 1))
            for entry in page:
                yield entry.seq, entry.kind, entry.body_bytes
            after = page[-1].seq

    def _write_checkpoints(self, day: ClosedDay) -> tuple[list[int], list[dict[str, object]]]:
        numbers = []
        content = []
        for number in self._history.numbers()[:-1]:  # the newest always stays at hand
            note = self._history.note(number)
            if checkpoint_of(note).size > day.last:
                break
            numbers.append(number)
            content.append(f"checkpoint {number}\n{note}\n")
        if not numbers:
            return [], []
        packed = "".join(content).encode()
        path = self._path(day, CHECKPOINTS)
        write_durably(path, packed)
        name = file_name(day.day, day.first, day.last, CHECKPOINTS)
        digest = hashlib.sha256(packed).hexdigest()
        return numbers, [{"name": name, "sha256": digest, "size": len(packed), "entries": len(numbers)}]

    def _check(self, day: ClosedDay) -> None:
        """Read both files back: together they must hold exactly the hot entries."""
        archived = heapq.merge(*(_all(Segment(self._path(day, kind))) for kind in (FACTS, POLLS)))
        for (seq, _, body), found in zip(self._hot(day), archived, strict=True):
            if found != (seq, body):
                raise JournalError("entry %(seq)s was not archived as it is; nothing was removed", seq=str(seq))

    def _forget(self, day: ClosedDay) -> None:
        while self._journal.forget_archived(day.last):
            pass
        bound = Archive(self._folder.archive)
        if any(file.kind == CHECKPOINTS and file.last == day.last for file in bound.files):
            for number in self._history.numbers()[:-1]:
                if checkpoint_of(self._history.note(number)).size <= day.last:
                    self._history.path(number).unlink()

    def _event(self, action: str, actor: str, reason: str, facts: dict[str, object]) -> Draft:
        return audit_event(
            self._folder,
            self._journal,
            self._clock,
            actor=actor,
            action=action,
            about=self._folder.site_subject,
            reason=reason,
            facts=facts,
        )


def _all(segment: Segment) -> Iterable[tuple[int, bytes]]:
    after = 0
    while page := segment.read(after, PAGE):
        yield from page
        after = page[-1][0]
