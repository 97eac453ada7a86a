"""Plans compiled for speed: one ``struct`` pass per byte order and answer, then one comprehension.

A request whose fields are all of a kind that can be handled in bulk takes the fast way as long as the values are plain;
whenever anything is out of the ordinary (a NaN, a sentinel, an overflow, a coarse float, a missing answer) all its
fields take the plain way of ``decode.decode_field``, which is the definition.
"""

import struct
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter, mul

from drivers.modbus.decode import INT64_MAX, INT64_MIN, decode_field
from drivers.modbus.fields import ScaleField, ValueField
from gateway.domain.finding import Finding
from gateway.domain.quality import GOOD

Values = tuple[int | str | None, ...]

_INTEGER_CODES = {
    ("uint", 2): "H",
    ("uint", 4): "I",
    ("uint", 8): "Q",
    ("int", 2): "h",
    ("int", 4): "i",
    ("int", 8): "q",
}
_SWAPPED_WORDS = {2: "BA", 4: "BADC", 8: "BADCFEHG"}
_LITTLE = {2: "BA", 4: "DCBA", 8: "HGFEDCBA"}
_SWAPPED_LITTLE = {4: "CDAB", 8: "GHEFCDAB"}
_EXACT_PRODUCT_BITS = 53 - 24


@dataclass(frozen=True, slots=True)
class _Pass:
    """One ``unpack_from`` over the answer or over its byte-swapped copy."""

    unpack: struct.Struct
    swapped: bool


@dataclass(frozen=True, slots=True)
class _Bulk:
    """The fast way of one request. ``pick`` brings the passes' values into field order; None when they are already."""

    size: int
    passes: tuple[_Pass, ...]
    pick: Callable[[Sequence[int | float]], tuple[int | float, ...]] | None
    factors: tuple[int, ...] | None  # None: all 1 and all integers
    floats: bool
    guards: tuple[tuple[int, frozenset[int], float], ...]  # position, sentinels, float limit (0: none)


class CompiledDecoder:
    """Decodes the answers of one plan. Immutable after construction."""

    def __init__(self, fields: Sequence[ValueField], scales: Sequence[ScaleField], requests: int) -> None:
        self._fields = tuple(fields)
        self._scales = tuple(scales)
        by_request: list[list[int]] = [[] for _ in range(requests)]
        for position, field in enumerate(fields):
            by_request[field.request].append(position)
        self._groups = tuple((index, tuple(each)) for index, each in enumerate(by_request) if each)
        self._bulks = tuple(_bulk([fields[position] for position in each]) for _, each in self._groups)
        order = [position for _, each in self._groups for position in each]
        in_order = order == list(range(len(order)))
        back = sorted(range(len(order)), key=order.__getitem__)
        self._pick = None if in_order or len(order) < 2 else itemgetter(*back)
        self._all_good = (GOOD,) * len(fields)

    def decode(self, raw: Sequence[bytes | None]) -> tuple[Values, tuple[int, ...], tuple[Finding, ...]]:
        """Values, quality words and findings in field order. Total: any bytes give a result."""
        values: list[int | str | None] = []
        for (request, _), bulk in zip(self._groups, self._bulks, strict=True):
            data = raw[request] if request < len(raw) else None
            fast = None if bulk is None or data is None else _run(bulk, data)
            if fast is None:
                return self._decode_mixed(raw)
            values += fast
        pick = self._pick
        return (tuple(values) if pick is None else pick(values)), self._all_good, ()

    def _decode_mixed(self, raw: Sequence[bytes | None]) -> tuple[Values, tuple[int, ...], tuple[Finding, ...]]:
        values: list[int | str | None] = [None] * len(self._fields)
        quality = [GOOD] * len(self._fields)
        findings: dict[int, Finding] = {}
        for (request, positions), bulk in zip(self._groups, self._bulks, strict=True):
            data = raw[request] if request < len(raw) else None
            fast = None if bulk is None or data is None else _run(bulk, data)
            if fast is not None:
                for position, number in zip(positions, fast, strict=True):
                    values[position] = number
                continue
            for position in positions:
                values[position], quality[position], finding = decode_field(self._fields[position], self._scales, raw)
                if finding is not None:
                    findings[position] = finding
        return tuple(values), tuple(quality), tuple(findings[position] for position in sorted(findings))


