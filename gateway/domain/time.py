"""Instants and periods.

An instant is an integer: microseconds since 1970-01-01T00:00:00Z (``*_us``). Nothing in the gateway stores local time;
a site's time zone is applied where days and months are cut and where a person reads.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

US_PER_MS = 1_000
US_PER_S = 1_000_000
US_PER_MINUTE = 60 * US_PER_S
US_PER_HOUR = 3_600 * US_PER_S
US_PER_DAY = 86_400 * US_PER_S
SETTLEMENT_WINDOW_US = 15 * US_PER_MINUTE

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)
"""Days that may go on record: further out an instant is no exact integer of an entry any more (2^53 µs: year 2255)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Half-open span ``[start_us, end_us)`` of UTC microseconds."""

    start_us: int
    end_us: int

    def __post_init__(self) -> None:
        if self.end_us < self.start_us:
            raise ValueError(f"period ends before it starts: {self.start_us}..{self.end_us}")

    @property
    def duration_us(self) -> int:
        """Length in microseconds, never negative."""
        return self.end_us - self.start_us

    def __contains__(self, at_us: int) -> bool:
        return self.start_us <= at_us < self.end_us


def to_datetime(at_us: int) -> datetime:
    """The aware UTC datetime of an instant, exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=at_us)


def from_datetime(moment: datetime) -> int:
    """The instant of an aware datetime; a naive one is refused because its zone would be a guess."""
    if moment.tzinfo is None:
        raise ValueError("a datetime without a time zone has no instant")
    return (moment - _EPOCH) // _US


def iso(at_us: int) -> str:
    """RFC 3339 text in UTC, without a fraction when it is zero: ``2026-11-22T01:02:03Z``."""
    return to_datetime(at_us).isoformat().replace("+00:00", "Z")


def parse_iso(text: str) -> int:
    """The instant of an RFC 3339 text; an offset or ``Z`` is demanded."""
    return from_datetime(datetime.fromisoformat(text))


def floor_to(at_us: int, step_us: int, offset_us: int = 0) -> int:
    """The last grid instant ``k * step_us + offset_us`` that is not after ``at_us``."""
    return (at_us - offset_us) // step_us * step_us + offset_us


def local_midnight(day: date, zone: ZoneInfo) -> int:
    """The instant at which a civil day begins in a zone."""
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=zone))


def recordable(day: date) -> bool:
    """Whether a civil day may go on record."""
    return FIRST_DAY <= day <= LAST_DAY


def local_day(day: date, zone: ZoneInfo) -> Period:
    """The civil day as a span; 23 or 25 hours long where clocks change."""
    return Period(local_midnight(day, zone), local_midnight(day + timedelta(days=1), zone))


def local_date(at_us: int, zone: ZoneInfo) -> date:
    """The civil date of an instant in a zone."""
    return to_datetime(at_us).astimezone(zone).date()
