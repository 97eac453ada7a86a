"""Does a store still say what the sealed entries say? Day by day through a sum of hashes, row by row where sums differ.

A sum over the rows of one series and day needs no memory for the rows; only where the store's sum differs from the
entries' are both read again and each difference named.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from gateway.verifier.log import MALFORMED
from gateway.verifier.readings import Readings, Row
from gateway.verifier.report import Report

DAY_US = 86_400_000_000
HASHES = 1 << 64
Bucket = tuple[str, str, int]  # device, group, day since 1970


class StoreError(Exception):
    """The store cannot be read; the text says why."""


class Stored(NamedTuple):
    """One row as a store holds it, or must hold it: key, entry number, and the rest as comparable values."""

    device: str
    group: str
    key: int
    seq: int
    content: tuple[Any, ...]


class Store(Protocol):
    """A store that was filled from the journal."""

    name: str

    def applied(self) -> int:
        """Up to which entry it claims to be filled."""
        ...

    def expected(self, row: Row) -> Stored | None:
        """What it must hold of a sealed reading; None when it holds nothing of it."""
        ...

    def described(self, stored: Stored) -> dict[str, Any]:
        """The row's content by name."""
        ...

    def days(self) -> Iterator[tuple[int, Iterator[Stored]]]:
        """Every day it holds rows of, with the rows."""
        ...


class Comparison:
    """Takes every sealed entry as it passes, then looks at the store."""

    def __init__(self, report: Report, store: Store, readings: Readings) -> None:
        self._report = report
        self._store = store
        self.readings = readings
        self._sealed: dict[Bucket, int] = {}
        self._secret = secrets.randbits(62)
        self._rows = self._values = 0
        self._first_behind = 0  # the first reading after what the store claims to hold
        try:
            self._applied = store.applied()
        except StoreError as error:
            self._applied = 0
            report.broken("store.damaged", store.name, reason=error)

    def take(self, seq: int, entry: dict[str, Any]) -> None:
        """One entry, in order."""
        kind = entry["kind"]
        if kind == "configuration":
            self.readings.configuration(seq, entry)
        elif kind in {"poll", "message"} and seq > self._applied:
            self._first_behind = self._first_behind or seq
        elif kind in {"poll", "message"}:
            for row in self.readings.rows(seq, entry):
                stored = self._store.expected(row)
                if stored is None:
                    continue
                bucket = (row.device, row.group, row.key_us // DAY_US)
                self._sealed[bucket] = (self._sealed.get(bucket, 0) + self._hash(stored)) % HASHES
                self._rows += 1
                self._values += len(row.values)

    def finish(self, again: Callable[[], Iterable[tuple[int, dict[str, Any]]]]) -> None:
        """Compare; ``again`` gives all entries a second time, and is called only when something differs."""
        if self._first_behind:
            facts = {"applied": self._applied, "first": self._first_behind}
            self._report.note("note.behind", self._store.name, **facts)
        differing: set[Bucket] = set()
        kept: dict[Bucket, list[Stored]] = {}
        left = dict(self._sealed)
        try:
            for day, rows in self._store.days():
                sums: dict[Bucket, int] = {}
                for stored in rows:
                    bucket = (stored.device, stored.group, day)
                    sums[bucket] = (sums.get(bucket, 0) + self._hash(stored)) % HASHES
                differing |= {bucket for bucket, total in sums.items() if left.pop(bucket, None) != total}
            differing |= left.keys()
            if differing:
                for day, rows in self._store.days():
                    for stored in rows:
                        if (stored.device, stored.group, day) in differing:
                            kept.setdefault((stored.device, stored.group, day), []).append(stored)
        except StoreError as error:
            self._report.broken("store.damaged", self._store.name, reason=error)
            return
        if differing:
            self._name_differences(differing, kept, again())
        self._report.count("values", self._values)

    def _hash(self, stored: Stored) -> int:
        return hash((self._secret, stored)) % HASHES

    def _name_differences(
        self, differing: set[Bucket], kept: dict[Bucket, list[Stored]], entries: Iterable[tuple[int, dict[str, Any]]]
    ) -> None:
        """Every row of the store must be one that an entry gives; every key of the entries must be in the store."""
        sealed: dict[tuple[str, str, int], dict[int, Stored]] = {}
        for seq, entry in entries:
            if entry["kind"] in {"poll", "message"} and seq <= self._applied:
                for row in self._rows_again(seq, entry):
                    if (row.device, row.group, row.key_us // DAY_US) in differing:
                        stored = self._store.expected(row)
                        if stored is None:
                            continue
                        # the first value of a key stands in the store; a later one only when it was accepted
                        sealed.setdefault((stored.device, stored.group, stored.key), {}).setdefault(seq, stored)
        for rows in kept.values():
            for stored in rows:
                where = f"{self._store.name} {stored.device} {stored.group} {stored.key}"
                candidates = sealed.pop((stored.device, stored.group, stored.key), None)
                if candidates is None or stored.seq not in candidates:
                    self._report.broken("value.foreign", where)
                elif candidates[stored.seq] != stored:
                    self._differs(where, stored, candidates[stored.seq])
        for (device, group, key), candidates in sealed.items():
            self._report.broken("value.missing", f"{self._store.name} {device} {group} {key}", seq=min(candidates))

    def _rows_again(self, seq: int, entry: dict[str, Any]) -> list[Row]:
        try:
            return list(self.readings.rows(seq, entry))
        except MALFORMED:
            return []  # named when it passed the first time

    def _differs(self, where: str, stored: Stored, sealed: Stored) -> None:
        mine, theirs = self._store.described(sealed), self._store.described(stored)
        for name in {**mine, **theirs}:
            if mine.get(name) != theirs.get(name):
                facts = {"stored": theirs.get(name), "sealed": mine.get(name), "seq": sealed.seq}
                self._report.broken("value.differs", where, channel=name, **facts)
