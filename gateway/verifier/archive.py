"""Segments: closed days as compressed files, ``archive/<year>/<day>_<first>-<last>.<facts|polls>``.

A segment is ``MPSEG1\\n``, then xz streams, then an index in JSON, its length (4 bytes) and ``MPSEGEND``. A block,
unpacked: count (4 bytes), count sequence offsets from the block's first (4 bytes each), count lengths (2 bytes each),
the bodies. All integers big-endian. The SHA-256 of every segment stands in the sealed entry that closed the day.
"""

import hashlib
import json
import lzma
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = b"MPSEG1\n"
END = b"MPSEGEND"
MAX_BLOCK_BYTES = 256 * 2**20
NAME = re.compile(r"^(\d{4}-\d{2}-\d{2})_(\d{12})-(\d{12})\.(facts|polls|checkpoints)$")


class SegmentError(Exception):
    """A segment does not follow its format; the text says why."""


@dataclass(frozen=True)
class ArchiveFile:
    """One file of the archive as its name describes it."""

    path: Path
    day: str
    first: int
    last: int
    kind: str


def archive_files(folder: Path) -> tuple[list[ArchiveFile], list[Path]]:
    """The files of an archive in order of their entries, and the files that do not belong there."""
    known, foreign = [], []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        if path.is_dir():
            continue
        match = NAME.match(path.name)
        if match is None or path.parent.name != match[1][:4] or path.parent.parent != folder:
            foreign.append(path)
        else:
            known.append(ArchiveFile(path, match[1], int(match[2]), int(match[3]), match[4]))
    return sorted(known, key=lambda each: (each.first, each.kind)), foreign


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def read_segment(path: Path, begin: int, end_seq: int) -> Iterator[tuple[int, bytes]]:
    """Numbers (``begin`` to ``end_seq``) and bodies in order; SegmentError where the file breaks its format."""
    with path.open("rb") as stream:
        try:
            blocks, end = _index(stream)
            expected, previous = len(MAGIC), begin - 1
            for first, last, count, offset, length in blocks:
                if offset != expected or not previous < first <= last:
                    raise SegmentError("its index has a gap")
                expected, previous = offset + length, last
                stream.seek(offset)
                yield from _block(stream.read(length), first, last, count)
            if expected != end or previous > end_seq:
                raise SegmentError("its index has a gap")
        except (OSError, ValueError, TypeError, KeyError, lzma.LZMAError, struct.error, EOFError) as error:
            raise SegmentError(f"it cannot be unpacked ({error})") from error


def _index(stream: BinaryIO) -> tuple[list[list[int]], int]:
    size = stream.seek(0, 2)
    stream.seek(0)
    if size < len(MAGIC) + 12 or stream.read(len(MAGIC)) != MAGIC:
        raise SegmentError("it does not begin as a segment")
    stream.seek(size - 12)
    (length,) = struct.unpack(">I", stream.read(4))
    if stream.read(8) != END or length > size:
        raise SegmentError("it does not end as a segment")
    end = size - 12 - length
    stream.seek(end)
    text = stream.read(length)
    index = json.loads(text)
    if json.dumps(index, sort_keys=True, separators=(",", ":")).encode() != text or index["v"] != 1:
        raise SegmentError("its index is not canonical")
    return index["blocks"], end


def _block(packed: bytes, first: int, last: int, count: int) -> Iterator[tuple[int, bytes]]:
    unpacker = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=MAX_BLOCK_BYTES)
    block = unpacker.decompress(packed, MAX_BLOCK_BYTES)
    if not unpacker.eof or unpacker.unused_data:
        raise SegmentError("a block is cut or followed by other bytes")
    (found,) = struct.unpack_from(">I", block)
    if found != count:
        raise SegmentError("a block's count differs from the index")
    offsets = struct.unpack_from(f">{count}I", block, 4)
    lengths = struct.unpack_from(f">{count}H", block, 4 + 4 * count)
    at = 4 + 6 * count
    if at + sum(lengths) != len(block) or offsets[0] != 0 or first + offsets[-1] != last:
        raise SegmentError("a block's lengths do not add up")
    previous = -1
    for offset, length in zip(offsets, lengths, strict=True):
        if offset <= previous:
            raise SegmentError("a block's entries are out of order")
        previous = offset
        yield first + offset, block[at : at + length]
        at += length
