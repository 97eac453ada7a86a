"""Building every projection again from the journal, beside the live files, and putting the new ones in their place.

Readers go on with the old files until the new ones are whole; a rebuild that is interrupted leaves them untouched.
"""

import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from gateway.assembly.projecting import Projection
from gateway.assembly.upkeep import SeriesUpkeep
from gateway.journal.folder import DataFolder, sync_folder
from gateway.ports import Clock

BESIDE = "rebuild"


class FolderBeside(DataFolder):
    """The same folder, with its projections under ``state/rebuild``."""

    __slots__ = ()

    @classmethod
    def of(cls, folder: DataFolder) -> "FolderBeside":
        """Beside a folder."""
        return cls(**{field.name: getattr(folder, field.name) for field in fields(DataFolder)})

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
    beside = FolderBeside.of(folder)
    shutil.rmtree(beside.beside, ignore_errors=True)
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
    """Every file is replaced whole; write-ahead logs of the old ones go first, they belong to no file any more."""
    for path in (
        *folder.series.glob("*.sqlite-*"),
        *folder.path.glob("settlement.sqlite-*"),
        *folder.path.glob("registry.sqlite-*"),
    ):
        path.unlink(missing_ok=True)
    new = {path.name for path in beside.series.glob("*.sqlite")}
    for path in folder.series.glob("*.sqlite"):
        if path.name not in new:
            path.unlink()
    for name in sorted(new):
        (beside.series / name).replace(folder.series / name)
    beside.settlement.replace(folder.settlement)
    beside.registry.replace(folder.registry)
    sync_folder(folder.series)
    sync_folder(folder.path)
    shutil.rmtree(beside.beside, ignore_errors=True)
