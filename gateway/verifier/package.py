"""Check an evidence package: members hang on the manifest, the manifest on a signed entry, entries on the tree."""

import json
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from gateway.verifier import notes
from gateway.verifier.body import BodyError, parse
from gateway.verifier.checkpoints import Options, Signed
from gateway.verifier.figures import Evidence
from gateway.verifier.log import MALFORMED, LogFacts
from gateway.verifier.merkle import consistent, leaf_hash, root_from_inclusion, sparse_root
from gateway.verifier.report import Report

HEAD = ("manifest.json", "manifest.entry", "manifest.tlog-proof", "consistency.txt")
MAX_MEMBER_BYTES = 8 * 2**30
MAX_MEMBERS = 100_000
OWN_CACHE = frozenset({"gateway/__pycache__", "gateway/verifier/__pycache__"})
MAX_PACKAGE_BYTES = 16 * 2**30
MAX_INFLATION = 400  # journal text deflates to a tenth or so; what claims to grow a thousandfold is a trap


class Container(Protocol):
    """A package as a ZIP or unpacked."""

    def names(self) -> list[str]:
        """Members in order."""
        ...

    def read(self, name: str) -> bytes:
        """One member's bytes."""
        ...


class ZipContainer:
    """The package as one file."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        claimed = sum(info.file_size for info in self._zip.infolist())
        if claimed > min(MAX_PACKAGE_BYTES, MAX_INFLATION * path.stat().st_size):
            raise zipfile.BadZipFile("its members claim to be larger than such a file can be")

    def names(self) -> list[str]:
        """Members in order."""
        return [info.orig_filename for info in self._zip.infolist()]

    def read(self, name: str) -> bytes:
        """One member's bytes; NotImplementedError, BadZipFile or zlib.error when they cannot be had."""
        if self._zip.getinfo(name).file_size > MAX_MEMBER_BYTES:
            raise zipfile.BadZipFile("a member is too large")
        return self._zip.read(name)


class FolderContainer:
    """The package unpacked: order is lost, so the manifest's is taken; everything else is checked the same."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """The files in the manifest's order, then what does not belong there."""
        listed = [*HEAD, *(str(each.get("name")) for each in self._members())]
        # Python writes its own cache beside the copy of the verifier when that runs
        files = [path.relative_to(self._path) for path in self._path.rglob("*") if path.is_file()]
        here = {path.as_posix() for path in files if path.parent.as_posix() not in OWN_CACHE}
        return [name for name in listed if name in here] + sorted(here - set(listed))

    def _members(self) -> list[dict[str, Any]]:
        try:
            members = json.loads((self._path / "manifest.json").read_bytes())["members"]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        return [each for each in members if isinstance(each, dict)] if isinstance(members, list) else []

    def read(self, name: str) -> bytes:
        """One member's bytes; an error when it is too large, or a link to what lies elsewhere."""
        path = self._path / name
        if path.is_symlink() or path.stat().st_size > MAX_MEMBER_BYTES:
            raise ValueError(f"{name} is a link or too large")
        return path.read_bytes()


def container_of(path: Path) -> Container:
    """The package at a path, unpacked or as one file."""
    return FolderContainer(path) if path.is_dir() else ZipContainer(path)


