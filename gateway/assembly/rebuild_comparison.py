"""Do the ledger and the settled intervals still say what the journal gives? Built again beside, compared row by row.

The verifier answers for the entries and the readings. Registry and settlement are what pages and reports are read from,
nobody signs them, and whoever can write in the data folder can change a number there: here it is named.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gateway.assembly.rebuilding import FolderBeside
from gateway.assembly.rebuilding_facts import (
    FACT_KINDS,
    REGISTRY_FROM_READINGS,
    SETTLEMENT_FROM_READINGS,
    FactsBeside,
    build_beside,
    common_end,
)
from gateway.domain.errors import DataFolderError
from gateway.journal.archive import PRUNED_ACTION
from gateway.journal.disk_room import refuse_full_disk
from gateway.journal.folder import DataFolder

WORK_IN_HAND = frozenset({"meta", "heard", "dirty"})
"""Tables that say how far the work is, and nothing that anybody reads."""
FROM_READINGS = frozenset((*REGISTRY_FROM_READINGS, *SETTLEMENT_FROM_READINGS))
MAX_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDifference:
    """A table that is not what the journal gives: how many of its rows it does not give, how many are missing, and the
    first of either as ``column=value``."""

    file: str
    table: str
    foreign: int
    missing: int
    foreign_rows: tuple[str, ...]
    missing_rows: tuple[str, ...]


def compare(
    folder: DataFolder, progress: Callable[[int, int], None], *, facts: bool
) -> tuple[int, list[TableDifference]]:
    """The entry compared up to, and every table that differs. Hold the lock ``project`` around it; nothing is changed.

    ``facts``: leave out what comes from readings, which takes a look at every poll; it is left out, too, where readings
    were pruned and can give nothing any more.
    """
    last = common_end(folder)
    if last is None:
        raise DataFolderError("%(path)s cannot be compared: run 'meterproof rebuild'", path=str(folder.path))
    try:
        with (FactsBeside if facts else FolderBeside).of(folder).swept() as beside:
            build_beside(beside, last, FACT_KINDS if facts else None, progress)
            left_out = WORK_IN_HAND | FROM_READINGS if facts or _pruned(beside.registry) else WORK_IN_HAND
            pairs = ((folder.registry, beside.registry), (folder.settlement, beside.settlement))
            return last, [each for live, new in pairs for each in _differences(live, new, left_out)]
    except sqlite3.Error as error:
        refuse_full_disk(folder.registry, error)
        raise DataFolderError(
            "%(path)s cannot be used: %(reason)s; run 'meterproof rebuild'", path=str(folder.path), reason=str(error)
        ) from error


def _pruned(registry: Path) -> bool:
    with closing(sqlite3.connect(f"{registry.absolute().as_uri()}?mode=ro", uri=True)) as db:
        return db.execute("SELECT 1 FROM event WHERE action = ? LIMIT 1", (PRUNED_ACTION,)).fetchone() is not None


def _differences(live: Path, new: Path, left_out: frozenset[str]) -> Iterator[TableDifference]:
    with closing(sqlite3.connect(f"{live.absolute().as_uri()}?mode=ro", uri=True)) as db:
        db.execute("ATTACH ? AS new", (f"{new.absolute().as_uri()}?mode=ro",))
        tables = "SELECT name FROM main.sqlite_master WHERE type = 'table' UNION "
        tables += "SELECT name FROM new.sqlite_master WHERE type = 'table' ORDER BY 1"
        for (name,) in db.execute(tables).fetchall():
            if name in left_out:
                continue
            foreign, foreign_rows = _only_in(db, "main", "new", name)
            missing, missing_rows = _only_in(db, "new", "main", name)
            if foreign or missing:
                yield TableDifference(
                    file=live.name,
                    table=name,
                    foreign=foreign,
                    missing=missing,
                    foreign_rows=foreign_rows,
                    missing_rows=missing_rows,
                )


def _only_in(db: sqlite3.Connection, one: str, other: str, table: str) -> tuple[int, tuple[str, ...]]:
    rows = db.execute(f'SELECT * FROM {one}."{table}" EXCEPT SELECT * FROM {other}."{table}"')  # noqa: S608  # names of tables
    names = [each[0] for each in rows.description]
    count, named = 0, []
    for row in rows:
        count += 1
        if count <= MAX_NAMED:
            named.append(" ".join(f"{name}={value}" for name, value in zip(names, row, strict=True)))
    return count, tuple(named)
