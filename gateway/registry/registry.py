"""Reading the registry: every question takes the organisation, an instant of effect and a recorded number.

``as_of_us`` (µs UTC): what held then; None: at any time. ``known_seq``: as recorded up to that entry; None: all of it.
"""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from gateway.domain.ledger import WHOLE_LIFE_KINDS
from gateway.registry import schema
from gateway.registry.record import Configuration, Event, FindingCount, Identity, Presence, Record, Silence, Verdict

MAX_ROWS = 100_000
_ALL = 2**62
_VERSION = "seq, at, organisation, kind, id, from_us, to_us, withdrawn, object, actor, reason, source"
_VERDICT = (
    "v.seq, v.at, organisation, subject, rule, severity, point, device, instrument, installation, certificate, "
    "from_us, c.to_us, facts, registry, rules, c.seq"
)
# the column lists are constants of this module; every value is bound
_OBJECTS = f"SELECT {_VERSION} FROM version WHERE organisation = ? AND kind = ? AND seq <= ? ORDER BY id, seq LIMIT ?"  # noqa: S608
_OBJECT = f"SELECT {_VERSION} FROM version WHERE organisation = ? AND kind = ? AND id = ? AND seq <= ? ORDER BY seq"  # noqa: S608
_RECORDED = f"SELECT {_VERSION} FROM version WHERE organisation = ? AND seq > ? AND seq <= ? ORDER BY seq DESC LIMIT ?"  # noqa: S608
_REFERRING = (
    f"SELECT {_VERSION} FROM version WHERE organisation = ?1 AND kind = ?2 AND seq <= ?5 AND id IN "  # noqa: S608
    "(SELECT id FROM reference WHERE organisation = ?1 AND kind = ?2 AND field = ?3 AND target = ?4) ORDER BY id, seq"
)
_KNOWN_VERDICTS = (
    f"SELECT {_VERDICT} FROM verdict AS v LEFT JOIN closing AS c ON c.seq = "  # noqa: S608
    "(SELECT max(seq) FROM closing WHERE opens = v.seq AND seq <= ?1) WHERE v.organisation = ?2 AND v.seq <= ?1"
)
_VERDICTS = (
    f"{_KNOWN_VERDICTS} AND (?3 IS NULL OR rule = ?3) AND (?4 IS NULL OR device = ?4) AND (?5 IS NULL OR point = ?5) "
    "AND (?6 IS NULL OR instrument = ?6) AND (c.to_us IS NULL OR c.to_us > from_us) ORDER BY from_us, v.seq LIMIT ?7"
)
_OPEN_VERDICTS = f"{_KNOWN_VERDICTS} AND c.seq IS NULL ORDER BY rule, from_us, v.seq LIMIT ?3"


