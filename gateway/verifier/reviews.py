"""Reviewers' acts: each must be signed by the reviewer's registered key, for this log and review, in its order.

Whoever holds the log can write any entry; what nobody but the reviewer can make is the signature inside this one.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.verifier import notes
from gateway.verifier.body import BodyError, parse
from gateway.verifier.report import Report

ACT_HEADER = "meterproof-review/v1"
REVIEWER_HEADER = "meterproof-reviewer/v1"
REGISTERED = "reviewer.registered"
SIGNED_ACTIONS = frozenset(
    {
        "review.judged",
        "review.checked",
        "review.nonconformity",
        "review.rectification_checked",
        "review.reported",
        "review.reviewer_stage",
    }
)


class WrongActError(Exception):
    """Why an act or a registration does not hold."""


class ReviewActs:
    """Fed with every entry of kind ``review``, in order. ``given``: keys received from the reviewers' authority."""

    def __init__(self, report: Report, given: Sequence[notes.Key]) -> None:
        self._report = report
        self._given = {str(each) for each in given}
        self._keys: dict[str, notes.Key] = {}
        self._chains: dict[tuple[str, str], tuple[int, str]] = {}
        self._teams: dict[str, frozenset[str]] = {}
        self._signed: set[str] = set()

    def take(self, seq: int, entry: dict[str, Any], origin: str) -> None:
        """Check one entry."""
        action, where = entry.get("action"), f"entry {seq}"
        parts = str(entry.get("subject")).split("/", 2)
        about = parts[2] if len(parts) == 3 else ""
        if action == "review.planned":
            self._teams.setdefault(about, _team(entry))
        elif action == REGISTERED:
            try:
                self._register(entry, about)
            except (WrongActError, notes.NoteError, BodyError) as error:
                self._report.broken("review.registration", where, reviewer=about, reason=error)
        elif action in SIGNED_ACTIONS:
            claimed = _claimed(entry)
            try:
                self._act(entry, about, origin)
            except (WrongActError, notes.NoteError, BodyError) as error:
                self._report.broken("review.forged", where, reviewer=claimed, reason=error)

    def finish(self) -> None:
        """Say with whose keys acts were signed; with keys given, only those may be."""
        for reviewer in sorted(self._signed):
            key = str(self._keys[reviewer])
            if not self._given:
                self._report.note("note.reviewer", "reviews", reviewer=reviewer, key=key)
            elif key not in self._given:
                self._report.broken("review.reviewer", "reviews", reviewer=reviewer, key=key)

    def _register(self, entry: dict[str, Any], about: str) -> None:
        text, signatures = _note(entry)
        said = _document(text, REVIEWER_HEADER)
        key = notes.parse_key(str(said.get("vkey")))
        if key.name != about or said.get("reviewer") != about or entry.get("vkey") != said.get("vkey"):
            raise WrongActError("another reviewer's")
        _signed_by(key, text, signatures)
        known = self._keys.get(about)
        if known is not None and str(known) != str(key):
            _signed_by(known, text, signatures)
        self._keys[about] = key

    def _act(self, entry: dict[str, Any], about: str, origin: str) -> None:
        text, signatures = _note(entry)
        said = _document(text, ACT_HEADER)
        reviewer = str(said.get("reviewer"))
        key = self._keys.get(reviewer)
        if key is None:
            raise WrongActError("no such reviewer was registered before")
        _signed_by(key, text, signatures)
        for field, expected in (("origin", origin), ("review", about), ("action", entry.get("action"))):
            if said.get(field) != expected:
                raise WrongActError(f"its {field} is another one")
        if said.get("documents") != entry.get("documents"):
            raise WrongActError("its documents are others")
        if reviewer not in self._teams.get(about, frozenset()):
            raise WrongActError("the review's plan does not name the reviewer")
        number, previous = self._chains.get((reviewer, about), (0, ""))
        if said.get("number") != number + 1 or said.get("previous") != previous:
            raise WrongActError("it does not follow the reviewer's act before")
        self._chains[reviewer, about] = (number + 1, sha256(text.encode()).hexdigest())
        self._signed.add(reviewer)
        self._report.count("acts")


def _team(entry: dict[str, Any]) -> frozenset[str]:
    said = entry.get("object")
    team = said.get("team") if isinstance(said, dict) else None
    return frozenset(str(each.get("reviewer")) for each in team or () if isinstance(each, dict))


def _claimed(entry: dict[str, Any]) -> str:
    try:
        line = str(entry.get("note") or "").split("\n")[1]
        said = json.loads(line)
        return str(said.get("reviewer")) if isinstance(said, dict) else "?"
    except (ValueError, IndexError, RecursionError):
        return "?"


def _note(entry: dict[str, Any]) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    note = entry.get("note")
    if not isinstance(note, str) or not note:
        raise WrongActError("it carries no signature")
    return notes.parse_note(note)


def _document(text: str, header: str) -> dict[str, Any]:
    first, _, rest = text.partition("\n")
    if first != header or not rest.endswith("\n"):
        raise WrongActError("it is none of ours")
    return parse(rest[:-1].encode())


def _signed_by(key: notes.Key, text: str, signatures: list[tuple[str, bytes, bytes]]) -> None:
    mine = [signature for name, key_id, signature in signatures if (name, key_id) == (key.name, key.id)]
    if key.kind != notes.ED25519 or not mine:
        raise WrongActError(f"the registered key of {key.name} did not sign it")
    for signature in mine:
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text.encode())
        except InvalidSignature as error:
            raise WrongActError(f"the signature of {key.name} does not verify") from error
