"""Who may judge: reviewers with the keys that were put on record.

A registration is signed by the key it names, so that nobody registers a key that is not in somebody's hands; a new key
under a name that has one must be signed by the old one too. Whether a key is that of a real reviewer no log can say:
a reader compares it with the one the reviewer's authority gives out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.journal import canonical
from gateway.journal.canonical import BodyError
from gateway.registry.record import Event
from gateway.review.statement import REGISTERED, signed
from gateway.sealing.note import Note, NoteError, SigningKey, VerifierKey

HEADER = "meterproof-reviewer/v1"
MAX_ID_LENGTH = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """A registered reviewer; ``seq`` is the entry that says so, ``actor`` who put it on record."""

    id: str
    name: str
    authority: str
    vkey: str
    seq: int
    at_us: int
    actor: str

    @property
    def key(self) -> VerifierKey:
        """The public key."""
        return VerifierKey.parse(self.vkey)


def registration(reviewer: str, name: str, authority: str, key: SigningKey, old: SigningKey | None = None) -> str:
    """What a reviewer hands over to be registered: name, authority and public key, signed by that key."""
    body = {"reviewer": reviewer, "name": name, "authority": authority, "vkey": str(key.verifier), "v": 1}
    text = f"{HEADER}\n{canonical.encode(canonical.plain(body)).decode()}\n"
    return signed(text, *([key] if old is None else [key, old]))


def read_registration(note: str) -> Mapping[str, Any]:
    """What a registration says, after checking that its own key signed it; NoteError otherwise."""
    parsed = Note.parse(note)
    header, _, rest = parsed.text.partition("\n")
    try:
        body = canonical.decode(rest.encode())
        if header != HEADER or f"{HEADER}\n{canonical.encode(body).decode()}\n" != parsed.text:
            raise NoteError("this is no registration of a reviewer")
        key = VerifierKey.parse(str(body["vkey"]))
        fields = {name: str(body[name]) for name in ("reviewer", "name", "authority", "vkey")}
    except (BodyError, KeyError, TypeError) as error:
        raise NoteError("this is no registration of a reviewer") from error
    if key.name != fields["reviewer"] or not parsed.signed_by(key):
        raise NoteError("the registration is not signed by the key it names")
    return fields


def reviewers(events: Sequence[Event]) -> dict[str, Reviewer]:
    """Everybody registered, by id; a registration that does not hold, or takes a name without its old key, is left
    out (``refusals`` in ``gateway.review.state`` shows it)."""
    found: dict[str, Reviewer] = {}
    for event in events:
        if event.action == REGISTERED:
            made = registered(event, found)
            if made is not None:
                found[made.id] = made
    return found


def registered(event: Event, known: Mapping[str, Reviewer]) -> Reviewer | None:
    """The reviewer an entry registers; None when the registration does not hold."""
    note = str(event.body.get("note") or "")
    try:
        said = read_registration(note)
        before = known.get(said["reviewer"])
        if event.subject.split("/", 2)[2] != said["reviewer"]:
            return None
        if before is not None and before.vkey != said["vkey"] and not Note.parse(note).signed_by(before.key):
            return None
    except NoteError:
        return None
    return Reviewer(
        id=said["reviewer"],
        name=said["name"],
        authority=said["authority"],
        vkey=said["vkey"],
        seq=event.seq,
        at_us=event.at_us,
        actor=event.actor,
    )