class Registry:
    """A reader. Any number of them in any number of processes; each question is one short transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open ``registry.sqlite`` for reading; DataFolderError when it is absent or of another version."""
        return cls(schema.connect(path, read_only=True))

    def close(self) -> None:
        """Close the file; idempotent."""
        self._db.close()

    # -- recorded time

    def applied_seq(self) -> int:
        """The newest journal entry contained."""
        row = self._db.execute("SELECT value FROM meta WHERE name = 'applied'").fetchone()
        return int(row[0]) if row else 0

    def latest_at(self) -> int:
        """The newest ``at`` (µs UTC) of the entries contained; 0 when there are none."""
        row = self._db.execute("SELECT value FROM meta WHERE name = 'latest_at'").fetchone()
        return int(row[0]) if row else 0

    def ledger_seq(self) -> int:
        """The newest entry that changed a ledger object; 0 when there is none."""
        return int(self._db.execute("SELECT coalesce(max(seq), 0) FROM version").fetchone()[0])

    def known_seq(self, at_us: int) -> int:
        """The last fact that was recorded by an instant: running maximum of ``at`` not after it (clocks step back)."""
        row = self._db.execute(
            "SELECT max(seq) FROM recorded WHERE latest_at <= ?",
            (at_us,),
        ).fetchone()
        return int(row[0] or 0)

    # -- ledger objects

    def objects(
        self, organisation: str, kind: str, as_of_us: int | None = None, known_seq: int | None = None
    ) -> list[Record]:
        """All objects of a kind, by id."""
        rows = self._db.execute(
            _OBJECTS,
            (organisation, kind, _bound(known_seq), MAX_ROWS),
        ).fetchall()
        return _effective(rows, as_of_us)

    def object(
        self, organisation: str, kind: str, id_: str, as_of_us: int | None = None, known_seq: int | None = None
    ) -> Record | None:
        """One object, or None when it was not on record."""
        rows = self._db.execute(
            _OBJECT,
            (organisation, kind, id_, _bound(known_seq)),
        ).fetchall()
        found = _effective(rows, as_of_us)
        return found[0] if found else None

    def history(self, organisation: str, kind: str, id_: str, known_seq: int | None = None) -> list[Record]:
        """Every recorded version of an object, oldest first, withdrawn ones too."""
        rows = self._db.execute(
            _OBJECT,
            (organisation, kind, id_, _bound(known_seq)),
        ).fetchall()
        return [_record(row) for row in rows]

    def id_of(self, seq: int) -> str | None:
        """The id of the object whose version an entry is."""
        row = self._db.execute("SELECT id FROM version WHERE seq = ?", (seq,)).fetchone()
        return str(row[0]) if row else None

    def versions(self, organisation: str, kind: str, known_seq: int | None = None) -> dict[str, list[Record]]:
        """Every recorded version of every object of a kind, by id, oldest record first."""
        found: dict[str, list[Record]] = {}
        for row in self._db.execute(_OBJECTS, (organisation, kind, _bound(known_seq), MAX_ROWS)).fetchall():
            found.setdefault(row[4], []).append(_record(row))
        return found

    def recorded_after(
        self, organisation: str, after_seq: int, known_seq: int | None = None, limit: int = 1000
    ) -> list[Record]:
        """Versions of objects of every kind recorded after an entry, newest record first, withdrawn ones too."""
        rows = self._db.execute(
            _RECORDED, (organisation, after_seq, _bound(known_seq), min(limit, MAX_ROWS))
        ).fetchall()
        return [_record(row) for row in rows]

    def referring(
        self,
        organisation: str,
        kind: str,
        *,
        field: str,
        target: str,
        as_of_us: int | None = None,
        known_seq: int | None = None,
    ) -> list[Record]:
        """Objects of a kind whose field names a target: installations by ``device``, ``point``, ``instrument``;
        certificates by ``instrument``, ``serial``, ``standards``, ``supersedes``; points by ``parent``."""
        rows = self._db.execute(
            _REFERRING,
            (organisation, kind, field, target, _bound(known_seq)),
        ).fetchall()
        return [
            record
            for record in _effective(rows, as_of_us)
            if target in _targets(field, str(record.object.get(field) or ""))
        ]

    def installations_of_device(
        self, organisation: str, device: str, as_of_us: int | None = None, known_seq: int | None = None
    ) -> list[Record]:
        """What is (was) fitted at a device, oldest first."""
        return sorted(
            self.referring(
                organisation, "installation", field="device", target=device, as_of_us=as_of_us, known_seq=known_seq
            ),
            key=_start,
        )

    def installation_of_device(
        self, organisation: str, device: str, at_us: int, known_seq: int | None = None
    ) -> Record | None:
        """The meter installation in force at a device; None when the ledger knows none then."""
        found = self.installations_of_device(organisation, device, at_us, known_seq)
        meters = [record for record in found if (record.object.get("role") or "meter") == "meter"]
        return meters[-1] if meters else None

    def installations_of_point(
        self, organisation: str, point: str, as_of_us: int | None = None, known_seq: int | None = None
    ) -> list[Record]:
        """What is (was) fitted at a metering point, meters and transformers, oldest first."""
        return sorted(
            self.referring(
                organisation, "installation", field="point", target=point, as_of_us=as_of_us, known_seq=known_seq
            ),
            key=_start,
        )

    def installations_of_instrument(
        self, organisation: str, instrument: str, as_of_us: int | None = None, known_seq: int | None = None
    ) -> list[Record]:
        """Where an instrument is (was) fitted, oldest first."""
        found = self.referring(
            organisation, "installation", field="instrument", target=instrument, as_of_us=as_of_us, known_seq=known_seq
        )
        return sorted(found, key=_start)

    def certificates_of_instrument(
        self, organisation: str, instrument: str, known_seq: int | None = None
    ) -> list[Record]:
        """All certificates that name the instrument, newest performance first; validity is the reader's question."""
        found = self.referring(organisation, "certificate", field="instrument", target=instrument, known_seq=known_seq)
        return sorted(
            found, key=lambda record: (str(record.object.get("performed_on") or ""), record.seq), reverse=True
        )

    # -- verdicts

    def verdicts(
        self,
        organisation: str,
        as_of_us: int | None = None,
        known_seq: int | None = None,
        *,
        rule: str | None = None,
        device: str | None = None,
        point: str | None = None,
        instrument: str | None = None,
    ) -> list[Verdict]:
        """Verdicts as known then, ranges that turned out empty left out; ``as_of_us``: those covering that instant."""
        bound = (_bound(known_seq), organisation, rule, device, point, instrument, MAX_ROWS)
        found = [_verdict(row) for row in self._db.execute(_VERDICTS, bound).fetchall()]
        return [verdict for verdict in found if as_of_us is None or verdict.holds(as_of_us)]

    def open_verdicts(self, organisation: str, known_seq: int | None = None) -> list[Verdict]:
        """Verdicts not closed (as known then)."""
        bound = (_bound(known_seq), organisation, MAX_ROWS)
        return [_verdict(row) for row in self._db.execute(_OPEN_VERDICTS, bound).fetchall()]

    # -- the rest

    def events(
        self,
        organisation: str,
        *,
        after_seq: int = 0,
        kind: str | None = None,
        action: str | None = None,
        limit: int = 1000,
    ) -> list[Event]:
        """Acts and facts in order of record."""
        rows = self._db.execute(
            "SELECT seq, at, organisation, kind, subject, action, actor, body FROM event WHERE organisation = ? AND "
            "seq > ? AND (? IS NULL OR kind = ?) AND (? IS NULL OR action = ?) ORDER BY seq LIMIT ?",
            (organisation, after_seq, kind, kind, action, action, min(limit, MAX_ROWS)),
        ).fetchall()
        return [Event(*(*row[:-1], json.loads(row[-1]))) for row in rows]

    def configuration(self, seq: int) -> Configuration | None:
        """A configuration entry by its number (``cfg`` of a poll)."""
        row = self._db.execute(
            "SELECT seq, at, organisation, subject_type, id, body FROM configuration WHERE seq = ?", (seq,)
        ).fetchone()
        return Configuration(*(*row[:-1], json.loads(row[-1]))) if row else None

    def configurations(
        self, organisation: str, subject_type: str = "device", known_seq: int | None = None
    ) -> list[Configuration]:
        """The newest configuration of every device (or of the site), by id."""
        rows = self._db.execute(
            "SELECT max(seq), at, organisation, subject_type, id, body FROM configuration WHERE organisation = ? AND "
            "subject_type = ? AND seq <= ? GROUP BY id ORDER BY id",
            (organisation, subject_type, _bound(known_seq)),
        ).fetchall()
        return [Configuration(*(*row[:-1], json.loads(row[-1]))) for row in rows]

    def configuration_history(
        self, organisation: str, subject_type: str = "device", known_seq: int | None = None, limit: int = 10_000
    ) -> list[Configuration]:
        """Every configuration on record, by id and then oldest first."""
        rows = self._db.execute(
            "SELECT seq, at, organisation, subject_type, id, body FROM configuration WHERE organisation = ? AND "
            "subject_type = ? AND seq <= ? ORDER BY id, seq LIMIT ?",
            (organisation, subject_type, _bound(known_seq), min(limit, MAX_ROWS)),
        ).fetchall()
        return [Configuration(*(*row[:-1], json.loads(row[-1]))) for row in rows]

    def findings(
        self, organisation: str, *, device: str | None = None, from_day: int = 0, limit: int = 1000
    ) -> list[FindingCount]:
        """Counted reading findings, newest day first."""
        rows = self._db.execute(
            "SELECT device, channel, rule, day, count, first_seq, last_seq, first_us, last_us, facts FROM finding "
            "WHERE organisation = ? AND (? IS NULL OR device = ?) AND day >= ? ORDER BY day DESC, device, rule, channel"
            " LIMIT ?",
            (organisation, device, device, from_day, min(limit, MAX_ROWS)),
        ).fetchall()
        return [FindingCount(*(*row[:-1], json.loads(row[-1]))) for row in rows]

    def outcomes(self, organisation: str, *, from_day: int = 0, to_day: int = _ALL) -> dict[tuple[str, str], int]:
        """Slots per (device, outcome) from a UTC day to another, both included."""
        rows = self._db.execute(
            "SELECT device, outcome, sum(count) FROM outcome WHERE organisation = ? AND day >= ? "
            "AND day <= ? GROUP BY device, outcome",
            (organisation, from_day, to_day),
        )
        return {(device, outcome): count for device, outcome, count in rows}

    def presence(self, organisation: str) -> list[Presence]:
        """Where every request group stands, by device."""
        rows = self._db.execute(
            "SELECT device, grp, last_us, missed_since_us, missed FROM presence WHERE organisation = ? "
            "ORDER BY device, grp",
            (organisation,),
        ).fetchall()
        return [Presence(*row) for row in rows]

    def silences(self, organisation: str) -> list[Silence]:
        """Ranges without a reading long enough to matter, by device and start."""
        rows = self._db.execute(
            "SELECT device, from_us, to_us, missed, last_us FROM silence WHERE organisation = ? "
            "ORDER BY device, from_us",
            (organisation,),
        ).fetchall()
        return [Silence(*row) for row in rows]

    def identities(self, organisation: str) -> list[tuple[str, str, int, int, str]]:
        """What devices said of themselves: (device, measurand, since µs, entry, value), by device and time."""
        return [
            (each.device, each.measurand, each.from_us, each.seq, each.value)
            for each in self.identity_spans(organisation)
        ]

    def identity_spans(self, organisation: str) -> list[Identity]:
        """What devices said of themselves and how long, by device, measurand and time."""
        rows = self._db.execute(
            "SELECT device, measurand, from_us, last_us, seq, value FROM identity WHERE organisation = ? "
            "ORDER BY device, measurand, from_us",
            (organisation,),
        ).fetchall()
        return [Identity(*row) for row in rows]