class PackageCheck:
    """One pass over a package; see ``run``."""

    def __init__(self, path: Path, report: Report, options: Options) -> None:
        self.path = path
        self.report = report
        self.options = options
        self.facts = LogFacts(report, options.reviewers)
        self.evidence = Evidence(report)
        self._checkpoint: notes.Checkpoint | None = None

    def run(self) -> None:
        """Check everything."""
        self.report.about["kind"] = "evidence package"
        try:
            self._check(container_of(self.path))
        except Exception as error:  # noqa: BLE001  # zlib and zipfile raise what they like on damaged input
            self.report.broken("package.malformed", self.path.name, reason=f"{type(error).__name__} {error}")

    def _check(self, container: Container) -> None:
        names = container.names()
        missing = [name for name in HEAD if name not in names]
        if missing or len(names) > MAX_MEMBERS:
            self.report.broken("package.missing", ", ".join(missing))
            return
        text = container.read("manifest.json")
        try:
            manifest = parse_any(text)
            members = {str(each["name"]): (str(each["sha256"]), each["size"]) for each in manifest["members"]}
        except (BodyError, KeyError, TypeError) as error:
            self.report.broken("package.malformed", "manifest.json", reason=error)
            return
        self._about(manifest)
        self._names(names, [*HEAD, *members])
        for name, (digest, size) in members.items():
            if name in names:
                content = container.read(name)
                self.report.count("members")
                if len(content) != size or sha256(content).hexdigest() != digest:
                    self.report.broken("package.hash", name)
        self._entries(container)
        self._manifest_is_sealed(container, text)
        self._history(container)
        self._key_file(container)
        for name in names:
            if name.startswith("documents/"):
                self.report.count("blobs")
                if sha256(container.read(name)).hexdigest() != name.removeprefix("documents/"):
                    self.report.broken("blob.differs", name)
        for digest, seq in self.facts.documents.items():
            if f"documents/{digest}" not in names:
                self.report.broken("blob.missing", f"documents/{digest}", seq=seq)
        self.facts.finish()
        self._birth(manifest)
        self._figures(container.read("figures.json"), (manifest.get("from"), manifest.get("to")))
        if not self.options.against:
            self.report.note("note.witness", "checkpoint")
        self.report.note("note.scope", self.path.name)

    def _about(self, manifest: dict[str, Any]) -> None:
        about = self.report.about
        about["origin"] = manifest.get("origin")
        about["site"] = f"{manifest.get('organisation')}/{manifest.get('site')}"
        about["simulated"] = "simulated" if manifest.get("simulated") == 1 else "real"
        about["from"], about["to"] = manifest.get("from"), manifest.get("to")
        if manifest.get("simulated") == 1:
            self.report.note("note.virtual", "manifest.json")

    def _names(self, names: list[str], expected: list[str]) -> None:
        for name in sorted({name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ()):
            self.report.broken("package.twice", name)
        for name in expected:
            if name not in names:
                self.report.broken("package.missing", name)
        known = set(expected)
        for name in names:
            if name not in known:
                self.report.broken("package.foreign", name)
        if names != expected and sorted(names) == sorted(expected):
            self.report.broken("package.order", self.path.name)

    def _entries(self, container: Container) -> None:
        """The entries and the hashes around them must give the checkpoint's root."""
        leaves: dict[int, bytes] = {}
        previous = 0
        for seq, body in _lines(container.read("entries.txt")):
            if seq <= previous:
                self.report.broken("entry.order", f"entry {seq}", previous=previous)
                continue
            previous = seq
            leaves[seq - 1] = leaf_hash(body)
            try:
                entry = self.facts.entry(seq, body)
                if entry is not None:
                    self.evidence.take(seq, entry)
            except MALFORMED as error:
                self.report.broken("entry.meaning", f"entry {seq}", reason=f"{type(error).__name__} {error}")
        self.report.count("entries", len(leaves))
        try:
            self._checkpoint = notes.parse_checkpoint(container.read("checkpoint"))
            supplied = _hashes(container.read("tree.txt"))
        except notes.NoteError as error:
            self.report.broken("checkpoint.malformed", "checkpoint, tree.txt", reason=error)
            return
        self.report.about["checkpoint"] = self._checkpoint.size
        if sparse_root(self._checkpoint.size, leaves, supplied) != self._checkpoint.root:
            self.report.broken("package.tree", "entries.txt")
        self._signed(self._checkpoint, "checkpoint")
        origin = self.facts.birth.get("origin")
        if self.facts.birth.get("action") != "folder.born":
            self.report.broken("birth.wrong", "entry 1")
        for where, found in (("checkpoint", self._checkpoint.origin), ("manifest", self.report.about["origin"])):
            if found != origin:
                self.report.broken("birth.origin", where, found=found, expected=origin)

    def _signed(self, checkpoint: notes.Checkpoint, where: str) -> None:
        keys = self.facts.keys
        if not keys:
            self.report.broken("key.none", "entries.txt")
            return
        self.report.count("checkpoints")
        self.report.about["key"] = str(keys[-1].key)
        if self.options.key is None:
            if where == "checkpoint":
                self.report.note("note.trust", "key.pub")
        elif self.options.key != keys[0].key and where == "checkpoint":
            self.report.broken("key.given", "--key")
        try:
            if not checkpoint.signed_by(keys[-1].key):
                self.report.broken("checkpoint.signature", where, reason=keys[-1].key.name)
            for each in keys:
                checkpoint.signed_by(each.key)  # a wrong line of an older key is as wrong
            if not checkpoint.only_signed_by([each.key for each in keys]):
                self.report.broken("checkpoint.lines", where)
        except notes.NoteError as error:
            self.report.broken("checkpoint.signature", where, reason=error)

    def _manifest_is_sealed(self, container: Container, manifest: bytes) -> None:
        """The entry that holds the manifest's hash is in the log, and the log went on from the package's checkpoint."""
        body = container.read("manifest.entry")
        try:
            entry = parse(body)
            proof = notes.parse_proof(container.read("manifest.tlog-proof"))
            hashes = _hashes(container.read("consistency.txt"))
        except (BodyError, notes.NoteError) as error:
            self.report.broken("package.manifest", "manifest.entry", reason=error)
            return
        later, mine = proof.checkpoint, self._checkpoint
        if proof.extra:
            self.report.broken("package.manifest", "manifest.tlog-proof")
        if entry.get("action") != "package.exported" or entry.get("manifest") != sha256(manifest).hexdigest():
            self.report.broken("package.manifest", "manifest.json")
        if root_from_inclusion(leaf_hash(body), proof.index, later.size, proof.hashes) != later.root:
            self.report.broken("proof.root", "manifest.tlog-proof")
        self._signed(later, "manifest.tlog-proof")
        if mine is None or later.origin != mine.origin:
            self.report.broken("checkpoint.other_log", "manifest.tlog-proof", found=later.origin)
        elif not consistent(mine.size, mine.root, later.size, later.root, hashes):
            self.report.broken("checkpoint.root", "consistency.txt")

    def _history(self, container: Container) -> None:
        """Earlier checkpoints, each continued by the package's: handed-out ones, and one over every change of key."""
        mine, keys = self._checkpoint, self.facts.keys
        earlier: list[notes.Checkpoint] = [mine] if mine is not None else []
        try:
            for each in parse_any(container.read("checkpoints.json")):
                checkpoint = notes.parse_checkpoint(each["checkpoint"].encode())
                hashes = [notes.unbase64(line) for line in each["consistency"]]
                if mine is None or not consistent(checkpoint.size, checkpoint.root, mine.size, mine.root, hashes):
                    self.report.broken("checkpoint.root", f"checkpoints.json {checkpoint.size}")
                    continue
                earlier.append(checkpoint)
            self.report.count("checkpoints", len(earlier) - 1)
            for before, after in pairwise(keys):
                if not any(
                    each.size >= after.seq and each.signed_by(before.key) and each.signed_by(after.key)
                    for each in earlier
                ):
                    self.report.broken("key.rotation", f"entry {after.seq}")
        except (BodyError, notes.NoteError, KeyError, TypeError, AttributeError) as error:
            self.report.broken("package.malformed", "checkpoints.json", reason=error)
        for signed in self.options.against:
            self._against(signed, earlier)

    def _against(self, signed: Signed, earlier: list[notes.Checkpoint]) -> None:
        """A checkpoint received earlier must be one of those that the package's checkpoint continues."""
        outside = signed.checkpoint
        self.report.count("against")
        same = [each for each in earlier if each.size == outside.size]
        if self._checkpoint is not None and outside.origin != self._checkpoint.origin:
            self.report.broken("checkpoint.other_log", signed.where, found=outside.origin)
        elif any(each.root != outside.root for each in same):
            self.report.broken("checkpoint.root", signed.where)
        elif not same:
            self.report.broken("checkpoint.unknown", signed.where, size=outside.size)

    def _birth(self, manifest: dict[str, Any]) -> None:
        """What the manifest says of the folder must be what the first entry says: whoever may export may not rename."""
        for field in ("simulated", "organisation", "site", "time_zone"):
            stated, sealed = manifest.get(field), self.facts.birth.get(field)
            if stated != sealed:
                self.report.broken("package.birth", "manifest.json", field=field, stated=stated, sealed=sealed)

    def _figures(self, content: bytes, span: tuple[Any, Any]) -> None:
        try:
            document = parse_any(content)
            if not isinstance(document, dict) or (document.get("from"), document.get("to")) != span:
                self.report.broken("package.span", "figures.json")
            self.evidence.check(document)
        except BodyError as error:
            self.report.broken("package.malformed", "figures.json", reason=error)

    def _key_file(self, container: Container) -> None:
        keys = self.facts.keys
        if keys and container.read("key.pub") != f"{keys[-1].key}\n".encode():
            self.report.broken("key.differs", "key.pub")


def parse_any(text: bytes) -> Any:
    """A canonical JSON value that need not be an object; BodyError when it does not re-encode to itself."""
    return parse(b'{"x":' + text + b"}", limit=MAX_MEMBER_BYTES)["x"]


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    lines = content.split(b"\n")
    if lines.pop() != b"":
        raise ValueError("the last line of entries.txt is cut")
    for line in lines:
        number, _, body = line.partition(b" ")
        if len(number) > notes.MAX_NUMBER_DIGITS or not number.isdigit() or number.startswith(b"0"):
            raise ValueError("a line of entries.txt without its number")
        yield int(number), body


def _hashes(content: bytes) -> list[bytes]:
    """One base64 hash a line, every line ended; nothing else."""
    lines = content.decode("latin-1").split("\n")
    if lines.pop() != "":
        raise notes.NoteError("the last line is cut")
    hashes = [notes.unbase64(line) for line in lines]
    if any(len(each) != 32 for each in hashes):
        raise notes.NoteError("a line that is no SHA-256 hash")
    return hashes
