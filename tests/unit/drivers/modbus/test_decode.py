"""Bytes to values: against an oracle of its own, and total under any bytes."""

import struct
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modbus.decode import decode_field, ordered_bytes
from drivers.modbus.fields import ScaleField, Slice, ValueField
from drivers.modbus.plan import ModbusPlan, load_plan, make_plan
from drivers.modbus.request import Request
from gateway.domain.quality import Flag, Status, flags_of, status_of

WORDS = 8
DATA = 2 * WORDS


def field(**facts: Any) -> ValueField:
    """A field of a one-request plan."""
    return ValueField(**({"channel": "c", "request": 0, "offset": 0, "length": 4, "type": "uint"} | facts))


def decode(part: ValueField, data: bytes | None, *scales: ScaleField) -> tuple[Any, Any, Any]:
    """Value, flags and rule."""
    value, quality, finding = decode_field(part, scales, [data])
    return value, flags_of(quality), finding.rule if finding else None


def plan_for(*fields: ValueField, scales: tuple[ScaleField, ...] = ()) -> ModbusPlan:
    """A plan whose one request reads eight registers."""
    return make_plan([Request(1, 3, 0, WORDS)], fields, scales)


@pytest.mark.parametrize(
    ("order", "wire"),
    [
        ("ABCDEFGH", "0102030405060708"),
        ("GHEFCDAB", "0708050603040102"),
        ("BADCFEHG", "0201040306050807"),
        ("HGFEDCBA", "0807060504030201"),
        ("CDABGHEF", "0304010207080506"),
        ("EFGHABCD", "0506070801020304"),
    ],
)
def test_six_orders_of_a_64_bit_value(order: str, wire: str) -> None:
    part = field(length=8, order=order)
    assert decode(part, bytes.fromhex(wire))[0] == 0x0102030405060708
    assert plan_for(part).decode([bytes.fromhex(wire) + bytes(8)])[0] == (0x0102030405060708,)


@pytest.mark.parametrize("order", ["".join(each) for each in permutations("ABCD")])
def test_every_order_of_four_bytes(order: str) -> None:
    natural = bytes((10, 20, 30, 40))
    wire = bytes(natural["ABCD".index(letter)] for letter in order)
    assert ordered_bytes(Slice(request=0, offset=0, length=4, type="uint", order=order), wire) == natural


@pytest.mark.parametrize(
    ("facts", "wire", "value"),
    [
        ({"length": 2}, "FFFE", 65534),
        ({"length": 2, "type": "int"}, "FFFE", -2),
        ({"length": 6}, "0000 0001 86A0", 100000),
        ({"length": 4, "type": "magnitude"}, "8000 0005", -5),
        ({"length": 4, "type": "magnitude"}, "0000 0005", 5),
        ({"length": 8}, "FFFF FFFF FFFF FFFF", None),
        ({"length": 8, "type": "int"}, "8000 0000 0000 0000", -(2**63)),
        ({"length": 8, "type": "int"}, "7FFF FFFF FFFF FFFF", 2**63 - 1),
        ({"length": 4, "type": "bcd"}, "1234 5678", 12345678),
        ({"length": 4, "type": "bcd"}, "1234 567A", None),
        ({"length": 6, "type": "mod10k"}, "0012 04D2 162E", 18_1234_5678),
        ({"length": 4, "type": "mod10k"}, "FFFF FF9C", -10100),
        ({"length": 4, "type": "mod10k"}, "0001 2710", None),
        ({"length": 2, "shift": 3, "width": 1}, "0008", 1),
        ({"length": 2, "shift": 3, "width": 2}, "0010", 2),
        ({"length": 2, "type": "int", "shift": 4, "width": 4}, "00F0", -1),
        ({"length": 2, "format": "hex"}, "00AB", "00ab"),
        ({"length": 4, "format": "decimal"}, "0001 0000", "65536"),
        ({"length": 4, "type": "bcd", "format": "digits"}, "0001 0203", "00010203"),
        ({"length": 8, "type": "text", "format": "text"}, "4142 4320 2000 5858", "ABC"),
        ({"length": 4, "type": "text", "format": "text"}, "2020 2020", None),
        ({"length": 4, "type": "text", "format": "text", "order": "BA"}, "4241 4443", "ABCD"),
        ({"length": 2, "type": "text", "format": "text"}, "41FF", "A\ufffd"),
        ({"length": 2, "subtract": 40, "decimals": 1}, "0028", 0),
        ({"length": 2, "subtract": 400, "denominator": 10, "decimals": 1}, "0000", -400),
    ],
)
def test_types(facts: dict[str, Any], wire: str, value: object) -> None:
    part = field(**facts)
    data = bytes.fromhex(wire)
    assert decode(part, data)[0] == value
    padded = data.ljust(DATA, b"\x00")
    got, quality, findings = plan_for(part).decode([padded])
    assert got == (value,)
    assert (value is None) == bool(findings) == (status_of(quality[0]) is Status.MISSING)