def _bound(known_seq: int | None) -> int:
    return _ALL if known_seq is None else known_seq


def _start(record: Record) -> tuple[int, int]:
    return (record.from_us if record.from_us is not None else -_ALL, record.seq)


def _targets(field: str, value: str) -> list[str]:
    return value.split(";") if field == "standards" else [value]


def _record(row: tuple[Any, ...]) -> Record:
    seq, at, organisation, kind, id_, from_us, to_us, withdrawn, text, actor, reason, source = row
    return Record(
        seq,
        at,
        organisation,
        kind,
        id_,
        from_us,
        to_us,
        bool(withdrawn),
        json.loads(str(text)),
        actor,
        reason,
        source,
    )


def _effective(rows: Iterable[tuple[Any, ...]], as_of_us: int | None) -> list[Record]:
    """Of rows ordered by id and seq, the version that counts for each id: the newest one that covers the instant.

    For kinds with a life of their own the newest version decides altogether.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for row in rows:
        whole = row[3] in WHOLE_LIFE_KINDS
        if whole or as_of_us is None or _covers(row, as_of_us):
            found[row[4]] = row
    records = [_record(row) for row in found.values() if not row[7]]
    return [record for record in records if as_of_us is None or record.holds(as_of_us)]


def _covers(row: tuple[Any, ...], at_us: int) -> bool:
    from_us, to_us = row[5], row[6]
    return (from_us is None or from_us <= at_us) and (to_us is None or at_us < to_us)


def _verdict(row: tuple[Any, ...]) -> Verdict:
    return Verdict(*(*row[:13], json.loads(row[13]), *row[14:]))
