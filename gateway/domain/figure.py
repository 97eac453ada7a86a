"""A figure: a number that says how far it may be trusted and where it comes from.

``value`` is exact (a fraction); the uncertainty is a float because it is an estimate. Two figures are the same when
their displayed digits are: the value rounded to the digits its expanded uncertainty allows, U to two significant
digits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from math import floor, log10

from gateway.domain.quality import GOOD

COVERAGE_FACTOR = Fraction(2)
_DIGITS_WITHOUT_U = 6
_PRECISION = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number with everything a reviewer asks about it.

    ``value`` in ``unit``, None where it is not known; ``u`` the standard uncertainty in the same unit, None where it
    cannot be stated; U = ``k`` · u. ``coverage_permille`` (0..1000, None: nothing to cover) how much of the time lay
    between observations. ``quality`` is the worst word of its parts. ``methods`` shares the value out by how it is
    known (sums to 1, empty without a value). ``rules``, ``factors`` and ``evidence`` name the rules, the factor
    versions (``id@version``) and the journal entries it rests on, each sorted. ``reasons`` say why it is not known or
    not complete.
    """

    value: Fraction | None
    unit: str
    u: float | None = None
    k: Fraction = COVERAGE_FACTOR
    coverage_permille: int | None = None
    quality: int = GOOD
    methods: Mapping[str, Fraction] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    evidence: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def expanded(self) -> float | None:
        """U = k · u in the figure's unit; None where u is not known."""
        return None if self.u is None else float(self.k) * self.u

    @property
    def relative_percent(self) -> float | None:
        """U in percent of the value; None without one or where the value is zero."""
        if self.expanded is None or not self.value:
            return None
        return 100 * self.expanded / abs(float(self.value))

    def displayed(self) -> tuple[str, str]:
        """Value and U as shown, plain decimal text; empty text for what is not known."""
        if self.value is None:
            return "", ""
        if not self.expanded:
            shown = _percentage(self.value) if self.unit == "%" else significant(self.value, _DIGITS_WITHOUT_U)
            return shown, "" if self.expanded is None else "0"
        places = two_digit_places(self.expanded)
        return rounded(self.value, places), rounded(Fraction(self.expanded), places)


def two_digit_places(expanded: float) -> int:
    """Decimal places (negative: tens, hundreds) at which a positive number has two significant digits."""
    places = 1 - floor(log10(expanded))
    # 0.0996 shows as 0.10: rounding may carry into another digit
    if abs(Decimal(rounded(Fraction(expanded), places)).adjusted() - floor(log10(expanded))) == 1:
        places -= 1
    return places


def rounded(value: Fraction, places: int) -> str:
    """Round half to even at a decimal place; plain text without exponent."""
    scaled = round(value * Fraction(10) ** places)
    with localcontext() as context:
        context.prec = _PRECISION
        number = Decimal(scaled).scaleb(-places)
        return f"{number:f}"


def significant(value: Fraction, digits: int) -> str:
    """The value to a number of significant digits, at least all digits before the point."""
    if value == 0:
        return "0"
    places = max(digits - 1 - floor(log10(abs(float(value)))), 0)
    text = rounded(value, places)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percentage(value: Fraction) -> str:
    """A share as forms have it: two places, more only where two significant digits lie further down."""
    places = 2 if not value else max(2, 1 - floor(log10(abs(float(value)))))
    text = rounded(value, places)
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimal_fraction(text: str) -> Fraction:
    """An exact fraction from decimal text or a quotient of two (``293.15/273.15``); ValueError when it is neither."""
    numerator, slash, denominator = text.partition("/")
    value = Fraction(Decimal(numerator))
    if not slash:
        return value
    divisor = Fraction(Decimal(denominator))
    if divisor == 0:
        raise ValueError(f"a quotient by zero: {text!r}")
    return value / divisor


def decimal_text(value: Fraction, digits: int = 18) -> str:
    """The value as decimal text: exact where it ends within ``digits`` places, else rounded half to even there."""
    with localcontext() as context:
        context.prec = _PRECISION
        context.rounding = ROUND_HALF_EVEN
        text = rounded(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text
