"""One account: energy in physical units and standard coal, unit consumption, carbon by source and boundary.

Every line is a quantity with its own reasons; lines that cannot be known stay unknown and take what is made of them
along.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from gateway.accounting.carbon import Emissions, Working
from gateway.accounting.estimate import Effect
from gateway.accounting.inputs import RULES_EDITION, Inputs
from gateway.accounting.laboratory import LaboratoryMean
from gateway.accounting.quantities import Quantities
from gateway.accounting.quantity import Quantity, added, unknown
from gateway.accounting.weighting import Weighing
from gateway.domain.errors import MeterproofError
from gateway.domain.figure import Figure
from gateway.domain.ledger import Direction, MeteringPoint

ENERGY_RULE = f"energy@{RULES_EDITION}"
CARBON_RULE = f"carbon@{RULES_EDITION}"
GJ_PER_TCE = Fraction("29.3076")
PRIMARY = "tce-primary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure of the account: ``id`` such as ``energy/el-intake``, ``tce/total``, ``carbon/clinker/total``."""

    id: str
    quantity: Quantity
    figure: Figure
    parts: tuple[str, ...] = ()  # the lines it is the sum of


@dataclass(slots=True)
class Account:
    """Every line by id, the effects behind their uncertainty, and what hangs on defaults."""

    inputs: Inputs
    effects: Mapping[str, Effect]
    lines: dict[str, Line] = field(default_factory=dict)
    exposure: dict[str, Fraction] = field(default_factory=dict)
    workings: Mapping[str, Working] = field(default_factory=dict)
    means: Mapping[tuple[str, str, str], LaboratoryMean] = field(default_factory=dict)

    def add(self, id_: str, quantity: Quantity, rule: str, parts: tuple[str, ...] = ()) -> Quantity:
        """One more line."""
        figure = quantity.figure(self.effects, (rule,))
        self.lines[id_] = Line(id=id_, quantity=quantity, figure=figure, parts=parts)
        return quantity

    def sum(self, id_: str, parts: list[tuple[str, Fraction]], unit: str, rule: str) -> Quantity:
        """A line that is the sum of others."""
        quantity = added([(self.lines[name].quantity, weight) for name, weight in parts], unit)
        return self.add(id_, quantity, rule, tuple(name for name, _ in parts))


def account(inputs: Inputs) -> Account:
    """Compute everything the plan asks for."""
    quantities = Quantities(inputs)
    made = Account(inputs, quantities.effects)
    _energy(made, quantities)
    _products(made, quantities)
    emissions = Emissions(inputs, quantities)
    _carbon(made, emissions)
    made.workings = emissions.workings
    made.means = quantities.means
    _intensities(made)
    return made


def _energy(made: Account, quantities: Quantities) -> None:
    inputs = made.inputs
    physical: dict[str, list[tuple[str, Fraction]]] = {}
    coal: dict[str, list[tuple[str, Fraction]]] = {}
    for name, point in sorted(inputs.points.items()):
        if inputs.amounts[name].value is None and not inputs.amounts[name].expected:
            continue
        amount = made.add(f"energy/{name}", quantities.point(name), ENERGY_RULE)
        by = Weighing(line=f"tce/{name}", formula=name, unit=amount.unit)
        standard = standard_coal(quantities, amount, point.energy_kind, by)
        if "no_standard_coal" in standard.reasons:
            continue
        made.add(f"tce/{name}", standard, ENERGY_RULE)
        sign = Fraction(-1 if point.direction == Direction.OUT else 1)
        for group in groups(point, inputs.points):
            coal.setdefault(f"tce/{group}", []).append((f"tce/{name}", sign))
        if point.level == 1:
            physical.setdefault(f"energy/kind/{point.energy_kind}", []).append((f"energy/{name}", sign))
            if inputs.plan.primary:
                primary = _primary(quantities, amount, standard, point.energy_kind, by)
                made.add(f"{PRIMARY}/{name}", primary, ENERGY_RULE)
                coal.setdefault(f"{PRIMARY}/kind/{point.energy_kind}", []).append((f"{PRIMARY}/{name}", sign))
    for name, parts in sorted(physical.items()):
        units = {made.lines[part].quantity.unit for part, _ in parts}
        if len(units) == 1:
            made.sum(name, parts, units.pop(), ENERGY_RULE)
    for name, parts in sorted(coal.items()):
        made.sum(name, parts, "tce", ENERGY_RULE)
    for basis in ("tce", PRIMARY) if inputs.plan.primary else ("tce",):
        kinds = [(name, Fraction(1)) for name in sorted(coal) if name.startswith(f"{basis}/kind/")]
        made.sum(f"{basis}/total", kinds, "tce", ENERGY_RULE)
        _consumed(made, quantities, basis)
    for name, formula in sorted(inputs.plan.virtual.items()):
        _virtual(made, quantities, name, formula)


