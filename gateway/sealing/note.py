"""Signed notes, checkpoints and cosignatures: c2sp.org/signed-note, /tlog-checkpoint and /tlog-cosignature."""

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.domain.errors import JournalError

ED25519 = 0x01
COSIGNATURE = 0x04
MAX_SIGNATURES = 64


class NoteError(JournalError):
    """A note, key or checkpoint that does not follow its format or does not verify."""


def strict_base64(text: str) -> bytes:
    """Decode standard base64 that is exactly what encoding gives; NoteError otherwise."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("the base64 text %(text)s is wrong", text=text[:100]) from error
    if base64.b64encode(value).decode("ascii") != text:
        raise NoteError("the base64 text %(text)s is wrong", text=text[:100])
    return value


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name: ``<name>+<hex id>+<base64(type ‖ key)>``."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes: SHA-256(name ‖ 0x0A ‖ type ‖ key)[:4]."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """A key from its text; NoteError when malformed or when its id is not its own."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3 or not parts[0] or any(letter.isspace() for letter in parts[0]):
            raise NoteError("%(text)s is no verifier key", text=text[:100])
        material = strict_base64(parts[2])
        if len(material) != 33 or material[0] not in {ED25519, COSIGNATURE}:
            raise NoteError("%(text)s is no Ed25519 verifier key", text=text[:100])
        key = cls(parts[0], material[0], material[1:])
        if key.id.hex() != parts[1]:
            raise NoteError("the verifier key %(text)s names another key id", text=text[:100])
        return key

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Whether ``signature`` (without the id) is this key's over a note's text."""
        if self.kind == COSIGNATURE:
            if len(signature) != 72:
                return False
            text = cosigned_message(text, int.from_bytes(signature[:8], "big"))
            signature = signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """The line without its newline."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.signature).decode()}"

    @classmethod
    def parse(cls, line: str) -> Self:
        """A signature from its line."""
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "—" or not parts[1] or "+" in parts[1]:
            raise NoteError("%(line)s is no signature line", line=line[:100])
        raw = strict_base64(parts[2])
        if len(raw) < 5:
            raise NoteError("%(line)s is no signature line", line=line[:100])
        return cls(parts[1], raw[:4], raw[4:])


@dataclass(frozen=True, slots=True)
class Note:
    """Text that ends in a newline, and who signed it."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(signature.line() + "\n" for signature in self.signatures)

    @classmethod
    def parse(cls, content: str) -> Self:
        """A note from its text; the signatures are not verified yet."""
        text, separator, tail = content.rpartition("\n\n")
        if not separator or not tail.endswith("\n") or not text:
            raise NoteError("this is no signed note")
        if any(letter < " " and letter != "\n" for letter in content):
            raise NoteError("a signed note holds no control characters")
        lines = tail[:-1].split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise NoteError("the note has too many signatures")
        return cls(text + "\n", tuple(Signature.parse(line) for line in lines))

    def signed_by(self, key: VerifierKey) -> bool:
        """Whether the key signed this; NoteError when a line of that key does not verify."""
        mine = [each for each in self.signatures if each.name == key.name and each.key_id == key.id]
        if not all(key.verifies(self.text.encode(), each.signature) for each in mine):
            raise NoteError("a signature of %(name)s does not verify", name=key.name)
        return bool(mine)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Origin, tree size and root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text: three lines."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """A checkpoint from a note's text; extension lines are refused, because nothing would check them."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0]:
            raise NoteError("this is no checkpoint")
        if not (lines[1].isascii() and lines[1].isdigit()) or str(int(lines[1])) != lines[1]:
            raise NoteError("the checkpoint's size %(size)s is no number", size=lines[1][:40])
        root = strict_base64(lines[2])
        if len(root) != 32:
            raise NoteError("the checkpoint's root is no SHA-256 hash")
        return cls(lines[0], int(lines[1]), root)


class SigningKey:
    """An Ed25519 private key with its name."""

    def __init__(self, name: str, private: Ed25519PrivateKey, kind: int = ED25519) -> None:
        self._private = private
        self.verifier = VerifierKey(name, kind, private.public_key().public_bytes_raw())

    def sign(self, text: str) -> Signature:
        """This key's signature line over a note's text."""
        return Signature(self.verifier.name, self.verifier.id, self._private.sign(text.encode()))

    def cosign(self, text: str, timestamp_s: int) -> Signature:
        """This key's cosignature over a checkpoint's text, POSIX seconds."""
        signature = self._private.sign(cosigned_message(text.encode(), timestamp_s))
        return Signature(self.verifier.name, self.verifier.id, timestamp_s.to_bytes(8, "big") + signature)


def cosigned_message(text: bytes, timestamp_s: int) -> bytes:
    """What a cosigner signs: two header lines before the checkpoint's text."""
    return b"cosignature/v1\ntime %d\n" % timestamp_s + text
