"""What goes into the journal and what comes out."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from gateway.journal import canonical

BODY_VERSION = 1
HIGH_VOLUME_KINDS = frozenset({"poll", "miss", "message"})
"""What meters bring; everything else is a fact, kept for ever."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry to be. ``at_us`` is microseconds UTC; ``body``: the kind's own fields (ARCHITECTURE.md section 4)."""

    kind: str
    subject: str
    at_us: int
    body: dict[str, Any]

    def encode(self) -> "EncodedDraft":
        """The bytes and the leaf hash; BodyError when the body breaks a rule."""
        body = canonical.encode(
            {**self.body, "at": self.at_us, "kind": self.kind, "subject": self.subject, "v": BODY_VERSION}
        )
        return EncodedDraft(self.at_us, self.kind, self.subject, body, leaf_hash(body))


@dataclass(frozen=True, slots=True)
class EncodedDraft:
    """A draft in its final bytes; only its number is missing."""

    at_us: int
    kind: str
    subject: str
    body_bytes: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the journal; ``seq`` counts from 1 without gaps and is the tree's leaf index + 1."""

    seq: int
    at_us: int
    kind: str
    subject: str
    body_bytes: bytes
    _parsed: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def body(self) -> dict[str, Any]:
        """The parsed body, parsed once. Treat it as read-only."""
        if not self._parsed:
            self._parsed.update(canonical.decode(self.body_bytes))
        return self._parsed

    def forget(self) -> None:
        """Let the parsed body go, some ten times its bytes; it is parsed again when asked for."""
        self._parsed.clear()


def leaf_hash(body: bytes) -> bytes:
    """The RFC 6962 leaf hash of a body: SHA-256(0x00 ‖ body)."""
    return sha256(b"\x00" + body).digest()
