"""The evidence package: one ZIP that a stranger can check offline, with everything needed to do so inside.

First come ``manifest.json`` (every other member with its SHA-256), the journal entry that holds the manifest's hash,
that entry's proof, and the consistency of the two checkpoints; then the members in the manifest's order. So every byte,
name and place in the package hangs on the log's signature.
"""

import base64
import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.domain.errors import DataFolderError, JournalError
from gateway.journal import canonical
from gateway.journal.audit_event import audit_event
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder, software_version
from gateway.journal.journal import Journal
from gateway.ports import Clock
from gateway.sealing.figures import figures
from gateway.sealing.kept import kept_notes
from gateway.sealing.note import Checkpoint, Note, NoteError, VerifierKey
from gateway.sealing.package_file import copy_verifier, work_folder, write_zip
from gateway.sealing.package_index import index_page
from gateway.sealing.proof import Prover
from gateway.sealing.selection import Selection, Wish, chosen_devices, entries
from gateway.sealing.tiles import TileReader
from gateway.sealing.tree import consistency_proof, range_root, split

EXPORTED_ACTION = "package.exported"
HANDED_OUT_ACTION = "checkpoint.handed_out"
HEAD_MEMBERS = ("manifest.json", "manifest.entry", "manifest.tlog-proof", "consistency.txt")
MAX_ENTRIES = 5_000_000


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    path: Path
    entries: int
    documents: int
    figures: int
    checkpoint_size: int
    vkey: str


class PackageWriter:
    """Writes one package. ``sealed_up_to(seq)`` must return once a checkpoint covers that entry."""

    def __init__(
        self, folder: DataFolder, journal: Journal, clock: Clock, sealed_up_to: Callable[[int], None], actor: str
    ) -> None:
        self._folder = folder
        self._journal = journal
        self._clock = clock
        self._sealed_up_to = sealed_up_to
        self._actor = actor

    def write(self, wish: Wish, target: Path, reason: str) -> Exported:
        """Collect, seal, zip; the file appears under its name only when whole."""
        self._sealed_up_to(self._journal.head())
        prover = Prover(self._folder)
        selection = Selection(chosen_devices(self._journal, wish, prover.checkpoint.size), prover.checkpoint.size)
        with work_folder(target) as work:
            members = self._collect(work, wish, selection, prover)
            manifest = self._manifest(wish, selection, prover, [(name, work / name) for name in members])
            seq = self._announce(manifest, wish, target, reason)
            self._sealed_up_to(seq)
            later = Prover(self._folder)
            hashes = consistency_proof(later.reader, prover.checkpoint.size, later.checkpoint.size)
            head = [
                manifest,
                self._journal.entry(seq).body_bytes,
                later.prove(seq).encode(),
                "".join(base64.b64encode(each).decode() + "\n" for each in hashes).encode(),
            ]
            write_zip(target, dict(zip(HEAD_MEMBERS, head, strict=True)), [(name, work / name) for name in members])
            shown = canonical.decode((work / "figures.json").read_bytes())
            self._journal.append(
                [
                    hand_out_draft(
                        self._folder, self._journal, later.note, self._clock, actor=self._actor, receiver=target.name
                    )
                ]
            )
        return Exported(
            target,
            len(selection.numbers),
            len(selection.documents),
            len(shown["figures"]),
            prover.checkpoint.size,
            (self._folder.seal / "key.pub").read_text("utf-8").strip(),
        )

    def _collect(self, work: Path, wish: Wish, selection: Selection, prover: Prover) -> list[str]:
        """Write the members; their names in order."""
        with (work / "entries.txt").open("wb") as stream:
            for entry in entries(self._journal, wish, selection):
                stream.write(b"%d %b\n" % (entry.seq, entry.body_bytes))
                if len(selection.numbers) > MAX_ENTRIES:
                    raise JournalError(
                        "the package would hold more than %(limit)s entries; choose a shorter span or fewer points",
                        limit=str(MAX_ENTRIES),
                    )
        (work / "checkpoint").write_text(str(prover.note), "utf-8")
        (work / "key.pub").write_bytes((self._folder.seal / "key.pub").read_bytes())
        with (work / "tree.txt").open("wb") as stream:
            for each in complement(prover.reader, prover.checkpoint.size, [seq - 1 for seq in selection.numbers]):
                stream.write(base64.b64encode(each) + b"\n")
        (work / "checkpoints.json").write_bytes(canonical.encode_any(self._earlier(prover)))
        shown = figures(self._journal, wish, selection)
        (work / "figures.json").write_bytes(canonical.encode_any(shown))
        for language in ("zh", "en"):
            page = index_page(
                language, self._folder, wish, selection=selection, figures=shown, checkpoint=prover.checkpoint
            )
            (work / f"index.{language}.html").write_text(page, "utf-8")
        names = ["index.zh.html", "index.en.html", "checkpoint", "key.pub", "checkpoints.json"]
        names += ["entries.txt", "tree.txt", "figures.json"]
        names += [self._document(work, digest) for digest in sorted(selection.documents)]
        return [*names, *copy_verifier(work)]

    def _document(self, work: Path, digest: str) -> str:
        source = self._folder.blobs / digest
        if not source.is_file():
            raise DataFolderError(
                "the document %(digest)s, which the ledger names, is not in %(path)s; add the file and try again",
                digest=digest,
                path=str(self._folder.blobs),
            )
        (work / "documents").mkdir(exist_ok=True)
        shutil.copyfile(source, work / "documents" / digest)
        return f"documents/{digest}"

    def _manifest(self, wish: Wish, selection: Selection, prover: Prover, members: Sequence[tuple[str, Path]]) -> bytes:
        folder = self._folder
        document: dict[str, Any] = {
            "v": 1,
            "package": "meterproof evidence",
            "origin": folder.origin,
            "organisation": folder.organisation,
            "site": folder.site,
            "time_zone": folder.time_zone,
            "simulated": int(folder.simulated),
            "from": wish.from_us,
            "to": wish.to_us,
            "points": sorted(wish.points),
            "devices": None if selection.devices is None else sorted(selection.devices),
            "created": self._clock.utc_us(),
            "software": software_version(),
            "tree_size": prover.checkpoint.size,
            "members": [
                {"name": name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "size": path.stat().st_size}
                for name, path in members
            ],
        }
        return canonical.encode_any(document)

    def _announce(self, manifest: bytes, wish: Wish, target: Path, reason: str) -> int:
        folder = self._folder
        digest = hashlib.sha256(manifest).hexdigest()
        draft = audit_event(
            folder,
            self._journal,
            self._clock,
            actor=self._actor,
            action=EXPORTED_ACTION,
            about=target.name,
            reason=reason,
            facts={"manifest": digest, "from": wish.from_us, "to": wish.to_us},
        )
        return self._journal.append([draft])[0]

    def _earlier(self, prover: Prover) -> list[dict[str, Any]]:
        """Checkpoints that were handed out, and those both keys signed when a key changed; each with its proof that the
        package's checkpoint continues it."""
        size = prover.checkpoint.size
        changes = [
            (VerifierKey.parse(entry.body["previous"]), VerifierKey.parse(entry.body["vkey"]))
            for entry in self._journal.read(0, 10_000, {"key"})
            if entry.body["action"] == "rotated" and entry.seq <= size
        ]
        handed_out = handed_out_notes(self._journal, size)
        both = [
            note
            for note in (kept_notes(self._folder) if changes else ())
            if any(_signed(note, before) and _signed(note, after) for before, after in changes)
        ]
        found = {}
        for note in [*handed_out, *both]:
            checkpoint = Checkpoint.parse(note.text)
            if checkpoint.size <= size:
                hashes = consistency_proof(prover.reader, checkpoint.size, size)
                proof = [base64.b64encode(each).decode() for each in hashes]
                found[checkpoint.size, str(note)] = {"checkpoint": str(note), "consistency": proof}
        return [found[key] for key in sorted(found)]


