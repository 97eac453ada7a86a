"""The registry as a projection: ``apply`` one entry after the other, in order, inside one transaction a batch."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from gateway.domain.ledger import LEDGER_KINDS
from gateway.domain.reading import Outcome
from gateway.domain.time import US_PER_DAY, from_datetime
from gateway.journal.archive import PRUNED_ACTION
from gateway.journal.entry import Entry
from gateway.registry import schema
from gateway.registry.presence import PresenceTable
from gateway.registry.registry import Registry

EVENT_KINDS = frozenset(
    {"event", "clock", "key", "review", "user", "loss", "laboratory", "stock", "result", "replacement"}
)
REFERENCES: Mapping[str, tuple[str, ...]] = {
    "installation": ("device", "point", "instrument"),
    "certificate": ("instrument", "serial", "standards", "supersedes"),
    "point": ("parent",),
    "document": ("instrument",),
}
_ABOUT = ("point", "device", "instrument", "installation", "certificate")


class RegistryProjection(Registry):
    """The one writer of ``registry.sqlite``; also reads, seeing its own uncommitted batch."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._applied = self.applied_seq()
        self._latest_at = self.latest_at()
        self._findings: dict[tuple[str, str, str, str, int], list[Any]] = {}
        self._outcomes: dict[tuple[str, str, str, int, str], int] = {}
        self._identities: dict[tuple[str, str, str], tuple[str, int]] = {
            (organisation, device, measurand): (value, from_us)
            for organisation, device, measurand, value, from_us in self._db.execute(
                "SELECT organisation, device, measurand, value, from_us FROM identity ORDER BY from_us"
            )
        }
        self._presence = PresenceTable(self._db)
        self._changes = 0
        (pruned,) = self._db.execute(
            "SELECT max(json_extract(body, '$.before')) FROM event WHERE kind = 'event' AND action = ?",
            (PRUNED_ACTION,),
        ).fetchone()
        self._pruned_us = _midnight_us(pruned or "")

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open for writing; the file is made when absent."""
        return cls(schema.connect(path, read_only=False))

    @property
    def applied(self) -> int:
        """The newest entry applied, uncommitted ones too."""
        return self._applied

    @property
    def generation(self) -> int:
        """Another number whenever something a verdict depends on changed: ledger, identities, silences."""
        return self._changes + self._presence.changes

    @property
    def pruned_us(self) -> int:
        """Before this instant raw readings are gone (µs UTC; 0: all are there); what was judged by them stands."""
        return self._pruned_us

    def begin(self) -> None:
        """Start a batch."""
        self._db.execute("BEGIN IMMEDIATE")

    def commit(self, applied_seq: int) -> None:
        """End a batch that went up to an entry."""
        self._flush()
        self._db.execute(
            "INSERT OR REPLACE INTO meta VALUES ('applied', ?), ('latest_at', ?)", (applied_seq, self._latest_at)
        )
        self._db.execute("COMMIT")
        self._applied = applied_seq

    def roll_back(self) -> None:
        """Drop a batch that failed; the object must not be used afterwards."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    # -- entries

    def apply_fact(self, entry: Entry) -> None:
        """Any entry but polls, misses and messages."""
        body = entry.body
        self._latest_at = max(self._latest_at, entry.at_us)
        self._db.execute("INSERT OR REPLACE INTO recorded VALUES (?, ?)", (entry.seq, self._latest_at))
        organisation, subject_type, id_ = split_subject(entry.subject)
        if entry.kind in LEDGER_KINDS:
            self._object(entry, organisation, id_, body)
        elif entry.kind == "verdict":
            self._verdict(entry, organisation, body)
        elif entry.kind == "configuration":
            self._db.execute(
                "INSERT OR REPLACE INTO configuration VALUES (?, ?, ?, ?, ?, ?)",
                (entry.seq, entry.at_us, organisation, subject_type, id_, entry.body_bytes.decode()),
            )
        elif entry.kind in EVENT_KINDS:
            action, actor = str(body.get("action") or ""), str(body.get("actor") or "")
            if action == PRUNED_ACTION:
                self._pruned_us = max(self._pruned_us, _midnight_us(str(body.get("before") or "")))
            self._db.execute(
                "INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    entry.seq,
                    entry.at_us,
                    organisation,
                    entry.kind,
                    entry.subject,
                    action,
                    actor,
                    entry.body_bytes.decode(),
                ),
            )

    def note_latest(self, at_us: int) -> None:
        """The ``at`` of a poll, miss or message, for the running maximum."""
        self._latest_at = max(self._latest_at, at_us)

    def _object(self, entry: Entry, organisation: str, id_: str, body: Mapping[str, Any]) -> None:
        document = body["object"]
        self._changes += 1
        self._db.execute(
            "INSERT OR REPLACE INTO version VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.seq,
                entry.at_us,
                organisation,
                entry.kind,
                id_,
                body.get("from"),
                body.get("to"),
                int(body.get("withdrawn") or 0),
                json.dumps(document, ensure_ascii=False, sort_keys=True),
                str(body.get("actor") or ""),
                str(body.get("reason") or ""),
                str(body.get("source") or ""),
            ),
        )
        for name in REFERENCES.get(entry.kind, ()):
            value = str(document.get(name) or "")
            for target in value.split(";") if name == "standards" else [value]:
                if target:
                    self._db.execute(
                        "INSERT OR IGNORE INTO reference VALUES (?, ?, ?, ?, ?)",
                        (organisation, entry.kind, name, target, id_),
                    )

    def _verdict(self, entry: Entry, organisation: str, body: Mapping[str, Any]) -> None:
        if body["state"] == "closed":
            self._db.execute(
                "INSERT OR REPLACE INTO closing VALUES (?, ?, ?, ?)",
                (entry.seq, entry.at_us, body["opens"], body["to"]),
            )
            return
        about = body["about"]
        self._db.execute(
            "INSERT OR REPLACE INTO verdict VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.seq,
                entry.at_us,
                organisation,
                entry.subject,
                body["rule"],
                body["severity"],
                *(about.get(name) for name in _ABOUT),
                body["from"],
                json.dumps(body["facts"], ensure_ascii=False, sort_keys=True),
                int(body.get("registry") or 0),
                str(body.get("rules") or ""),
            ),
        )

    # -- slots and what readings brought

    def newest_slot(self, organisation: str, device: str, group: str) -> int:
        """The newest slot that brought a reading of a group, µs UTC; 0 when none did. Outlives a restart."""
        return self._presence.newest_slot(organisation, device, group)

    def apply_reading(  # noqa: PLR0917  # once a poll: keywords would cost more than the rest of it
        self, seq: int, organisation: str, device: str, group: str, slot_us: int, outcome: str, findings: Sequence[Any]
    ) -> None:
        """A poll or a sample: its slot's outcome, its findings (``[rule, channel, facts]``); the device speaks."""
        self._count(organisation, device, group, slot_us, outcome, 1)
        self._presence.heard(organisation, device, group, slot_us)
        if findings:
            self.apply_findings(seq, organisation, device, slot_us, findings)

    def apply_findings(self, seq: int, organisation: str, device: str, at_us: int, findings: Sequence[Any]) -> None:
        """Findings of a reading or of a message (``device`` is then the endpoint)."""
        day = at_us // US_PER_DAY
        for rule, channel, facts in findings:
            key = (organisation, device, channel, rule, day)
            found = self._findings.get(key)
            if found is None:
                self._findings[key] = [1, seq, seq, at_us, at_us, facts]
            else:
                found[0] += 1
                found[2] = max(found[2], seq)
                found[3] = min(found[3], at_us)
                found[4] = max(found[4], at_us)

    def apply_miss(  # noqa: PLR0917  # as apply_reading
        self, organisation: str, device: str, group: str, slot_us: int, outcome: str, count: int, *, identity: bool
    ) -> None:
        """A missed slot, or ``count`` of them in one range (outcome ``stopped``)."""
        self._count(organisation, device, group, slot_us, outcome, count)
        if not identity and outcome not in {Outcome.STOPPED, Outcome.OVERRUN}:
            self._presence.missed(organisation, device, group, slot_us)

    def apply_identity(self, seq: int, organisation: str, device: str, at_us: int, values: Mapping[str, str]) -> None:
        """What a device said of itself, by measurand; kept where it changed."""
        self._changes += 1
        for measurand, value in values.items():
            key = (organisation, device, measurand)
            known, from_us = self._identities.get(key, (None, 0))
            if known == value:
                self._db.execute(
                    "UPDATE identity SET last_us = max(last_us, ?) "
                    "WHERE organisation = ? AND device = ? AND measurand = ? AND from_us = ?",
                    (at_us, *key, from_us),
                )
            elif at_us >= from_us:
                self._identities[key] = (value, at_us)
                row = (*key, at_us, at_us, seq, value)
                self._db.execute("INSERT OR REPLACE INTO identity VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def _count(  # noqa: PLR0917  # as apply_reading
        self, organisation: str, device: str, group: str, slot_us: int, outcome: str, count: int
    ) -> None:
        key = (organisation, device, group, slot_us // US_PER_DAY, outcome)
        self._outcomes[key] = self._outcomes.get(key, 0) + count

    def _flush(self) -> None:
        self._db.executemany(
            "INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
            [(*key, count) for key, count in self._outcomes.items()],
        )
        self._outcomes.clear()
        self._db.executemany(
            "INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "count = count + excluded.count, last_seq = max(last_seq, excluded.last_seq), "
            "first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us)",
            [
                (*key, *found[:5], json.dumps(found[5], ensure_ascii=False, sort_keys=True))
                for key, found in self._findings.items()
            ],
        )
        self._findings.clear()
        self._presence.flush()


def split_subject(subject: str) -> tuple[str, str, str]:
    """``<organisation>/<type>/<id>``; the id may hold slashes."""
    organisation, _, rest = subject.partition("/")
    subject_type, _, id_ = rest.partition("/")
    return organisation, subject_type, id_


def _midnight_us(civil_date: str) -> int:
    """Its start in UTC; 0 for what is no date."""
    try:
        return from_datetime(datetime.fromisoformat(civil_date).replace(tzinfo=UTC))
    except ValueError:
        return 0
