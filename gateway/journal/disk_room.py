"""Telling a full disk from a broken one: the first is mended by making room, and no file is damaged."""

import shutil
import sqlite3
from pathlib import Path

from gateway.domain.errors import DiskFullError

LEAST_FREE_BYTES = 2**20
"""With less than this free SQLite cannot even make the file its readers share, and calls that an input/output error."""


def refuse_full_disk(path: Path, error: sqlite3.Error) -> None:
    """Raise DiskFullError where a full disk is what made ``error``; come back where it is something else."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _free_bytes(path) < LEAST_FREE_BYTES):
        raise DiskFullError(
            "no room left for %(path)s: collection stops, nothing acknowledged is lost; make room and start again",
            path=str(path),
        ) from error


def _free_bytes(path: Path) -> int:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return LEAST_FREE_BYTES
