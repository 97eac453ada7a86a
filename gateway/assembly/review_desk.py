"""The gateway's side of a review: reading its state from journal and registry, keeping files, taking in what a reviewer
hands back. A reviewer's act comes in only where it holds; what does not is refused and that is put on record.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gateway.assembly.projecting import load_plan
from gateway.domain.errors import DataFolderError
from gateway.journal import canonical
from gateway.journal.canonical import BodyError
from gateway.journal.entry import Draft, Entry
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.ports import Clock
from gateway.projection.projector import Projector
from gateway.registry.record import Event
from gateway.registry.registry import Registry
from gateway.review import acts
from gateway.review.acts import MAX_DOCUMENT_BYTES, Attachment, ReviewError
from gateway.review.state import Reviews, fold, judged, take
from gateway.review.statement import FILE_HEADER, Statement, text_hash
from gateway.sealing.note import Note, NoteError, VerifierKey
from gateway.sealing.tiles import write_durably

PAGE = 5_000
MAX_FILE_BYTES = 500_000_000
MAX_ACTS = 10_000
ACTS, MANIFEST, DOCUMENTS = "acts.json", "file.note", "documents/"


def event_of(entry: Entry) -> Event:
    """A review entry as the registry gives it back."""
    body = entry.body
    action, actor = str(body.get("action") or ""), str(body.get("actor") or "")
    organisation = entry.subject.split("/", 1)[0]
    return Event(entry.seq, entry.at_us, organisation, entry.kind, entry.subject, action, actor, body)


def review_events(folder: DataFolder, journal: Journal) -> list[Event]:
    """Every review entry, from the registry and, after what that contains, from the journal."""
    found: list[Event] = []
    after = 0
    if folder.registry.is_file():
        registry = Registry.open(folder.registry)
        try:
            after = registry.applied_seq()
            found = registry.events(folder.organisation, kind=acts.KIND, limit=100_000)
        finally:
            registry.close()
    while page := journal.read(after, PAGE, kinds=(acts.KIND,)):
        found += [event_of(each) for each in page if each.subject.startswith(f"{folder.organisation}/")]
        after = page[-1].seq
    return found


def current(folder: DataFolder, journal: Journal) -> Reviews:
    """The state of all reviews up to the newest entry."""
    return fold(review_events(folder, journal), folder.origin)


def keep(folder: DataFolder, attachments: Sequence[Attachment]) -> None:
    """Files under ``blobs/`` by their hash, durable before an entry names them."""
    for each in attachments:
        if len(each.content) > MAX_DOCUMENT_BYTES:
            raise ReviewError(
                "%(name)s is larger than %(limit)s MB", name=each.name, limit=str(MAX_DOCUMENT_BYTES // 1_000_000)
            )
        path = folder.blobs / each.sha256
        if not path.is_file():
            write_durably(path, each.content)


def project_now(folder: DataFolder, journal: Journal, *, always: bool = False) -> None:
    """Bring the projections up to the journal where no gateway does: nothing is settled or judged here. ``always``:
    DataFolderError when somebody else holds them."""
    with _projecting(folder, always=always) as may:
        if may:
            projector = Projector(folder, journal, load_plan)
            try:
                while projector.catch_up():
                    pass
            finally:
                projector.close()


@contextmanager
def _projecting(folder: DataFolder, *, always: bool) -> Iterator[bool]:
    try:
        with folder.hold_lock("project"):
            yield True
            return
    except DataFolderError:
        if always:
            raise
    yield False


@dataclass(slots=True)
class HandBack:
    """A reviewer's file as read: signed acts in order, the documents they name, and the note over all of them."""

    review: str
    reviewer: str
    notes: list[str]
    documents: dict[str, bytes]
    manifest: str
    content: bytes = field(repr=False, default=b"")