def _run(bulk: _Bulk, data: bytes) -> list[int] | None:
    if len(data) != bulk.size:
        return None
    numbers: Sequence[int | float] = ()
    for each in bulk.passes:
        part = each.unpack.unpack(_byteswapped(data) if each.swapped else data)
        numbers = (*numbers, *part) if numbers else part
    if bulk.pick is not None:
        numbers = bulk.pick(numbers)
    for position, sentinels, limit in bulk.guards:
        number = numbers[position]
        if number in sentinels or (limit and not -limit < number < limit):
            return None
    try:
        products = numbers if bulk.factors is None else map(mul, numbers, bulk.factors)
        # without floats every product is an integer already
        values: list[int] = [round(each) for each in products] if bulk.floats else list(products)  # type: ignore[arg-type]
    except (ValueError, OverflowError):  # NaN, infinity
        return None
    if max(values) > INT64_MAX or min(values) < INT64_MIN:
        return None
    return values


def _byteswapped(data: bytes) -> bytes:
    words = array("H", data)
    words.byteswap()
    return words.tobytes()


def _bulk(fields: Sequence[ValueField]) -> _Bulk | None:
    """The fast way of one request's fields, or None when one of them needs the plain way."""
    placed: dict[tuple[bool, str], list[tuple[int, int, str]]] = {}
    factors = []
    guards = []
    for position, field in enumerate(fields):
        code = _code(field)
        factor = _whole_factor(field)
        if code is None or factor is None:
            return None
        (swapped, endian), letter = code
        placed.setdefault((swapped, endian), []).append((field.offset, position, letter))
        factors.append(factor)
        guard = _guard(field, position)
        if guard is not None:
            guards.append(guard)
    size = max(field.offset + field.length for field in fields)
    size += size % 2
    return _assemble(placed, factors, guards, size, floats=any(field.type == "float" for field in fields))


def _assemble(
    placed: dict[tuple[bool, str], list[tuple[int, int, str]]],
    factors: list[int],
    guards: list[tuple[int, frozenset[int], float]],
    size: int,
    *,
    floats: bool,
) -> _Bulk | None:
    passes = []
    order: list[int] = []
    for (swapped, endian), members in placed.items():
        members.sort()
        pieces = [endian]
        at = 0
        for offset, position, letter in members:
            if offset < at:
                return None  # overlapping fields
            pieces.append(f"{offset - at}x{letter}")
            at = offset + struct.calcsize(endian + letter)
            order.append(position)
        pieces.append(f"{size - at}x")
        passes.append(_Pass(struct.Struct("".join(pieces)), swapped))
    in_order = order == list(range(len(order)))
    back = sorted(range(len(order)), key=order.__getitem__)
    pick = None if in_order or len(order) < 2 else itemgetter(*back)
    plain = not floats and all(factor == 1 for factor in factors)
    return _Bulk(size, tuple(passes), pick, None if plain else tuple(factors), floats, tuple(guards))


def _code(field: ValueField) -> tuple[tuple[bool, str], str] | None:  # noqa: PLR0911  # a table of orders
    if field.format != "number" or field.scales or field.subtract or field.shift or field.width is not None:
        return None
    if field.type == "float":
        letter = "f" if field.length == 4 else None  # a double's product is not exact in a double
    else:
        letter = _INTEGER_CODES.get((field.type, field.length))
    if letter is None or field.offset % 2:
        return None
    whole = "ABCDEFGH"[: field.length]
    if field.order in {"A", "AB" if field.length == 2 else whole, whole}:
        return (False, ">"), letter
    if field.order == _LITTLE[field.length]:
        return (False, "<"), letter
    if field.order in {"BA", _SWAPPED_WORDS[field.length]}:
        return (True, ">"), letter
    if field.order == _SWAPPED_LITTLE.get(field.length):
        return (True, "<"), letter
    return None


def _whole_factor(field: ValueField) -> int | None:
    product = field.numerator * 10**field.decimals
    if product % field.denominator:
        return None
    factor = product // field.denominator
    if field.type == "float" and abs(factor).bit_length() > _EXACT_PRODUCT_BITS:
        return None
    return int(factor)


def _guard(field: ValueField, position: int) -> tuple[int, frozenset[int], float] | None:
    """What must be looked at before the value may take the fast way."""
    sentinels = set()
    limit = 0.0
    for each in field.sentinels:
        ordered = bytes.fromhex(each)
        if field.type == "float":
            number = struct.unpack(">f", ordered)[0]
            if number == number:  # noqa: PLR0124  # a NaN is caught by rounding
                sentinels.add(number)
        else:
            sentinels.add(int.from_bytes(ordered, "big", signed=field.type == "int"))
    if field.coarse is not None and field.type == "float":
        factor = abs(field.numerator) * 10**field.decimals / field.denominator
        exponent = 0
        while 2.0 ** (exponent - 23) * factor <= field.coarse and exponent < 127:
            exponent += 1
        while exponent > -126 and 2.0 ** (exponent - 24) * factor > field.coarse:
            exponent -= 1
        limit = 2.0**exponent
    return (position, frozenset(sentinels), limit) if sentinels or limit else None
