"""Files somebody handed in and has not confirmed yet: kept by hash for a while, a few of them, never evidence."""

import re
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from gateway.domain.errors import UnknownObjectError
from gateway.journal.folder import DataFolder

MAX_STAGED = 40
MAX_STAGED_BYTES = 256 * 2**20
MAX_NAME = 120
_DIGEST = re.compile(r"^[0-9a-f]{64}\Z")


def keep(folder: DataFolder, content: bytes) -> str:
    """Keep a file; its SHA-256. The oldest ones make room."""
    place = _place(folder)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = sha256(content).hexdigest()
    path = place / digest
    if path.is_file():
        path.touch()
        return digest
    partial = place / f"{digest}.part"
    partial.write_bytes(content)
    partial.replace(path)
    _make_room(place, digest)
    return digest


def kept(folder: DataFolder, digest: str) -> bytes:
    """A file again; UnknownObjectError when it had to make room or never was."""
    path = _place(folder) / digest
    if _DIGEST.match(digest):
        with suppress(OSError):
            return path.read_bytes()
    raise UnknownObjectError("the file handed in is no longer here; hand it in again")


def shown_name(name: str | None) -> str:
    """A file name as entries and pages may carry it."""
    plain = re.sub(r"[^\w.\-()\[\] ]", "_", (name or "").replace("\\", "/").rsplit("/", 1)[-1])
    return plain.strip()[-MAX_NAME:] or "file"


def _place(folder: DataFolder) -> Path:
    return folder.state / "handed-in"


def _make_room(place: Path, newest: str) -> None:
    files = sorted((each for each in place.iterdir() if each.is_file()), key=lambda each: -each.stat().st_mtime_ns)
    size = 0
    for number, path in enumerate(files):
        size += path.stat().st_size
        if path.name != newest and (number >= MAX_STAGED or size > MAX_STAGED_BYTES):
            path.unlink(missing_ok=True)
