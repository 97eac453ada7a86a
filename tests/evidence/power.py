"""A disk that forgets: replays a recorded run up to an instant; of what was not synced it keeps what chance leaves.

Pessimistic: a synced file in a folder that was not synced is gone; unsynced writes survive one by one, whole, torn at a
sector or not at all; names change in order, but how many of the latest changes survive is left to chance.
"""

import random
import struct
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

SECTOR = 512


@dataclass
class Inode:
    """A file's synced bytes, and what was done since."""

    content: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)  # (offset, bytes) or (size, None)

    def apply(self, at: int, data: bytes | None) -> None:
        if data is None:
            del self.content[at:]
            self.content.extend(bytes(at - len(self.content)))
        else:
            if len(self.content) < at:
                self.content.extend(bytes(at - len(self.content)))
            self.content[at : at + len(data)] = data


@dataclass
class Operation:
    """One record of the trace."""

    kind: str
    name: str = ""
    other: str = ""
    at: int = 0
    data: bytes = b""


def read_trace(path: Path, root: Path) -> list[Operation]:
    """The operations in order, names relative to the root."""
    record, at, names, found = path.read_bytes(), 0, {}, []

    def number(form: str = "=I") -> int:
        nonlocal at
        (value,) = struct.unpack_from(form, record, at)
        at += struct.calcsize(form)
        return value

    def data() -> bytes:
        nonlocal at
        length = number()
        at += length
        return record[at - length : at]

    while at < len(record):
        kind = chr(record[at])
        at += 1
        if kind == "N":
            identifier = number()
            names[identifier] = PurePosixPath(data().decode()).relative_to(root).as_posix()
        elif kind == "A":
            found.append(Operation("A", data=data()))
        elif kind == "W":
            name, offset = names[number()], number("=Q")
            found.append(Operation("W", name, at=offset, data=data()))
        elif kind == "T":
            found.append(Operation("T", names[number()], at=number("=Q")))
        elif kind == "R":
            found.append(Operation("R", names[number()], names[number()]))
        else:
            found.append(Operation(kind, names[number()]))
    return found


class Disk:
    """Names and inodes, as the program sees them and as they would be after a loss of power."""

    def __init__(self) -> None:
        self.seen: dict[str, Inode | None] = {".": None}  # None: a folder
        self.kept: dict[str, Inode | None] = {".": None}
        self._renames: list[tuple[str, dict[str, Inode | None], list[str]]] = []  # folder, added, removed

    def do(self, operation: Operation) -> None:
        kind, name = operation.kind, operation.name
        if kind in {"C", "M"}:
            if name in self.seen and kind == "C":
                inode = self.seen[name]
                assert inode is not None
                inode.pending.append((0, None))
            elif name not in self.seen:
                self._change(name, Inode() if kind == "C" else None)
        elif kind in {"W", "T"}:
            inode = self.seen.get(name)
            if inode is not None:
                inode.pending.append((operation.at, operation.data if kind == "W" else None))
        elif kind == "S":
            inode = self.seen.get(name)
            if inode is not None:
                for each in inode.pending:
                    inode.apply(*each)
                inode.pending.clear()
        elif kind == "D":
            self._keep(name, len(self._renames))
        elif kind == "R":
            inode = self.seen.pop(name)
            self.seen[operation.other] = inode
            self._renames.append((_folder(name), {operation.other: inode}, [name]))
        elif kind == "U":
            self.seen.pop(name, None)
            self._renames.append((_folder(name), {}, [name]))

    def _change(self, name: str, inode: Inode | None) -> None:
        self.seen[name] = inode
        self._renames.append((_folder(name), {name: inode}, []))

    def _keep(self, folder: str | None, count: int) -> None:
        """Make the first ``count`` changes of names durable, of one folder or of all."""
        left = []
        for position, (where, added, removed) in enumerate(self._renames):
            if position < count and folder in {None, where}:
                for name in removed:
                    self.kept.pop(name, None)
                self.kept.update(added)
            else:
                left.append((where, added, removed))
        self._renames = left

    def lose_power(self, rng: random.Random, target: Path) -> None:
        """Write to ``target`` what is left."""
        self._keep(None, rng.randrange(len(self._renames) + 1))
        for name, inode in sorted(self.kept.items()):
            if any(str(parent) not in self.kept for parent in PurePosixPath(name).parents):
                continue
            path = target / name
            if inode is None:
                path.mkdir(parents=True, exist_ok=True)
                continue
            if name.endswith("-shm"):
                continue  # shared memory, made anew
            left = Inode(bytearray(inode.content))
            keep = rng.random()
            for at, data in inode.pending:
                if rng.random() < keep:
                    torn = data is not None and len(data) > SECTOR and rng.random() < 0.3
                    left.apply(
                        at, data[: SECTOR * rng.randrange(1, len(data) // SECTOR + 1)] if torn and data else data
                    )
            path.write_bytes(left.content)
            path.chmod(0o600)  # modes are not recorded; the key demands this one


def _folder(name: str) -> str:
    return str(PurePosixPath(name).parent)