@pytest.mark.parametrize(
    ("layout", "wire"),
    [
        (1, "1A 0B 16 0A 1E 05"),
        (2, "07EA 000B 0016 000A 001E 0005"),
        (3, "26 11 22 10 30 05"),
        (5, "001A 0B16 0A1E 1388"),
        (6, "001A 000B 0016 000A 001E 0005"),
    ],
)
def test_device_clocks(layout: int, wire: str) -> None:
    data = bytes.fromhex(wire)
    part = field(length=len(data), type="time", shift=layout, format="text")
    assert decode(part, data) == ("2026-11-22T10:30:05", 0, None)
    assert decode(part, b"\xff" * len(data))[2] == "reading.not_a_number"


@given(st.integers(0, 2**32 - 1))
def test_seconds_since_1970(seconds: int) -> None:
    part = field(type="time", shift=4, format="text")
    days, rest = divmod(seconds, 86_400)
    day = datetime.fromordinal(date(1970, 1, 1).toordinal() + days)
    clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    assert decode(part, seconds.to_bytes(4, "big"))[0] == f"{day:%Y-%m-%d}T{clock}"


def test_sentinels_are_missing_and_never_zero() -> None:
    for facts, wire in (
        ({"length": 2, "sentinels": ("ffff",)}, "FFFF"),
        ({"length": 2, "type": "int", "sentinels": ("8000",)}, "8000"),
        ({"length": 4, "type": "int", "order": "CDAB", "sentinels": ("7fffffff",)}, "FFFF 7FFF"),
        ({"type": "float", "sentinels": ("7fc00000",)}, "7FC0 0000"),
        ({"type": "float", "sentinels": ("7f7fffff",)}, "7F7F FFFF"),
        ({"length": 8, "sentinels": ("f" * 16,)}, "FFFF FFFF FFFF FFFF"),
    ):
        part = field(**facts)
        data = bytes.fromhex(wire)
        assert decode(part, data) == (None, Flag.NO_VALUE, "reading.no_value")
        values, quality, findings = plan_for(part).decode([data.ljust(DATA, b"\x00")])
        assert (values, flags_of(quality[0]), findings[0].rule) == ((None,), Flag.NO_VALUE, "reading.no_value")


@pytest.mark.parametrize("wire", ["7FC00000", "7F800000", "FF800000", "FFC00001"])
def test_a_float_that_is_no_number(wire: str) -> None:
    part = field(type="float", decimals=2)
    expected = (None, Flag.NOT_A_NUMBER, "reading.not_a_number")
    assert decode(part, bytes.fromhex(wire)) == expected
    values, quality, findings = plan_for(part).decode([bytes.fromhex(wire) + bytes(12)])
    assert (values[0], flags_of(quality[0]), findings[0].rule) == expected