def _consumed(made: Account, quantities: Quantities, basis: str) -> None:
    """What crossed the border less what was laid in stock, where the plan names stocks."""
    stocks = []
    for stock in quantities.inputs.plan.stocks:
        kind = quantities.kind_of(stock)
        laid = quantities.laid_in_stock(stock)
        name = f"{basis}/stock/{stock.id}"
        by = Weighing(line=name, formula=stock.used, unit=stock.unit)
        coal = standard_coal(quantities, laid, kind, by)
        if "no_standard_coal" in coal.reasons:
            continue  # a stock of no energy
        made.add(name, coal if basis == "tce" else _primary(quantities, laid, coal, kind, by), ENERGY_RULE)
        stocks.append((name, Fraction(-1)))
    if stocks:
        made.sum(f"{basis}/consumed", [(f"{basis}/total", Fraction(1)), *stocks], "tce", ENERGY_RULE)


def _primary(quantities: Quantities, amount: Quantity, standard: Quantity, kind: str, by: Weighing) -> Quantity:
    """An amount in tce by the primary-energy value (等价值) the plan states, else as by the equivalent one (当量值)."""
    stated = quantities.inputs.plan.primary.get(kind)
    if stated is None:
        return standard
    return _by_coefficient(quantities, amount, kind, quantities.parameter(stated, weighing=by))


def _virtual(made: Account, quantities: Quantities, name: str, formula: str) -> None:
    kind = made.inputs.plan.virtual_kinds[name]
    try:
        points = sorted(made.inputs.plan.terms(formula))
    except MeterproofError:
        points = []
    unit = quantities.point(points[0]).unit if points else ""
    quantity = made.add(f"energy/{name}", quantities.formula(formula, unit), ENERGY_RULE)
    standard = standard_coal(quantities, quantity, kind, Weighing(line=f"tce/{name}", formula=formula, unit=unit))
    if "no_standard_coal" not in standard.reasons:
        made.add(f"tce/{name}", standard, ENERGY_RULE)


def groups(point: MeteringPoint, points: Mapping[str, MeteringPoint]) -> list[str]:
    """The sums of standard coal a point belongs to: kind, level, process, equipment; nothing counts twice in one.

    Only the topmost point of a group and energy kind counts in it. What crossed the border is the sum by kind; a level
    is what its topmost points took, as far as it came through the border; what a generating unit uses itself is
    taken from what it gives.
    """
    above = _above(point, points)
    found = []
    if point.level == 1:
        found.append(f"kind/{point.energy_kind}")
    from_border = point.level == 1 or any(each.level == 1 for each in above)
    if point.level and from_border and not any(each.level == point.level for each in above):
        found.append(f"level/{point.level}")
    if point.process and point.level != 1:
        same = [each for each in above if each.level != 1 and each.process == point.process]
        if all(each.direction == Direction.OUT != point.direction for each in same):
            found.append(f"process/{point.process}")
    if point.main_equipment and not any(each.main_equipment == point.main_equipment for each in above):
        found.append(f"equipment/{point.main_equipment}")
    return found


def _above(point: MeteringPoint, points: Mapping[str, MeteringPoint]) -> list[MeteringPoint]:
    """The points above one of its own energy kind, nearest first; a ring is cut where it closes."""
    found: list[MeteringPoint] = []
    seen = {point.id}
    parent = points.get(point.parent)
    while parent is not None and parent.id not in seen:
        if parent.energy_kind == point.energy_kind:
            found.append(parent)
        seen.add(parent.id)
        parent = points.get(parent.parent)
    return found


