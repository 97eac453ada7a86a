"""From inputs to estimates: amounts of formulas, parameters, conversions; what cannot be had says why."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from gateway.accounting.crosschecks import STOCK_TOLERANCE_US, stock_ends
from gateway.accounting.estimate import Effect, Estimate, factor_estimate, measured, total
from gateway.accounting.factors import estimate_of
from gateway.accounting.inputs import Inputs
from gateway.accounting.laboratory import mean, unsampled
from gateway.accounting.plan import Parameter, Stock
from gateway.domain.errors import MeterproofError
from gateway.domain.figure import Figure, decimal_text
from gateway.domain.quality import GOOD, worst

_DEFINED = ("/electricity", "/heat")
_MAX_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """An estimate with what a figure says beside it. ``defaults`` are the default factors it hangs on."""

    estimate: Estimate | None
    unit: str
    coverage_permille: int | None = None
    quality: int = GOOD
    methods: Mapping[str, Fraction] = field(default_factory=dict)
    factors: frozenset[str] = frozenset()
    defaults: frozenset[str] = frozenset()
    evidence: frozenset[int] = frozenset()
    reasons: frozenset[str] = frozenset()

    def figure(self, effects: Mapping[str, Effect], rules: tuple[str, ...] = ()) -> Figure:
        """The figure of it: U with k = 2, method shares of one."""
        whole = sum(self.methods.values(), Fraction(0))
        shares = {name: value / whole for name, value in sorted(self.methods.items())} if whole else {}
        reasons = set(self.reasons)
        if self.estimate is not None:
            reasons |= {f"no_uncertainty:{each}" for each in self.estimate.unstated}
        return Figure(
            value=None if self.estimate is None else self.estimate.value,
            unit=self.unit,
            u=None if self.estimate is None else self.estimate.u(effects),
            coverage_permille=self.coverage_permille,
            quality=self.quality,
            methods=shares,
            rules=rules,
            factors=tuple(sorted(self.factors)),
            evidence=tuple(sorted(self.evidence)),
            reasons=tuple(sorted(reasons)),
        )

    def times(self, other: "Quantity", unit: str) -> "Quantity":
        """The product; coverage, quality and methods are those of the amounts in it."""
        return self._with(other, _product(self.estimate, other.estimate), unit)

    def over(self, other: "Quantity", unit: str) -> "Quantity":
        """The quotient; unknown where the divisor is zero."""
        if self.estimate is None or other.estimate is None or other.estimate.value == 0:
            return self._with(other, None, unit)
        return self._with(other, self.estimate / other.estimate, unit)

    def become(self, estimate: Estimate | None, unit: str) -> "Quantity":
        """Another value resting on the same."""
        return replace(self, estimate=estimate, unit=unit)

    def _with(self, other: "Quantity", estimate: Estimate | None, unit: str) -> "Quantity":
        covers = [each.coverage_permille for each in (self, other) if each.coverage_permille is not None]
        return Quantity(
            estimate=estimate,
            unit=unit,
            coverage_permille=min(covers) if covers else None,
            quality=worst((self.quality, other.quality)),
            methods=self.methods or other.methods,
            factors=self.factors | other.factors,
            defaults=self.defaults | other.defaults,
            evidence=self.evidence | other.evidence,
            reasons=self.reasons | other.reasons,
        )


def added(parts: list[tuple[Quantity, Fraction]], unit: str) -> Quantity:
    """The weighted sum; unknown where any part is unknown, unless there is no part at all (then zero)."""
    estimates = [each.estimate.scaled(weight) for each, weight in parts if each.estimate is not None]
    covers = [each.coverage_permille for each, _ in parts if each.coverage_permille is not None]
    methods: dict[str, Fraction] = {}
    for each, weight in parts:
        for name, value in each.methods.items():
            methods[name] = methods.get(name, Fraction(0)) + abs(weight) * value
    return Quantity(
        estimate=total(estimates) if len(estimates) == len(parts) else None,
        unit=unit,
        coverage_permille=min(covers) if covers else None,
        quality=worst(each.quality for each, _ in parts),
        methods=methods,
        factors=frozenset().union(*(each.factors for each, _ in parts)),
        defaults=frozenset().union(*(each.defaults for each, _ in parts)),
        evidence=frozenset().union(*(each.evidence for each, _ in parts)),
        reasons=frozenset().union(*(each.reasons for each, _ in parts)),
    )


def unknown(unit: str, *reasons: str) -> Quantity:
    """A quantity that is not known, and why."""
    return Quantity(estimate=None, unit=unit, reasons=frozenset(reasons))


class Quantities:
    """Asks the inputs; ``effects`` are all causes of error met so far."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.effects: dict[str, Effect] = inputs.instruments.effects
        self._points: dict[str, Quantity] = {}

    def point(self, name: str) -> Quantity:
        """What went through a point."""
        if name not in self._points:
            self._points[name] = self._point(name)
        return self._points[name]

    def _point(self, name: str) -> Quantity:
        amount = self.inputs.amounts.get(name)
        if amount is None:
            return unknown("", f"unknown_point:{name}")
        unit = amount.unit
        fact = self.inputs.points.get(name)
        if fact is not None and fact.energy_kind in self.inputs.plan.gas_states:
            unit = self.inputs.plan.gas_states[fact.energy_kind]
        reasons = {f"missing_windows:{name}:{amount.lacking}"} if amount.lacking else set()
        if amount.value is None:
            reasons.add(f"no_value:{name}")
        return Quantity(
            estimate=self.inputs.instruments.estimate(amount),
            unit=unit,
            coverage_permille=amount.coverage_permille,
            quality=amount.quality,
            methods={method.word: abs(value) for method, value in amount.by_method.items()},
            evidence=frozenset(seq for seq in amount.installations if seq),
            reasons=frozenset(reasons),
        )

    def formula(self, formula: str, unit: str) -> Quantity:
        """A formula over points in a unit; a point whose unit is another thing makes it unknown, and so does what is
        no formula: plans are checked before they are put on record, but an account never falls over one.
        """
        parts = []
        try:
            terms = self.inputs.plan.terms(formula)
        except MeterproofError:
            return unknown(unit, f"no_formula:{formula}"[:_MAX_REASON])
        for name, weight in sorted(terms.items()):
            parts.append((self.converted(self.point(name), unit, self._kind(name)), weight))
        return added(parts, unit)

    def _kind(self, name: str) -> str:
        fact = self.inputs.points.get(name)
        return fact.energy_kind if fact is not None else ""

    def converted(self, quantity: Quantity, unit: str, kind: str = "") -> Quantity:
        """In another unit; from volume to mass by the plan's density of that kind, never without one."""
        if quantity.estimate is None:
            return quantity.become(None, unit)
        units = self.inputs.units
        if not units.knows(quantity.unit) or not units.knows(unit):
            return self._lost(quantity, unit, f"unknown_unit:{quantity.unit if units.knows(unit) else unit}")
        first, second = units.unit(quantity.unit), units.unit(unit)
        if first.dimension == second.dimension:
            return quantity.become(quantity.estimate.scaled(units.factor(quantity.unit, unit)), unit)
        density = self.inputs.plan.densities.get(kind)
        if (first.dimension, second.dimension) == ("volume", "mass") and density is not None:
            cubic = quantity.become(quantity.estimate.scaled(units.factor(quantity.unit, "m3")), "m3")
            mass = cubic.times(self.parameter(density, "kg/m3"), "kg")
            return self.converted(mass, unit, kind)
        return self._lost(quantity, unit, f"not_convertible:{quantity.unit}:{unit}")

    def _lost(self, quantity: Quantity, unit: str, reason: str) -> Quantity:
        return replace(quantity, estimate=None, unit=unit, reasons=quantity.reasons | {reason})

    def kind_of(self, stock: Stock) -> str:
        """The energy kind that lies in a stock: of its point, else of what is bought for it; empty where unknown."""
        try:
            named = [stock.point, *sorted(self.inputs.plan.terms(stock.bought))]
        except MeterproofError:
            named = [stock.point]
        return next((self.inputs.points[each].energy_kind for each in named if each in self.inputs.points), "")

    def laid_in_stock(self, stock: Stock) -> Quantity:
        """What was laid in stock over the period, negative where stock was drawn down; unknown without surveys."""
        ends = stock_ends(self.inputs.surveys, stock.point, self.inputs.period, STOCK_TOLERANCE_US)
        if ends is None:
            return unknown(stock.unit, f"no_survey:{stock.id}")
        if not self.inputs.units.knows(stock.unit):
            return unknown(stock.unit, f"unknown_unit:{stock.unit}")
        # two surveys, each with its own error
        own = Fraction(0) if stock.u is None else 2 * stock.u**2
        return Quantity(
            estimate=Estimate(
                self.inputs.units.convert(ends[1].amount - ends[0].amount, ends[0].unit, stock.unit),
                variance=own,
                unstated=frozenset() if stock.u is not None else frozenset({f"stock:{stock.id}"}),
            ),
            unit=stock.unit,
            evidence=frozenset(each.seq for each in ends),
        )

    def parameter(self, parameter: Parameter, unit: str = "") -> Quantity:
        """A parameter, in ``unit`` where one is asked for: factor, laboratory mean or its default, stated value."""
        try:
            found = self._found(parameter)
        except MeterproofError as error:
            return unknown(unit, f"no_parameter:{error}")
        return self._in_unit(found, unit) if unit else found

    def _in_unit(self, found: Quantity, unit: str) -> Quantity:
        units = self.inputs.units
        if found.estimate is None or found.unit == unit:
            return found.become(found.estimate, unit)
        if not (units.knows(found.unit) and units.knows(unit)):
            return self._lost(found, unit, f"unknown_unit:{found.unit}")
        if units.unit(found.unit).dimension != units.unit(unit).dimension:
            return self._lost(found, unit, f"not_convertible:{found.unit}:{unit}")
        # a temperature's zero moves too
        moved = Estimate(units.convert(Fraction(0), found.unit, unit))
        return found.become(found.estimate.scaled(units.factor(found.unit, unit)) + moved, unit)

    def _found(self, parameter: Parameter) -> Quantity:
        if parameter.value is not None:
            return self._stated(parameter)
        if parameter.metered:
            return self._averaged(parameter)
        if parameter.laboratory:
            tested = mean(
                self.inputs.laboratory, parameter.laboratory, parameter.property, self.inputs.period, self.inputs.units
            )
            if tested is not None:
                id_ = f"laboratory:{parameter.laboratory}:{parameter.property}"
                estimate = self._measured(tested.value, id_, parameter.u, "laboratory")
                return Quantity(
                    estimate=estimate,
                    unit=tested.unit,
                    evidence=frozenset(tested.evidence),
                    reasons=self._unsampled(parameter),
                )
            if not parameter.default:
                return unknown("", f"no_laboratory_value:{parameter.laboratory}:{parameter.property}")
        return self.factor(parameter.factor or parameter.default, default=bool(parameter.laboratory))

    def _unsampled(self, parameter: Parameter) -> frozenset[str]:
        inputs = self.inputs
        months = unsampled(inputs.laboratory, parameter.laboratory, parameter.property, inputs.period, inputs.months)
        return frozenset({f"unsampled:{parameter.laboratory}:{parameter.property}:{months}"} if months else ())

    def _averaged(self, parameter: Parameter) -> Quantity:
        mean = self.inputs.channels.get((parameter.metered, parameter.measurand))
        if mean is None:
            return unknown("", f"no_reading:{parameter.metered}:{parameter.measurand}")
        id_ = f"channel:{parameter.metered}:{parameter.measurand}"
        estimate = self._measured(mean.value, id_, parameter.u, "channel")
        return Quantity(estimate=estimate, unit=mean.unit, evidence=frozenset({mean.installation}))

    def _stated(self, parameter: Parameter) -> Quantity:
        value = parameter.value or Fraction(0)
        # two numbers with one reason are still two causes
        id_ = f"stated:{parameter.reason}:{decimal_text(value)} {parameter.unit}"
        return Quantity(
            estimate=self._measured(value, id_, parameter.u, "factor"),
            unit=parameter.unit,
            factors=frozenset({f"stated@{self.inputs.plan.seq}:{parameter.reason}"}),
            evidence=frozenset({self.inputs.plan.seq}),
        )

    def _measured(self, value: Fraction, id_: str, u: float | None, kind: str) -> Estimate:
        if u is None:
            return measured(value, (), unstated=[id_])
        self.effects[id_] = Effect(id=id_, kind=kind, label=id_, u=u, basis="accounting plan")
        return factor_estimate(value, id_)

    def factor(self, id_: str, *, default: bool = True) -> Quantity:
        """A factor on record. Factors of fuel tables count as defaults, announced ones (grid) do not."""
        factor = self.inputs.factors.get(id_)
        if id_.startswith("coefficient/") and id_.endswith(_DEFINED):
            # 3.6 MJ/kWh and 1 MJ/MJ over 29.3076 MJ/kgce: a definition of the statistic, not an estimate of anything
            return Quantity(
                estimate=Estimate(factor.value),
                unit=factor.unit,
                factors=frozenset({factor.version}),
                evidence=frozenset({factor.seq}),
            )
        is_default = default or id_.startswith(("fuel/", "oxidation/", "intensity/", "heat/"))
        return Quantity(
            estimate=estimate_of(factor, self.inputs.plan.stated_u, self.effects),
            unit=factor.unit,
            factors=frozenset({factor.version}),
            defaults=frozenset({factor.id}) if is_default and not id_.startswith("grid/") else frozenset(),
            evidence=frozenset({factor.seq}),
        )


def _product(first: Estimate | None, second: Estimate | None) -> Estimate | None:
    return None if first is None or second is None else first * second
