"""The growing edge of the tree: what a new leaf needs, a few hundred hashes whatever the size."""

from gateway.sealing.tiles import TILE_HEIGHT, TILE_WIDTH, TileStore, widths
from gateway.sealing.tree import EMPTY_ROOT, HASH_BYTES, node_hash, perfect_root


class Growth:
    """A tree that is appended to: the hashes of the last, partial tile of every level.

    Full tiles wait in ``full`` as (level, number, hashes) until the caller has written and cleared them.
    """

    def __init__(self) -> None:
        self.size = 0
        self.levels: list[list[bytes]] = [[]]
        self.full: list[tuple[int, int, list[bytes]]] = []

    @classmethod
    def load(cls, store: TileStore, size: int) -> "Growth":
        """The edge of a tree of ``size`` leaves out of its tiles."""
        growth = cls()
        growth.size = size
        for level, number, width in widths(size):
            tile = store.read(level, number, width) if width else b""
            hashes = [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]
            if level < len(growth.levels):
                growth.levels[level] = hashes
            else:
                growth.levels.append(hashes)
        return growth

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self.levels[0].append(leaf)
        self.size += 1
        level = 0
        while len(self.levels[level]) == TILE_WIDTH:
            hashes = self.levels[level]
            self.levels[level] = []
            number = (self.size >> (TILE_HEIGHT * (level + 1))) - 1
            self.full.append((level, number, hashes))
            level += 1
            if level == len(self.levels):
                self.levels.append([])
            self.levels[level].append(perfect_root(hashes))

    def root(self) -> bytes:
        """The RFC 6962 root of all leaves so far."""
        if self.size == 0:
            return EMPTY_ROOT
        peaks: list[bytes] = []
        for hashes in reversed(self.levels):
            at = 0
            for bit in range(TILE_HEIGHT - 1, -1, -1):
                if len(hashes) >> bit & 1:
                    peaks.append(perfect_root(hashes[at : at + (1 << bit)]))
                    at += 1 << bit
        root = peaks.pop()
        while peaks:
            root = node_hash(peaks.pop(), root)
        return root

    def partial(self) -> list[tuple[int, int, list[bytes]]]:
        """The partial tiles a checkpoint of this size needs: (level, number, hashes)."""
        return [(level, number, self.levels[level]) for level, number, width in widths(self.size) if width]
