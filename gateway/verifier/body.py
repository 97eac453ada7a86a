"""What the bytes of an entry must look like: canonical JSON that re-encodes to itself.

An object; keys ASCII, sorted, none twice; no spaces; text unescaped and in Unicode form NFC; integers within ±(2^53-1),
strings, null, lists and objects; no floating point, no booleans; at most 60 000 bytes.
"""

import json
from typing import Any
from unicodedata import is_normalized

MAX_BODY_BYTES = 60_000
MAX_SAFE_INTEGER = 2**53 - 1


class BodyError(Exception):
    """The bytes are not an entry; the text says why."""


def _integer(text: str) -> int:
    value = int(text)
    if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        raise BodyError("an integer beyond 2^53-1")
    return value


def _refuse(text: str) -> Any:
    raise BodyError(f"the number {text[:40]}")


_decoder = json.JSONDecoder(parse_int=_integer, parse_float=_refuse, parse_constant=_refuse)
_encoder = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), check_circular=False)


def parse(body: bytes, limit: int = MAX_BODY_BYTES) -> dict[str, Any]:
    """The entry as a dictionary; BodyError when any rule is broken or it is longer than ``limit`` bytes."""
    if len(body) > limit:
        raise BodyError(f"longer than {limit} bytes")
    try:
        text = body.decode("utf-8")
        value = _decoder.decode(text)
        again = _encoder.encode(value)
    except (ValueError, RecursionError) as error:
        raise BodyError(f"not JSON ({error})") from error
    if not isinstance(value, dict):
        raise BodyError("not an object")
    if again != text:
        raise BodyError("not in canonical form")
    if "true" in text or "false" in text or not text.isascii():
        try:
            _walk(value)
        except RecursionError as error:
            raise BodyError("nested too deeply") from error
    return value


def _walk(value: Any) -> None:
    """Look for what re-encoding does not show: booleans, keys that are not ASCII, text that is not NFC."""
    if isinstance(value, bool):
        raise BodyError("a boolean")
    if isinstance(value, str):
        if not is_normalized("NFC", value):
            raise BodyError("text that is not in Unicode form NFC")
    elif isinstance(value, dict):
        for key, each in value.items():
            if not key.isascii():
                raise BodyError("a key that is not ASCII")
            _walk(each)
    elif isinstance(value, list):
        for each in value:
            _walk(each)


def missing_fields(entry: dict[str, Any]) -> list[str]:
    """The fields every entry has and this one lacks or holds in another type."""
    wrong = [name for name in ("v", "at") if type(entry.get(name)) is not int]
    wrong += [name for name in ("kind", "subject") if not isinstance(entry.get(name), str) or not entry[name]]
    if not wrong and entry["v"] != 1:
        wrong.append("v")
    return wrong