def test_overflow_is_a_finding() -> None:
    for part, data in (
        (field(type="float", decimals=9), struct.pack(">f", 3e38)),
        (field(length=8, decimals=9), b"\x7f" * 8),
        (field(length=8, numerator=10**12), b"\x7f" * 8),
    ):
        assert decode(part, data)[1:] == (Flag.OVERFLOW, "reading.overflow")
        assert plan_for(part).decode([data.ljust(DATA, b"\x00")])[2][0].rule == "reading.overflow"


def test_a_coarse_float_counter_is_said_to_be_one() -> None:
    part = field(type="float", decimals=2, coarse=100)
    for number, coarse in ((2.0**23, False), (2.0**24 - 1, False), (2.0**24, True), (1e9, True)):
        data = struct.pack(">f", number)
        value, quality, finding = decode_field(part, (), [data])
        assert value == round(number * 100)
        assert (finding is not None) == coarse, number
        assert plan_for(part).decode([data + bytes(12)]) == ((value,), (quality,), (finding,) if finding else ())
    value, quality, finding = decode_field(part, (), [struct.pack(">f", 2.0**24)])
    assert finding is not None
    assert finding.facts == {"step": 200}
    assert status_of(quality) is Status.UNCERTAIN


def test_scale_registers() -> None:
    power = ScaleField(request=0, offset=4, length=2, type="int", kind="power10", minimum=-10, maximum=10)
    part = field(length=2, scales=(0,), decimals=2)
    assert decode(part, bytes.fromhex("0929 0000 FFFF"), power)[0] == 23450  # 2345 * 10^-1
    assert decode(part, bytes.fromhex("0929 0000 0001"), power)[0] == 2345000
    assert decode(part, bytes.fromhex("0929 0000 8000"), power)[1:] == (Flag.NO_VALUE, "reading.no_value")
    assert decode(part, bytes.fromhex("0929 0000"), power)[1:] == (Flag.NOT_READ, None)
    ratio = ScaleField(request=0, offset=4, length=2, type="uint", kind="multiply")
    assert decode(field(length=2, scales=(0,)), bytes.fromhex("0003 0000 0014"), ratio)[0] == 60
    divisor = ScaleField(request=0, offset=4, length=2, type="uint", kind="divide")
    assert decode(field(length=2, scales=(0,), decimals=1), bytes.fromhex("0003 0000 0002"), divisor)[0] == 15
    assert decode(field(length=2, scales=(0,)), bytes.fromhex("0003 0000 0000"), divisor)[1] == Flag.NO_VALUE
    for scale in (power, ratio, divisor):
        data = bytes.fromhex("0003 0000 0002").ljust(DATA, b"\x00")
        plan = plan_for(field(length=2, scales=(0,), decimals=3), scales=(scale,))
        assert plan.decode([data])[0][0] == decode(field(length=2, scales=(0,), decimals=3), data, scale)[0]


def test_what_was_not_read_has_no_value_and_no_finding() -> None:
    part = field()
    for raw in ([None], [], [b"\x00"]):
        value, quality, finding = decode_field(part, (), raw)
        assert (value, flags_of(quality), finding) == (None, Flag.NOT_READ, None)
        assert plan_for(part).decode(raw) == ((None,), (quality,), ())


def test_a_partial_poll_keeps_what_was_read() -> None:
    fields = [field(), field(request=1, channel="d")]
    plan = make_plan([Request(1, 3, 0, 2), Request(1, 3, 100, 2)], fields)
    values, quality, findings = plan.decode([b"\x00\x00\x00\x07", None])
    assert values == (7, None)
    assert flags_of(quality[1]) == Flag.NOT_READ
    assert findings == ()


