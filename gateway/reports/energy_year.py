"""Form B.10: what was bought, used and lies in stock, in physical units and standard coal.

Amounts bought are those of invoices; the metered figure stands beside with its difference and U. Standard coal is the
calorific (当量) value by the plan's coefficients.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from gateway.accounting.account import ENERGY_RULE, Account, standard_coal
from gateway.accounting.crosschecks import StockRecord, stock_records
from gateway.accounting.estimate import Estimate
from gateway.accounting.quantities import Quantities
from gateway.accounting.quantity import Quantity, added, unknown
from gateway.accounting.weighting import Weighing
from gateway.domain.figure import Figure
from gateway.domain.ledger import Direction, MeteringPoint
from gateway.domain.time import US_PER_DAY, Period
from gateway.i18n.terms import unit_symbol
from gateway.reports.document import Amount, Cell, Document, Expanded, Method, Table
from gateway.reports.forms import INFERRED, boxes
from gateway.reports.making import Making

NO_INVOICE = "no invoice provided"
MAX_INVOICES = 1_000
_IN = frozenset({Direction.IN})


@dataclass(frozen=True, slots=True, kw_only=True)
class KindYear:
    """One energy kind at the unit's boundary in the period; ``metered_then`` is over the times of the invoices."""

    kind: str
    unit: str
    opening: Amount
    invoiced: Amount
    metered: Amount
    metered_then: Amount
    difference: Amount
    used: Amount
    closing: Amount
    coefficient: Amount
    coal: Amount
    coal_invoiced: Amount


def kinds(making: Making) -> list[KindYear]:
    """Every energy kind with a point of level 1 that energy enters by, in order of its name."""
    found: dict[str, list[MeteringPoint]] = {}
    for fact in making.there.points.values():
        if fact.point.level == 1 and fact.point.direction in _IN and fact.point.energy_kind:
            found.setdefault(fact.point.energy_kind, []).append(fact.point)
    return [_kind(making, kind, points) for kind, points in sorted(found.items())]


def _kind(making: Making, kind: str, points: Sequence[MeteringPoint]) -> KindYear:
    made = making.metered.account
    trace = making.energy_address(points[0].id)
    metered = _metered(making, kind, points, trace)
    unit = metered.figure.unit
    invoiced, then = _invoiced(making, kind, points, unit)
    opening, closing = _stocks(making, kind, points)
    return KindYear(
        kind=kind,
        unit=unit,
        opening=opening,
        invoiced=making.derived(f"invoiced/{kind}", invoiced, instead=making.t(NO_INVOICE)),
        metered=metered,
        difference=_difference(making, kind, then, invoiced),
        metered_then=making.derived(f"metered-then/{kind}", then, instead=making.t(NO_INVOICE)),
        used=making.line(f"energy/kind/{kind}") or metered,
        closing=closing,
        coefficient=_coefficient(making, made, kind),
        coal=making.line(f"tce/kind/{kind}") or _no_plan(making, f"tce/kind/{kind}", "tce"),
        coal_invoiced=_coal_invoiced(making, made, kind, invoiced),
    )


def _no_plan(making: Making, id_: str, unit: str) -> Amount:
    return Amount(
        id=id_,
        figure=Figure(value=None, unit=unit, reasons=("no_plan",)),
        instead=making.t("no accounting plan on record"),
    )


def _metered(making: Making, kind: str, points: Sequence[MeteringPoint], trace: str) -> Amount:
    """What entered, by the meters; added with shared causes of error where an account is there."""
    made = making.metered.account
    if made is not None:
        parts = [made.lines.get(f"energy/{point.id}") for point in points]
        lines = [part for part in parts if part is not None]
        units = {line.quantity.unit for line in lines if line.quantity.unit}
        if lines and len(units) == 1:
            quantity = added([(line.quantity, Fraction(1)) for line in lines], units.pop())
            return making.derived(f"bought/{kind}", quantity, trace=trace)
    if len(points) == 1:
        only = making.point_amount(points[0].id)
        return Amount(id=f"bought/{kind}", figure=only.figure, trace=trace, instead=only.instead)
    return Amount(
        id=f"bought/{kind}",
        figure=Figure(value=None, unit="", reasons=("no_value",)),
        trace=trace,
        instead=making.t("not known"),
    )


