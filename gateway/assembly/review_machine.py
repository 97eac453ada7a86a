"""The reviewer's own machine: an evidence package as a data folder of its own, acts signed there, a file to hand back.

The folder is a reading copy: entries keep their numbers, nothing is settled or judged again, it is no log of its own
(``package.json`` marks it). Acts are appended behind the package's entries so that the same pages show them; they leave
as signed notes and become entries of the real log only there.
"""

import json
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from gateway.assembly.review_desk import HandBack, current, keep, manifest_text, project_now
from gateway.domain.errors import DataFolderError
from gateway.journal import canonical, schema
from gateway.journal.entry import leaf_hash
from gateway.journal.folder import DataFolder, make_folder
from gateway.journal.journal import Journal
from gateway.ports import Clock
from gateway.review import acts
from gateway.review.acts import Attachment, ReviewError
from gateway.review.statement import SIGNED_ACTIONS, Statement, signed, text_hash
from gateway.sealing import keys
from gateway.sealing.note import Note, SigningKey
from gateway.verifier.checkpoints import Options
from gateway.verifier.notes import parse_key
from gateway.verifier.package import PackageCheck
from gateway.verifier.report import Report

MARKER = "package.json"
BATCH = 5_000
MAX_MEMBER_BYTES = 8 * 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What says that a folder is a package opened by a reviewer. ``head`` is the newest entry of the package,
    ``until_us`` the newest instant in it: the pages' now."""

    package: str
    sha256: str
    origin: str
    head: int
    checkpoint: int
    until_us: int
    key: str

    @classmethod
    def of(cls, folder: DataFolder) -> "Marker | None":
        """The folder's marker; None for a gateway's own folder."""
        path = folder.path / MARKER
        if not path.is_file():
            return None
        return cls(**json.loads(path.read_text("utf-8")))


def check_package(package: Path, *, log_key: str | None) -> Report:
    """The verifier's report about a package; ``log_key`` received earlier from the plant."""
    report = Report()
    PackageCheck(package, report, Options(key=parse_key(log_key) if log_key else None, against=[])).run()
    return report


def open_package(package: Path, target: Path, *, key: Path | None, report: Report) -> DataFolder:
    """Make the reading copy; DataFolderError when the target is not empty. ``report`` is the verifier's, and good."""
    if target.exists() and any(target.iterdir()):
        raise DataFolderError("%(path)s is not empty; name a new folder for the package", path=str(target))
    make_folder(target)
    for name in ("seal", "blobs", "archive", "series", "state"):
        (target / name).mkdir(exist_ok=True)
    with zipfile.ZipFile(package) as content:
        head, until_us = _write_journal(target, content)
        (target / "seal" / "key.pub").write_bytes(content.read("key.pub"))
        (target / "seal" / "checkpoint").write_bytes(content.read("checkpoint"))
        for name in content.namelist():
            if name.startswith("documents/"):
                (target / "blobs" / name.removeprefix("documents/")).write_bytes(content.read(name))
    marker = {
        "package": package.name,
        "sha256": _file_hash(package),
        "origin": str(report.about.get("origin") or ""),
        "head": head,
        "checkpoint": int(report.about.get("checkpoint") or 0),
        "until_us": until_us,
        "key": str(key.absolute()) if key else "",
    }
    (target / MARKER).write_text(json.dumps(marker, ensure_ascii=False, indent=1), "utf-8")
    folder = DataFolder.open(target)
    with Journal.open(folder) as journal:
        project_now(folder, journal, always=True)
    return folder


