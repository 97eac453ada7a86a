"""Bytes in registers, against the Modbus specification's big-endian words and hand-written vectors."""

from datetime import datetime

import pytest

from simulators.modbus import words


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("ABCD", "01020304"),
        ("CDAB", "03040102"),
        ("BADC", "02010403"),
        ("DCBA", "04030201"),
        ("AB", "01020304"),
        ("BA", "02010403"),
        ("BDAC", "02040103"),
    ],
)
def test_four_bytes_in_every_order(order: str, expected: str) -> None:
    assert words.on_the_wire(bytes.fromhex("01020304"), order).hex() == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("ABCD", "0102030405060708"),
        ("CDAB", "0708050603040102"),
        ("BADC", "0201040306050807"),
        ("DCBA", "0807060504030201"),
        ("GHEFCDAB", "0708050603040102"),
    ],
)
def test_the_usual_orders_stretch_to_eight_bytes(order: str, expected: str) -> None:
    assert words.on_the_wire(bytes.fromhex("0102030405060708"), order).hex() == expected


def test_six_bytes_low_word_first() -> None:
    assert words.on_the_wire(bytes.fromhex("010203040506"), "CDAB").hex() == "050603040102"


def test_numbers() -> None:
    assert words.unsigned(-2, 4).hex() == "fffffffe"
    assert words.unsigned(2**32 + 5, 4).hex() == "00000005", "a counter loses what is beyond its register"
    assert words.limited(70_000, 2, signed=False).hex() == "ffff"
    assert words.limited(-40_000, 2, signed=True).hex() == "8000"
    assert words.sign_and_magnitude(-5, 2).hex() == "8005"
    assert words.packed_decimal(1234567890, 4).hex() == "34567890"
    assert words.groups_of_ten_thousand(123_456_789, 3).hex() == f"{1:04x}{2345:04x}{6789:04x}"
    assert words.groups_of_ten_thousand(-10_001, 2).hex() == "ffffffff"
    assert words.floating(1.0, 4).hex() == "3f800000"
    assert words.floating(-2.5, 8).hex() == "c004000000000000"
    assert words.ascii_text("AB12", 6).hex() == "414231320000"
    assert [words.ratio(text) for text in (10, "1/100", "0.001")] == [(10, 1), (1, 100), (1, 1_000)]


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("time_bytes", "1a0b160a0f1e"),
        ("time_bcd", "261122101530"),
        ("time_words", "07ea000b0016000a000f001e"),
        ("time_words_2000", "001a000b0016000a000f001e"),
        ("time_unix", "6b02c0c2"),
        ("time_iec870", "001a0b160a0f7530"),
    ],
)
def test_clocks(layout: str, expected: str) -> None:
    assert words.clock(datetime(2026, 11, 22, 10, 15, 30), layout).hex() == expected  # noqa: DTZ001