def standard_coal(quantities: Quantities, amount: Quantity, kind: str, by: Weighing | None = None) -> Quantity:
    """An amount in tce: by the plan's calorific value or coefficient for its kind, its mean weighted ``by`` the amount,
    else by the edition's row.

    Reason ``no_standard_coal`` where the kind has none (a product, an emission).
    """
    plan, book = quantities.inputs.plan, quantities.inputs.factors
    stated = plan.standard_coal.get(kind)
    if stated is not None:
        value = quantities.parameter(stated, weighing=by)
        if stated.property != "ncv" or not stated.laboratory or value.unit != "GJ/t":
            return _by_coefficient(quantities, amount, kind, value)
        heat = quantities.converted(amount, "t", kind).times(value, "GJ")
        return heat.become(None if heat.estimate is None else heat.estimate.scaled(1 / GJ_PER_TCE), "tce")
    row = f"coefficient/{plan.coefficients}/{_row(quantities.inputs, kind)}"
    if row not in book:
        return unknown("tce", "no_standard_coal")
    return _by_coefficient(quantities, amount, kind, quantities.factor(row, default=False))


def _row(inputs: Inputs, kind: str) -> str:
    return inputs.factors.energy_kinds.get(inputs.plan.coefficients, {}).get(kind, kind)


def _by_coefficient(quantities: Quantities, amount: Quantity, kind: str, coefficient: Quantity) -> Quantity:
    if coefficient.estimate is None:
        return amount.times(coefficient, "tce")
    mass, slash, unit = coefficient.unit.partition("/")
    if mass not in {"kgce", "tce"} or not slash:
        return unknown("tce", f"not_convertible:{coefficient.unit}:kgce")
    physical = quantities.converted(amount, unit, kind)
    return quantities.converted(physical.times(coefficient, mass), "tce")


def _products(made: Account, quantities: Quantities) -> None:
    for product in made.inputs.plan.products:
        try:
            quantity = quantities.formula(product.amount, "t")
        except MeterproofError as error:
            quantity = unknown("t", str(error))
        made.add(f"product/{product.id}", quantity, ENERGY_RULE)


def _carbon(made: Account, emissions: Emissions) -> None:
    for source in made.inputs.plan.sources:
        quantity = made.add(f"carbon/source/{source.id}", emissions.of(source), CARBON_RULE)
        if quantity.estimate is not None:
            for default in sorted(quantity.defaults):
                made.exposure[default] = made.exposure.get(default, Fraction(0)) + abs(quantity.estimate.value)
    for boundary in emissions.boundaries():
        direct = [(f"carbon/source/{each}", sign) for each, sign in boundary.direct]
        indirect = [(f"carbon/source/{each}", sign) for each, sign in boundary.indirect]
        made.sum(f"carbon/{boundary.id}/direct", direct, "tCO2", CARBON_RULE)
        made.sum(f"carbon/{boundary.id}/indirect", indirect, "tCO2", CARBON_RULE)
        parts = [(f"carbon/{boundary.id}/{each}", Fraction(1)) for each in ("direct", "indirect")]
        made.sum(f"carbon/{boundary.id}/total", parts, "tCO2", CARBON_RULE)


def _intensities(made: Account) -> None:
    for product in made.inputs.plan.products:
        output = made.lines[f"product/{product.id}"].quantity
        for line in [each for each in made.lines if each.endswith(("/total", "/consumed"))]:
            quantity = made.lines[line].quantity
            unit = "kgce/t" if quantity.unit == "tce" else f"{quantity.unit}/t"
            scale = Fraction(1000 if quantity.unit == "tce" else 1)
            top = quantity.become(None if quantity.estimate is None else quantity.estimate.scaled(scale), unit)
            rule = ENERGY_RULE if quantity.unit == "tce" else CARBON_RULE
            made.add(f"intensity/{product.id}/{line}", top.over(output, unit), rule)
