"""Exact numbers: from what a payload says to scaled integers, without a float on the way.

Stored integer = round-half-even(value · numerator / denominator · 10**decimals), as in docs/decode-plan.md.
"""

import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation, Overflow
from fractions import Fraction

INT64_MAX = 2**63 - 1
MAX_DIGITS = 60
"""Significant digits a number may have; more is no meter's reading and is refused, not rounded."""
MAX_MAGNITUDE = 30
"""Decimal exponent above which a number cannot fit the stored integer, whatever its scale."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
# wide enough for a number of MAX_DIGITS times any scale; what would have to be rounded raises
_EXACT = Context(prec=MAX_DIGITS + 40, traps=[Inexact, InvalidOperation, Overflow])
_DIGITS = Context(prec=MAX_DIGITS, traps=[Inexact, InvalidOperation, Overflow])


def round_half_even(numerator: int, denominator: int) -> int:
    """The integer nearest to numerator / denominator (denominator > 0), ties to the even one."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def parse_number(text: str) -> Decimal | None:
    """A plain decimal number as meters print it, surrounding blanks allowed; None for anything else.

    Digits are ASCII, the decimal sign is a point, thousands are not grouped: ``1,234`` may mean two things.
    """
    stripped = text.strip(" \t\r\n")
    return Decimal(stripped) if _NUMBER.fullmatch(stripped) else None


@dataclass(frozen=True, slots=True)
class Scale:
    """From a number on the wire to the stored integer: times numerator / denominator · 10**decimals, rounded once."""

    numerator: int
    denominator: int
    decimals: int
    _factor: Decimal | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            factor = _EXACT.divide(Decimal(self.numerator), Decimal(self.denominator)).scaleb(self.decimals)
        except Inexact:
            factor = None
        object.__setattr__(self, "_factor", factor)

    def apply(self, value: int | Decimal | Fraction) -> int | None:
        """The stored integer, or None when it does not fit 64 bits or has more digits than a reading can have."""
        if isinstance(value, Decimal):
            return self._of_decimal(value)
        above, below = value.as_integer_ratio()
        return _fitting(round_half_even(above * self.numerator * 10**self.decimals, below * self.denominator))

    def _of_decimal(self, value: Decimal) -> int | None:
        if not value:
            return 0
        magnitude = value.adjusted()
        if magnitude > MAX_MAGNITUDE or not value.is_finite():
            return None
        if magnitude < -MAX_DIGITS:
            return 0
        try:
            _DIGITS.plus(value)
            if self._factor is not None:
                return _fitting(int(_EXACT.multiply(value, self._factor).to_integral_value(ROUND_HALF_EVEN)))
        except Inexact:
            return None
        above, below = value.as_integer_ratio()
        return _fitting(round_half_even(above * self.numerator * 10**self.decimals, below * self.denominator))


def _fitting(stored: int) -> int | None:
    return stored if -INT64_MAX - 1 <= stored <= INT64_MAX else None
