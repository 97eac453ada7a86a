"""Random damage to a data folder, one at a time, undone afterwards. Each says what it did."""

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.journal.entry import leaf_hash

FIELDS = ("at", "kind", "subject", "body", "leaf")


class UnchangedError(Exception):
    """The draw changed nothing (two equal rows swapped); draw again."""


def files_of(root: Path) -> list[Path]:
    """Every file that a checkpoint covers, or that is one."""
    found = [path for path in root.rglob("*") if path.is_file()]
    outside = (root / "seal" / "key", root / "state")  # the private key, and what is local and no evidence
    return sorted(
        path
        for path in found
        if not any(path.is_relative_to(each) for each in outside) and not path.name.startswith("journal.sqlite")
    )


def changed_bytes(rng: random.Random, content: bytes) -> bytes:
    """A bit flipped, a byte put in, taken out or overwritten, the end cut, two places swapped, bytes appended."""
    at = rng.randrange(len(content))
    match rng.randrange(7):
        case 0:
            return content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]
        case 1:
            return content[:at] + rng.randbytes(1) + content[at:]
        case 2:
            return content[:at] + content[at + 1 :]
        case 3:
            return content[:at] + rng.randbytes(1) + content[at + 1 :]
        case 4:
            return content[:at]
        case 5:
            other = rng.randrange(len(content))
            swapped = bytearray(content)
            swapped[at], swapped[other] = swapped[other], swapped[at]
            return bytes(swapped)
        case _:
            return content + rng.randbytes(rng.randrange(1, 40))


@contextmanager
def damaged_file(rng: random.Random, root: Path) -> Iterator[str]:
    """One file changed, removed, renamed, or another's content in its place."""
    paths = files_of(root)
    path = rng.choice(paths)
    content = path.read_bytes()
    name = str(path.relative_to(root))
    match rng.randrange(10):
        case 0:
            path.unlink()
            what = f"{name} removed"
        case 1:
            moved = path.with_name(path.name + "x")
            path.rename(moved)
            try:
                yield f"{name} renamed"
            finally:
                moved.rename(path)
            return
        case 2:
            other = rng.choice(paths).read_bytes()
            if other == content:
                raise UnchangedError
            path.write_bytes(other)
            what = f"{name} replaced by another file's content"
        case _:
            changed = changed_bytes(rng, content)
            if changed == content:
                raise UnchangedError
            path.write_bytes(changed)
            what = f"{name} changed"
    try:
        yield what
    finally:
        path.write_bytes(content)


@contextmanager
def damaged_journal(rng: random.Random, root: Path, sealed: int) -> Iterator[str]:
    """One row or field of the hot journal changed, within what is sealed."""
    path = root / "journal.sqlite"
    kept = path.read_bytes()
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        seqs = [row[0] for row in connection.execute("SELECT seq FROM entry WHERE seq <= ? ORDER BY seq", (sealed,))]
        what = rng.choice(ROW_MUTATIONS)(rng, connection, seqs)
    except BaseException:
        connection.close()
        path.write_bytes(kept)
        raise
    connection.close()
    try:
        yield what
    finally:
        path.write_bytes(kept)


def _field(rng: random.Random, connection: sqlite3.Connection, seqs: list[int]) -> str:
    seq, name = rng.choice(seqs), rng.choice(FIELDS)
    (value,) = connection.execute(f"SELECT {name} FROM entry WHERE seq = ?", (seq,)).fetchone()
    if name == "at":
        changed = value ^ 1 << rng.randrange(60)
    elif name in {"kind", "subject"}:
        at = rng.randrange(len(value))
        changed = value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
    elif name == "leaf":
        at = rng.randrange(32)
        changed = value[:at] + bytes([value[at] ^ 1 << rng.randrange(8)]) + value[at + 1 :]
    else:
        changed = changed_bytes(rng, value)
    if changed == value:
        raise UnchangedError
    connection.execute(f"UPDATE entry SET {name} = ? WHERE seq = ?", (changed, seq))
    return f"{name} of entry {seq}"


def _clever(rng: random.Random, connection: sqlite3.Connection, seqs: list[int]) -> str:
    """A digit of a body changed, its hash made to fit."""
    seq = rng.choice(seqs)
    (body,) = connection.execute("SELECT body FROM entry WHERE seq = ?", (seq,)).fetchone()
    digits = [at for at, byte in enumerate(body) if 0x31 <= byte <= 0x38]
    at = rng.choice(digits)
    body = body[:at] + bytes([body[at] + 1]) + body[at + 1 :]
    connection.execute("UPDATE entry SET body = ?, leaf = ? WHERE seq = ?", (body, leaf_hash(body), seq))
    return f"a digit of entry {seq}, hash adjusted"


def _drop(rng: random.Random, connection: sqlite3.Connection, seqs: list[int]) -> str:
    seq = rng.choice(seqs)
    connection.execute("DELETE FROM entry WHERE seq = ?", (seq,))
    return f"entry {seq} dropped"


def _drop_and_close_up(rng: random.Random, connection: sqlite3.Connection, seqs: list[int]) -> str:
    seq = rng.choice(seqs[1:])
    connection.execute("DELETE FROM entry WHERE seq = ?", (seq,))
    connection.execute("UPDATE entry SET seq = -seq WHERE seq > ?", (seq,))
    connection.execute("UPDATE entry SET seq = -seq - 1 WHERE seq < 0")
    return f"entry {seq} dropped, the rest renumbered"


def _insert(rng: random.Random, connection: sqlite3.Connection, seqs: list[int]) -> str:
    seq = rng.choice(seqs[1:])
    connection.execute("UPDATE entry SET seq = -seq - 1 WHERE seq >= ?", (seq,))
    connection.execute("UPDATE entry SET seq = -seq WHERE seq < 0")
    source = rng.choice([each for each in seqs if each != seq])
    connection.execute(
        "INSERT INTO entry SELECT ?, at, kind, subject, body, leaf FROM entry WHERE seq = ?",
        (seq, source + (source > seq)),
    )
    return f"a copy of entry {source} inserted at {seq}"


def _swap(rng: random.Random, connection: sqlite3.Connection, seqs: list[int]) -> str:
    one, other = rng.sample(seqs[1:], 2)
    connection.execute("UPDATE entry SET seq = -1 WHERE seq = ?", (one,))
    connection.execute("UPDATE entry SET seq = ? WHERE seq = ?", (one, other))
    connection.execute("UPDATE entry SET seq = ? WHERE seq = -1", (other,))
    return f"entries {one} and {other} swapped"


def _truncate(rng: random.Random, connection: sqlite3.Connection, seqs: list[int]) -> str:
    seq = rng.choice(seqs[1:])
    connection.execute("DELETE FROM entry WHERE seq >= ?", (seq,))
    return f"cut from entry {seq}"


ROW_MUTATIONS: tuple[Callable[[random.Random, sqlite3.Connection, list[int]], str], ...] = (
    _field,
    _field,
    _field,
    _clever,
    _clever,
    _drop,
    _drop_and_close_up,
    _insert,
    _swap,
    _truncate,
)


def copy_of(source: Path, target: Path) -> Path:
    """A copy to damage."""
    shutil.copytree(source, target)
    return target
