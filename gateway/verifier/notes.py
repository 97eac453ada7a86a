"""Signed notes, checkpoints, cosignatures and offline proofs, as c2sp.org writes them."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = 1
COSIGNATURE = 4
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
MAX_NUMBER_DIGITS = 18


class NoteError(Exception):
    """A note, key, checkpoint or proof is malformed or a signature is wrong; the text says why."""


def unbase64(text: str) -> bytes:
    """Strict base64: exactly the text that encoding the bytes gives."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("wrong base64") from error
    if base64.b64encode(value).decode("ascii") != text:
        raise NoteError("wrong base64")
    return value


@dataclass(frozen=True)
class Key:
    """A public key and its name; ``str`` gives ``<name>+<id>+<base64(type ‖ key)>``."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """SHA-256(name ‖ newline ‖ type ‖ key)[:4]."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"


def parse_key(text: str) -> Key:
    """A key from its text."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3 or not parts[0] or any(letter.isspace() for letter in parts[0]):
        raise NoteError("no verifier key")
    material = unbase64(parts[2])
    if len(material) != 33 or material[0] not in {ED25519, COSIGNATURE}:
        raise NoteError("no Ed25519 verifier key")
    key = Key(parts[0], material[0], material[1:])
    if key.id.hex() != parts[1]:
        raise NoteError("the key id is another key's")
    return key


@dataclass(frozen=True)
class Checkpoint:
    """A parsed checkpoint: its exact text, what it says, and its signature lines as (name, id, signature)."""

    text: str
    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def signed_by(self, key: Key) -> bool:
        """True when the key signed it, False when no line is that key's; NoteError when such a line is wrong."""
        mine = [signature for name, key_id, signature in self.signatures if (name, key_id) == (key.name, key.id)]
        for signature in mine:
            _check(key, self.text.encode(), signature)
        return bool(mine)

    def only_signed_by(self, keys: Sequence[Key]) -> bool:
        """Whether every line is one of these keys', each at most once and in their order: a checkpoint that the log
        itself keeps has no other, so that not one byte of it can be added or moved unseen."""
        rest = iter([(key.name, key.id) for key in keys])
        return all((name, key_id) in rest for name, key_id, _ in self.signatures)


def _check(key: Key, text: bytes, signature: bytes) -> None:
    if key.kind == COSIGNATURE:
        if len(signature) != 72:
            raise NoteError("a cosignature of a wrong length")
        text = b"cosignature/v1\ntime %d\n" % int.from_bytes(signature[:8], "big") + text
        signature = signature[8:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text)
    except InvalidSignature as error:
        raise NoteError(f"the signature of {key.name} does not verify") from error


def parse_checkpoint(content: bytes) -> Checkpoint:
    """A checkpoint from its bytes; its signatures are not verified yet."""
    try:
        note = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteError("not UTF-8") from error
    if any(letter < " " and letter != "\n" for letter in note):
        raise NoteError("control characters")
    text, separator, tail = note.rpartition("\n\n")
    lines = text.split("\n")
    if not separator or not tail.endswith("\n") or len(lines) != 3 or not lines[0]:
        raise NoteError("not a checkpoint")
    size = _number(lines[1], "the tree size is no number")
    root = unbase64(lines[2])
    if len(root) != 32:
        raise NoteError("the root is no SHA-256 hash")
    signatures = tuple(_signature(line) for line in tail[:-1].split("\n"))
    return Checkpoint(text + "\n", lines[0], size, root, signatures)


def parse_note(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Any signed note: its text and its signature lines as (name, id, signature), not verified yet."""
    if any(letter < " " and letter != "\n" for letter in note):
        raise NoteError("control characters")
    text, separator, tail = note.rpartition("\n\n")
    if not separator or not tail.endswith("\n") or not text:
        raise NoteError("not a signed note")
    return text + "\n", [_signature(line) for line in tail[:-1].split("\n")]


def _number(text: str, otherwise: str) -> int:
    """A decimal without leading zeros, short enough for a tree that can exist."""
    if len(text) > MAX_NUMBER_DIGITS or not (text.isascii() and text.isdigit()) or str(int(text)) != text:
        raise NoteError(otherwise)
    return int(text)


def _signature(line: str) -> tuple[str, bytes, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—" or not parts[1] or "+" in parts[1]:
        raise NoteError("a line that is no signature")
    raw = unbase64(parts[2])
    if len(raw) < 5:
        raise NoteError("a line that is no signature")
    return parts[1], raw[:4], raw[4:]


@dataclass(frozen=True)
class Proof:
    """An offline proof: leaf index, hashes from the leaf's sibling upwards, checkpoint."""

    index: int
    hashes: list[bytes]
    checkpoint: Checkpoint
    extra: bool = False  # it carries extra data, which nothing vouches for


def parse_proof(content: bytes) -> Proof:
    """A proof from its bytes."""
    head, separator, tail = content.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise NoteError("not a proof") from error
    if not separator or lines[0] != PROOF_HEADER:
        raise NoteError("not a proof")
    lines = lines[1:]
    extra = bool(lines) and lines[0].startswith("extra ")
    if extra:
        unbase64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise NoteError("a proof without its index")
    index = _number(lines[0].removeprefix("index "), "the index is no number")
    hashes = [unbase64(line) for line in lines[1:]]
    if any(len(each) != 32 for each in hashes) or len(hashes) > 64:
        raise NoteError("a proof line that is no SHA-256 hash")
    return Proof(index, hashes, parse_checkpoint(tail), extra)
