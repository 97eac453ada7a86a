"""A closed day's entries as one immutable compressed file.

Format: ``MPSEG1\\n``, xz streams (blocks), an index in canonical JSON, its length (4 bytes), ``MPSEGEND``. A block,
unpacked: count (4 bytes), offsets of the sequence numbers from the block's first (4 bytes each), lengths of the bodies
(2 bytes each), the bodies. Integers are big-endian.
"""

import hashlib
import lzma
import os
import struct
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from gateway.domain.errors import JournalError
from gateway.journal import canonical
from gateway.journal.folder import make_folder, sync_folder

MAGIC = b"MPSEG1\n"
END = b"MPSEGEND"
BLOCK_ENTRIES = 4096
BLOCK_BYTES = 4 * 2**20
MAX_BLOCK_BYTES = 256 * 2**20
CACHED_BLOCKS = 4
# polls of 40 values: preset 1 gives 3.5 B a reading at 84 µs a poll, 4 gives 2.7 at 145, 6 gives 2.6 at 200; a window
# of 1 MiB reaches back over several polls of 500 meters and keeps the memory small
LZMA_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 4, "dict_size": 2**20}]


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """What a written segment is known by."""

    sha256: str
    size_bytes: int
    entries: int


@dataclass(frozen=True, slots=True)
class _Block:
    first: int
    last: int
    count: int
    offset: int
    length: int


class SegmentWriter:
    """Writes one segment; the file appears under its name only when finished and synced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.with_name(path.name + ".tmp")
        make_folder(path.parent)
        self._stream: BinaryIO = self._temporary.open("wb")
        self._digest = hashlib.sha256()
        self._size = 0
        self._blocks: list[list[int]] = []
        self._pending: list[tuple[int, bytes]] = []
        self._pending_bytes = 0
        self._entries = 0
        self._put(MAGIC)

    def add(self, seq: int, body: bytes) -> None:
        """The next entry; numbers must grow."""
        self._pending.append((seq, body))
        self._pending_bytes += len(body)
        if len(self._pending) >= BLOCK_ENTRIES or self._pending_bytes >= BLOCK_BYTES:
            self._flush()

    def finish(self) -> SegmentFacts:
        """Write index and end, sync, rename."""
        if self._pending:
            self._flush()
        index = canonical.encode_any({"blocks": self._blocks, "v": 1})
        self._put(index + struct.pack(">I", len(index)) + END)
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        self._temporary.replace(self._path)
        sync_folder(self._path.parent)
        return SegmentFacts(self._digest.hexdigest(), self._size, self._entries)

    def abandon(self) -> None:
        """Drop what was written."""
        self._stream.close()
        self._temporary.unlink(missing_ok=True)

    def _flush(self) -> None:
        first = self._pending[0][0]
        block = b"".join(
            [
                struct.pack(">I", len(self._pending)),
                struct.pack(f">{len(self._pending)}I", *(seq - first for seq, _ in self._pending)),
                struct.pack(f">{len(self._pending)}H", *(len(body) for _, body in self._pending)),
                *(body for _, body in self._pending),
            ]
        )
        packed = lzma.compress(block, format=lzma.FORMAT_XZ, filters=LZMA_FILTERS)
        self._blocks.append([first, self._pending[-1][0], len(self._pending), self._size, len(packed)])
        self._put(packed)
        self._entries += len(self._pending)
        self._pending, self._pending_bytes = [], 0

    def _put(self, content: bytes) -> None:
        self._stream.write(content)
        self._digest.update(content)
        self._size += len(content)


class Segment:
    """Reads one segment, a block at a time, the last few kept unpacked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._blocks = self._read_index()
        self._cache: OrderedDict[int, list[tuple[int, bytes]]] = OrderedDict()

    def read(self, after_seq: int, limit: int) -> list[tuple[int, bytes]]:
        """Up to ``limit`` entries after a number, in order."""
        found: list[tuple[int, bytes]] = []
        for position, block in enumerate(self._blocks):
            if block.last <= after_seq:
                continue
            found.extend(each for each in self._unpack(position) if each[0] > after_seq)
            if len(found) >= limit:
                break
        return found[:limit]

    def read_before(self, seq: int) -> Iterable[tuple[int, bytes]]:
        """Entries up to a number, newest first."""
        for position in range(len(self._blocks) - 1, -1, -1):
            if self._blocks[position].first <= seq:
                yield from (each for each in reversed(self._unpack(position)) if each[0] <= seq)

    def _read_index(self) -> list[_Block]:
        try:
            with self.path.open("rb") as stream:
                size = stream.seek(0, os.SEEK_END)
                stream.seek(0)
                magic = stream.read(len(MAGIC))
                stream.seek(max(0, size - 12))
                tail = stream.read(12)
                length = int.from_bytes(tail[:4], "big")
                if magic != MAGIC or tail[4:] != END or length > size - 12:
                    raise self._damaged("it is cut")
                stream.seek(size - 12 - length)
                index = msgspec.json.decode(stream.read(length))
            return [_Block(*block) for block in index["blocks"]]
        except (OSError, msgspec.DecodeError, TypeError, KeyError) as error:
            raise self._damaged(str(error)) from error

    def _unpack(self, position: int) -> list[tuple[int, bytes]]:
        cached = self._cache.get(position)
        if cached is None:
            cached = self._load(self._blocks[position])
            self._cache[position] = cached
            if len(self._cache) > CACHED_BLOCKS:
                self._cache.popitem(last=False)
        return cached

    def _load(self, block: _Block) -> list[tuple[int, bytes]]:
        try:
            with self.path.open("rb") as stream:
                stream.seek(block.offset)
                packed = stream.read(block.length)
            unpacker = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=MAX_BLOCK_BYTES)
            content = unpacker.decompress(packed, MAX_BLOCK_BYTES)
            (count,) = struct.unpack_from(">I", content)
            offsets = struct.unpack_from(f">{count}I", content, 4)
            lengths = struct.unpack_from(f">{count}H", content, 4 + 4 * count)
        except (OSError, lzma.LZMAError, struct.error, EOFError) as error:
            raise self._damaged(str(error)) from error
        at = 4 + 6 * count
        found = []
        for offset, length in zip(offsets, lengths, strict=True):
            found.append((block.first + offset, content[at : at + length]))
            at += length
        return found

    def _damaged(self, reason: str) -> JournalError:
        return JournalError(
            "the archive file %(path)s is damaged (%(reason)s); restore it from a backup",
            path=str(self.path),
            reason=reason,
        )
