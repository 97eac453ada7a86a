"""The private key on disk: one line, readable by its owner only, opened by the sealer only."""

import base64
import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.domain.errors import DataFolderError
from gateway.sealing.note import COSIGNATURE, ED25519, NoteError, SigningKey, strict_base64
from gateway.sealing.tiles import write_durably

_PREFIX = "PRIVATE+KEY+"


def save(path: Path, key: SigningKey, seed: bytes) -> None:
    """Write the key with mode 0600: ``PRIVATE+KEY+<name>+<id>+<base64(type ‖ seed)>``."""
    encoded = base64.b64encode(bytes([key.verifier.kind]) + seed).decode()
    line = f"{_PREFIX}{key.verifier.name}+{key.verifier.id.hex()}+{encoded}\n"
    write_durably(path, line.encode(), mode=0o600)


def create(path: Path, name: str, kind: int = ED25519) -> SigningKey:
    """Make a new key from the operating system's randomness and write it."""
    private = Ed25519PrivateKey.generate()
    key = SigningKey(name, private, kind)
    save(path, key, private.private_bytes_raw())
    return key


def load(path: Path) -> SigningKey:
    """Read a key; DataFolderError when others could read it or when it is damaged."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise DataFolderError(
                "the signing key %(path)s can be read by others (mode %(mode)s); set its mode to 600",
                path=str(path),
                mode=f"{mode:o}",
            )
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "r", encoding="ascii") as stream:
            line = stream.read(1000).strip()
    except OSError as error:
        raise DataFolderError(
            "the signing key %(path)s cannot be read: %(reason)s", path=str(path), reason=error.strerror or str(error)
        ) from error
    key = _parse(line)
    if key is None:
        raise DataFolderError("the signing key %(path)s is damaged; restore it", path=str(path))
    return key


def _parse(line: str) -> SigningKey | None:
    parts = line.removeprefix(_PREFIX).split("+", 2)
    if not line.startswith(_PREFIX) or len(parts) != 3:
        return None
    try:
        material = strict_base64(parts[2])
    except NoteError:
        return None
    if len(material) != 33 or material[0] not in {ED25519, COSIGNATURE}:
        return None
    key = SigningKey(parts[0], Ed25519PrivateKey.from_private_bytes(material[1:]), material[0])
    return key if key.verifier.id.hex() == parts[1] else None
