"""Civil days, hours and months at the site as edges for sums."""

from datetime import date, timedelta

from gateway.audit.asking import Asking
from gateway.domain.time import US_PER_HOUR, local_date, local_midnight

MAX_STEPS = 800


def day_edges(asking: Asking, first: date, last: date) -> list[int]:
    """Midnights from the first day to the one after the last; at most ``MAX_STEPS`` days."""
    count = min((last - first).days + 1, MAX_STEPS)
    return [local_midnight(first + timedelta(days=each), asking.zone) for each in range(max(count, 0) + 1)]


def edges(asking: Asking, first: date, last: date, step: str) -> list[int]:
    """The edges of hours, days or months that make up the days from first to last, both included."""
    days = day_edges(asking, first, last)
    if step == "day":
        return days
    if step == "month":
        firsts = [each for each in days[:-1] if local_date(each, asking.zone).day == 1]
        return [days[0], *(each for each in firsts if each != days[0]), days[-1]]
    hours = list(range(days[0], days[-1], US_PER_HOUR))[:MAX_STEPS]
    return [*hours, min(days[-1], hours[-1] + US_PER_HOUR)] if hours else days


def preceding(first: date, last: date) -> tuple[date, date]:
    """The equally long span of days before."""
    length = (last - first).days + 1
    return first - timedelta(days=length), first - timedelta(days=1)
