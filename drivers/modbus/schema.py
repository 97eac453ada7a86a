"""What stands in files for Modbus: a channel's ``source``, a profile's ``options``, a device's ``address``, an
endpoint's ``connection``.

Addresses are protocol addresses (0-based, as on the wire), never the 40001 notation. Word orders are written as
letters: ``ABCD`` is big-endian, ``CDAB`` has the words swapped, ``BADC`` the bytes of each word, ``DCBA`` both; a
64-bit value takes the same four (extended to its length) or eight letters of its own.
"""

from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from drivers.blocks import wrong

MAX_REGISTERS = 125
MAX_BITS = 2000
MAX_RATIO = 10**12
MAX_TEXT_WORDS = 125

Space = Literal["holding", "input", "coil", "discrete", "identification"]
FUNCTIONS: dict[str, int] = {"coil": 1, "discrete": 2, "holding": 3, "input": 4, "identification": 43}

SCALAR_BYTES: dict[str, int] = {
    **{f"{kind}{bits}": bits // 8 for kind in "uim" for bits in (16, 32, 48, 64)},
    "f32": 4,
    "f64": 8,
    "bcd16": 2,
    "bcd32": 4,
    "bcd48": 6,
    "bcd64": 8,
}
"""Types of a fixed length, in bytes: u unsigned, i two's complement, m sign and magnitude, f IEEE 754, bcd."""

TIME_LAYOUTS: dict[str, tuple[int, int]] = {
    "time_bytes": (1, 6),
    "time_words": (2, 12),
    "time_bcd": (3, 6),
    "time_unix": (4, 4),
    "time_iec870": (5, 8),
    "time_words_2000": (6, 12),
}
"""Device clocks: layout number and length in bytes (docs/decode-plan.md)."""

Order = Annotated[str, Field(pattern=r"^[A-H]{2,8}$")]
RegisterAddress = Annotated[int, Field(ge=0, le=65_535)]
Words = Annotated[int, Field(ge=1, le=MAX_TEXT_WORDS)]


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def letters_for(order: str, length: int) -> str:
    """The order pattern of a value of ``length`` bytes; ValueError when the letters cannot order that many bytes.

    Four letters are one of the four usual orders and stretch to any length of whole registers.
    """
    if sorted(order) != [chr(65 + index) for index in range(len(order))]:
        raise wrong("the order '%(order)s' must use each of its letters once, beginning with A", order=order)
    if order in {"AB", "BA"} or len(order) == length:
        return order
    if order not in {"ABCD", "CDAB", "BADC", "DCBA"} or length > 8:
        raise wrong("the order '%(order)s' does not fit a value of %(length)s bytes", order=order, length=str(length))
    letters = [chr(65 + index) for index in range(length)]
    words = [letters[index : index + 2] for index in range(0, length, 2)]
    if order in {"CDAB", "DCBA"}:
        words.reverse()
    if order in {"BADC", "DCBA"}:
        words = [word[::-1] for word in words]
    return "".join(letter for word in words for letter in word)


class Scale(_Block):
    """A register that multiplies a value: a power of ten (SunSpec), a ratio, a divisor."""

    address: RegisterAddress
    space: Space | None = None
    type: str
    order: Order | None = None
    kind: Literal["power10", "multiply", "divide"]
    minimum: int | None = None
    maximum: int | None = None

    @field_validator("type")
    @classmethod
    def _numeric(cls, value: str) -> str:
        if value not in SCALAR_BYTES or value.startswith(("m", "bcd")):
            raise wrong("a scale register is an integer or a float, not '%(type)s'", type=value)
        return value

    @property
    def length(self) -> int:
        """Bytes on the wire."""
        return SCALAR_BYTES[self.type]


class Source(_Block):
    """Where a channel stands on the wire. Value in the channel's unit = (raw - subtract) * scale * scale registers."""

    address: RegisterAddress
    space: Space | None = None
    type: str
    words: Words | None = None
    order: Order | None = None
    bit: int | None = Field(default=None, ge=0, le=63)
    width: int | None = Field(default=None, ge=1, le=63)
    scale: int | str = 1
    subtract: int = Field(default=0, ge=-(2**53), le=2**53)
    scale_by: list[Scale] = Field(default_factory=list, max_length=8)
    no_value: list[int | str] = Field(default_factory=list, max_length=20)
    format: Literal["number", "decimal", "digits", "hex", "text"] | None = None
    coarse: int | None = Field(default=None, ge=1)

    @field_validator("scale")
    @classmethod
    def _ratio(cls, value: int | str) -> int | str:
        try:
            ratio = Fraction(value)
        except (ValueError, ZeroDivisionError) as error:
            raise wrong(
                "the scale '%(scale)s' is not a ratio (examples: 10, 1/1000, 0.001)", scale=str(value)
            ) from error
        if not ratio or abs(ratio.numerator) > MAX_RATIO or ratio.denominator > MAX_RATIO:
            raise wrong("the scale '%(scale)s' is zero or out of reach (up to 10^12)", scale=str(value))
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        known = self.type in SCALAR_BYTES or self.type in TIME_LAYOUTS or self.type in {"mod10k", "text", "bit"}
        if not known:
            names = ", ".join([*SCALAR_BYTES, "mod10k", "text", "bit", *TIME_LAYOUTS])
            raise wrong("the type '%(type)s' is not known; types: %(names)s", type=self.type, names=names)
        if self.type in {"mod10k", "text"} and self.space != "identification" and self.words is None:
            raise wrong("the type '%(type)s' needs 'words', its length in registers", type=self.type)
        if self.type == "mod10k" and not 1 <= (self.words or 0) <= 4:
            raise wrong("mod10k takes 1 to 4 words")
        self._check_space()
        self._check_bits()
        if self.length > 0 and self.order is not None:
            letters_for(self.order, self.length)
        for each in self.no_value:
            sentinel_hex(each, self.length)
        return self

    def _check_space(self) -> None:
        single_bit = self.space in {"coil", "discrete"}
        if single_bit and self.type != "bit":
            raise wrong("coils and discrete inputs are of type 'bit'")
        if self.space == "identification" and (self.type != "text" or self.address > 255):
            raise wrong("a device identification object is of type 'text' and has an id up to 255")

    def _check_bits(self) -> None:
        if self.bit is None and self.width is None:
            return
        if self.type not in {"bit", "u16", "u32", "u64", "i16", "i32", "i64"} or self.space in {"coil", "discrete"}:
            raise wrong("'bit' and 'width' cut a field out of an integer register only")
        if (self.bit or 0) + (self.width or 1) > 8 * self.length:
            raise wrong("'bit' and 'width' reach beyond the register")

    @property
    def length(self) -> int:
        """Bytes on the wire; 0 for an identification object. A coil stands in one byte, 'bit' in one register."""
        if self.space == "identification":
            return 0
        if self.type in TIME_LAYOUTS:
            return TIME_LAYOUTS[self.type][1]
        if self.type == "bit":
            return 1 if self.space in {"coil", "discrete"} else 2
        return SCALAR_BYTES.get(self.type) or 2 * (self.words or 0)


def sentinel_hex(value: int | str, length: int) -> str:
    """A "no value" mark as the lower-case hexadecimal of the ordered bytes; ValueError when it does not fit."""
    if isinstance(value, str):
        digits = value.lower().removeprefix("0x")
        if len(digits) != 2 * length or any(each not in "0123456789abcdef" for each in digits):
            raise wrong(
                "the sign for no value '%(value)s' needs %(digits)s hexadecimal digits",
                value=value,
                digits=str(2 * length),
            )
        return digits
    if not -(1 << (8 * length - 1)) <= value < 1 << (8 * length):
        raise wrong(
            "the sign for no value %(value)s does not fit %(length)s bytes", value=str(value), length=str(length)
        )
    return (value % (1 << (8 * length))).to_bytes(length, "big").hex()


class Options(_Block):
    """A profile's ``options``: what holds for the whole meter."""

    space: Space = "holding"
    order: Order = "ABCD"
    max_registers: int = Field(default=MAX_REGISTERS, ge=1, le=MAX_REGISTERS)
    max_bits: int = Field(default=MAX_BITS, ge=1, le=MAX_BITS)
    gaps: bool = True  # False: registers between the listed ones must not be read
    turnaround_ms: int = Field(default=20, ge=0, le=10_000)  # typical time until the meter begins to answer


class Address(_Block):
    """A device's ``address``: its unit, and what is added to every register address of the profile."""

    unit: int = Field(ge=0, le=255)
    base: int = Field(default=0, ge=0, le=65_535)


class Tls(_Block):
    """Certificates of a TLS connection (PEM files). With ``certificate`` and ``key`` both sides prove who they are."""

    ca: str = Field(min_length=1, max_length=500)
    certificate: str | None = Field(default=None, min_length=1, max_length=500)
    key: str | None = Field(default=None, min_length=1, max_length=500)
    check_name: bool = True  # False: the certificate need not name the host, the authority alone counts

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise wrong("'certificate' and 'key' go together")
        return self


class Connection(_Block):
    """An endpoint's ``connection``."""

    transport: Literal["tcp", "tls", "rtu_over_tcp", "ascii_over_tcp", "rtu", "ascii"] = "tcp"
    host: str | None = Field(default=None, min_length=1, max_length=253)
    port: int | None = Field(default=None, ge=1, le=65_535)
    listen: bool = False  # True: the device dials in to host:port here
    registration: str | None = Field(default=None, min_length=1, max_length=128)
    heartbeat: str | None = Field(default=None, min_length=1, max_length=128)
    tls: Tls | None = None
    path: str | None = Field(default=None, min_length=1, max_length=500)
    baud: int | None = Field(default=None, ge=50, le=4_000_000)
    parity: Literal["none", "even", "odd"] = "even"
    stop_bits: Literal[1, 2] = 1
    data_bits: Literal[7, 8] = 8
    timeout_ms: int = Field(default=1_000, ge=10, le=60_000)
    late_ms: int | None = Field(default=None, ge=10, le=120_000)
    connect_ms: int = Field(default=3_000, ge=10, le=60_000)
    pause_ms: int = Field(default=0, ge=0, le=10_000)
    turnaround_ms: int | None = Field(default=None, ge=0, le=10_000)  # measured here; counts instead of the profiles'
    max_registers: int = Field(default=MAX_REGISTERS, ge=1, le=MAX_REGISTERS)
    client: Literal["own", "pymodbus"] = "own"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.serial:
            if self.path is None:
                raise wrong("transport '%(transport)s' needs 'path', the serial port", transport=self.transport)
            if self.host is not None or self.port is not None or self.listen:
                raise wrong(
                    "transport '%(transport)s' is a serial line: no host, port or listen", transport=self.transport
                )
        elif self.host is None:
            raise wrong("transport '%(transport)s' needs 'host'", transport=self.transport)
        if (self.transport == "tls") != (self.tls is not None):
            raise wrong("transport 'tls' and the block 'tls' go together")
        if not self.listen and (self.registration or self.heartbeat):
            raise wrong("'registration' and 'heartbeat' are for devices that dial in ('listen: true')")
        if self.listen and self.transport == "tls":
            raise wrong("a device that dials in cannot use 'tls' here")
        if self.client == "pymodbus" and (self.listen or self.transport not in {"tcp", "rtu_over_tcp", "rtu"}):
            raise wrong("client 'pymodbus' serves tcp, rtu_over_tcp and rtu")
        return self

    @property
    def serial(self) -> bool:
        """Whether the endpoint is a serial port of this machine."""
        return self.transport in {"rtu", "ascii"}

    @property
    def tcp_port(self) -> int:
        """The port: as written, else 802 for TLS and 502 otherwise."""
        return self.port or (802 if self.transport == "tls" else 502)

    @property
    def line_baud(self) -> int | None:
        """Speed of the serial line at or behind this endpoint, in baud; None when there is none known."""
        return self.baud or (9_600 if self.serial else None)

    @property
    def worst_answer_s(self) -> float:
        """The longest time after a request in which its answer may still come, seconds."""
        return (self.late_ms or 2 * self.timeout_ms) / 1_000
