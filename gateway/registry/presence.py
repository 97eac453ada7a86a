"""Whether devices speak: the newest reading of each group, the misses since, and ranges long enough to be a verdict."""

import sqlite3
from collections import defaultdict
from dataclasses import dataclass

from gateway.domain.time import US_PER_S

MISSES_UNTIL_SILENT = 3
"""Consecutive missed slots of a group after which its device, if no other group speaks, counts as silent."""

SILENT_LEAST_US = 60 * US_PER_S
"""How long the misses must last as well: a meter read every second is not silent after three of them."""


@dataclass(slots=True)
class _Group:
    last_us: int = 0
    missed_since_us: int = 0
    missed: int = 0


@dataclass(slots=True)
class _Silence:
    from_us: int
    to_us: int | None
    missed: int
    last_us: int


class PresenceTable:
    """Kept in memory, written back at the end of a batch."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._groups: dict[tuple[str, str], dict[str, _Group]] = defaultdict(dict)
        self._silent: dict[tuple[str, str], _Silence] = {}
        self._changed: set[tuple[str, str, str]] = set()
        self.changes = 0
        """How many silences began or ended since the file was opened."""
        self._ended: list[tuple[tuple[str, str], _Silence]] = []
        for organisation, device, group, *state in connection.execute("SELECT * FROM presence"):
            self._groups[organisation, device][group] = _Group(*state)
        for organisation, device, *silence in connection.execute("SELECT * FROM silence WHERE to_us IS NULL"):
            self._silent[organisation, device] = _Silence(*silence)

    def newest_slot(self, organisation: str, device: str, group: str) -> int:
        """The newest slot with a reading; 0 when there is none."""
        state = self._groups.get((organisation, device), {}).get(group)
        return 0 if state is None else state.last_us

    def heard(self, organisation: str, device: str, group: str, slot_us: int) -> None:
        """A reading of a slot. One older than the misses (sent late) does not end them."""
        key = (organisation, device)
        state = self._groups[key].setdefault(group, _Group())
        self._changed.add((organisation, device, group))
        state.last_us = max(state.last_us, slot_us)
        if state.missed_since_us and slot_us < state.missed_since_us:
            return
        state.missed_since_us = state.missed = 0
        silence = self._silent.get(key)
        if silence is not None and slot_us >= silence.from_us:
            silence.to_us = slot_us
            self.changes += 1
            self._ended.append((key, self._silent.pop(key)))

    def missed(self, organisation: str, device: str, group: str, slot_us: int) -> None:
        """A slot without a reading."""
        key = (organisation, device)
        groups = self._groups[key]
        state = groups.setdefault(group, _Group())
        self._changed.add((organisation, device, group))
        state.missed_since_us = state.missed_since_us or slot_us
        state.missed += 1
        silence = self._silent.get(key)
        if silence is not None:
            silence.missed += 1
        elif state.missed >= MISSES_UNTIL_SILENT and slot_us - state.missed_since_us >= SILENT_LEAST_US:
            last_us = max(each.last_us for each in groups.values())
            starts = [each.missed_since_us for each in groups.values() if each.missed_since_us > last_us]
            if starts and state.missed_since_us > last_us:
                missed = sum(each.missed for each in groups.values() if each.missed_since_us > last_us)
                self.changes += 1
                self._silent[key] = _Silence(min(starts), None, missed, last_us)

    def flush(self) -> None:
        """Write what changed."""
        self._db.executemany(
            "INSERT OR REPLACE INTO presence VALUES (?, ?, ?, ?, ?, ?)",
            [
                (organisation, device, group, state.last_us, state.missed_since_us, state.missed)
                for organisation, device, group in sorted(self._changed)
                for state in (self._groups[organisation, device][group],)
            ],
        )
        self._changed.clear()
        open_ranges = list(self._silent.items())
        self._db.executemany(
            "INSERT OR REPLACE INTO silence VALUES (?, ?, ?, ?, ?, ?)",
            [
                (*key, silence.from_us, silence.to_us, silence.missed, silence.last_us)
                for key, silence in [*self._ended, *open_ranges]
            ],
        )
        self._ended.clear()
