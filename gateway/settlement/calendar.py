"""Where the periods of roll-ups begin: hours, days, months and years in the site's time zone."""

from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.domain.time import US_PER_HOUR, US_PER_S, local_midnight, to_datetime

HOUR, DAY, MONTH, YEAR = 1, 2, 3, 4


class Calendar:
    """Where hours, days and months begin in a zone; instants are µs UTC."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.day = lru_cache(maxsize=4096)(self._day)
        self.month = lru_cache(maxsize=1024)(self._month)

    def hour(self, at_us: int) -> int:
        """Start of the local hour (zones may be off by parts of an hour)."""
        offset = self._offset(at_us // US_PER_HOUR)
        return (at_us + offset) // US_PER_HOUR * US_PER_HOUR - offset

    @lru_cache(maxsize=4096)  # noqa: B019  # one calendar lives as long as its store
    def _offset(self, hour: int) -> int:
        delta = to_datetime(hour * US_PER_HOUR).astimezone(self.zone).utcoffset()
        assert delta is not None, "a zone has an offset"
        return int(delta.total_seconds()) * US_PER_S

    def _day(self, hour_us: int) -> int:
        return local_midnight(to_datetime(hour_us).astimezone(self.zone).date(), self.zone)

    def _month(self, day_us: int) -> int:
        return local_midnight(to_datetime(day_us).astimezone(self.zone).date().replace(day=1), self.zone)

    def year(self, month_us: int) -> int:
        """Start of the year of a month that starts there."""
        local = to_datetime(month_us).astimezone(self.zone).date()
        return local_midnight(local.replace(month=1, day=1), self.zone)

    def next_year(self, year_us: int) -> int:
        """Start of the year after the one that starts there."""
        local = to_datetime(year_us).astimezone(self.zone).date()
        return local_midnight(local.replace(year=local.year + 1), self.zone)

    def next_month(self, month_us: int) -> int:
        """Start of the month after the one that starts there."""
        local = to_datetime(month_us).astimezone(self.zone)
        following = local.replace(year=local.year + local.month // 12, month=local.month % 12 + 1, day=1)
        return local_midnight(following.date(), self.zone)

    def next_day(self, day_us: int) -> int:
        """Start of the day after the one that starts there."""
        return self._day(day_us + 30 * US_PER_HOUR)  # a day has 23 to 25 hours
