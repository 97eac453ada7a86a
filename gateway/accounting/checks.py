"""Beside an account: invoices against meters, stock against flow, and what electricity cost by time of use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from zoneinfo import ZoneInfo

from gateway.accounting.crosschecks import (
    STOCK_TOLERANCE_US,
    Agreement,
    Crosscheck,
    against,
    stock_change,
    stock_records,
)
from gateway.accounting.estimate import Estimate
from gateway.accounting.inputs import Inputs
from gateway.accounting.metered import Amount, amounts
from gateway.accounting.point_amounts import PointAmounts
from gateway.accounting.quantities import Quantities
from gateway.accounting.tariff import Cost, Tariff, cost
from gateway.domain.time import Period
from gateway.registry.registry import Registry
from gateway.settlement.query import Settlement

MAX_INVOICES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCheck:
    """``kind``: ``invoice``, ``stock``, ``virtual``; ``name`` the point and number, the stock's or the point's id."""

    kind: str
    name: str
    unit: str
    check: Crosscheck


def invoice_checks(inputs: Inputs, registry: Registry, settlement: Settlement, zone: ZoneInfo) -> Iterator[NamedCheck]:
    """Every invoice that lies in the period, against what was metered in the invoice's own time."""
    left = MAX_INVOICES
    asked: dict[Period, Mapping[str, Amount]] = {}
    for point in sorted(inputs.points):
        for invoice in settlement.invoices(inputs.organisation, point, inputs.known_seq)[: max(left, 0)]:
            if invoice.from_us < inputs.period.start_us or invoice.to_us > inputs.period.end_us:
                continue
            left -= 1
            span = Period(invoice.from_us, invoice.to_us)
            if span not in asked:
                asked[span] = amounts(
                    settlement, registry, inputs.organisation, span, zone=zone, known_seq=inputs.known_seq
                )
            found = asked[span].get(point)
            metered = None if found is None else inputs.instruments.estimate(found)
            reasons = ["missing_windows"] if found is not None and found.lacking else []
            charged = Fraction(invoice.amount)
            unit = found.unit if found is not None else ""
            if inputs.units.knows(invoice.unit) and inputs.units.knows(unit):
                if inputs.units.unit(invoice.unit).dimension == inputs.units.unit(unit).dimension:
                    charged = inputs.units.convert(charged, invoice.unit, unit)
                else:
                    reasons.append("not_convertible")
            elif invoice.unit != unit:
                reasons.append("unknown_unit")
            check = against(metered, charged, inputs.instruments.effects, reasons)
            yield NamedCheck(kind="invoice", name=f"{point} {invoice.number}", unit=unit, check=check)


def stock_checks(inputs: Inputs, registry: Registry, quantities: Quantities) -> Iterator[NamedCheck]:
    """What was used against what was bought less what was laid in stock between the surveys at both ends."""
    surveys = stock_records(registry, inputs.organisation, inputs.known_seq)
    for stock in inputs.plan.stocks:
        bought, used = quantities.formula(stock.bought, stock.unit), quantities.formula(stock.used, stock.unit)
        change = stock_change(surveys, stock.point, inputs.period, STOCK_TOLERANCE_US)
        units = {each.unit for each in surveys if each.point == stock.point}
        if change is not None:
            change = inputs.units.factor(units.pop(), stock.unit) * change if len(units) == 1 else None
        reasons = sorted({each.split(":")[0] for each in used.reasons | bought.reasons})
        difference = None
        if bought.estimate is not None and used.estimate is not None:
            difference = used.estimate - bought.estimate
            if stock.u is not None:
                difference += Estimate(Fraction(0), variance=2 * stock.u**2)
        # held against −Δ: both meters' errors are in the difference, and both surveys' where the plan says how large
        check = against(difference, None if change is None else -change, quantities.effects, reasons)
        yield NamedCheck(kind="stock", name=stock.id, unit=stock.unit, check=check)


def virtual_checks(inputs: Inputs, quantities: Quantities) -> Iterator[NamedCheck]:
    """Virtual points against the meter that measures the same: the limit is U of the difference of both."""
    for name, point in inputs.plan.metered_by.items():
        metered = quantities.point(point)
        computed = quantities.formula(inputs.plan.virtual[name], metered.unit)
        reasons = sorted({each.split(":")[0] for each in computed.reasons | metered.reasons})
        difference = None
        if computed.estimate is not None and metered.estimate is not None:
            difference = computed.estimate - metered.estimate
        check = against(difference, None if difference is None else Fraction(0), quantities.effects, reasons)
        check = replace(
            check,
            metered=None if computed.estimate is None else computed.estimate.value,
            other=None if metered.estimate is None else metered.estimate.value,
        )
        yield NamedCheck(kind="virtual", name=name, unit=metered.unit, check=check)


def costs(
    inputs: Inputs, registry: Registry, settlement: Settlement, zone: ZoneInfo
) -> Mapping[tuple[str, str], tuple[str, Cost]]:
    """(currency, cost) by tariff and point, from quarter hours."""
    ask = PointAmounts(settlement, registry, inputs.organisation, zone=zone, known_seq=inputs.known_seq)
    found: dict[tuple[str, str], tuple[str, Cost]] = {}
    for document in inputs.plan.tariffs:
        tariff = Tariff.of(document)
        for point in document["points"]:
            values = ask.quarters(str(point), inputs.period, whole_hours=tariff.whole_hours)
            found[tariff.id, str(point)] = (tariff.currency, cost(values, tariff, zone))
    return found


__all__ = ["STOCK_TOLERANCE_US", "Agreement", "NamedCheck", "costs", "invoice_checks", "stock_checks", "virtual_checks"]
