"""Building every projection again from the journal, beside the live files, and putting the new ones in their place.

Readers go on with the old files until the new ones are whole; a rebuild that is interrupted leaves them untouched.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Self

from gateway.assembly.projecting import Projection
from gateway.assembly.upkeep import SeriesUpkeep
from gateway.domain.errors import DataFolderError
from gateway.journal.folder import DataFolder, sync_folder
from gateway.ports import Clock
from gateway.series.store import SeriesStore

BESIDE = "rebuild"
_BUSY_S = 30.0


class FolderBeside(DataFolder):
    """The same folder, with its projections under ``state/rebuild``."""

    __slots__ = ()

    @classmethod
    def of(cls, folder: DataFolder) -> Self:
        """Beside a folder."""
        return cls(**{field.name: getattr(folder, field.name) for field in fields(DataFolder)})

    @contextmanager
    def swept(self) -> Iterator[Self]:
        """Nothing of an earlier attempt lies there, and nothing stays: what failed on a full disk must not fill it."""
        self.sweep()
        try:
            yield self
        finally:
            self.sweep()

    def sweep(self) -> None:
        """Remove what lies there. Hold the lock ``project`` around it."""
        shutil.rmtree(self.beside, ignore_errors=True)

    @property
    def beside(self) -> Path:
        """Where the new files grow."""
        return self.state / BESIDE

    @property
    def series(self) -> Path:
        """Monthly series files."""
        return self.beside / "series"

    @property
    def registry(self) -> Path:
        """The registry."""
        return self.beside / "registry.sqlite"

    @property
    def settlement(self) -> Path:
        """Intervals and roll-ups."""
        return self.beside / "settlement.sqlite"


def rebuild(folder: DataFolder, clock: Clock, progress: Callable[[int, int], None]) -> int:
    """Build all projections again; how many entries went in. Hold the lock ``project`` around it.

    ``progress`` is told the entries done and their number now and then.
    """
    with FolderBeside.of(folder).swept() as beside:
        projection = Projection(beside, clock)
        try:
            head = projection.head_seq()
            while projection.step().applied:
                progress(min(projection.projector.applied_seq(), head), head)
            count = projection.projector.applied_seq()
            upkeep = SeriesUpkeep(beside, projection.projector)
            try:
                while upkeep.step():
                    pass
            finally:
                upkeep.close()
        finally:
            projection.close()
        _put_in_place(beside, folder)
        return count


def _put_in_place(beside: FolderBeside, folder: DataFolder) -> None:
    """Each file takes its place in one transaction of its own, so that a reader sees the old or the new, never half.

    Whatever stops this in the middle leaves files that are each whole; what is not yet replaced is the old projection.
    """
    _swap_series(beside.series, folder)
    swap(beside.settlement, folder.settlement)
    swap(beside.registry, folder.registry)
    sync_folder(folder.series)
    sync_folder(folder.path)


def _swap_series(rebuilt: Path, folder: DataFolder) -> None:
    """Month by month, the newest first: that is what people look at. The index with the cursor comes last."""
    months = sorted((path.stem for path in rebuilt.glob("????-??.sqlite")), reverse=True)
    unusable = []
    try:
        live = SeriesStore(folder.series, organisation=folder.organisation)
    except DataFolderError:
        unusable = months
    else:
        try:
            for name in months:
                try:
                    live.replace_month(name, rebuilt)
                except sqlite3.OperationalError:
                    raise  # a full disk or a held lock says nothing about the old file
                except (DataFolderError, sqlite3.DatabaseError):
                    unusable.append(name)
        finally:
            live.close()
    for name in unusable:
        _put(rebuilt / f"{name}.sqlite", folder.series / f"{name}.sqlite")
    for path in folder.series.glob("????-??.sqlite"):
        if path.stem not in months:
            _remove(path)
    swap(rebuilt / "index.sqlite", folder.series / "index.sqlite")


def swap(rebuilt: Path, live: Path) -> None:
    """Copy a database over another in one transaction; a file that cannot take it gives way."""
    try:
        with (
            closing(sqlite3.connect(f"{rebuilt.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(live, timeout=_BUSY_S)) as target,
        ):
            source.backup(target)
    except sqlite3.OperationalError:
        raise  # as above
    except sqlite3.DatabaseError:
        _put(rebuilt, live)


def _put(rebuilt: Path, live: Path) -> None:
    _remove(live)
    rebuilt.replace(live)


def _remove(path: Path) -> None:
    """A database file with its write-ahead log, which belongs to no other file."""
    for suffix in ("-wal", "-shm", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
