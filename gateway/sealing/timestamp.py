"""An outside time for a checkpoint: a request and an answer of RFC 3161, exchanged as files.

The token itself is kept as a document and named by its hash in an entry; ``openssl ts -verify`` checks it against the
authority's certificate, which is the authority's business and not ours.
"""

from hashlib import sha256

from gateway.domain.errors import JournalError
from gateway.journal.audit_event import audit_event
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.ports import Clock
from gateway.sealing.kept import require_own
from gateway.sealing.note import Checkpoint, Note
from gateway.sealing.tiles import write_durably

STAMPED_ACTION = "checkpoint.timestamped"
# AlgorithmIdentifier of SHA-256: OID 2.16.840.1.101.3.4.2.1, NULL
_SHA256 = bytes.fromhex("300d06096086480165030402010500")
_GRANTED = {b"\x02\x01\x00", b"\x02\x01\x01"}


def request(note: Note) -> bytes:
    """A TimeStampReq over a checkpoint's text, asking for the authority's certificate."""
    imprint = _sequence(_SHA256 + b"\x04\x20" + sha256(note.text.encode()).digest())
    return _sequence(b"\x02\x01\x01" + imprint + b"\x01\x01\xff")


def stamped_draft(
    folder: DataFolder, journal: Journal, note: Note, answer: bytes, *, clock: Clock, actor: str
) -> Draft:
    """Keep the authority's answer as a document and make its entry.

    Raises:
        JournalError: the answer refuses, or is about something else.
    """
    require_own(folder, note)
    if not 16 <= len(answer) <= 1_000_000 or answer[0] != 0x30:
        raise JournalError("this is no answer of a time-stamping authority")
    status = _first_integer(answer)
    if status not in _GRANTED:
        raise JournalError("the time-stamping authority refused (status %(status)s)", status=status[2:].hex() or "?")
    if sha256(note.text.encode()).digest() not in answer:
        raise JournalError("the time stamp is not about the checkpoint over %(size)s entries", size=str(_size(note)))
    digest = sha256(answer).hexdigest()
    write_durably(folder.blobs / digest, answer)
    return audit_event(
        folder,
        journal,
        clock,
        actor=actor,
        action=STAMPED_ACTION,
        about=str(_size(note)),
        new=str(note),
        facts={"document": digest},
    )


def _size(note: Note) -> int:
    return Checkpoint.parse(note.text).size


def _sequence(content: bytes) -> bytes:
    if len(content) > 127:
        raise ValueError("longer than a short form holds")
    return bytes([0x30, len(content)]) + content


def _first_integer(answer: bytes) -> bytes:
    """The status: first element of the first sequence in the outer one."""
    at = _content(answer, 0)
    if answer[at] != 0x30:
        return b""
    at = _content(answer, at)
    return answer[at : at + 2 + answer[at + 1]]


def _content(der: bytes, at: int) -> int:
    """Where the content of the element at ``at`` begins."""
    length = der[at + 1]
    return at + 2 + (length & 0x7F if length & 0x80 else 0)
