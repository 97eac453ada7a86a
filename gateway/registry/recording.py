"""Putting a ledger object on record: the one way in for imports, forms and commands."""

from collections.abc import Mapping
from typing import Any
from unicodedata import normalize

from gateway.domain.ledger import LEDGER_KINDS
from gateway.journal.canonical import MAX_SAFE_INTEGER
from gateway.journal.entry import Draft
from gateway.journal.journal import Journal

MAX_ID_LENGTH = 120


def object_draft(
    kind: str,
    organisation: str,
    id_: str,
    object_: Mapping[str, Any],
    *,
    at_us: int,
    from_us: int | None,
    to_us: int | None,
    actor: str,
    reason: str,
    source: str,
    withdrawn: bool = False,
) -> Draft:
    """The entry of one object. ``from_us``/``to_us`` (µs UTC, half open, None = open) say when it holds in the world.

    ValueError when the kind is none of the ledger's, the id is not usable in a subject, or the span is turned round.
    """
    if kind not in LEDGER_KINDS:
        raise ValueError(f"no ledger object is a {kind!r}")
    if not id_ or len(id_) > MAX_ID_LENGTH or id_ != id_.strip() or not id_.isprintable():
        raise ValueError(f"not usable as an id: {id_!r}")
    if from_us is not None and to_us is not None and to_us <= from_us:
        raise ValueError(f"ends before it begins: {from_us}..{to_us}")
    if any(at is not None and abs(at) > MAX_SAFE_INTEGER for at in (from_us, to_us)):
        raise ValueError(f"beyond what an entry holds exactly: {from_us}..{to_us}")
    return Draft(
        kind=kind,
        subject=f"{organisation}/{kind}/{id_}",
        at_us=at_us,
        body={
            "object": dict(object_),
            "from": from_us,
            "to": to_us,
            # what people type may come in another Unicode form than entries have
            "actor": normalize("NFC", actor),
            "reason": normalize("NFC", reason),
            "source": normalize("NFC", source),
            "withdrawn": int(withdrawn),
        },
    )


def record_object(
    journal: Journal,
    kind: str,
    organisation: str,
    id_: str,
    object_: Mapping[str, Any],
    *,
    at_us: int,
    from_us: int | None = None,
    to_us: int | None = None,
    actor: str,
    reason: str,
    source: str,
    withdrawn: bool = False,
) -> int:
    """Append one object and return its entry number; arguments as for ``object_draft``."""
    draft = object_draft(
        kind,
        organisation,
        id_,
        object_,
        at_us=at_us,
        from_us=from_us,
        to_us=to_us,
        actor=actor,
        reason=reason,
        source=source,
        withdrawn=withdrawn,
    )
    return journal.append([draft])[0]
