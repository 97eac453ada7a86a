"""Exact numbers: from what a payload says to scaled integers, without a float on the way.

Stored integer = round-half-even(value · numerator / denominator · 10**decimals), as in docs/decode-plan.md.
"""

import re
from decimal import Decimal
from fractions import Fraction

INT64_MAX = 2**63 - 1
MAX_DIGITS = 60
"""Significant digits a number may have; more is no meter's reading and is refused, not rounded."""
MAX_MAGNITUDE = 30
"""Decimal exponent above which a number cannot fit the stored integer, whatever its scale."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)


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


def scaled(value: int | Decimal | Fraction, numerator: int, denominator: int, decimals: int) -> int | None:
    """The stored integer, or None when it does not fit 64 bits or has more digits than a reading can have."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            return None
        if not value:
            return 0
        magnitude = value.adjusted()
        if magnitude > MAX_MAGNITUDE or len(value.as_tuple().digits) > MAX_DIGITS:
            return None
        if magnitude < -MAX_DIGITS:
            return 0
    above, below = value.as_integer_ratio()
    result = round_half_even(above * numerator * 10**decimals, below * denominator)
    return result if -INT64_MAX - 1 <= result <= INT64_MAX else None
