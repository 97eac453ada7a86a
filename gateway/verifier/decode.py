"""Raw bytes to scaled integers again, from a configuration entry's plan alone (docs/decode-plan.md), exactly."""

import struct
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

Value = int | str | None
INT64 = range(-(2**63), 2**63)
NOT_READ = object()  # its request brought no data
NO_VALUE = object()  # a sentinel, nonsense, or a scale that gives no factor


class PlanError(Exception):
    """The plan asks for something this decoder does not know."""


def decoder(plan: dict[str, Any]) -> Callable[[Sequence[str | None]], list[Value]]:
    """A function from a poll's ``raw`` list to its values in the order of the plan's fields."""
    if plan.get("v") != 1 or plan.get("protocol") != "modbus":
        raise PlanError(f"protocol {plan.get('protocol')} version {plan.get('v')}")
    try:
        functions = [int(request["function"]) for request in plan["requests"]]
        scales = [_Part.of(each) for each in plan.get("scales", [])]
        kinds = [(each["kind"], each.get("minimum"), each.get("maximum")) for each in plan.get("scales", [])]
        fields = [_field(each, functions) for each in plan["fields"]]
    except (KeyError, TypeError, ValueError) as error:
        raise PlanError(f"{type(error).__name__} {error}") from error

    def decode(raw: Sequence[str | None]) -> list[Value]:
        data = [None if each is None else b64decode(each) for each in raw]
        data += [None] * (len(functions) - len(data))
        factors = [_factor(part, kind, data) for part, kind in zip(scales, kinds, strict=True)]
        return [field(data, factors) for field in fields]

    return decode


@dataclass(frozen=True)
class _Part:
    """Where a number stands and what it is: steps 1, 2 and 4 of the plan."""

    request: int
    offset: int
    length: int
    type: str
    order: tuple[int, ...]
    shift: int
    width: int

    @classmethod
    def of(cls, each: dict[str, Any]) -> "_Part":
        order = each.get("order", "A")
        length = each["length"]
        if length and (length % len(order) or sorted(order) != [chr(65 + at) for at in range(len(order))]):
            raise PlanError(f"order {order}")
        return cls(
            each["request"],
            each["offset"],
            length,
            each["type"],
            tuple(ord(letter) - 65 for letter in order),
            each.get("shift", 0),
            each.get("width", 8 * length),
        )

    def ordered(self, data: Sequence[bytes | None]) -> bytes | None:
        """The bytes with the most significant first; None when they did not come."""
        block = data[self.request]
        if block is None or len(block) < self.offset + self.length:
            return None
        wire = block[self.offset : self.offset + self.length]
        if self.order == (0,):
            return wire
        ordered = bytearray(self.length)
        step = len(self.order)
        for begin in range(0, self.length, step):
            for at, place in enumerate(self.order):
                ordered[begin + place] = wire[begin + at]
        return bytes(ordered)

    def number(self, ordered: bytes) -> int | float | None:
        """The number in the ordered bytes; None when they hold none."""
        match self.type:
            case "uint" | "int":
                value = int.from_bytes(ordered, "big") >> self.shift & (1 << self.width) - 1
                return value - (1 << self.width) if self.type == "int" and value >> self.width - 1 else value
            case "magnitude":
                value = int.from_bytes(ordered, "big")
                top = 1 << 8 * self.length - 1
                return -(value - top) if value & top else value
            case "float":
                number: float = struct.unpack(">f" if self.length == 4 else ">d", ordered)[0]
                return number if number - number == 0 else None
            case "bcd":
                text = ordered.hex()
                return int(text) if text.isdecimal() else None
            case "mod10k":
                words = struct.unpack(f">{self.length // 2}h", ordered)
                if any(not -9999 <= word <= 9999 for word in words):
                    return None
                total = 0
                for word in words:
                    total = total * 10_000 + word
                return total
        raise PlanError(f"type {self.type}")


