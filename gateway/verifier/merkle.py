"""The tree of RFC 6962 section 2.1: leaf SHA-256(0x00 ‖ body), node SHA-256(0x01 ‖ left ‖ right)."""

from collections.abc import Callable
from hashlib import sha256

TILE = 256


def leaf_hash(body: bytes) -> bytes:
    """The hash of one entry."""
    return sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class TreeWalk:
    """Takes leaf hashes in order and knows the root after each; keeps one hash per perfect subtree (at most 64).

    ``on_tile(level, number, hashes)`` is called with each completed tile of 256 hashes (c2sp.org/tlog-tiles).
    """

    def __init__(self, on_tile: Callable[[int, int, list[bytes]], None] | None = None) -> None:
        self.size = 0
        self.tiles: list[list[bytes]] = [[]]  # per level: the hashes of the tile that is not full yet
        self._on_tile = on_tile
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """The next leaf."""
        self.size += 1
        self._keep(0, leaf)
        node, count, height = leaf, self.size, 0
        while count & 1 == 0:
            node = sha256(b"\x01" + self._peaks.pop() + node).digest()
            count >>= 1
            height += 1
            if height & 7 == 0:
                self._keep(height >> 3, node)
        self._peaks.append(node)

    def _keep(self, level: int, node: bytes) -> None:
        if level == len(self.tiles):
            self.tiles.append([])
        tile = self.tiles[level]
        tile.append(node)
        if len(tile) == TILE:
            if self._on_tile is not None:
                self._on_tile(level, (self.size >> (8 * (level + 1))) - 1, tile)
            self.tiles[level] = []

    def root(self) -> bytes:
        """The root of everything so far."""
        if not self._peaks:
            return sha256(b"").digest()
        node = self._peaks[-1]
        for left in reversed(self._peaks[:-1]):
            node = node_hash(left, node)
        return node


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2); None when the proof has a wrong length."""
    if not 0 <= index < size:
        return None
    node, position, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            return None
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while position & 1 == 0 and position != 0:
                position >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        position >>= 1
        last >>= 1
    return node if last == 0 else None


def consistent(old: int, old_root: bytes, size: int, root: bytes, proof: list[bytes]) -> bool:
    """Whether a consistency proof shows that the larger tree continues the smaller (RFC 9162 section 2.1.4.2)."""
    if not 0 <= old <= size:
        return False
    if old == size:
        return not proof and old_root == root
    if old == 0:
        return not proof and old_root == sha256(b"").digest()
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    position, last = old - 1, size - 1
    while position & 1:
        position >>= 1
        last >>= 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while position & 1 == 0 and position != 0:
                position >>= 1
                last >>= 1
        else:
            second = node_hash(second, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and first == old_root and second == root


def sparse_root(size: int, leaves: dict[int, bytes], supplied: list[bytes]) -> bytes | None:
    """The root of a tree of which only some leaves are at hand.

    ``supplied`` holds, in the order of a walk from left to right, the hash of every largest subtree in which no leaf is
    at hand. None when there are too many or too few of them.
    """
    wanted = sorted(leaves)
    if size == 0 or not wanted or wanted[0] < 0 or wanted[-1] >= size:
        return None
    given = iter(supplied)
    at = 0

    def walk(begin: int, end: int) -> bytes | None:
        nonlocal at
        if at == len(wanted) or wanted[at] >= end:
            return next(given, None)
        if end - begin == 1:
            at += 1
            return leaves[begin]
        middle = begin + (1 << ((end - begin - 1).bit_length() - 1))
        left = walk(begin, middle)
        right = walk(middle, end)
        return None if left is None or right is None else node_hash(left, right)

    root = walk(0, size)
    return root if next(given, None) is None else None