def _invoiced(making: Making, kind: str, points: Sequence[MeteringPoint], unit: str) -> tuple[Quantity, Quantity]:
    """The invoices that lie in the period, and what was metered in their own times; unknown without any."""
    total, entries = Fraction(0), []
    metered: list[tuple[Quantity, Fraction]] = []
    for point in points:
        for invoice in making.sources.settlement.invoices(
            making.asking.organisation, point.id, making.asking.known_seq
        )[:MAX_INVOICES]:
            if invoice.from_us < making.period.start_us or invoice.to_us > making.period.end_us:
                continue
            amount = _in_unit(making, Fraction(invoice.amount), invoice.unit, unit)
            if amount is None:
                lost = unknown(unit, f"not_convertible:{invoice.unit}:{unit}")
                return lost, lost
            total += amount
            entries.append(invoice.seq)
            metered.append((making.between(point.id, Period(invoice.from_us, invoice.to_us)), Fraction(1)))
    if not entries:
        return unknown(unit, f"no_invoice:{kind}"), unknown(unit, f"no_invoice:{kind}")
    return Quantity(estimate=Estimate(total), unit=unit, evidence=frozenset(entries)), added(metered, unit)


def _in_unit(making: Making, amount: Fraction, unit: str, wanted: str) -> Fraction | None:
    units = making.units
    if unit == wanted or not wanted:
        return amount
    if not units.knows(unit) or not units.knows(wanted):
        return None
    if units.unit(unit).dimension != units.unit(wanted).dimension:
        return None
    return units.convert(amount, unit, wanted)


def _difference(making: Making, kind: str, metered: Quantity, invoiced: Quantity) -> Amount:
    """Metered less invoiced over the invoices' own times; its U is that of the metering, the invoice is as written."""
    known = metered.estimate is not None and invoiced.estimate is not None
    difference = None
    if metered.estimate is not None and invoiced.estimate is not None:
        difference = metered.estimate - invoiced.estimate
    quantity = metered.become(difference, metered.unit)
    figure = quantity.figure(making.effects, (ENERGY_RULE,))
    evidence = tuple(sorted({*figure.evidence, *invoiced.evidence})) if known else ()
    return Amount(
        id=f"difference/{kind}", figure=replace(figure, evidence=evidence), instead=making.t("nothing to compare")
    )


def _stocks(making: Making, kind: str, points: Sequence[MeteringPoint]) -> tuple[Amount, Amount]:
    """What lay in stock at both ends, from surveys within a day of them."""
    ids = {point.id for point in points}
    ids |= {each.point.id for each in making.there.points.values() if each.point.energy_kind == kind}
    surveys = stock_records(making.sources.registry, making.asking.organisation, making.asking.known_seq)
    mine = [each for each in surveys if each.point in ids]
    ends = (("opening", making.period.start_us), ("closing", making.period.end_us))
    opening, closing = (_stock(making, f"stock/{kind}/{name}", mine, at_us) for name, at_us in ends)
    return opening, closing


def _stock(making: Making, id_: str, surveys: Sequence[StockRecord], at_us: int) -> Amount:
    near = [each for each in surveys if abs(each.at_us - at_us) <= US_PER_DAY]
    newest: dict[str, StockRecord] = {}
    for each in sorted(near, key=lambda one: abs(one.at_us - at_us), reverse=True):
        newest[each.point] = each
    units = {each.unit for each in newest.values()}
    known = len(units) == 1
    figure = Figure(
        value=sum((each.amount for each in newest.values()), Fraction(0)) if known else None,
        unit=units.pop() if known else "",
        evidence=tuple(sorted(each.seq for each in newest.values())),
    )
    return Amount(id=id_, figure=figure, instead=making.t("no survey on record"))