def _factor(part: _Part, kind: tuple[str, int | None, int | None], data: Sequence[bytes | None]) -> Any:
    name, minimum, maximum = kind
    ordered = part.ordered(data)
    if ordered is None:
        return NOT_READ
    number = part.number(ordered)
    if number is None or (minimum is not None and number < minimum) or (maximum is not None and number > maximum):
        return NO_VALUE
    exact = Fraction(number)
    if name == "power10":
        return Fraction(10) ** int(exact)
    if name == "multiply":
        return exact
    if name == "divide":
        return 1 / exact if exact else NO_VALUE
    raise PlanError(f"scale {name}")


def _field(each: dict[str, Any], functions: list[int]) -> Callable[[Sequence[bytes | None], list[Any]], Value]:
    part = _Part.of(each)
    sentinels = frozenset(each.get("sentinels", []))
    scales = each.get("scales", [])
    subtract = each.get("subtract", 0)
    constant = Fraction(each.get("numerator", 1), each.get("denominator", 1)) * 10 ** each.get("decimals", 0)
    numerator, denominator = constant.numerator, constant.denominator
    form, worded = each.get("format", "number"), part.type in {"text", "time"}

    def field(data: Sequence[bytes | None], factors: list[Any]) -> Value:
        if part.type == "object":
            return _object(data[part.request], part.offset) if functions[part.request] == 43 else None
        ordered = part.ordered(data)
        if ordered is None or (sentinels and ordered.hex() in sentinels):
            return None
        if worded:
            return _text(ordered) if part.type == "text" else _time(ordered, part.shift)
        number = part.number(ordered)
        return None if number is None else scaled(number, ordered, factors)

    def scaled(number: float, ordered: bytes, factors: list[Any]) -> Value:
        if form != "number":
            return _formatted(form, number, ordered)
        above, below = number.as_integer_ratio()
        above = (above - subtract * below) * numerator
        below *= denominator
        for at in scales:
            if not isinstance(factors[at], Fraction):
                return None
            above, below = above * factors[at].numerator, below * factors[at].denominator
        value, rest = divmod(above, below)
        value += 2 * rest > below or (2 * rest == below and value & 1)  # half to even
        return value if value in INT64 else None

    return field


def _formatted(form: str, number: float, ordered: bytes) -> str:
    if form == "decimal":
        return str(int(number))
    if form == "digits":
        return str(int(number)).zfill(2 * len(ordered))
    if form == "hex":
        return ordered.hex()
    raise PlanError(f"format {form}")


def _text(content: bytes) -> str | None:
    shown = content.split(b"\0", 1)[0]
    return "".join(chr(byte) if 0x20 <= byte <= 0x7E else "\ufffd" for byte in shown).strip(" ") or None


def _object(data: bytes | None, wanted: int) -> str | None:
    """Device identification (function 43): five bytes of head, the last one the count; then id, length, bytes."""
    at = 5
    for _ in range(data[4] if data is not None and len(data) > 4 else 0):
        if data is None or at + 2 > len(data):
            return None
        identifier, length = data[at], data[at + 1]
        if at + 2 + length > len(data):
            return None
        if identifier == wanted:
            return _text(data[at + 2 : at + 2 + length])
        at += 2 + length
    return None


def _time(ordered: bytes, layout: int) -> str | None:
    try:
        if layout == 4:
            return datetime.fromtimestamp(int.from_bytes(ordered, "big"), UTC).strftime("%Y-%m-%dT%H:%M:%S")
        if layout == 3:
            ordered = bytes(int(f"{byte:02x}") for byte in ordered)
        words = struct.unpack(f">{len(ordered) // 2}H", ordered)
        if layout in {1, 3}:
            year, *rest = ordered
            parts = [2000 + year, *rest]
        elif layout in {2, 6}:
            parts = [words[0] + (2000 if layout == 6 else 0), *words[1:]]
        elif layout == 5:
            parts = [2000 + (words[0] & 0x7F), words[1] >> 8 & 0xF, words[1] & 0x1F, words[2] >> 8 & 0x1F]
            parts += [words[2] & 0x3F, words[3] // 1000]
        else:
            raise PlanError(f"time layout {layout}")
        return datetime(*parts).isoformat()  # type: ignore[arg-type]  # noqa: DTZ001  # the device's own clock, no zone
    except (ValueError, OverflowError):
        return None