def hand_out_draft(
    folder: DataFolder, journal: Journal, note: Note, clock: Clock, *, actor: str, receiver: str
) -> Draft:
    """The entry that says a checkpoint left the house; from then on it is a witness against a rewritten history."""
    return audit_event(folder, journal, clock, actor=actor, action=HANDED_OUT_ACTION, about=receiver, new=str(note))


def handed_out_notes(journal: Journal, last_seq: int) -> list[Note]:
    """The checkpoints that the journal says were handed out, up to an entry."""
    found = []
    after = 0
    while page := journal.read(after, 1_000, {"event"}):
        found += [
            Note.parse(entry.body["new"])
            for entry in page
            if entry.body.get("action") == HANDED_OUT_ACTION and entry.seq <= last_seq
        ]
        after = page[-1].seq
    return found


def complement(reader: TileReader, size: int, leaves: Sequence[int]) -> Iterator[bytes]:
    """The hashes of every largest subtree without one of ``leaves`` (sorted), from left to right.

    With the leaves themselves they give the root, and there is exactly one way to write them down.
    """
    stack = [(0, size)]
    at = 0
    while stack:
        begin, end = stack.pop()
        while at < len(leaves) and leaves[at] < begin:
            at += 1
        if at == len(leaves) or leaves[at] >= end:
            yield range_root(reader, begin, end)
        elif end - begin > 1:
            middle = begin + split(end - begin)
            stack += [(middle, end), (begin, middle)]


def _signed(note: Note, key: VerifierKey) -> bool:
    try:
        return note.signed_by(key)
    except NoteError:
        return False
