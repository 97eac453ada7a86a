"""What a reviewer signs: one act as canonical JSON in a signed note (c2sp.org/signed-note).

The text has two lines: a header, and the act. It names the log, the review, the reviewer, the act's number and the
hash of the act before it, so that no act can be moved to another review or plant, left out or put in later unseen.
``meterproof-verify`` checks the same with code of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Self

from gateway.journal import canonical
from gateway.journal.canonical import BodyError
from gateway.sealing.note import Note, NoteError, SigningKey, VerifierKey

HEADER = "meterproof-review/v1"
FILE_HEADER = "meterproof-review-file/v1"
FIRST = ""
"""What the first act names as the one before it."""

JUDGED = "review.judged"
CHECKED = "review.checked"
NONCONFORMITY = "review.nonconformity"
RECTIFICATION_CHECKED = "review.rectification_checked"
REPORTED = "review.reported"
REVIEWER_STAGE = "review.reviewer_stage"
REGISTERED = "reviewer.registered"
SIGNED_ACTIONS = frozenset({JUDGED, CHECKED, NONCONFORMITY, RECTIFICATION_CHECKED, REPORTED, REVIEWER_STAGE})
"""Acts that are a reviewer's alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One act. ``number`` counts the reviewer's acts in the review from 1; ``previous`` is the SHA-256 of the text
    before; ``at_us`` when the reviewer signed (µs UTC); ``documents`` files named by their hash."""

    origin: str
    review: str
    reviewer: str
    number: int
    previous: str
    action: str
    at_us: int
    object: Mapping[str, Any] = field(default_factory=dict)
    documents: Sequence[Mapping[str, Any]] = ()

    def text(self) -> str:
        """The note's text; BodyError when something in it cannot be written."""
        body = {
            "v": 1,
            "origin": self.origin,
            "review": self.review,
            "reviewer": self.reviewer,
            "number": self.number,
            "previous": self.previous,
            "action": self.action,
            "at": self.at_us,
            "object": dict(self.object),
            "documents": [dict(each) for each in self.documents],
        }
        return f"{HEADER}\n{canonical.encode(canonical.plain(body)).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """From a note's text; NoteError when it is none of ours or not written canonically."""
        header, _, rest = text.partition("\n")
        try:
            body = canonical.decode(rest.encode())
            made = cls(
                origin=_text(body["origin"]),
                review=_text(body["review"]),
                reviewer=_text(body["reviewer"]),
                number=_whole(body["number"]),
                previous=_text(body["previous"]),
                action=_text(body["action"]),
                at_us=_whole(body["at"]),
                object=dict(body["object"]),
                documents=[dict(each) for each in body["documents"]],
            )
            unchanged = header == HEADER and made.text() == text
        except (BodyError, KeyError, TypeError, ValueError) as error:
            raise NoteError("this is no act of a reviewer") from error
        if not unchanged:
            raise NoteError("this is no act of a reviewer")
        return made


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError(value)
    return value


def text_hash(text: str) -> str:
    """SHA-256 of a note's text, in hexadecimal."""
    return sha256(text.encode()).hexdigest()


def signed(text: str, *keys: SigningKey) -> str:
    """The note: the text and a signature line a key."""
    return str(Note(text, tuple(key.sign(text) for key in keys)))


def opened(note: str, key: VerifierKey) -> Statement:
    """The act of a signed note; NoteError when the key did not sign exactly this."""
    parsed = Note.parse(note)
    if not parsed.signed_by(key):
        raise NoteError("it carries no signature of %(name)s", name=key.name)
    return Statement.parse(parsed.text)
