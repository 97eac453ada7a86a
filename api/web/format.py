"""How numbers and instants are written for people: thousands separators, the site's time zone, never a bare float."""

from datetime import datetime
from fractions import Fraction
from math import floor, log10
from zoneinfo import ZoneInfo

from gateway.domain.figure import rounded as figure_rounded
from gateway.domain.figure import two_digit_places
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_S, to_datetime
from gateway.i18n import text

NOTHING = "—"


def rounded(value: Fraction, decimals: int) -> str:
    """The value with ``decimals`` decimals, rounded half to even, with thousands separators and a true minus."""
    steps = round(value * 10**decimals)
    whole, part = divmod(abs(steps), 10**decimals)
    fraction = f".{part:0{decimals}d}" if decimals else ""
    return f"{'−' if steps < 0 else ''}{whole:,}{fraction}"


def sensible_decimals(value: Fraction) -> int:
    """Decimals for reading at a glance: five figures or so. The full value stands in the export and in the trace."""
    size = abs(value)
    for limit, decimals in ((1000, 0), (100, 1), (10, 2)):
        if size >= limit:
            return decimals
    return 3 if size else 0


def glance(value: Fraction | None) -> str:
    """A value for reading at a glance, an em dash when it is not known: never a zero for nothing."""
    return NOTHING if value is None else rounded(value, sensible_decimals(value))


def trusted(value: Fraction | None, expanded: float | None) -> str:
    """A value with the digits that its U (k = 2) allows, where U has two; at a glance where U cannot be stated."""
    if value is None or not expanded:
        return glance(value)
    places = two_digit_places(expanded)
    return rounded(Fraction(figure_rounded(value, places)), max(places, 0))


def scaled(value: int | None, decimals: int) -> str:
    """A scaled integer at its channel's full resolution."""
    return NOTHING if value is None else rounded(Fraction(value, 10**decimals), decimals)


def exact(value: Fraction | None) -> str:
    """The exact value: a finite decimal where there is one, else a ratio; no separators, for exports."""
    if value is None:
        return ""
    denominator = value.denominator
    places = 0
    for prime in (2, 5):
        count = 0
        while denominator % prime == 0:
            denominator //= prime
            count += 1
        places = max(places, count)
    if denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    return rounded(value, places).replace(",", "").replace("−", "-")


def ratio(value: Fraction | None) -> str:
    """A transformer ratio or permille as people write it."""
    if value is None:
        return NOTHING
    return f"{value.numerator:,}" if value.denominator == 1 else f"{value.numerator:,}/{value.denominator:,}"


def percent(part: int, whole: int, decimals: int = 1) -> str:
    """A share in percent that never rounds up to 100 or down to 0; an em dash of nothing."""
    if whole <= 0:
        return NOTHING
    step = Fraction(1, 10**decimals)
    share = round(Fraction(100 * part, whole) / step) * step
    if part < whole and share >= 100:
        share = 100 - step
    if part > 0 and share <= 0:
        share = step
    return rounded(Fraction(share), 0 if part in {0, whole} else decimals) + "%"


def local(at_us: int | None, zone: ZoneInfo, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
    """An instant in the site's time zone, ISO order, 24 h."""
    return NOTHING if at_us is None else f"{_in_zone(at_us, zone):{pattern}}"


def _in_zone(at_us: int, zone: ZoneInfo) -> datetime:
    return to_datetime(at_us).astimezone(zone)


def utc_offset(at_us: int, zone: ZoneInfo) -> str:
    """``UTC+08:00`` of a zone at an instant."""
    offset = f"{_in_zone(at_us, zone):%z}"
    return f"UTC{offset[:3]}:{offset[3:]}"


def duration(language: str, span_us: int) -> str:
    """A length of time in its largest sensible unit."""
    for unit, limit, sentence in (
        (US_PER_S, 2 * US_PER_MINUTE, "%(count)s s"),
        (US_PER_MINUTE, 2 * US_PER_HOUR, "%(count)s min"),
        (US_PER_HOUR, 2 * US_PER_DAY, "%(count)s h"),
    ):
        if span_us < limit:
            return text(language, sentence, count=f"{max(span_us, 0) // unit:,}")
    return text(language, "%(count)s days", count=f"{span_us // US_PER_DAY:,}")


def size(count_bytes: int) -> str:
    """A number of bytes in decimal units."""
    for unit in ("B", "kB", "MB", "GB"):
        if count_bytes < 1000 or unit == "GB":
            break
        count_bytes //= 1000
    return f"{count_bytes:,} {unit}"


def digits(value: float, significant: int) -> str:
    """A number of so many significant digits, grouped and without an exponent: 138564.06 with two → ``140,000``."""
    if value == 0:
        return "0"
    places = significant - 1 - floor(log10(abs(value)))
    return rounded(round(Fraction(value), places), max(places, 0))
