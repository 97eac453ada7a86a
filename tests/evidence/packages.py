"""An evidence package with everything in it, and random damage to its members."""

import hashlib
import io
import random
import shutil
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.assembly.sealing_now import sealed_up_to
from gateway.domain.time import US_PER_HOUR
from gateway.journal.entry import Draft
from gateway.journal.journal import Journal
from gateway.sealing.package import PackageWriter
from gateway.sealing.sealer import Sealer
from gateway.sealing.selection import Wish
from tests.born_folder import MovableClock
from tests.evidence.mutations import UnchangedError, changed_bytes
from tests.evidence.plant import DOCUMENT
from tests.plant_folder import NOW, START, build_folder


@dataclass
class Package:
    """The file, the log's first key, and a checkpoint handed out with an earlier export."""

    path: Path
    key: str
    handed_out: bytes


def build_package(folder_path: Path) -> Package:
    """A day of two meters with a certificate's document, after a change of key and an earlier export."""
    folder = build_folder(folder_path)
    clock = MovableClock(NOW)
    digest = hashlib.sha256(DOCUMENT).hexdigest()
    (folder.blobs / digest).write_bytes(DOCUMENT)
    with Journal.open(folder) as journal:
        sealer = Sealer(folder, clock)
        sealer.seal(journal)
        key = sealer.vkey
        facts = {"object": {"number": "C-9", "document": digest}, "from": 0, "to": None, "actor": "c", "reason": ""}
        subject = folder.subject("certificate", "c9")
        journal.append([Draft("certificate", subject, NOW, facts | {"source": "", "withdrawn": 0})])
        sealer.rotate(journal, actor="custodian", reason="yearly")
        writer = PackageWriter(folder, journal, clock, sealed_up_to(folder, journal, clock), "custodian")
        first = folder_path.with_suffix(".first.zip")
        writer.write(Wish(START, START + US_PER_HOUR), first, "an earlier one")
        with zipfile.ZipFile(first) as earlier:
            proof = earlier.read("manifest.tlog-proof")
        target = folder_path.with_suffix(".zip")
        writer.write(Wish(START, START + 4 * US_PER_HOUR, points=("P-01",)), target, "for the reviewer")
    return Package(target, key, proof[proof.index(b"\n\n") + 2 :])


def read_members(path: Path) -> list[tuple[str, bytes]]:
    """Names and bytes in order."""
    with zipfile.ZipFile(path) as package:
        return [(info.filename, package.read(info)) for info in package.infolist()]


def zipped(members: list[tuple[str, bytes]]) -> bytes:
    """The members as a ZIP, not compressed, because mutating is faster then."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, content in members:
            package.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def damaged(rng: random.Random, members: list[tuple[str, bytes]]) -> tuple[str, list[tuple[str, bytes]]]:
    """One member changed, renamed, removed, doubled or moved; or one more."""
    changed = list(members)
    at = rng.randrange(len(members))
    name, content = members[at]
    match rng.randrange(12):
        case 0:
            del changed[at]
            return f"{name} removed", changed
        case 1:
            position = rng.randrange(len(name))
            other = name[:position] + rng.choice("abcXYZ0") + name[position + 1 :]
            if other == name:
                raise UnchangedError
            changed[at] = (other, content)
            return f"{name} renamed {other}", changed
        case 2:
            other_at = rng.randrange(len(members))
            if other_at == at:
                raise UnchangedError
            changed[at], changed[other_at] = changed[other_at], changed[at]
            return f"{name} and {members[other_at][0]} in each other's place", changed
        case 3:
            other = rng.choice(members)[1]
            if other == content:
                raise UnchangedError
            changed[at] = (name, other)
            return f"{name} with another member's bytes", changed
        case 4:
            changed.insert(rng.randrange(len(members) + 1), (f"extra-{rng.randrange(99)}.txt", b"x"))
            return "a further member", changed
        case _:
            if not content:
                raise UnchangedError
            other = changed_bytes(rng, content)
            if other == content:
                raise UnchangedError
            changed[at] = (name, other)
            return f"{name} changed", changed


def unseen_changes(members: list[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Changes a lenient parser takes for the same: signature lines added or doubled, byte order marks."""
    content = dict(members)
    proof = content["manifest.tlog-proof"]
    line = proof[proof.rindex(b"\n", 0, -1) + 1 :]
    stranger = "— stranger ".encode() + b64encode(bytes(68)) + b"\n"
    yield "manifest.tlog-proof", proof + stranger
    yield "manifest.tlog-proof", proof + line
    for name in ("manifest.tlog-proof", "consistency.txt", "manifest.entry", "manifest.json"):
        yield name, b"\xef\xbb\xbf" + content[name]


def zipped_bomb() -> bytes:
    """A small ZIP whose one member unpacks to 64 MiB of zeros."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("manifest.json", bytes(64 * 2**20))
    return out.getvalue()


def unpacked(path: Path, target: Path) -> Path:
    """The package as files."""
    shutil.unpack_archive(path, target)
    return target
