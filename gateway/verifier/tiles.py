"""The tree's files (c2sp.org/tlog-tiles): every one of them must be what the entries give."""

from pathlib import Path

from gateway.verifier.merkle import TILE, TreeWalk
from gateway.verifier.report import Report

HASH = 32


class TileCheck:
    """Grows the tree leaf by leaf and compares each tile on disk when its hashes are known.

    Up to ``sealed`` entries (the newest checkpoint) a tile must be there; beyond, a crash may have left it early.
    """

    def __init__(self, root: Path, report: Report) -> None:
        self._root = root
        self._folder = root / "seal" / "tile"
        self._report = report
        self.walk = TreeWalk(self._full)
        self.sealed = 0
        self._seen: set[Path] = set()
        self._cached: tuple[int, bytes] = (-1, b"")

    def leaf(self, index: int) -> bytes:
        """What the tiles say the hash of a leaf is; zeros when they do not say."""
        number, at = divmod(index, TILE)
        if self._cached[0] != number:
            self._cached = (number, self._stored(number))
        return self._cached[1][at * HASH : (at + 1) * HASH] or bytes(HASH)

    def at_checkpoint(self) -> None:
        """The walk stands at the size of a checkpoint: its partial tiles must be here until they are full."""
        for level, hashes in enumerate(self.walk.tiles):
            number = self.walk.size >> (8 * (level + 1))
            if not hashes or (number + 1) << (8 * (level + 1)) <= self.sealed:
                continue  # empty, or full by now
            path = self._path(level, number, len(hashes))
            if path.is_file():
                self._compare(path, b"".join(hashes))
            elif not self._path(level, number).is_file():
                self._report.broken("tile.missing", self._name(path))

    def finish(self) -> None:
        """All entries have passed: look at the growing edge, then for files that do not belong here."""
        for level, hashes in enumerate(self.walk.tiles):
            self._partials(self._path(level, self.walk.size >> (8 * (level + 1))), b"".join(hashes))
        for path in sorted(self._folder.rglob("*")) if self._folder.is_dir() else []:
            if path.is_file() and path not in self._seen:
                if path.name.endswith(".tmp"):
                    self._report.note("note.unfinished", self._name(path))
                else:
                    self._report.broken("file.foreign", self._name(path))
        self._report.count("tiles", len(self._seen))

    def _full(self, level: int, number: int, hashes: list[bytes]) -> None:
        path = self._path(level, number)
        content = b"".join(hashes)
        if path.is_file():
            self._compare(path, content)
        elif (number + 1) << (8 * (level + 1)) <= self.sealed:
            self._report.broken("tile.missing", self._name(path))
        self._partials(path, content)

    def _partials(self, full: Path, content: bytes) -> None:
        """Partial tiles left of one that is full by now, or of the growing edge."""
        folder = full.with_name(full.name + ".p")
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.name.isdigit() and 1 <= int(path.name) <= len(content) // HASH:
                self._compare(path, content[: int(path.name) * HASH])

    def _compare(self, path: Path, content: bytes) -> None:
        if path not in self._seen:
            self._seen.add(path)
            if path.read_bytes() != content:
                self._report.broken("tile.differs", self._name(path))

    def _stored(self, number: int) -> bytes:
        path = self._path(0, number)
        if path.is_file():
            return path.read_bytes()
        folder = path.with_name(path.name + ".p")
        partial = [each for each in folder.iterdir() if each.name.isdigit()] if folder.is_dir() else []
        return max(partial, key=lambda each: int(each.name)).read_bytes() if partial else b""

    def _path(self, level: int, number: int, width: int = TILE) -> Path:
        parts = [f"{number % 1000:03d}"]
        rest = number // 1000
        while rest:
            parts.append(f"x{rest % 1000:03d}")
            rest //= 1000
        path = self._folder / str(level) / "/".join(reversed(parts))
        return path if width == TILE else path.with_name(f"{path.name}.p") / str(width)

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._root))