@given(
    bits=st.integers(0, 2**32 - 1),
    decimals=st.integers(0, 6),
    numerator=st.integers(1, 1000),
    denominator=st.sampled_from([1, 3, 8, 10, 1000]),
)
@settings(max_examples=400)
def test_a_float_is_rounded_half_to_even_from_its_exact_value(
    bits: int, decimals: int, numerator: int, denominator: int
) -> None:
    data = bits.to_bytes(4, "big")
    number = struct.unpack(">f", data)[0]
    part = field(type="float", decimals=decimals, numerator=numerator, denominator=denominator)
    value, _, finding = decode_field(part, (), [data])
    if number != number or number in (float("inf"), float("-inf")):
        assert value is None
        return
    with localcontext() as context:
        context.prec = 400
        exact = Decimal(number) * numerator * 10**decimals
        # halves stay exact under division only by 2^k and 5^k; for 3 compare by cross-multiplication
        low = int((exact / denominator).to_integral_value(ROUND_HALF_EVEN)) if denominator != 3 else None
    if low is None:
        low = round_third(number, numerator * 10**decimals)
    if abs(low) > 2**63 - 1:
        assert value is None
        assert finding is not None
        return
    assert value == low
    assert plan_for(part).decode([data + bytes(12)])[0] == (value,)


def round_third(number: float, factor: int) -> int:
    """round(number * factor / 3); a third of an integer over a power of two is never a half."""
    top, bottom = number.as_integer_ratio()
    return (2 * top * factor + 3 * bottom) // (6 * bottom)


TYPES = {"uint": (2, 4, 8), "int": (2, 4, 8), "float": (4, 8), "bcd": (2, 4, 8), "magnitude": (2, 4), "mod10k": (4, 6)}


@st.composite
def fields(draw: st.DrawFn, count: int) -> ValueField:
    """Any numeric field within eight registers."""
    kind = draw(st.sampled_from(sorted(TYPES)))
    length = draw(st.sampled_from(TYPES[kind]))
    letters = "ABCDEFGH"[:length]
    swapped = "".join(letters[index ^ 1] for index in range(length))
    words = "".join(letters[length - 2 - index : length - index] for index in range(0, length, 2))
    order = draw(st.sampled_from(["A", letters, letters[::-1], swapped, words]))
    sentinels = draw(st.sampled_from([(), ("ff" * length,), ("80" + "00" * (length - 1), "7fc00000"[: 2 * length])]))
    return ValueField(
        channel=f"c{count}",
        request=0,
        offset=draw(st.sampled_from(range(0, DATA - length + 1, 2))),
        length=length,
        type=kind,
        order=order,
        subtract=draw(st.sampled_from([0, 0, 0, 5])),
        numerator=draw(st.sampled_from([1, 1, 10, 7, -1])),
        denominator=draw(st.sampled_from([1, 10, 1000])),
        decimals=draw(st.integers(0, 4)),
        sentinels=sentinels,
        coarse=draw(st.sampled_from([None, 1, 100])) if kind == "float" else None,
    )


@given(data=st.data(), raw=st.one_of(st.none(), st.binary(max_size=DATA), st.binary(min_size=DATA, max_size=DATA)))
@settings(max_examples=600, deadline=None)
def test_the_compiled_plan_does_exactly_what_the_definition_says(data: st.DataObject, raw: bytes | None) -> None:
    parts = [data.draw(fields(count)) for count in range(data.draw(st.integers(1, 5)))]
    plan = load_plan(plan_for(*parts).document())
    values, quality, findings = plan.decode([raw])
    expected = [decode_field(part, (), [raw]) for part in parts]
    assert values == tuple(each[0] for each in expected)
    assert quality == tuple(each[1] for each in expected)
    assert findings == tuple(each[2] for each in expected if each[2] is not None)
    for value in values:
        assert value is None or isinstance(value, int)


@given(data=st.binary(max_size=300), offset=st.integers(0, 255))
def test_any_bytes_are_an_identification_or_a_finding(data: bytes, offset: int) -> None:
    part = field(type="object", length=0, offset=offset, format="text")
    value, _, rule = decode(part, data)
    assert isinstance(value, str) != (rule == "reading.no_value")


def test_device_identification_objects() -> None:
    data = bytes.fromhex("01 01 00 00 02 00 03 464952 02 02 5639")
    assert decode(field(type="object", length=0, offset=2, format="text"), data)[0] == "V9"
    assert decode(field(type="object", length=0, offset=1, format="text"), data)[2] == "reading.no_value"
