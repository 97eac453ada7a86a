"""Canonical JSON: the one byte form of a body, so that any language can hash it and a person can read it.

Keys are ASCII and sorted by code point, there are no spaces, text is UTF-8 (unescaped, NFC), values are objects,
arrays, strings, integers and null: no floating point, no booleans. Integers beyond ±(2^53-1) become strings, because a
reader in another language would round them; bytes become base64 text. A body is at most 60 000 bytes.
"""

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from typing import Any
from unicodedata import is_normalized, normalize

import msgspec

from gateway.domain.errors import JournalError

MAX_BODY_BYTES = 60_000
MAX_SAFE_INTEGER = 2**53 - 1
MAX_DEPTH = 32

_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder()


class BodyError(JournalError):
    """A body that cannot stand in the journal; ``path`` says where in it."""


def encode(body: dict[str, Any]) -> bytes:
    """The canonical bytes of a body.

    Raises:
        BodyError: a floating-point number, a boolean, an unknown type, a key or text outside the rules, too deep, too
            long. Callers convert such values first (``plain`` does it for parsed files).
    """
    try:
        if not _fits(body, 0):
            body = _bent(body)
        encoded = _encoder.encode(body)
    except UnicodeEncodeError as error:
        raise BodyError("the entry holds text that is not valid Unicode") from error
    if len(encoded) > MAX_BODY_BYTES:
        raise BodyError(
            "the entry is %(size)s bytes long; at most %(limit)s are allowed",
            size=str(len(encoded)),
            limit=str(MAX_BODY_BYTES),
        )
    return encoded


def encode_any(value: Any) -> bytes:
    """The canonical bytes of any JSON-shaped value of ours that is no entry (an index, a manifest)."""
    return _encoder.encode(value)


def decode(body: bytes) -> dict[str, Any]:
    """The body as a dictionary; BodyError when it is not a JSON object."""
    try:
        value = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BodyError("the entry is not JSON: %(reason)s", reason=str(error)) from error
    if not isinstance(value, dict):
        raise BodyError("the entry is not a JSON object")
    return value


def plain(value: object) -> Any:  # any JSON-shaped value
    """A parsed file's value in the journal's types: booleans as 0/1, decimals as their shortest text, text in NFC."""
    match value:
        case bool():
            return int(value)
        case float() | Decimal():
            return str(value)
        case str():
            return normalize("NFC", value)
        case dict():
            return {str(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case _:
            return value


def _fits(value: object, depth: int) -> bool:
    """True when the value can be encoded as it stands; False when an integer has to become text; raises otherwise."""
    kind = type(value)
    if value is None or kind is bytes:
        return True
    if isinstance(value, Enum):
        return _fits([value.value], depth - 1)
    if depth >= MAX_DEPTH:
        raise BodyError("the entry is nested too deeply")
    if kind is dict:
        members: Iterable[object] = _members(value)  # type: ignore[arg-type]  # kind says so
    elif kind is list or kind is tuple:
        members = value  # type: ignore[assignment]  # kind says so
    else:
        raise BodyError("a value of type %(type)s cannot stand in an entry", type=kind.__name__)
    fits = True
    for each in members:  # texts and integers, nearly all there is, without a call each
        kind = type(each)
        if kind is str:
            if not each.isascii():  # type: ignore[attr-defined]  # kind says so
                _check_text(each)  # type: ignore[arg-type]  # kind says so
        elif kind is int:
            fits = -MAX_SAFE_INTEGER <= each <= MAX_SAFE_INTEGER and fits  # type: ignore[operator]  # kind says so
        else:
            fits = _fits(each, depth + 1) and fits
    return fits


def _members(value: dict[object, object]) -> Iterable[object]:
    for key in value:
        if type(key) is not str or not key.isascii():
            raise BodyError("the key %(key)s of an entry is not ASCII text", key=repr(key))
    return value.values()


def _check_text(value: str) -> None:
    if not is_normalized("NFC", value):
        raise BodyError("the text %(text)s of an entry is not in Unicode form NFC", text=ascii(value[:40]))


def _bent(value: Any) -> Any:  # any JSON-shaped value
    """The value with integers beyond the safe range as text."""
    if isinstance(value, Enum):
        return _bent(value.value)
    if isinstance(value, dict):
        return {key: _bent(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_bent(each) for each in value]
    if isinstance(value, int) and not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        return str(value)
    return value
