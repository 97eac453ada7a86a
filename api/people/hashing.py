"""Secrets at rest: passwords and token secrets under Argon2id, random one-time secrets under SHA-256."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.ports import Random

SECRET_BYTES = 32
MIN_PASSWORD_CHARACTERS = 10
MAX_PASSWORD_CHARACTERS = 256
_MEMORY_KIB = 19_456
_PASSES = 2
"""OWASP's recommendation for Argon2id (19 MiB, two passes, one lane): some tens of milliseconds a try."""
_AT_ONCE = BoundedSemaphore(2)
"""Runs of Argon2id at once: a flood of tries must not take the memory that collection needs."""


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=1)


@cache
def _nobody() -> str:
    """A hash that no password has, so that an unknown name takes as long as a wrong password."""
    return _hasher().hash("nobody has this password")


def hardened(secret: str) -> str:
    """The Argon2id form of a secret, with its own salt and parameters in it."""
    with _AT_ONCE:
        return _hasher().hash(secret)


def matches(stored: str | None, secret: str) -> bool:
    """Whether a secret is the stored one; None stores nothing and takes as long."""
    try:
        with _AT_ONCE:
            _hasher().verify(stored or _nobody(), secret)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def drawn(random: Random) -> str:
    """A new random secret of 256 bits, safe in an address."""
    return urlsafe_b64encode(random.token(SECRET_BYTES)).rstrip(b"=").decode()


def digest(secret: str) -> bytes:
    """What is kept of a random secret. It has 256 bits of chance, so that a slow hash would add nothing."""
    return hashlib.sha256(secret.encode()).digest()


def form_token(secret: str) -> str:
    """The token of a session's forms: bound to the session's secret, which no page ever shows."""
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()


def same(first: str, second: str) -> bool:
    """Equality that takes the same time wherever the first difference stands."""
    return hmac.compare_digest(first.encode(), second.encode())
