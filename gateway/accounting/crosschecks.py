"""Metering held against what was paid for, and consumption against what lies in stock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from gateway.accounting.estimate import Effect, Estimate
from gateway.domain.figure import COVERAGE_FACTOR, decimal_fraction
from gateway.domain.time import US_PER_DAY, Period
from gateway.registry.registry import Registry

STOCK_KIND = "stock"
STOCK_TOLERANCE_US = US_PER_DAY
MAX_RECORDS = 100_000


class Agreement(StrEnum):
    """Within the uncertainty of the metering, outside it, or not to be judged."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crosscheck:
    """``difference`` = metered − other; ``limit`` U of the metering, in one unit; reasons where nothing is judged."""

    metered: Fraction | None
    other: Fraction | None
    difference: Fraction | None
    limit: Fraction | None
    agreement: Agreement
    reasons: tuple[str, ...] = ()


def against(
    metered: Estimate | None, other: Fraction | None, effects: Mapping[str, Effect], reasons: Iterable[str] = ()
) -> Crosscheck:
    """Hold a metered amount against another record of the same; the other one is taken as it is written."""
    why = list(reasons)
    if metered is None or other is None:
        why.append("no_value")
        return Crosscheck(
            metered=None if metered is None else metered.value,
            other=other,
            difference=None,
            limit=None,
            agreement=Agreement.UNDECIDED,
            reasons=tuple(why),
        )
    u = metered.u(effects)
    if u is None:
        why.append("no_class")
    limit = None if u is None else (COVERAGE_FACTOR * Fraction(u)).limit_denominator(10**9)
    difference = metered.value - other
    agreement = Agreement.UNDECIDED
    if limit is not None and not why:
        agreement = Agreement.AGREES if abs(difference) <= limit else Agreement.DIFFERS
    return Crosscheck(
        metered=metered.value, other=other, difference=difference, limit=limit, agreement=agreement, reasons=tuple(why)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRecord:
    """What lay in stock at an instant, as surveyed (盘存)."""

    seq: int
    point: str
    at_us: int
    amount: Fraction
    unit: str


def stock_records(registry: Registry, organisation: str, known_seq: int | None = None) -> list[StockRecord]:
    """Every stock record that stands, by point and instant; a later entry for the same instant replaces it."""
    found: dict[tuple[str, int], StockRecord] = {}
    for event in registry.events(organisation, kind=STOCK_KIND, limit=MAX_RECORDS):
        if known_seq is not None and event.seq > known_seq:
            break
        document: Mapping[str, Any] = event.body["object"]
        key = (str(document["point"]), int(document["at_us"]))
        found.pop(key, None)
        if not event.body.get("withdrawn"):
            amount = decimal_fraction(str(document["amount"]))
            found[key] = StockRecord(
                seq=event.seq, point=key[0], at_us=key[1], amount=amount, unit=str(document["unit"])
            )
    return [found[key] for key in sorted(found)]


def stock_change(found: Sequence[StockRecord], point: str, period: Period, tolerance_us: int) -> Fraction | None:
    """Stock at the end minus at the start, from the surveys nearest to both ends within a tolerance; None without."""
    ends = stock_ends(found, point, period, tolerance_us)
    return None if ends is None else ends[1].amount - ends[0].amount


def stock_ends(
    found: Sequence[StockRecord], point: str, period: Period, tolerance_us: int
) -> tuple[StockRecord, StockRecord] | None:
    """The surveys nearest to both ends within a tolerance; None without, or where they are in two units."""
    first, last = (_nearest(found, point, at, tolerance_us) for at in (period.start_us, period.end_us))
    if first is None or last is None or first.unit != last.unit:
        return None
    return first, last


def _nearest(found: Sequence[StockRecord], point: str, at_us: int, tolerance_us: int) -> StockRecord | None:
    near = [each for each in found if each.point == point and abs(each.at_us - at_us) <= tolerance_us]
    return min(near, key=lambda each: (abs(each.at_us - at_us), each.at_us), default=None)
