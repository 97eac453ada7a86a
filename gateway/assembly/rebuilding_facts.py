"""Registry and intervals built again from facts alone, without a look at a single poll.

A plant brings a million polls a day and a few thousand facts; an upgrade that changes how the ledger or intervals are
kept must not stop it for a day. What the two files learned from readings (outcomes, findings, silences, identities,
where each group stands, weighing tickets of devices) is carried over table by table, and only where both versions keep
it alike. The series stay as they are.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from gateway.assembly.projecting import load_plan
from gateway.assembly.rebuilding import FolderBeside, swap
from gateway.domain.errors import DataFolderError
from gateway.domain.ledger import LEDGER_KINDS
from gateway.journal.folder import DataFolder, sync_folder
from gateway.journal.journal import Journal
from gateway.projection.projector import BATCH_BYTES, BATCH_ENTRIES, Projector
from gateway.registry.writing import EVENT_KINDS
from gateway.series.store import SeriesStore
from gateway.settlement.entered import ENTERED_KINDS

FACT_KINDS = frozenset({*LEDGER_KINDS, *EVENT_KINDS, *ENTERED_KINDS, "verdict", "configuration", "settlement"})
REGISTRY_FROM_READINGS = ("recorded", "finding", "outcome", "presence", "silence", "identity")
SETTLEMENT_FROM_READINGS = ("heard", "dirty", "batch", "batch_refused")


class FactsBeside(FolderBeside):
    """The folder with its own series, and registry and settlement beside."""

    __slots__ = ()

    @property
    def series(self) -> Path:
        """The live series: they are not built again."""
        return self.path / "series"


def rebuild_from_facts(folder: DataFolder, progress: Callable[[int, int], None]) -> int | None:
    """Build registry and intervals again; how many facts went in. Hold the lock ``project`` around it.

    None when that is not possible (a file is damaged, the three stores ended at different entries, or a table that
    comes from readings is kept differently now): then everything has to be built again. ``progress`` is told the
    entry reached and the one to reach, now and then.
    """
    last = common_end(folder)
    if last is None:
        return None
    with FactsBeside.of(folder).swept() as beside:
        count = build_beside(
            beside,
            last,
            FACT_KINDS,
            progress,
            only_if=lambda: (
                _kept_alike(folder.registry, beside.registry, REGISTRY_FROM_READINGS)
                and _kept_alike(folder.settlement, beside.settlement, SETTLEMENT_FROM_READINGS)
            ),
        )
        if count is None:
            return None
        _carry_over(folder.registry, beside.registry, (*REGISTRY_FROM_READINGS, "meta"))
        _carry_over(folder.settlement, beside.settlement, (*SETTLEMENT_FROM_READINGS, "meta"))
        swap(beside.settlement, folder.settlement)
        swap(beside.registry, folder.registry)
        sync_folder(folder.path)
        return count


def build_beside(
    beside: FolderBeside,
    last: int,
    kinds: frozenset[str] | None,
    progress: Callable[[int, int], None],
    *,
    only_if: Callable[[], bool] = lambda: True,
) -> int | None:
    """Apply the entries of some kinds (None: all) up to ``last`` to new files in a swept folder; how many went in.

    None where ``only_if``, asked once the empty files stand, says no.
    """
    with closing(Journal.open(beside, read_only=True)) as journal:
        projector = Projector(beside, journal, load_plan)
        count = after = 0
        try:
            if not only_if():
                return None
            while page := journal.read(after, BATCH_ENTRIES, kinds, max_bytes=BATCH_BYTES):
                wanted = [entry for entry in page if entry.seq <= last]
                if wanted:
                    projector.apply(wanted)
                    count += len(wanted)
                if len(wanted) < len(page):
                    break
                after = page[-1].seq
                progress(after, last)
        finally:
            projector.close()
    return count


def common_end(folder: DataFolder) -> int | None:
    """The entry up to which series, registry and settlement all are; None when they are not at the same one."""
    try:
        store = SeriesStore(folder.series, organisation=folder.organisation, read_only=True)
        try:
            ends = {store.applied_seq()}
        finally:
            store.close()
        for path in (folder.registry, folder.settlement):
            with _read(path) as db:
                ends.update(seq for (seq,) in db.execute("SELECT value FROM meta WHERE name = 'applied'"))
    except (DataFolderError, sqlite3.Error):
        return None
    return ends.pop() if len(ends) == 1 else None


def _kept_alike(old: Path, new: Path, tables: Sequence[str]) -> bool:
    try:
        return _columns(old, tables) == _columns(new, tables)
    except sqlite3.Error:
        return False


def _columns(path: Path, tables: Sequence[str]) -> Mapping[str, list[tuple[object, ...]]]:
    with _read(path) as db:
        return {name: db.execute("SELECT * FROM pragma_table_info(?)", (name,)).fetchall() for name in tables}


def _carry_over(old: Path, new: Path, tables: Sequence[str]) -> None:
    with closing(sqlite3.connect(new, isolation_level=None)) as db:
        db.execute("ATTACH ? AS old", (str(old),))
        db.execute("BEGIN IMMEDIATE")
        for name in tables:
            db.execute(f"DELETE FROM main.{name}")  # noqa: S608  # names of this module
            db.execute(f"INSERT INTO main.{name} SELECT * FROM old.{name}")  # noqa: S608
        db.execute("COMMIT")


def _read(path: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True))
