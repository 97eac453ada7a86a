"""The error of a table in percent of the reference, where that has a meaning.

A table of our own of units whose zero is a true zero: energy, power, volume, mass, flow. Text is compared with this
table and never scaled; a temperature's error has no percentage.
"""

from dataclasses import dataclass
from decimal import Decimal

from gateway.certificates.model import Quantity, ResultTable

PERCENT = r"\percent"
RATIO_UNITS = frozenset(
    {
        rf"{prefix}{unit}"
        for unit in (r"\watt\hour", r"\joule", r"\watt", r"\var\hour", r"\var", r"\voltampere", r"\ampere", r"\volt")
        for prefix in ("", r"\kilo", r"\mega", r"\giga", r"\milli")
    }
    | {
        rf"{amount}{per}"
        for amount in (r"\metre\tothe{3}", r"\litre", r"\kilogram", r"\tonne", r"\gram")
        for per in ("", r"\hour\tothe{-1}", r"\second\tothe{-1}", r"\per\hour", r"\per\second")
    }
)
_PLACES = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class ErrorPercent:
    """One calibrated point: error, expanded uncertainty and its k; U and k are None when the file states none."""

    error: Decimal
    expanded: Decimal | None
    k: Decimal | None

    @property
    def reach(self) -> Decimal:
        """How far the true error may be from zero: \\|e\\| + U."""
        return abs(self.error) + (self.expanded or 0)


def errors_percent(table: ResultTable) -> tuple[ErrorPercent, ...]:
    """Every point of the table in percent; empty where a percentage has no meaning."""
    error, reference = table.error, table.reference
    if error is None:
        return ()
    if error.unit == PERCENT:
        if reference is not None and reference.unit == PERCENT:  # a humidity: percent is the quantity's own unit
            return ()
        scales = [Decimal(1)] * len(error.values)
    elif reference is not None and error.unit == reference.unit and error.unit in RATIO_UNITS and all(reference.values):
        scales = [100 / abs(each) for each in reference.values]
    else:
        return ()
    return tuple(
        ErrorPercent(
            (value * scale).quantize(_PLACES).normalize(),
            None if not error.expanded else (error.expanded[index] * scale).quantize(_PLACES).normalize(),
            error.k[index] if error.k else None,
        )
        for index, (value, scale) in enumerate(zip(error.values, scales, strict=True))
    )


def worst(tables: tuple[ResultTable, ...], stage: str) -> ErrorPercent | None:
    """The point with the largest reach in all tables of a stage; None when nothing is stated in percent."""
    points = [each for table in tables if table.stage == stage for each in errors_percent(table)]
    return max(points, key=lambda each: each.reach, default=None)


def plain(number: Decimal | None) -> str:
    """Decimal text without an exponent; blank for None."""
    return "" if number is None else format(number, "f")


def texts(quantity: Quantity | None) -> list[str]:
    """A quantity's values as text."""
    return [] if quantity is None else [plain(each) for each in quantity.values]
