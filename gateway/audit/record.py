"""The journal as a list, and how far it is sealed."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.audit.asking import Asking, Sources
from gateway.audit.decoding import EntryFact, entry_fact
from gateway.domain.errors import JournalError
from gateway.domain.ledger import LEDGER_KINDS
from gateway.sealing.history import History, checkpoint_of
from gateway.sealing.note import Note, NoteError, VerifierKey

PAGE_ENTRIES = 50
_CHUNK = 2_000
_MAX_SCANNED = 40_000
KINDS = (
    "poll",
    "miss",
    "message",
    "settlement",
    "verdict",
    "configuration",
    "event",
    *LEDGER_KINDS,
    "manual",
    "batch",
    "invoice",
    "laboratory",
    "stock",
    "loss",
    "replacement",
    "column_mapping",
    "result",
    "review",
    "user",
    "clock",
    "key",
)
"""Every kind an entry may have, for the filter of pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealState:
    """The newest checkpoint: signed tree of the first ``size`` entries, ``root`` in hexadecimal.

    ``signed`` says whether the folder's public key verifies it; None without a checkpoint or a key to check with.
    """

    origin: str
    size: int
    root: str
    checkpoints: int
    signed: bool | None
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPage:
    """Entries newest first, ``older_before`` to go on from (None at the beginning), and the seal."""

    head: int
    entries: Sequence[EntryFact]
    older_before: int | None
    seal: SealState


def journal_page(sources: Sources, asking: Asking, *, before: int = 0, kind: str = "") -> JournalPage:
    """A page of entries before a number (0: from the newest), of one kind when given.

    Of rare kinds a page may hold few: at most 40 000 entries are looked through, and ``older_before`` goes on.
    """
    head = sources.journal.head()
    at = min(before - 1, head) if before > 0 else head
    found: list[EntryFact] = []
    scanned = 0
    prefix = f"{asking.organisation}/"
    while at > 0 and len(found) < PAGE_ENTRIES and scanned < _MAX_SCANNED:
        size = _CHUNK if kind else PAGE_ENTRIES
        first = max(0, at - size)
        chunk = [each for each in sources.journal.read(first, at - first) if not kind or each.kind == kind]
        facts = [entry_fact(each) for each in reversed(chunk) if each.subject.startswith(prefix)]
        taken = facts[: PAGE_ENTRIES - len(found)]
        found += taken
        cut_short = len(taken) < len(facts)
        scanned += at - first
        at = taken[-1].seq - 1 if cut_short else first
    return JournalPage(head=head, entries=found, older_before=at + 1 if at > 0 else None, seal=seal_state(sources))


def seal_state(sources: Sources) -> SealState:
    """How far the journal is sealed, by the newest checkpoint in the folder."""
    history = History(sources.seal)
    key = _key(sources)
    nothing = SealState(origin="", size=0, root="", checkpoints=0, signed=None, key=key.name if key else "")
    try:
        note = history.latest()
        if note is None:
            return nothing
        checkpoint = checkpoint_of(note)
    except (NoteError, JournalError):
        return nothing
    return SealState(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        checkpoints=len(history.numbers()),
        signed=_signed(note, key),
        key=key.name if key else "",
    )


def _signed(note: Note, key: VerifierKey | None) -> bool | None:
    try:
        return note.signed_by(key) if key else None
    except NoteError:
        return False


def _key(sources: Sources) -> VerifierKey | None:
    try:
        return VerifierKey.parse((sources.seal / "key.pub").read_text("utf-8").strip())
    except (OSError, NoteError, ValueError):
        return None
