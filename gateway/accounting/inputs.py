"""Everything one account is made from, gathered as recorded up to one entry: the same inputs give the same digits."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.accounting.channels import ChannelMean, channel_means
from gateway.accounting.consumption import Consumption, consumption
from gateway.accounting.crosschecks import StockRecord, stock_records
from gateway.accounting.factors import FactorBook
from gateway.accounting.instruments import Instruments
from gateway.accounting.laboratory import LaboratoryRecord, records
from gateway.accounting.metered import Amount, amounts
from gateway.accounting.online import online_records
from gateway.accounting.plan import Plan
from gateway.accounting.point_amounts import PointAmounts
from gateway.accounting.units import Units
from gateway.domain.ledger import MeteringPoint
from gateway.domain.time import Period, local_date, local_midnight
from gateway.registry.registry import Registry
from gateway.series.store import SeriesStore
from gateway.settlement.query import Settlement

RULES_EDITION = "2"
"""2: laboratory means are weighted by consumption and channel means by what flowed; 1: neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """One account's inputs. ``known_seq`` is the last entry that counted, None: all there were; ``edition`` that of the
    rules they are gathered for.
    """

    organisation: str
    period: Period
    known_seq: int | None
    plan: Plan
    factors: FactorBook
    points: Mapping[str, MeteringPoint]
    amounts: Mapping[str, Amount]
    laboratory: tuple[LaboratoryRecord, ...]
    instruments: Instruments
    units: Units
    channels: Mapping[tuple[str, str], ChannelMean] = field(default_factory=dict)
    surveys: tuple[StockRecord, ...] = ()
    months: tuple[Period, ...] = ()  # civil months of the site that the period touches, cut to it
    consumption: Consumption = field(default_factory=Consumption)  # what means are weighted by
    edition: str = RULES_EDITION

    def under(self, edition: str) -> "Inputs":
        """The same as an earlier edition of the rules took them, so that its results give their digits again."""
        if edition == self.edition:
            return self
        return replace(self, consumption=Consumption(), edition=edition)

    def digest(self) -> str:
        """SHA-256 over what the figures are computed from: plan, factors' numbers, amounts, laboratory values."""
        document: dict[str, Any] = {
            "period": [self.period.start_us, self.period.end_us],
            "plan": self.plan.document,
            "factors": [[each.id, str(each.value), each.unit] for each in self.factors],
            "amounts": [
                [
                    each.point,
                    None if each.value is None else str(each.value),
                    each.unit,
                    each.lacking,
                    each.coverage_permille,
                    each.quality,
                    sorted((method.word, str(value)) for method, value in each.by_method.items()),
                ]
                for each in self.amounts.values()
            ],
            "laboratory": [
                [
                    each.number,
                    each.point,
                    each.period.start_us,
                    None if each.weight_t is None else str(each.weight_t),
                    int(each.online),
                    sorted((k, str(v), u) for k, (v, u) in each.values.items()),
                ]
                for each in self.laboratory
            ],
        }
        if self.channels:
            document["channels"] = [
                [*name, str(each.value), each.unit, each.readings] for name, each in sorted(self.channels.items())
            ]
        if self.surveys:
            document["surveys"] = [[each.point, each.at_us, str(each.amount), each.unit] for each in self.surveys]
        document |= self.consumption.document()
        text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def gather(
    registry: Registry,
    settlement: Settlement,
    organisation: str,
    period: Period,
    *,
    units: Units,
    zone: ZoneInfo,
    known_seq: int | None = None,
    series: SeriesStore | None = None,
) -> Inputs:
    """The inputs as recorded up to an entry; UnknownObjectError when no plan held.

    With ``series`` the laboratory values that devices send count too.
    """
    as_of = period.end_us - 1
    plan = Plan.on_record(registry, organisation, as_of, known_seq)
    instruments = Instruments(registry, organisation, known_seq, plan.substitution_u)
    found = amounts(settlement, registry, organisation, period, zone=zone, known_seq=known_seq)
    ask = PointAmounts(settlement, registry, organisation, zone=zone, known_seq=known_seq)
    begins = {name: _begins(amount, instruments, period, zone) for name, amount in found.items()}
    for name, amount in found.items():
        amount.epochs = ask.epochs(name, period, begins[name])
    points = {
        record.id: record.read_as(MeteringPoint) for record in registry.objects(organisation, "point", as_of, known_seq)
    }
    laboratory = (
        *records(registry, organisation, known_seq),
        *(() if series is None else online_records(registry, series, organisation, period, known_seq)),
    )
    months = tuple(_months(period, zone))
    return Inputs(
        organisation=organisation,
        period=period,
        known_seq=known_seq,
        plan=plan,
        factors=FactorBook.of(registry, organisation, as_of, known_seq),
        points=points,
        amounts=found,
        laboratory=laboratory,
        instruments=instruments,
        units=units,
        months=months,
        consumption=consumption(ask, plan, points, laboratory, months=months, begins=begins),
        surveys=tuple(
            each
            for each in stock_records(registry, organisation, known_seq)
            if each.point in {stock.point for stock in plan.stocks}
        ),
        channels={}
        if series is None
        else channel_means(registry, series, organisation, plan.channels(), period, known_seq=known_seq),
    )


def _months(period: Period, zone: ZoneInfo) -> Iterator[Period]:
    start = period.start_us
    while start < period.end_us:
        following = (local_date(start, zone).replace(day=1) + timedelta(days=32)).replace(day=1)
        end = min(local_midnight(following, zone), period.end_us)
        yield Period(start, end)
        start = end


def _begins(amount: Amount, instruments: Instruments, period: Period, zone: ZoneInfo) -> list[str]:
    """The civil days at whose midnight an instrument behind an amount began anew, after the first; most have none."""
    first, last = (local_date(at, zone).isoformat() for at in (period.start_us, period.end_us - 1))
    days = instruments.recalibrations(amount, first, last)
    return [first, *days] if days else []
