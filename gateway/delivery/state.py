"""What a courier must remember: its cursor, the points a sink refused, what was verified, and how it is doing.

One small SQLite file a sink, ``state/courier-<sink>.sqlite``. It is local state, no evidence: lost, the courier begins
again and writes what is there already.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.delivery.port import Point

_BUSY_S = 10.0
MAX_DEAD_LETTERS = 1_000_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS cursor (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS dead_letter (
  device TEXT NOT NULL, grp TEXT NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL,
  line BLOB NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL,
  PRIMARY KEY (device, grp, at, seq)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS verified (
  start INTEGER NOT NULL, stop INTEGER NOT NULL, device TEXT NOT NULL, grp TEXT NOT NULL,
  rows INTEGER NOT NULL, seq_sum TEXT NOT NULL, equal INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (start, stop, device, grp)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
"""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A point the sink refused for good. ``since_us`` is when; the reading itself is in the journal as ever."""

    device: str
    group: str
    at_us: int
    seq: int
    line: bytes
    reason: str
    since_us: int


@dataclass(frozen=True, slots=True)
class Verified:
    """What a read-back found for a series and window: rows and sum of entry numbers there, and whether they agree."""

    start_us: int
    end_us: int
    device: str
    group: str
    rows: int
    seq_sum: int
    equal: bool
    at_us: int


class CourierState:
    """The state file of one sink; written by its courier, readable by others meanwhile."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
        mode = "ro" if read_only else "rwc"
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=_BUSY_S,
        )
        if not read_only:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_SCHEMA)

    @property
    def seq(self) -> int:
        """Every entry up to this one is settled: written, or in the dead letters."""
        found = self._connection.execute("SELECT seq FROM cursor").fetchone()
        return int(found[0]) if found else 0

    def settle(self, seq: int, refused: Sequence[tuple[Point, str]], now_us: int) -> None:
        """Move the cursor and keep what was refused, in one transaction."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        self.bury(refused, now_us)
        connection.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?)", (seq,))
        connection.execute("COMMIT")

    def bury(self, refused: Sequence[tuple[Point, str]], now_us: int) -> None:
        """Keep points the sink refuses for good; the oldest give way beyond a million."""
        if not refused:
            return
        self._connection.executemany(
            "INSERT OR REPLACE INTO dead_letter VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(p.device, p.group, p.at_us, p.seq, p.line, reason, now_us) for p, reason in refused],
        )
        over = self.dead_count() - MAX_DEAD_LETTERS
        if over > 0:  # the journal still has every reading; reconciling finds them again
            self._connection.execute(
                "DELETE FROM dead_letter WHERE (device, grp, at, seq) IN"
                " (SELECT device, grp, at, seq FROM dead_letter ORDER BY since LIMIT ?)",
                (over,),
            )

    def revive(self, points: Iterable[Point]) -> None:
        """Forget dead letters that were written after all."""
        self._connection.executemany(
            "DELETE FROM dead_letter WHERE device = ? AND grp = ? AND at = ? AND seq = ?",
            [(p.device, p.group, p.at_us, p.seq) for p in points],
        )

    def dead_count(self) -> int:
        """How many dead letters there are."""
        return int(self._connection.execute("SELECT count(*) FROM dead_letter").fetchone()[0])

    def dead_letters(self, limit: int = 1_000) -> list[DeadLetter]:
        """Dead letters, newest first."""
        rows = self._connection.execute(
            "SELECT device, grp, at, seq, line, reason, since FROM dead_letter ORDER BY since DESC, at LIMIT ?",
            (limit,),
        )
        return [DeadLetter(*row) for row in rows]

    def dead_keys(self, device: str, group: str, start_us: int, end_us: int) -> dict[int, int]:
        """Entry number by time (µs) of the dead letters of a series in a span."""
        rows = self._connection.execute(
            "SELECT at, seq FROM dead_letter WHERE device = ? AND grp = ? AND at >= ? AND at < ?",
            (device, group, start_us, end_us),
        )
        return dict(rows.fetchall())

    def verify(self, found: Iterable[Verified]) -> None:
        """Keep the results of a read-back."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO verified VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(v.start_us, v.end_us, v.device, v.group, v.rows, str(v.seq_sum), int(v.equal), v.at_us) for v in found],
        )

    def verified(self, start_us: int, end_us: int) -> list[Verified]:
        """Read-back results of windows inside a span."""
        rows = self._connection.execute(
            "SELECT start, stop, device, grp, rows, seq_sum, equal, at FROM verified WHERE start >= ? AND stop <= ?",
            (start_us, end_us),
        )
        return [Verified(r[0], r[1], r[2], r[3], r[4], int(r[5]), bool(r[6]), r[7]) for r in rows]

    def last_verified_us(self) -> int | None:
        """The beginning of the newest whole day that was read back; None before the first."""
        found = self._connection.execute("SELECT max(start) FROM verified WHERE stop - start = 86400000000").fetchone()
        return None if found[0] is None else int(found[0])

    def note(self, name: str, value: Mapping[str, object]) -> None:
        """Keep a small JSON value under a name (status, learned limits)."""
        self._connection.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, json.dumps(value)))

    def noted(self, name: str) -> dict[str, object]:
        """The value under a name; empty when there is none."""
        found = self._connection.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return dict(json.loads(found[0])) if found else {}

    def close(self) -> None:
        """Close the file; idempotent."""
        self._connection.close()