def write_hand_back(made: HandBack) -> bytes:
    """The file's bytes: a ZIP with the note, the acts, the documents; the same for the same content."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as package:
        members = {MANIFEST: made.manifest.encode(), ACTS: canonical.encode_any(made.notes)}
        members |= {f"{DOCUMENTS}{digest}": content for digest, content in sorted(made.documents.items())}
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            package.writestr(info, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def manifest_text(origin: str, review: str, reviewer: str, notes: Sequence[str]) -> str:
    """What the note over a file says: every act by its hash, so that none can be left out at the end unseen."""
    hashes = [text_hash(Note.parse(each).text) for each in notes]
    body = {"v": 1, "origin": origin, "review": review, "reviewer": reviewer, "acts": hashes}
    return f"{FILE_HEADER}\n{canonical.encode_any(body).decode()}\n"


def read_hand_back(content: bytes) -> HandBack:
    """A reviewer's file; ReviewError when it is none. Whether it counts is another question (``take_in``)."""
    if len(content) > MAX_FILE_BYTES:
        raise ReviewError("the file is larger than %(limit)s MB", limit=str(MAX_FILE_BYTES // 1_000_000))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            if sum(each.file_size for each in package.infolist()) > MAX_FILE_BYTES:
                raise ReviewError("the file is larger than %(limit)s MB", limit=str(MAX_FILE_BYTES // 1_000_000))
            manifest = package.read(MANIFEST).decode()
            notes = canonical.decode(b'{"x":' + package.read(ACTS) + b"}")["x"]
            documents = {
                name.removeprefix(DOCUMENTS): package.read(name)
                for name in package.namelist()
                if name.startswith(DOCUMENTS)
            }
        said = canonical.decode(Note.parse(manifest).text.partition("\n")[2].encode())
        if not isinstance(notes, list) or len(notes) > MAX_ACTS or not all(isinstance(each, str) for each in notes):
            raise ReviewError("this is no file of a reviewer")
        return HandBack(str(said["review"]), str(said["reviewer"]), notes, documents, manifest, content)
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,  # no UTF-8, a place before the file's beginning
        OverflowError,
        struct.error,
        BodyError,
        NoteError,
        EOFError,
        NotImplementedError,
        RuntimeError,  # a member under a password
        TypeError,
        zlib.error,
    ) as error:
        raise ReviewError("this is no file of a reviewer") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What an import brought: entries written, acts already there; or why it was refused."""

    written: Sequence[int]
    known: int
    why: str = ""


def take_in(folder: DataFolder, journal: Journal, clock: Clock, handed: HandBack, *, actor: str) -> TakenIn:
    """Check every act against the reviewer's registered key and put them on record, all or none. A refusal is put on
    record too, with who tried."""
    state = current(folder, journal)
    why, fresh, claimed = _checked(state, handed, folder)
    now = clock.utc_us()
    if why:
        said = {"reviewer": handed.reviewer, **claimed}
        review = handed.review if _is_id(handed.review) else "unknown"
        draft = acts.refusal_draft(
            folder.organisation, review, why=why, said=said, content=handed.content, at_us=now, actor=actor
        )
        return TakenIn(written=journal.append([draft]), known=0, why=why)
    named = {str(each["sha256"]): str(each.get("name") or "") for note in fresh for each in _documents(note)}
    keep(folder, [Attachment(named[digest], handed.documents[digest], "") for digest in named])
    drafts = [acts.signed_draft(folder.organisation, note, at_us=now, actor=actor) for note in fresh]
    return TakenIn(written=journal.append(drafts) if drafts else [], known=len(handed.notes) - len(fresh))


def _is_id(value: str) -> bool:
    try:
        acts.checked_id(value)
    except ReviewError:
        return False
    return True


def _checked(  # noqa: PLR0911  # one a reason
    state: Reviews, handed: HandBack, folder: DataFolder
) -> tuple[str, list[str], Mapping[str, Any]]:
    """(why refused, acts that are new, what the wrong one claims)."""
    reviewer = state.reviewers.get(handed.reviewer)
    review = state.reviews.get(handed.review)
    if reviewer is None:
        return "not_registered", [], _first_claim(handed)
    if review is None:
        return "other_review", [], _first_claim(handed)
    if not _file_is_signed(handed, reviewer.key, state.origin):
        return "signature", [], _first_claim(handed)
    fresh: list[str] = []
    for note in handed.notes:
        if _is_known(note, review.chain.get(handed.reviewer, [])):
            continue
        try:
            draft = acts.signed_draft(folder.organisation, note, at_us=0, actor="")
        except (NoteError, ReviewError):
            return "malformed", [], {}
        event = _as_event(draft, folder.organisation)
        act, why = judged(state, event, handed.review)
        if act is None or act.reviewer != handed.reviewer:
            return why or "signature", [], acts.claimed(note)
        missing = [each for each in _documents(note) if not _holds(handed, each)]
        if missing:
            return "document_missing", [], acts.claimed(note)
        take(state, event)
        fresh.append(note)
    return "", fresh, {}


def _first_claim(handed: HandBack) -> Mapping[str, Any]:
    return acts.claimed(handed.notes[0]) if handed.notes else {}


def _file_is_signed(handed: HandBack, key: VerifierKey, origin: str) -> bool:
    try:
        note = Note.parse(handed.manifest)
        expected = manifest_text(origin, handed.review, handed.reviewer, handed.notes)
        return note.signed_by(key) and note.text == expected
    except NoteError:
        return False


def _is_known(note: str, hashes: Sequence[str]) -> bool:
    try:
        text = Note.parse(note).text
        number = Statement.parse(text).number
    except NoteError:
        return False
    return 1 <= number <= len(hashes) and hashes[number - 1] == text_hash(text)


def _documents(note: str) -> Sequence[Mapping[str, Any]]:
    return Statement.parse(Note.parse(note).text).documents


def _holds(handed: HandBack, named: Mapping[str, Any]) -> bool:
    content = handed.documents.get(str(named.get("sha256")))
    return content is not None and Attachment("", content, "").sha256 == named.get("sha256")


def _as_event(draft: Draft, organisation: str) -> Event:
    body = draft.body
    return Event(0, draft.at_us, organisation, draft.kind, draft.subject, str(body["action"]), str(body["actor"]), body)
