"""The Merkle tree of RFC 6962 section 2.1 over SHA-256, independent of where its hashes are kept.

A tree of n leaves splits at the largest power of two below n. A proof is read from the leaf towards the root.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two below ``size`` (at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over a power-of-two number of hashes."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[index], level[index + 1]) for index in range(0, len(level), 2)]
    return level[0]


class SubtreeReader(Protocol):
    """Whatever can tell the root of a perfect, aligned subtree."""

    def subtree(self, height: int, index: int) -> bytes:
        """MTH of leaves ``[index * 2**height, (index + 1) * 2**height)``."""
        ...


def range_root(reader: SubtreeReader, begin: int, end: int) -> bytes:
    """MTH of leaves ``[begin, end)``, where ``begin`` is where the tree's own splits put a subtree of that size."""
    size = end - begin
    if size == 0:
        return EMPTY_ROOT
    if size & (size - 1) == 0:
        height = size.bit_length() - 1
        return reader.subtree(height, begin >> height)
    middle = begin + split(size)
    return node_hash(range_root(reader, begin, middle), range_root(reader, middle, end))


def inclusion_proof(reader: SubtreeReader, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 section 2.1.1; ValueError when the leaf is not in the tree."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    proof: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + split(end - begin)
        if index < middle:
            proof.append(range_root(reader, middle, end))
            end = middle
        else:
            proof.append(range_root(reader, begin, middle))
            begin = middle
    proof.reverse()
    return proof


def consistency_proof(reader: SubtreeReader, old: int, size: int) -> list[bytes]:
    """PROOF(old, D[size]) of RFC 6962 section 2.1.2; empty when ``old`` is 0 or ``size``."""
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {size} does not contain one of {old}")
    if old in {0, size}:
        return []
    proof: list[bytes] = []
    begin, end, whole = 0, size, True
    while old != end:
        middle = begin + split(end - begin)
        if old <= middle:
            proof.append(range_root(reader, middle, end))
            end = middle
        else:
            proof.append(range_root(reader, begin, middle))
            begin, whole = middle, False
    if not whole:
        proof.append(range_root(reader, begin, end))
    proof.reverse()
    return proof
