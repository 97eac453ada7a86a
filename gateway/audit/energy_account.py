"""能耗统计: standard coal by kind, level, process and equipment; purchase, stock and consumption; cost.

Standard coal stands in its equivalent value (当量值) and, where the plan states one, in its primary-energy value
(等价值).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.accounting.account import PRIMARY, Account
from gateway.accounting.checks import STOCK_TOLERANCE_US, costs
from gateway.accounting.crosschecks import stock_change, stock_records
from gateway.accounting.quantities import Quantities
from gateway.accounting.quantity import Quantity, added
from gateway.audit.accounts import FigureFact, account_of, figure_fact, line_fact
from gateway.audit.asking import Asking, Sources
from gateway.audit.crosschecks import CheckFact, crosschecks
from gateway.domain.errors import UnknownObjectError
from gateway.domain.figure import decimal_text
from gateway.domain.ledger import Direction
from gateway.domain.time import Period

FAMILIES = ("kind", "level", "process", "equipment")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """A sum of standard coal. ``family`` is one of ``FAMILIES``; ``physical`` in the kind's own unit, kinds only;
    ``primary`` by primary-energy value, kinds only. ``points`` are what it adds up. ``share_permille`` of the total of
    what crossed the border, for kinds, else of the family.
    """

    family: str
    name: str
    physical: FigureFact | None
    tce: FigureFact
    primary: FigureFact | None
    points: Sequence[str]
    share_permille: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyRow:
    """购入/消费/库存 of one energy kind, texts in ``unit``: ``consumed`` = bought − delivered − what was laid in stock.

    ``used`` is what meters say was used, where the plan names it, ``difference`` consumed less used.
    """

    kind: str
    unit: str
    bought: FigureFact
    delivered: FigureFact | None
    stock_change: str
    consumed: str
    used: FigureFact | None
    difference: str
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSlot:
    """A slot of a tariff (尖, 峰, 平, 谷): energy in the point's unit, money in the tariff's currency; texts."""

    name: str
    energy: str
    money: str
    share_permille: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """Cost of one point by one tariff; ``unpriced`` quarter hours have no value and no price."""

    tariff: str
    point: str
    unit: str
    currency: str
    slots: Sequence[CostSlot]
    total: str
    mean_price: str
    unpriced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualRow:
    """A point computed by formula, in its unit and in standard coal."""

    id: str
    name: str
    formula: str
    figure: FigureFact
    tce: FigureFact | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoefficientFact:
    """A number that turns energy into standard coal: ``value`` in ``unit`` as text, its origin, and how far it may be
    trusted (``standing``; empty where the plan itself states it). ``entry`` is where it is on record.
    """

    factor: str
    value: str
    unit: str
    standing: str
    source: str
    note: str
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyAccount:
    """Everything the energy page shows beside the points themselves."""

    from_us: int
    to_us: int
    coefficients: str
    factors: Sequence[CoefficientFact]
    total: FigureFact
    primary: FigureFact | None
    groups: Sequence[GroupRow]
    supply: Sequence[SupplyRow]
    costs: Sequence[CostRow]
    virtual: Sequence[VirtualRow]
    checks: Sequence[CheckFact]
    products: Sequence[FigureFact]
    product_names: Mapping[str, str]
    intensities: Sequence[FigureFact]


def energy_account(sources: Sources, asking: Asking, period: Period) -> EnergyAccount:
    """The energy account of a period; UnknownObjectError where no accounting plan is on record."""
    made = account_of(sources, asking, period)
    return EnergyAccount(
        from_us=period.start_us,
        to_us=period.end_us,
        coefficients=made.inputs.plan.coefficients,
        factors=_factors(made),
        total=line_fact(made, "tce/total"),
        primary=line_fact(made, f"{PRIMARY}/total") if f"{PRIMARY}/total" in made.lines else None,
        groups=[row for family in FAMILIES for row in _groups(made, family)],
        supply=_supply(sources, asking, made),
        costs=_costs(sources, asking, made),
        virtual=_virtual(made),
        checks=[each for each in crosschecks(sources, asking, made) if each.kind in {"stock", "virtual", "invoice"}],
        products=[line_fact(made, f"product/{each.id}") for each in made.inputs.plan.products],
        product_names={each.id: each.name for each in made.inputs.plan.products},
        intensities=_intensities(made),
    )


def _factors(made: Account) -> list[CoefficientFact]:
    """Every coefficient and factor in the lines of standard coal, by id."""
    versions = {each for name, line in made.lines.items() if name.startswith("tce") for each in line.figure.factors}
    found = []
    for version in sorted(versions):
        id_ = version.rpartition("@")[0]
        if id_ not in made.inputs.factors:
            continue  # stated by the plan, which the carbon page and the plan's entry show
        factor = made.inputs.factors.get(id_)
        found.append(
            CoefficientFact(
                factor=factor.id,
                value=decimal_text(factor.value, 8),
                unit=factor.unit,
                standing=factor.standing,
                source=factor.source,
                note=factor.note,
                entry=factor.seq,
            )
        )
    return found


def _intensities(made: Account) -> list[FigureFact]:
    """Standard coal per product: what is known first, and of that what was consumed before what was bought."""
    found = [line_fact(made, name) for name in made.lines if name.startswith("intensity/") and "tce" in name]
    return sorted(found, key=lambda each: (not each.known, not each.id.endswith("/consumed")))


def energy_account_or_none(sources: Sources, asking: Asking, period: Period) -> EnergyAccount | None:
    """The same; None where no accounting plan is on record."""
    try:
        return energy_account(sources, asking, period)
    except UnknownObjectError:
        return None


def _groups(made: Account, family: str) -> list[GroupRow]:
    prefix = f"tce/{family}/"
    names = [name for name in made.lines if name.startswith(prefix)]
    values = {name: made.lines[name].figure.value for name in names}
    if family == "kind":
        whole = made.lines["tce/total"].figure.value
    else:
        known = [value for value in values.values() if value is not None]
        whole = sum(known, Fraction(0)) if len(known) == len(values) else None
    rows = []
    for line in sorted(names, key=lambda name: (-(values[name] or Fraction(0)), name)):
        name = line.removeprefix(prefix)
        physical, primary = f"energy/kind/{name}", f"{PRIMARY}/kind/{name}"
        value = values[line]
        rows.append(
            GroupRow(
                family=family,
                name=name,
                physical=line_fact(made, physical) if family == "kind" and physical in made.lines else None,
                tce=line_fact(made, line),
                primary=line_fact(made, primary) if family == "kind" and primary in made.lines else None,
                points=[part.partition("/")[2] for part in made.lines[line].parts],
                share_permille=None if value is None or not whole else round(1000 * value / whole),
            )
        )
    return sorted(rows, key=lambda row: row.name) if family == "level" else rows


def _supply(sources: Sources, asking: Asking, made: Account) -> list[SupplyRow]:
    """Every kind that crosses the border, and every stock of the plan beside its kind."""
    inputs = made.inputs
    ask = Quantities(inputs)
    surveys = stock_records(sources.registry, asking.organisation, inputs.known_seq)
    stocks = {inputs.points[each.point].energy_kind: each for each in inputs.plan.stocks if each.point in inputs.points}
    rows = []
    border = [point for point in inputs.points.values() if point.level == 1 and f"energy/{point.id}" in made.lines]
    for kind in sorted({point.energy_kind for point in border}):
        ways = [
            [point for point in border if point.energy_kind == kind and (point.direction == Direction.OUT) is out]
            for out in (False, True)
        ]
        unit = ask.point((ways[0] or ways[1])[0].id).unit
        bought, delivered = (
            _added(made, ask, [point.id for point in way], unit, f"{name}/{kind}")
            for name, way in zip(("bought", "delivered"), ways, strict=True)
        )
        reasons: list[str] = []
        change: Fraction | None = Fraction(0)
        used: Quantity | None = None
        stock = stocks.get(kind)
        if stock is not None:
            change = stock_change(surveys, stock.point, inputs.period, STOCK_TOLERANCE_US)
            units = {each.unit for each in surveys if each.point == stock.point}
            if change is None or len(units) != 1:
                change = None
                reasons.append("no_survey")
            else:
                change = inputs.units.factor(units.pop(), unit) * change
            used = ask.formula(stock.used, unit)
        rows.append(_supply_row(made, kind, unit, (bought, delivered), change=change, used=used, reasons=reasons))
    return rows


def _added(made: Account, ask: Quantities, points: Sequence[str], unit: str, id_: str) -> tuple[FigureFact, Fraction]:
    parts = [(ask.converted(ask.point(name), unit), Fraction(1)) for name in points]
    figure = added(parts, unit).figure(made.effects)
    return figure_fact(id_, figure), figure.value or Fraction(0)


def _supply_row(
    made: Account,
    kind: str,
    unit: str,
    ways: tuple[tuple[FigureFact, Fraction], tuple[FigureFact, Fraction]],
    *,
    change: Fraction | None,
    used: Quantity | None,
    reasons: Sequence[str],
) -> SupplyRow:
    (bought, taken), (delivered, given) = ways
    consumed = taken - given - change if change is not None and bought.known and delivered.known else None
    metered = None if used is None else used.figure(made.effects)
    both = consumed is not None and metered is not None and metered.value is not None
    return SupplyRow(
        kind=kind,
        unit=unit,
        bought=bought,
        delivered=delivered if given else None,
        stock_change="" if change is None else decimal_text(change, 6),
        consumed="" if consumed is None else decimal_text(consumed, 6),
        used=None if metered is None else figure_fact(f"used/{kind}", metered),
        difference=decimal_text(consumed - metered.value, 6) if both else "",  # type: ignore[operator, union-attr]
        reasons=reasons,
    )


def _costs(sources: Sources, asking: Asking, made: Account) -> list[CostRow]:
    rows = []
    found = costs(made.inputs, sources.registry, sources.settlement, asking.zone)
    for (tariff, point), (currency, spent) in found.items():
        energy = sum(spent.energy.values(), Fraction(0))
        rows.append(
            CostRow(
                tariff=tariff,
                point=point,
                unit=made.inputs.amounts[point].unit,
                currency=currency,
                slots=[
                    CostSlot(
                        name=name,
                        energy=decimal_text(spent.energy[name], 6),
                        money=decimal_text(spent.money[name], 2),
                        share_permille=round(1000 * spent.money[name] / spent.total) if spent.total else None,
                    )
                    for name in sorted(spent.money, key=lambda each: -spent.money[each])
                ],
                total=decimal_text(spent.total, 2),
                mean_price=decimal_text(spent.total / energy, 4) if energy else "",
                unpriced=spent.unpriced,
            )
        )
    return rows


def _virtual(made: Account) -> list[VirtualRow]:
    plan = made.inputs.plan
    return [
        VirtualRow(
            id=name,
            name=plan.virtual_names.get(name, name),
            formula=formula,
            figure=line_fact(made, f"energy/{name}"),
            tce=line_fact(made, f"tce/{name}") if f"tce/{name}" in made.lines else None,
        )
        for name, formula in plan.virtual.items()
    ]
