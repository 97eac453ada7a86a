"""Where a profile puts its channels, and the registers an instrument therefore shows.

Read from the ``source`` blocks of a profile (``docs/profiles.md`` says what stands in them) by code of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from config.profile import Profile, ProfileChannel
from simulators.instruments.fitted import Quantity
from simulators.instruments.instrument import Instrument
from simulators.modbus import words
from simulators.plant.rate import ZONE_US

SPACES = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
BIT_FUNCTIONS = (1, 2)
IDENTIFICATION = 43

_BYTES = {"bcd16": 2, "bcd32": 4, "bcd48": 6, "bcd64": 8} | {
    kind + str(bits): bits // 8 for kind in "uimf" for bits in (16, 32, 48, 64)
}
_CLOCK_BYTES = {
    "time_bytes": 6,
    "time_words": 12,
    "time_bcd": 6,
    "time_unix": 4,
    "time_iec870": 8,
    "time_words_2000": 12,
}

Encode = Callable[[Instrument, int], bytes]


@dataclass(frozen=True, slots=True)
class _Register:
    """How a number stands in its registers; ``absent`` is what they hold when the meter has no value."""

    kind: str
    length: int
    order: str
    absent: bytes


@dataclass(frozen=True, slots=True)
class Cell:
    """Some bytes in one register space: ``start`` in registers (bits for coils), and how to fill them.

    ``merge`` cells are bit fields: their bytes are OR-ed into what others put into the same register.
    """

    function: int
    start: int
    length: int
    encode: Encode
    merge: bool = False
    object_id: int = -1
    channel: str = ""

    @property
    def end(self) -> int:
        """First register (or bit) after the cell."""
        return self.start + (1 if self.function in BIT_FUNCTIONS else (self.length + 1) // 2)


class Layout:
    """Every cell of a profile, shifted by a device's ``base`` address."""

    def __init__(self, profile: Profile, base: int = 0) -> None:
        self.profile = profile
        self.gaps = bool(profile.options.get("gaps", True))
        self.maximum = int(profile.options.get("max_registers", 125))
        self._base = base
        self._space = str(profile.options.get("space", "holding"))
        self._order = str(profile.options.get("order", "ABCD"))
        self._exponents: dict[tuple[str, int], int] = {}
        channels = [channel for group in profile.groups for channel in group.channels]
        for channel in channels:
            self._settle_exponents(channel)
        self.cells: list[Cell] = []
        for channel in channels:
            self.cells.append(self._cell(channel))
            self.cells.extend(self._scale_cells(channel))

    def _settle_exponents(self, channel: ProfileChannel) -> None:
        """A power-of-ten register shared by channels gets the finest resolution any of them wants."""
        for scale in channel.source.get("scale_by", []):
            if scale["kind"] == "power10":
                key = (str(scale.get("space") or self._space), int(scale["address"]))
                wanted = max(-channel.decimals, int(scale.get("minimum", -10)))
                self._exponents[key] = min(wanted, self._exponents.get(key, wanted))

    def _factor(self, source: dict[str, Any]) -> tuple[int, int]:
        """Value per raw unit, exact, scale registers included."""
        top, bottom = words.ratio(source.get("scale", 1))
        for scale in source.get("scale_by", []):
            if scale["kind"] == "power10":
                exponent = self._exponents[(str(scale.get("space") or self._space), int(scale["address"]))]
                top, bottom = (top * 10**exponent, bottom) if exponent >= 0 else (top, bottom * 10**-exponent)
        return top, bottom

    def _scale_cells(self, channel: ProfileChannel) -> list[Cell]:
        cells = []
        for scale in channel.source.get("scale_by", []):
            space = str(scale.get("space") or self._space)
            number = self._exponents[(space, int(scale["address"]))] if scale["kind"] == "power10" else 1
            kind = str(scale["type"])
            length = _BYTES[kind]
            natural = words.floating(number, length) if kind[0] == "f" else words.unsigned(number, length)
            fixed = words.on_the_wire(natural, str(scale.get("order") or self._order))
            cells.append(Cell(SPACES[space], self._base + int(scale["address"]), length, _constant(fixed)))
        return cells

    def _cell(self, channel: ProfileChannel) -> Cell:
        source = channel.source
        space = str(source.get("space") or self._space)
        address = int(source["address"])
        kind = str(source["type"])
        if space == "identification":
            return Cell(IDENTIFICATION, 0, 0, _text(channel.measurand, 0), object_id=address, channel=channel.id)
        if kind == "bit" or "bit" in source or "width" in source:
            return self._bit_cell(channel, SPACES[space], self._base + address)
        encode, length = self._register_encoder(channel)
        return Cell(SPACES[space], self._base + address, length, encode, channel=channel.id)

    def _bit_cell(self, channel: ProfileChannel, function: int, start: int) -> Cell:
        source = channel.source
        kind = str(source["type"])
        length = 1 if function in BIT_FUNCTIONS else 2 if kind == "bit" else _BYTES[kind]
        shift, width = int(source.get("bit", 0)), int(source.get("width", 1))
        top, bottom = self._factor(source)
        order = str(source.get("order") or self._order)

        def encode(instrument: Instrument, at_us: int) -> bytes:
            value = instrument.quantity(channel.measurand, at_us)
            raw = round(float(value) * bottom / top) if isinstance(value, (int, float)) else 0
            field = (max(0, raw) & ((1 << width) - 1)) << shift
            natural = field.to_bytes(length, "big")
            return natural if length == 1 else words.on_the_wire(natural, order)

        return Cell(function, start, length, encode, merge=True, channel=channel.id)

    def _register_encoder(self, channel: ProfileChannel) -> tuple[Encode, int]:
        source = channel.source
        kind = str(source["type"])
        order = str(source.get("order") or self._order)
        if kind in _CLOCK_BYTES:
            return _clock(kind, order), _CLOCK_BYTES[kind]
        if kind == "text":
            return _text(channel.measurand, 2 * int(source["words"])), 2 * int(source["words"])
        length = 2 * int(source["words"]) if kind == "mod10k" else _BYTES[kind]
        absent = words.on_the_wire(_absent(source, kind, length), order)
        if source.get("format", "number") != "number":
            return _digits(channel.measurand, source["format"], _Register(kind, length, order, absent)), length
        return _number(channel, self._factor(source), _Register(kind, length, order, absent)), length

    def requests(self, plan: Sequence[dict[str, int]]) -> list["CompiledRequest"]:
        """The requests of a read plan (function, address, count), each ready to be answered again and again."""
        return [self.request(int(each["function"]), int(each["address"]), int(each["count"])) for each in plan]

    def request(self, function: int, address: int, count: int) -> "CompiledRequest":
        """One request, ready to be answered."""
        if function == IDENTIFICATION:
            return CompiledRequest(function, 0, 0, [cell for cell in self.cells if cell.function == function], True)
        inside = [
            cell
            for cell in self.cells
            if cell.function == function and cell.start < address + count and cell.end > address
        ]
        covered = {register for cell in inside for register in range(cell.start, cell.end)}
        complete = all(register in covered for register in range(address, address + count))
        return CompiledRequest(function, address, count, inside, bool(inside) if self.gaps else complete)


