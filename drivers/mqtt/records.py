"""From payload bytes to records: JSON, CSV lines, plain values. Total: any bytes give records or one reason why not.

A record answers what stands at a locator (a JSON path, a CSV column; a plain value has one place). What comes back is
an integer, a Decimal, a text, None for a stated “nothing”, ABSENT, or a foreign thing (objects, arrays, true, false).
Numbers never pass through a float. JSON keys that stand twice make the message undecodable: readers differ on which
of the two counts, so taking one would be a guess.
"""

import csv
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from drivers.mqtt.locators import ABSENT, at_path
from drivers.mqtt.numbers import parse_number

Locator = Sequence[str | int] | int | str | None
Lookup = Callable[[Any, Locator], Any]

MAX_PAYLOAD_BYTES = 256 * 1024
MAX_CSV_LINES = 10_000
MAX_CSV_COLUMNS = 500


class UndecodableError(ValueError):
    """The payload is not what the profile says; ``reason`` is a stable word for the finding."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise UndecodableError("duplicate_key")
    return value


def _no_constant(_name: str) -> Any:  # NaN and Infinity are not JSON
    raise UndecodableError("not_json")


_JSON: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_float=Decimal, parse_constant=_no_constant)


def text_of(payload: bytes) -> str:
    """The payload as text; UndecodableError when it is too large or not UTF-8."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise UndecodableError("too_large")
    try:
        return payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UndecodableError("not_utf8") from error


def json_value(payload: bytes) -> Any:  # any JSON value
    """The parsed JSON payload, numbers exact."""
    text = text_of(payload)
    try:
        return _JSON.decode(text)
    except UndecodableError:
        raise
    except RecursionError as error:
        raise UndecodableError("nested_too_deeply") from error
    except (ValueError, ArithmeticError) as error:
        raise UndecodableError("not_json") from error


def json_records(value: Any, samples: Sequence[str | int] | None) -> list[Any]:  # any JSON value
    """The records of a JSON payload: the payload itself, or the entries of the array at ``samples``."""
    if samples is None:
        if not isinstance(value, dict | list):
            raise UndecodableError("not_an_object")
        return [value]
    found = at_path(value, samples)
    if not isinstance(found, list):
        raise UndecodableError("no_samples")
    return found


def csv_records(payload: bytes, separator: str, header_lines: int) -> list[list[str]]:
    """The lines of a CSV payload as lists of columns; blank lines are left out."""
    lines = text_of(payload).splitlines()
    if len(lines) > MAX_CSV_LINES:
        raise UndecodableError("too_large")
    try:
        rows = list(csv.reader(lines[header_lines:], delimiter=separator, strict=True))
    except csv.Error as error:
        raise UndecodableError("not_csv") from error
    if any(len(row) > MAX_CSV_COLUMNS for row in rows):
        raise UndecodableError("not_csv")
    return [row for row in rows if row]


def in_json(record: Any, locator: Locator) -> Any:  # any JSON value
    """What stands at a path of a JSON record."""
    return at_path(record, locator) if isinstance(locator, list | tuple) else ABSENT


def in_csv(record: Any, locator: Locator) -> Any:  # a text, None for an empty column, ABSENT beyond the last
    """What stands in a column of a CSV record."""
    if not isinstance(locator, int) or locator >= len(record):
        return ABSENT
    return record[locator].strip(" ") or None


def in_value(record: Any, _locator: Locator) -> Any:  # the whole text
    """The plain value itself."""
    return record


def number_in_text(raw: Any) -> Any:  # CSV columns and plain values are text; a number there is written out
    """A number written as text as a Decimal; anything else as it came."""
    if isinstance(raw, str):
        number = parse_number(raw)
        return raw if number is None else number
    return raw
