"""Cost of electricity by time of use, exact, from quarter hours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.errors import MeterproofError
from gateway.domain.figure import decimal_fraction
from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_MINUTE, to_datetime

_DAY_MINUTES = 24 * 60


class TariffError(MeterproofError):
    """A tariff that leaves a time without a price or gives one two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A price per unit between two minutes of the day (end exclusive), in some months; 尖峰平谷 are names of slots."""

    name: str
    months: frozenset[int]
    from_minute: int
    to_minute: int
    price: Fraction


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices in ``currency`` a unit of energy; every quarter hour of every month has exactly one."""

    id: str
    currency: str
    slots: Sequence[Slot]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Tariff":
        """From its journal form; TariffError where quarter hours have no price or two."""
        slots = [
            Slot(
                name=str(each["name"]),
                months=frozenset(int(month) for month in each.get("months") or range(1, 13)),
                from_minute=_minute(str(each["from"])),
                to_minute=_minute(str(each["to"])),
                price=decimal_fraction(str(each["price"])),
            )
            for each in document["slots"]
        ]
        tariff = cls(str(document["id"]), str(document["currency"]), slots)
        for month in range(1, 13):
            for minute in range(0, _DAY_MINUTES, 15):
                if len(tariff._found(month, minute)) != 1:
                    raise TariffError(
                        "the tariff '%(tariff)s' has not exactly one price in month %(month)s at %(time)s",
                        tariff=tariff.id,
                        month=str(month),
                        time=f"{minute // 60:02}:{minute % 60:02}",
                    )
        return tariff

    @property
    def whole_hours(self) -> bool:
        """Whether prices change on the hour only."""
        return all(each.from_minute % 60 == 0 and each.to_minute % 60 == 0 for each in self.slots)

    def _found(self, month: int, minute: int) -> list[Slot]:
        return [each for each in self.slots if month in each.months and each.from_minute <= minute < each.to_minute]

    def slot(self, start_us: int, zone: ZoneInfo) -> Slot:
        """The slot in which a quarter hour begins."""
        local = to_datetime(start_us).astimezone(zone)
        return self._found(local.month, local.hour * 60 + local.minute)[0]


@dataclass(frozen=True, slots=True)
class Cost:
    """By slot: energy and money; ``unpriced`` quarter hours without a value."""

    energy: Mapping[str, Fraction]
    money: Mapping[str, Fraction]
    unpriced: int

    @property
    def total(self) -> Fraction:
        """Money over all slots."""
        return sum(self.money.values(), Fraction(0))


def cost(spans: Iterable[tuple[int, Fraction | None, int]], tariff: Tariff, zone: ZoneInfo) -> Cost:
    """The cost of quarter hours, or of hours where the tariff has whole ones, as (start µs UTC, energy, missing).

    ``missing``: quarter hours in it without a value; energy None where there is none at all.
    """
    energy: dict[str, Fraction] = {}
    money: dict[str, Fraction] = {}
    unpriced = 0
    slots: dict[tuple[int, int], Slot] = {}
    for start_us, value, missing in spans:
        unpriced += missing
        if value is None:
            continue
        local = to_datetime(start_us).astimezone(zone)
        key = (local.month, (local.hour * 60 + local.minute) // 15)
        slot = slots.get(key) or slots.setdefault(key, tariff.slot(start_us, zone))
        energy[slot.name] = energy.get(slot.name, Fraction(0)) + value
        money[slot.name] = money.get(slot.name, Fraction(0)) + value * slot.price
    return Cost(energy, money, unpriced)


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    minute = int(hours) * 60 + int(minutes or 0)
    if not 0 <= minute <= _DAY_MINUTES or minute % (SETTLEMENT_WINDOW_US // US_PER_MINUTE):
        raise TariffError("'%(time)s' is no quarter hour of a day", time=text)
    return minute