def _coefficient(making: Making, made: Account | None, kind: str) -> Amount:
    """Standard coal of one unit of the kind as metered, with the factor's version."""
    id_ = f"coefficient/{kind}"
    if made is None:
        return _no_plan(making, id_, "kgce")
    quantities = Quantities(made.inputs)
    unit = next(
        (
            line.quantity.unit
            for name, line in made.lines.items()
            if name.startswith("energy/") and _kind_of(made, name) == kind and line.quantity.unit
        ),
        "",
    )
    one = standard_coal(
        quantities, Quantity(estimate=Estimate(Fraction(1000)), unit=unit), kind, _border(made, kind, unit)
    )
    figure = one.figure(made.effects)
    return Amount(
        id=id_,
        figure=Figure(
            value=figure.value,
            unit=f"kgce/{unit}",
            u=figure.u,
            factors=figure.factors,
            evidence=figure.evidence,
            reasons=figure.reasons,
        ),
        instead=making.t("no coefficient on record"),
    )


def _kind_of(made: Account, line: str) -> str:
    point = made.inputs.points.get(line.removeprefix("energy/"))
    return "" if point is None else point.energy_kind


def _coal_invoiced(making: Making, made: Account | None, kind: str, invoiced: Quantity) -> Amount:
    id_ = f"tce/invoiced/{kind}"
    if made is None:
        return _no_plan(making, id_, "tce")
    if invoiced.estimate is None:
        return making.derived(id_, unknown("tce", *invoiced.reasons), instead=making.t(NO_INVOICE))
    by = _border(made, kind, invoiced.unit)
    return making.derived(id_, standard_coal(Quantities(made.inputs), invoiced, kind, by))


def _border(made: Account, kind: str, unit: str) -> Weighing:
    """What crossed the border of a kind: what its measured heat value is weighted by."""
    crossed = {
        name: point.direction == Direction.OUT
        for name, point in sorted(made.inputs.points.items())
        if point.energy_kind == kind and point.level == 1
    }
    formula = " ".join(f"{'-' if out else '+'} {name}" for name, out in crossed.items())
    return Weighing(line=f"tce/kind/{kind}", formula=formula.removeprefix("+ "), unit=unit)


def year_table(making: Making) -> Table:
    """Form B.10."""
    titles = (
        ("Energy name", 3),
        ("Unit of measurement", 2),
        ("Stock at the beginning", 3),
        ("Bought (invoices)", 3),
        ("Bought (metered)", 3),
        ("U (k=2)", 2),
        ("Metered − invoiced", 3),
        ("U (k=2)", 2),
        ("Used", 3),
        ("Stock at the end", 3),
        ("Coefficient, kgce a unit", 3),
        ("Standard coal, tce", 3),
        ("U (k=2), tce", 2),
    )
    rows: list[list[Cell]] = [
        [
            making.energy_kind(each.kind),
            unit_symbol(each.unit),
            each.opening,
            each.invoiced,
            each.metered,
            Expanded(each.metered),
            each.difference,
            Expanded(each.difference),
            each.used,
            each.closing,
            each.coefficient,
            each.coal,
            Expanded(each.coal),
        ]
        for each in kinds(making)
    ]
    total = making.line("tce/total")
    if total is not None:
        rows.append([making.t("Together"), "", *([None] * 9), total, Expanded(total)])
    return Table(
        id="b10",
        title=making.t("Form B.10 Energy bought, used and in stock"),
        columns=making.columns(titles),
        rows=rows,
        source=making.t(INFERRED),
        notes=(
            making.t("Bought: the invoices whose time lies within the period. Used: metered at level 1, in less out."),
            making.t("Standard coal by the calorific value. Nothing is transformed into other energy here."),
        ),
    )


def form(making: Making, id_: str) -> Document:
    """Form B.10 alone."""
    table = year_table(making)
    return making.document(
        f"form-{id_}", table.title, [table, boxes(making)], landscape=True, spans=True, methods=methods(making)
    )


def methods(making: Making) -> tuple[Method, ...]:
    """Which factors standard coal was made with."""
    made = making.metered.account
    if made is None:
        return ()
    used = sorted({factor for line in made.lines.values() for factor in line.figure.factors})
    return (Method(name=making.t("Factors"), text=" ".join(used) or making.t("none")),)
