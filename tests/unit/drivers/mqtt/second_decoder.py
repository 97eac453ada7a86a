"""A second decoder written from docs/mqtt.md alone, with nothing but the standard library and no code of the driver.

It reads what the page promises for plain topics: values by mapping document, exact. Where the first decoder refuses,
this one returns nothing.
"""

import csv
import json
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

MISSING = object()
Row = tuple[str, int, tuple[int | str | None, ...]]


def rows(mapping: dict[str, Any], topic: str, payload: bytes, received_us: int) -> list[Row]:
    """Group, time and values of every sample the device has in this message."""
    try:
        records = _records(mapping, payload.decode("utf-8-sig"))
    except (ValueError, RecursionError, LookupError):
        return []
    found: list[tuple[str, int | None, tuple[int | str | None, ...]]] = []
    for record in records:
        if mapping["meter_at"] is not None:
            name = _at(record, mapping["meter_at"])
            if isinstance(name, bool) or not isinstance(name, str | int | Fraction):
                continue
            if unicodedata.normalize("NFC", str(name)) != mapping["meter"]:
                continue
        stamp = _stamp(mapping["time"], record, received_us)
        for group, described in mapping["groups"].items():
            wires = [
                _at(record, channel["at"]) if channel["topic"] == topic else MISSING
                for channel in described["channels"]
            ]
            if any(wire is not MISSING for wire in wires):
                values = tuple(map(_value, wires, described["channels"]))
                found.append((group, stamp, values))
    times = [group for group, _, _ in found]
    return [
        (group, received_us if stamp is None else stamp, values)
        for group, stamp, values in found
        if stamp is not None or times.count(group) == 1
    ]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("twice")
    return dict(pairs)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _records(mapping: dict[str, Any], text: str) -> list[Any]:
    if mapping["payload"] == "json":
        value = json.loads(text, object_pairs_hook=_unique, parse_float=Fraction, parse_constant=_refuse)
        if mapping["samples"] is None:
            return [value] if isinstance(value, dict | list) else []
        value = _at(value, mapping["samples"])
        return value if isinstance(value, list) else []
    if mapping["payload"] == "csv":
        lines = text.splitlines()[mapping["header_lines"] :]
        return [line for line in csv.reader(lines, delimiter=mapping["separator"], strict=True) if line]
    return [[text.strip(" \t\r\n\x00")]]


def _at(record: Any, place: Any) -> Any:
    if place is None:
        return _written(record[0])
    if isinstance(place, int):
        return _written(record[place].strip(" ")) if place < len(record) else MISSING
    for step in place:
        try:
            fits = isinstance(record, dict if isinstance(step, str) else list)
            record = record[step] if fits else MISSING
        except LookupError:
            return MISSING
    return record


def _written(text: str) -> Any:
    """CSV columns and plain values: empty is null, a number is its exact value, anything else stays text."""
    return _number(text) if text else None


def _number(text: str) -> Any:
    mantissa, _, _ = text.strip(" \t\r\n").lower().partition("e")
    whole, _, decimals = mantissa.lstrip("+-").partition(".")
    plain = whole + decimals
    if not (plain.isascii() and plain.isdigit() and whole and mantissa[:-1].count(".") == mantissa.count(".")):
        return text
    try:
        return Fraction(text.strip(" \t\r\n"))
    except ValueError:
        return text


def _value(wire: Any, channel: dict[str, Any]) -> int | str | None:
    if wire is MISSING or wire is None or wire == "":
        return None
    if channel["type"] == "text":
        return unicodedata.normalize("NFC", str(wire)) if isinstance(wire, str) or type(wire) is int else None
    if isinstance(wire, bool) or not isinstance(wire, int | Fraction):
        return None
    stored = round(Fraction(wire) * channel["numerator"] / channel["denominator"] * 10 ** channel["decimals"])
    return stored if -(2**63) <= stored < 2**63 else None


def _stamp(rule: dict[str, Any] | None, record: Any, received_us: int) -> int | None:
    if rule is None:
        return None
    wire = _at(record, rule["at"])
    scale = {"epoch_s": 10**6, "epoch_ms": 10**3, "epoch_us": 1}.get(rule["format"])
    try:
        if scale is not None:
            at_us = round(Fraction(wire) * scale)
        elif rule["format"] == "iso8601":
            at_us = _instant(datetime.fromisoformat(wire), rule)
        else:
            text = str(wire) if isinstance(wire, str | int) else str(int(wire))
            at_us = _instant(datetime.strptime(text, rule["format"]), rule)  # noqa: DTZ007  # the zone is the rule's
    except (TypeError, ValueError, OverflowError):
        return None
    return at_us if received_us - rule["max_age_us"] <= at_us <= received_us + rule["max_ahead_us"] else None


def _instant(moment: datetime, rule: dict[str, Any]) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=rule["zone_minutes"])))
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
