"""Entries of kind ``review``: what organiser and enterprise put on record, and how a reviewer's signed act comes in.

Subjects: ``<organisation>/review/<id>`` for a review, ``…/reviewer/<id>`` for a reviewer, ``…/draw/<id>`` for a draw,
``…/equipping_edition/<id>`` for an edition an operator loaded. Every body has ``action``, ``actor``, ``object``,
``documents`` ([{name, sha256, size, media_type}]), ``note`` (the signed note, or null) and ``reason``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gateway.domain.errors import MeterproofError
from gateway.journal import canonical
from gateway.journal.entry import Draft
from gateway.review.signers import read_registration
from gateway.review.statement import REGISTERED, Statement
from gateway.sealing.note import Note, NoteError

KIND = "review"
PLANNED = "review.planned"
STAGE = "review.stage"
HANDED_IN = "review.handed_in"
RECTIFIED = "review.rectified"
REFUSED = "review.refused"
DRAWN = "review.drawn"
EDITION = "review.edition"
VERIFIED = "review.verified"
VERDICTS = ("conforming", "nonconforming", "not_applicable", "open")
"""符合, 不符合, 不适用, 未审."""

MAX_TEXT = 4_000
MAX_DOCUMENT_BYTES = 20_000_000
MAX_ACT_BYTES = 58_000
"""Below what an entry may hold, with room for what every entry says."""
MAX_ID = 60


class ReviewError(MeterproofError):
    """An act of a review that does not follow from what is on record."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that an act names: photo, report, evidence snapshot."""

    name: str
    content: bytes
    media_type: str

    @property
    def sha256(self) -> str:
        """The hash it is kept by."""
        return sha256(self.content).hexdigest()

    def document(self) -> dict[str, Any]:
        """As an entry names it."""
        size = len(self.content)
        return {"name": self.name, "sha256": self.sha256, "size": size, "media_type": self.media_type}


def checked_id(value: str) -> str:
    """An id usable in a subject; ReviewError otherwise."""
    plain = value.isascii() and all(each.isalnum() or each in "-._" for each in value)
    if not plain or not value or len(value) > MAX_ID:
        raise ReviewError(
            "'%(id)s' cannot be an id: at most 60 letters, digits, dots, dashes and underscores", id=value[:80]
        )
    return value


def checked_text(value: str) -> str:
    """A text people wrote, short enough for an entry; ReviewError otherwise."""
    if len(value) > MAX_TEXT:
        raise ReviewError("the text is longer than %(limit)s characters; attach it as a file", limit=str(MAX_TEXT))
    return value.strip()


def act_draft(
    organisation: str,
    subject: tuple[str, str],
    action: str,
    *,
    at_us: int,
    actor: str,
    object_: Mapping[str, Any] | None = None,
    documents: Sequence[Attachment] = (),
    reason: str = "",
) -> Draft:
    """An act of organiser or enterprise; ``subject`` is (type, id)."""
    body = {
        "action": action,
        "actor": actor,
        "object": dict(object_ or {}),
        "documents": [each.document() for each in documents],
        "note": None,
        "reason": checked_text(reason),
    }
    document = canonical.plain(body)
    if len(canonical.encode_any(document)) > MAX_ACT_BYTES:
        raise ReviewError("this is too large for one entry; take fewer or shorter lines, or attach a file")
    return Draft(KIND, f"{organisation}/{subject[0]}/{checked_id(subject[1])}", at_us, document)


def plan_draft(
    organisation: str, id_: str, *, checklist: Mapping[str, Any], facts: Mapping[str, Any], at_us: int, actor: str
) -> Draft:
    """A review goes on record: its whole checklist with it, so that it reads the same in ten years.

    ``facts``: ``from`` and ``to`` of the period looked at (µs UTC), ``enterprise``, ``organiser``, ``title``, ``team``
    ([{reviewer, role}]).
    """
    made = {**facts, "checklist": dict(checklist)}
    return act_draft(organisation, ("review", id_), PLANNED, at_us=at_us, actor=actor, object_=made)


def registration_draft(organisation: str, note: str, *, at_us: int, actor: str, reason: str = "") -> Draft:
    """A reviewer's own signed registration; NoteError when it does not hold."""
    said = read_registration(note)
    draft = act_draft(
        organisation,
        ("reviewer", said["reviewer"]),
        REGISTERED,
        at_us=at_us,
        actor=actor,
        object_={"name": said["name"], "authority": said["authority"]},
        reason=reason,
    )
    return Draft(draft.kind, draft.subject, draft.at_us, {**draft.body, "note": note, "vkey": said["vkey"]})


def signed_draft(organisation: str, note: str, *, at_us: int, actor: str) -> Draft:
    """A reviewer's signed act as an entry. Whether it counts is judged from the log, here and by anybody."""
    statement = Statement.parse(Note.parse(note).text)
    body = {
        "action": statement.action,
        "actor": actor,
        "object": {"reviewer": statement.reviewer, "number": statement.number},
        "documents": [dict(each) for each in statement.documents],
        "note": note,
        "reason": "",
    }
    return Draft(KIND, f"{organisation}/review/{checked_id(statement.review)}", at_us, body)


def refusal_draft(
    organisation: str, review: str, *, why: str, said: Mapping[str, Any], content: bytes, at_us: int, actor: str
) -> Draft:
    """That something was handed in as a reviewer's act and is none: who tried, what it claimed, why it was refused."""
    return act_draft(
        organisation,
        ("review", review),
        REFUSED,
        at_us=at_us,
        actor=actor,
        object_={"why": why, "sha256_of_file": sha256(content).hexdigest(), **said},
    )


def claimed(note: str) -> dict[str, Any]:
    """What a note claims to be, for a refusal; empty where it cannot be read."""
    try:
        statement = Statement.parse(Note.parse(note).text)
    except NoteError:
        return {}
    item = statement.object.get("item")
    return {
        "reviewer": statement.reviewer,
        "action_claimed": statement.action,
        "number": statement.number,
        "item": str(item) if item is not None else None,
    }
