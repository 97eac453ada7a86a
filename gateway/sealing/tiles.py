"""The tree's hashes on disk, in the layout of c2sp.org/tlog-tiles: ``tile/<L>/<N>[.p/<W>]``, 256 hashes a full tile."""

import os
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from gateway.domain.errors import JournalError
from gateway.journal.folder import make_folder, sync_folder
from gateway.sealing.tree import HASH_BYTES, perfect_root

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
CACHED_TILES = 1024


def tile_name(level: int, number: int, width: int = TILE_WIDTH) -> str:
    """The path below ``tile/``: ``0/x001/x234/067`` or, with its width when partial, ``0/000.p/17``."""
    parts = [f"{number % 1000:03d}"]
    rest = number // 1000
    while rest:
        parts.append(f"x{rest % 1000:03d}")
        rest //= 1000
    suffix = "" if width == TILE_WIDTH else f".p/{width}"
    return f"{level}/{'/'.join(reversed(parts))}{suffix}"


def widths(size: int) -> list[tuple[int, int, int]]:
    """The last tile of every level of a tree: (level, number of full tiles, width of the partial tile or 0)."""
    found = []
    level = 0
    while size >> (TILE_HEIGHT * level):
        count = size >> (TILE_HEIGHT * level)
        found.append((level, count // TILE_WIDTH, count % TILE_WIDTH))
        level += 1
    return found


class TileStore:
    """Tiles below one folder. Full tiles never change once written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._cache: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def write(self, level: int, number: int, hashes: Iterable[bytes]) -> None:
        """Write one tile durably, full or partial; a full one removes its partial predecessors."""
        content = b"".join(hashes)
        width = len(content) // HASH_BYTES
        path = self.folder / tile_name(level, number, width)
        make_folder(path.parent)
        write_durably(path, content)
        if width == TILE_WIDTH:
            partial = path.with_name(path.name + ".p")
            if partial.is_dir():
                for each in partial.iterdir():
                    each.unlink()
                partial.rmdir()

    def read(self, level: int, number: int, width: int) -> bytes:
        """The first ``width`` hashes of a tile, from the full file or a partial one at least that wide."""
        cached = self._cache.get((level, number))
        if cached is not None and len(cached) >= width * HASH_BYTES:
            self._cache.move_to_end((level, number))
            return cached[: width * HASH_BYTES]
        content = self._load(level, number, width)
        self._cache[level, number] = content
        if len(self._cache) > CACHED_TILES:
            self._cache.popitem(last=False)
        return content[: width * HASH_BYTES]

    def _load(self, level: int, number: int, width: int) -> bytes:
        full = self.folder / tile_name(level, number)
        candidates = [full, self.folder / tile_name(level, number, width)] if width < TILE_WIDTH else [full]
        for path in candidates:
            if path.is_file():
                content = path.read_bytes()
                if len(content) >= width * HASH_BYTES and len(content) % HASH_BYTES == 0:
                    return content
                raise JournalError("the tile %(path)s is damaged; restore it from a backup", path=str(path))
        raise JournalError("the tile %(path)s is missing; restore it from a backup", path=str(full))


class TileReader:
    """Subtree roots of a tree of ``size`` leaves out of its tiles."""

    def __init__(self, store: TileStore, size: int) -> None:
        self._store = store
        self._size = size

    def subtree(self, height: int, index: int) -> bytes:
        """MTH of leaves ``[index * 2**height, (index + 1) * 2**height)``; all of them must be inside the tree."""
        level, within = divmod(height, TILE_HEIGHT)
        first = index << within
        number, offset = divmod(first, TILE_WIDTH)
        available = (self._size >> (TILE_HEIGHT * level)) - number * TILE_WIDTH
        tile = self._store.read(level, number, min(TILE_WIDTH, available))
        count = 1 << within
        hashes = [tile[at * HASH_BYTES : (at + 1) * HASH_BYTES] for at in range(offset, offset + count)]
        return perfect_root(hashes)


def write_durably(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write beside, sync, rename, sync the folder: after a power loss the file is whole or absent."""
    temporary = path.with_name(path.name + ".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