def _file_hash(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _write_journal(target: Path, content: zipfile.ZipFile) -> tuple[int, int]:
    """The package's entries under their own numbers; the newest number and the newest instant."""
    temporary = target / "journal.sqlite.new"
    schema.create(temporary)
    head = until_us = 0
    connection = sqlite3.connect(temporary, isolation_level=None)
    try:
        connection.execute("BEGIN")
        for seq, body in _entries(content):
            entry = canonical.decode(body)
            row = (seq, entry["at"], entry["kind"], entry["subject"], body, leaf_hash(body))
            connection.execute("INSERT INTO entry (seq, at, kind, subject, body, leaf) VALUES (?, ?, ?, ?, ?, ?)", row)
            head, until_us = seq, max(until_us, entry["at"])
        connection.execute("COMMIT")
    finally:
        connection.close()
    temporary.replace(target / "journal.sqlite")
    return head, until_us


def _entries(content: zipfile.ZipFile) -> Iterator[tuple[int, bytes]]:
    with content.open("entries.txt") as stream:
        for line in stream:
            number, _, body = line.rstrip(b"\n").partition(b" ")
            yield int(number), body


# -- acts


def require_machine(folder: DataFolder) -> Marker:
    """The marker of an opened package; ReviewError for a gateway's own folder, where no reviewer's act is made."""
    marker = Marker.of(folder)
    if marker is None:
        raise ReviewError(
            "%(path)s is the gateway's own folder: a reviewer's act is made on the reviewer's machine "
            "('meterproof review open') and comes in with 'meterproof review import'",
            path=str(folder.path),
        )
    return marker


def reviewer_key(marker: Marker, given: Path | None) -> SigningKey:
    """The reviewer's key: the one given, else the one named when the package was opened."""
    path = given or (Path(marker.key) if marker.key else None)
    if path is None:
        raise ReviewError("name the reviewer's key with --key")
    return keys.load(path)


def sign_act(
    folder: DataFolder,
    journal: Journal,
    clock: Clock,
    key: SigningKey,
    *,
    review: str,
    action: str,
    object_: Mapping[str, Any],
    documents: Sequence[Attachment] = (),
) -> int:
    """Sign one act and show it in the reading copy; its number. Refused where the log would refuse it."""
    require_machine(folder)
    state = current(folder, journal)
    found = state.review(review)
    reviewer = key.verifier.name
    registered = state.reviewers.get(reviewer)
    if registered is None or registered.vkey != str(key.verifier):
        raise ReviewError(
            "the package knows no reviewer '%(id)s' with this key; the plant must register it first", id=reviewer
        )
    if not found.in_team(reviewer):
        raise ReviewError("the review's team does not name '%(id)s'", id=reviewer)
    number, previous = found.next_of(reviewer)
    statement = Statement(
        origin=state.origin,
        review=review,
        reviewer=reviewer,
        number=number,
        previous=previous,
        action=action,
        at_us=clock.utc_us(),
        object=canonical.plain(dict(object_)),
        documents=[each.document() for each in documents],
    )
    keep(folder, documents)
    note = signed(statement.text(), key)
    draft = acts.signed_draft(folder.organisation, note, at_us=statement.at_us, actor=reviewer)
    journal.append([draft])
    project_now(folder, journal, always=True)
    return number


def hand_back(folder: DataFolder, journal: Journal, key: SigningKey, review: str) -> HandBack:
    """Every act of this reviewer in this review, with the files they name, signed as a whole."""
    marker = require_machine(folder)
    state = current(folder, journal)
    found = state.review(review)
    reviewer = key.verifier.name
    wanted = set(found.chain.get(reviewer, []))
    notes: list[str] = []
    documents: dict[str, bytes] = {}
    after = 0
    while page := journal.read(after, BATCH, kinds=(acts.KIND,)):
        for entry in page:
            note = entry.body.get("note")
            if isinstance(note, str) and entry.body.get("action") in SIGNED_ACTIONS:
                text = Note.parse(note).text
                if text_hash(text) in wanted:
                    notes.append(note)
                    if entry.seq > marker.head:
                        documents |= _files(folder, Statement.parse(text))
        after = page[-1].seq
    if not notes:
        raise ReviewError("there is no act of '%(id)s' in this review yet", id=reviewer)
    manifest = signed(manifest_text(state.origin, review, reviewer, notes), key)
    return HandBack(review, reviewer, notes, documents, manifest)


def _files(folder: DataFolder, statement: Statement) -> dict[str, bytes]:
    return {str(each["sha256"]): (folder.blobs / str(each["sha256"])).read_bytes() for each in statement.documents}
