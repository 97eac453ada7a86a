"""Copies that can be trusted: taken while the gateway works, verified at once, verified again before they are restored.

Projections are left out: they are built again from the journal. The private key is left out unless asked for.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gateway.domain.errors import DataFolderError
from gateway.journal import schema
from gateway.journal.folder import DataFolder, sync_folder
from gateway.sealing.history import History
from gateway.sealing.tiles import write_durably
from gateway.verifier.checkpoints import Options
from gateway.verifier.folder import FolderCheck
from gateway.verifier.report import Report

PASSES = 5
COPIED_WHOLE = ("archive", "blobs", "seal/tile")


def back_up(folder: DataFolder, target: Path, *, with_key: bool = False) -> Report:
    """Copy everything that is truth into ``target`` and verify the copy; what does not verify is in the report.

    Raises:
        DataFolderError: the target is neither new nor empty nor an earlier backup of this folder, or cannot be written.
    """
    with _writing(target), folder.hold_lock("archive"):  # no day is closed while entries may be in two places
        _check_target(folder, target)
        _copy_checkpoints(folder, target)
        for name in COPIED_WHOLE:
            _copy_tree(folder.path / name, target / name)
        shutil.copyfile(folder.seal / "key.pub", target / "seal" / "key.pub")
        if with_key:
            write_durably(target / "seal" / "key", (folder.seal / "key").read_bytes(), mode=0o600)
        for name in ("journal.sqlite", "auth.sqlite"):
            if (folder.path / name).is_file():
                _copy_database(folder.path / name, target / name)
        sync_folder(target)
    return verify(target)


def restore(source: Path, target: Path, *, replace: bool = False) -> Report:
    """Verify a backup, copy it beside ``target``, verify the copy, then put it in place.

    An existing folder is replaced only when asked, only by a copy of the same log that is not shorter, and is kept as
    ``<target>.replaced``. A report with problems means that nothing was changed.
    """
    report = verify(source)
    if not report.ok:
        return report
    beside, kept = target.with_name(target.name + ".restoring"), target.with_name(target.name + ".replaced")
    occupied = target.is_dir() and any(target.iterdir())
    with _writing(target), ExitStack() as stack:
        if occupied:
            _may_replace(source, target, kept, replace, stack)
        if beside.exists():
            shutil.rmtree(beside)
        for name in (*COPIED_WHOLE, "seal/checkpoints"):
            _copy_tree(source / name, beside / name)
        for name in ("seal/checkpoint", "seal/key.pub"):
            shutil.copyfile(source / name, beside / name)
        if (source / "seal" / "key").is_file():
            write_durably(beside / "seal" / "key", (source / "seal" / "key").read_bytes(), mode=0o600)
        for name in ("journal.sqlite", "auth.sqlite"):
            if (source / name).is_file():
                _copy_database(source / name, beside / name)
        copy = verify(beside)
        if not copy.ok:
            return copy
        if occupied:
            target.rename(kept)
        elif target.exists():
            target.rmdir()
        beside.rename(target)
        sync_folder(target.absolute().parent)
    return copy


def copy_archive(folder: DataFolder, target: Path) -> Report:
    """Copy the closed days with the tree to a folder or USB stick; it verifies there without the hot journal."""
    with _writing(target), folder.hold_lock("archive"):
        _check_target(folder, target)
        _copy_checkpoints(folder, target)
        for name in COPIED_WHOLE:
            _copy_tree(folder.path / name, target / name)
        shutil.copyfile(folder.seal / "key.pub", target / "seal" / "key.pub")
        sync_folder(target)
    return verify(target)


def verify(path: Path) -> Report:
    """Run the stand-alone verifier over a folder."""
    report = Report()
    report.about["path"] = str(path)
    FolderCheck(path, report, Options()).run()
    return report


def _check_target(folder: DataFolder, target: Path) -> None:
    if target.absolute() == folder.path.absolute():
        raise DataFolderError("%(path)s is the data folder itself; name another folder", path=str(target))
    if target.is_dir() and any(target.iterdir()):
        note = History(target / "seal").latest()
        if note is None or note.text.split("\n", 1)[0] != folder.origin:
            raise DataFolderError(
                "%(path)s is not empty and no earlier copy of this data folder; name another folder", path=str(target)
            )
    (target / "seal").mkdir(parents=True, exist_ok=True)


def _copy_checkpoints(folder: DataFolder, target: Path) -> None:
    """Checkpoints first: what they need is then certainly in the tiles and the journal copied after them."""
    history = History(folder.seal)
    numbers = history.numbers()
    copied = target / "seal" / "checkpoints"
    copied.mkdir(exist_ok=True)
    for path in copied.iterdir():
        if not path.name.isdigit() or int(path.name) not in numbers:
            path.unlink()  # archived since the last backup
    for number in numbers:
        shutil.copyfile(history.path(number), copied / f"{number:08d}")
    if numbers:
        shutil.copyfile(history.path(numbers[-1]), target / "seal" / "checkpoint")


def _copy_tree(source: Path, target: Path) -> None:
    """Copy files that never change once whole; again when the sealer replaced some meanwhile."""
    target.mkdir(parents=True, exist_ok=True)
    for _ in range(PASSES):
        try:
            wanted = {
                path.relative_to(source) for path in source.rglob("*") if path.is_file() and path.suffix != ".tmp"
            }
            for name in sorted(wanted):
                if not (target / name).is_file() or (target / name).stat().st_size != (source / name).stat().st_size:
                    (target / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source / name, target / name)
        except FileNotFoundError:
            continue
        for path in [path for path in target.rglob("*") if path.is_file()]:
            if path.relative_to(target) not in wanted:
                path.unlink()
        return
    raise DataFolderError("%(path)s kept changing while it was copied; try again", path=str(source))


def _copy_database(source: Path, target: Path) -> None:
    """A consistent copy through SQLite, also of a database at work."""
    temporary = target.with_name(target.name + ".tmp")
    temporary.unlink(missing_ok=True)
    with schema.mapped_errors(source):
        origin = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
        copy = sqlite3.connect(temporary)
        try:
            origin.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        finally:
            origin.close()
            copy.close()
    temporary.replace(target)


def _may_replace(source: Path, target: Path, kept: Path, replace: bool, stack: ExitStack) -> None:
    if not replace:
        raise DataFolderError("%(path)s is not empty; give --replace to put it aside", path=str(target))
    if kept.exists():
        raise DataFolderError("%(path)s exists already; remove it first", path=str(kept))
    folder, backup = DataFolder.open(target), DataFolder.open(source, read_only=True)
    for name in ("collect", "project", "archive"):
        stack.enter_context(folder.hold_lock(name))
    if folder.origin != backup.origin:
        raise DataFolderError(
            "%(path)s holds another log (%(found)s); name another folder", path=str(target), found=folder.origin
        )
    mine, theirs = History(target / "seal").latest(), History(source / "seal").latest()
    sizes = [int(note.text.split("\n")[1]) if note else 0 for note in (mine, theirs)]
    if sizes[0] > sizes[1]:
        raise DataFolderError(
            "%(path)s has sealed %(size)s entries, the backup only %(old)s: restoring it would lose entries for which"
            " checkpoints exist; restore into another folder",
            path=str(target),
            size=str(sizes[0]),
            old=str(sizes[1]),
        )


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataFolderError(
            "%(path)s cannot be written: %(reason)s", path=str(target), reason=error.strerror or str(error)
        ) from error
