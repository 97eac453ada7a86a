"""The meter's side, written for tests alone: what registers hold when a channel has a value. Shares no product code.

It reads the profile's YAML with a plain YAML reader and knows only what docs/modbus-profiles.md says.
"""

import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import yaml

from tests.conformance.modbus.servers import Image

PROFILES = Path(__file__).parents[3] / "config/profiles"
LETTERS = {"holding": "h", "input": "i", "coil": "c", "discrete": "d"}


@dataclass(frozen=True)
class Shown:
    """One channel: what its registers hold and what the gateway must make of it."""

    channel: str
    registers: dict[tuple[str, int], int]
    expected: int | str


def modbus_profiles() -> list[str]:
    """Ids of every shipped Modbus profile."""
    return [
        f"{path.parent.name}/{path.stem}"
        for path in sorted(PROFILES.glob("*/*.yaml"))
        if yaml.safe_load(path.read_text(encoding="utf-8"))["protocol"] == "modbus"
    ]


def shown(profile_id: str, rng: Random) -> dict[str, list[Shown]]:
    """Random values for every channel of every group, with scale registers where the profile has them."""
    profile = yaml.safe_load((PROFILES / f"{profile_id}.yaml").read_text(encoding="utf-8"))
    options = profile.get("options", {})
    scale_values: dict[tuple[str, int], int] = {}
    result = {}
    for group in profile["groups"]:
        result[group["id"]] = [_show(channel, options, rng, scale_values) for channel in group["channels"]]
    return result


def image(unit: int, groups: dict[str, list[Shown]]) -> Image:
    """The register image of one unit."""
    lines = {}
    for channels in groups.values():
        for each in channels:
            for (space, address), value in each.registers.items():
                lines[(LETTERS[space], address)] = value
    return [(unit, space, address, value) for (space, address), value in sorted(lines.items())]


def _show(
    channel: dict[str, Any], options: dict[str, Any], rng: Random, scale_values: dict[tuple[str, int], int]
) -> Shown:
    source = channel["source"]
    space = source.get("space") or options.get("space", "holding")
    order = source.get("order") or options.get("order", "ABCD")
    kind = source["type"]
    if kind == "text":
        return _show_text(channel["id"], source, space, rng)
    registers: dict[tuple[str, int], int] = {}
    factor = Fraction(str(source.get("scale", 1)))
    for scale in source.get("scale_by", []):
        key = (scale.get("space") or space, scale["address"])
        exponent = scale_values.setdefault(key, rng.choice([-3, -2, -1, 0, 1]))
        registers[key] = exponent & 0xFFFF
        factor *= Fraction(10) ** exponent
    natural, number = _number(kind, source, rng)
    if source.get("format") == "hex":
        expected: int | str = natural.hex()
    elif _is_name(channel):
        digits = f"{number}"
        expected = digits.rjust(2 * len(natural), "0") if kind.startswith("bcd") else digits
    else:
        exact = (Fraction(number) - source.get("subtract", 0)) * factor * 10 ** channel.get("decimals", 0)
        expected = _half_even(exact)
    for index, word in enumerate(_words_on_wire(natural, order)):
        registers[(space, source["address"] + index)] = word
    return Shown(channel["id"], registers, expected)


def _is_name(channel: dict[str, Any]) -> bool:
    return channel["measurand"] in {"serial_number", "firmware_version", "model_code"}


def _number(kind: str, source: dict[str, Any], rng: Random) -> tuple[bytes, Any]:
    if kind in {"f32", "f64"}:
        code = ">f" if kind == "f32" else ">d"
        # stays below 2^23 units so that a counter in float32 is not coarse
        natural = struct.pack(code, rng.choice([rng.uniform(0, 400), rng.uniform(-900, 900), 0.0, 12345.678]))
        return natural, struct.unpack(code, natural)[0]
    if kind.startswith("bcd"):
        size = int(kind[3:]) // 8
        digits = "".join(rng.choice("0123456789") for _ in range(2 * size))
        return bytes.fromhex(digits), int(digits)
    if kind == "mod10k":
        groups = [rng.randrange(10_000) for _ in range(source["words"])]
        number = 0
        for each in groups:
            number = number * 10_000 + each
        return struct.pack(f">{len(groups)}H", *groups), number
    size = int(kind[1:]) // 8
    signed = kind[0] == "i"
    top = 2 ** min(8 * size - 1, 40)
    while True:
        number = rng.randrange(-top + 1 if signed else 1, top)
        natural = number.to_bytes(size, "big", signed=signed)
        if natural.hex() not in {str(each).lower() for each in source.get("no_value", [])}:
            return natural, number


def _show_text(channel: str, source: dict[str, Any], space: str, rng: Random) -> Shown:
    length = 2 * source["words"]
    text = "".join(rng.choice("ABCDEFGH0123456789-.") for _ in range(rng.randrange(1, length)))
    padded = text.encode() + b"\x00" * (length - len(text))
    registers = {
        (space, source["address"] + index): padded[2 * index] * 256 + padded[2 * index + 1]
        for index in range(source["words"])
    }
    return Shown(channel, registers, text.strip(" "))


def _words_on_wire(natural: bytes, order: str) -> list[int]:
    """Registers in transmission order; natural is most significant byte first."""
    words = [natural[index : index + 2] for index in range(0, len(natural), 2)]
    if len(order) == 8 and len(natural) == 8:
        sent = bytes(natural["ABCDEFGH".index(letter)] for letter in order)
        words = [sent[index : index + 2] for index in range(0, 8, 2)]
    else:
        if order in {"CDAB", "DCBA"}:
            words = words[::-1]
        if order in {"BADC", "DCBA", "BA"}:
            words = [word[::-1] for word in words]
    return [word[0] * 256 + word[1] for word in words]


def _half_even(value: Fraction) -> int:
    low = value.numerator // value.denominator
    twice = 2 * (value - low)
    if twice > 1 or (twice == 1 and low % 2):
        return low + 1
    return low