class CompiledRequest:
    """A request and the cells that answer it. ``known`` is false where the meter has no such registers."""

    def __init__(self, function: int, address: int, count: int, cells: list[Cell], known: bool) -> None:
        self.function = function
        self.known = known
        self._count = count
        self._address = address
        self._cells = cells
        self._bits = function in BIT_FUNCTIONS
        self._whole = not self._bits and all(
            cell.start >= address and cell.end <= address + count and not cell.merge for cell in cells
        )

    def answer(self, instrument: Instrument, at_us: int) -> bytes:
        """The data bytes of the answer at an instant."""
        if self.function == IDENTIFICATION:
            return self._objects(instrument, at_us)
        if self._bits:
            return self._coils(instrument, at_us)
        image = bytearray(2 * self._count)
        if self._whole:
            for cell in self._cells:
                start = 2 * (cell.start - self._address)
                image[start : start + cell.length] = cell.encode(instrument, at_us)
            return bytes(image)
        for cell in self._cells:
            for index, value in enumerate(cell.encode(instrument, at_us)):
                position = 2 * (cell.start - self._address) + index
                if 0 <= position < len(image):
                    image[position] = image[position] | value if cell.merge else value
        return bytes(image)

    def _coils(self, instrument: Instrument, at_us: int) -> bytes:
        image = bytearray((self._count + 7) // 8)
        for cell in self._cells:
            if cell.encode(instrument, at_us)[-1] & 1:
                place = cell.start - self._address
                image[place // 8] |= 1 << (place % 8)
        return bytes(image)

    def _objects(self, instrument: Instrument, at_us: int) -> bytes:
        objects = b""
        for cell in sorted(self._cells, key=lambda each: each.object_id):
            text = cell.encode(instrument, at_us)
            objects += bytes((cell.object_id, len(text))) + text
        return bytes((1, 0x81, 0, 0, len(self._cells))) + objects


def _constant(fixed: bytes) -> Encode:
    return lambda _instrument, _at_us: fixed


def _text(measurand: str, length: int) -> Encode:
    def encode(instrument: Instrument, at_us: int) -> bytes:
        value = instrument.quantity(measurand, at_us)
        text = "" if value is None else str(value)
        return words.ascii_text(text, length) if length else text.encode("ascii", "replace")[:200]

    return encode


def _clock(layout: str, order: str) -> Encode:
    def encode(_instrument: Instrument, at_us: int) -> bytes:
        shown = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us + ZONE_US)
        return words.on_the_wire(words.clock(shown.replace(tzinfo=None), layout), order)

    return encode


def _digits(measurand: str, form: str, register: _Register) -> Encode:
    """A serial number kept as an integer, as decimal or hexadecimal digits."""
    length, order = register.length, register.order

    def encode(instrument: Instrument, at_us: int) -> bytes:
        text = str(instrument.quantity(measurand, at_us) or "")
        digits = (
            "".join(each for each in text if each in "0123456789abcdefABCDEF") if form == "hex" else _numerals(text)
        )
        if not digits:
            return register.absent
        if form == "hex":
            return words.on_the_wire(bytes.fromhex(digits.zfill(2 * length)[-2 * length :]), order)
        number = int(digits)
        natural = (
            words.packed_decimal(number, length) if register.kind.startswith("bcd") else words.unsigned(number, length)
        )
        return words.on_the_wire(natural, order)

    return encode


def _numerals(text: str) -> str:
    return "".join(each for each in text if each in "0123456789")


def _absent(source: dict[str, Any], kind: str, length: int) -> bytes:
    """What the register holds when the meter has no value."""
    marks = source.get("no_value") or []
    if not marks:
        return b"\x7f\xc0\x00\x00" if kind == "f32" else bytes(length)
    mark = marks[0]
    if isinstance(mark, str):
        return bytes.fromhex(mark.lower().removeprefix("0x"))
    return words.unsigned(mark, length)


def _number(channel: ProfileChannel, factor: tuple[int, int], register: _Register) -> Encode:
    """Raw = value / factor + subtract. An index is cut at the meter's last digit and starts again after its highest."""
    kind, length, order = register.kind, register.length, register.order
    top, bottom = factor
    per_unit = 10**channel.decimals
    modulus = channel.modulus
    subtract = int(channel.source.get("subtract", 0))
    measurand = channel.measurand
    natural_order = order in {"ABCD", "AB"}
    seen: Quantity = None
    shown = register.absent

    def encode(instrument: Instrument, at_us: int) -> bytes:
        nonlocal seen, shown
        value = instrument.quantity(measurand, at_us)
        if value is not seen:  # most of what a meter shows stands still
            seen, shown = value, put(value)
        return shown

    def put(value: Quantity) -> bytes:
        if isinstance(value, int):
            scaled = value * per_unit // 1_000_000
            if modulus:
                scaled %= modulus
            if kind[0] == "f":
                natural = words.floating(scaled * bottom / (per_unit * top) + subtract, length)
            else:
                natural = _integer(kind, scaled * bottom // (per_unit * top) + subtract, length, counter=True)
        elif isinstance(value, float):
            if kind[0] == "f":
                natural = words.floating(value * bottom / top + subtract, length)
            else:
                natural = _integer(kind, round(value * bottom / top) + subtract, length, counter=False)
        else:
            return register.absent
        return natural if natural_order else words.on_the_wire(natural, order)

    return encode


def _integer(kind: str, raw: int, length: int, *, counter: bool) -> bytes:
    if kind.startswith("bcd"):
        return words.packed_decimal(raw, length)
    if kind == "mod10k":
        return words.groups_of_ten_thousand(raw, length // 2)
    if kind[0] == "m":
        return words.sign_and_magnitude(raw, length)
    return words.unsigned(raw, length) if counter else words.limited(raw, length, signed=kind[0] == "i")
