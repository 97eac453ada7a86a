"""From inputs to estimates: amounts of formulas, parameters, conversions; what cannot be had says why."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from gateway.accounting.crosschecks import STOCK_TOLERANCE_US, stock_ends
from gateway.accounting.estimate import Effect, Estimate, factor_estimate, measured
from gateway.accounting.factors import estimate_of
from gateway.accounting.inputs import Inputs
from gateway.accounting.laboratory import LaboratoryMean
from gateway.accounting.plan import Parameter, Stock
from gateway.accounting.quantity import Quantity, added, unknown
from gateway.accounting.tested import tested_mean
from gateway.accounting.weighting import Steps, Weighing, summed
from gateway.domain.errors import MeterproofError
from gateway.domain.figure import decimal_text

_DEFINED = ("/electricity", "/heat")
_MAX_REASON = 200


class Quantities:
    """Asks the inputs; ``effects`` are all causes of error met so far."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.effects: dict[str, Effect] = inputs.instruments.effects
        self.means: dict[tuple[str, str, str], LaboratoryMean] = {}
        """Laboratory means by the line they entered, their point and property."""
        self._points: dict[str, Quantity] = {}
        self._months: list[Quantities] = []

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

    def parameter(self, parameter: Parameter, unit: str = "", weighing: Weighing | None = None) -> Quantity:
        """A parameter, in ``unit`` where one is asked for: factor, stated value, mean of a channel, laboratory mean or
        its default. Means are weighted by what they are multiplied by.
        """
        try:
            found = self._found(parameter, weighing)
        except MeterproofError as error:
            return unknown(unit, f"no_parameter:{error}")
        return self._in_unit(found, unit) if unit else found

    def monthly(self, weighing: Weighing) -> list[Estimate | None]:
        """What a mean is weighted by in each month of the account, None where that is not known; empty where no month
        was asked for.
        """
        if not self._months:
            consumption = self.inputs.consumption.monthly
            self._months = [Quantities(replace(self.inputs, amounts=amounts)) for amounts in consumption]
        amounts = [each.formula(weighing.formula, weighing.unit).estimate for each in self._months]
        factors = weighing.factors or (Fraction(1),) * len(amounts)
        return [None if each is None else each.scaled(by) for each, by in zip(amounts, factors, strict=True)]

    def steps(self, weighing: Weighing | None, of: Mapping[str, Steps]) -> Steps:
        """What a mean is weighted by, by day or hour; empty where the formula has none."""
        if weighing is None:
            return {}
        try:
            terms = self.inputs.plan.terms(weighing.formula)
        except MeterproofError:
            return {}
        scaled = {}
        for name, weight in terms.items():
            point = self.point(name)
            one = self.converted(point.become(Estimate(Fraction(1)), point.unit), weighing.unit, self._kind(name))
            if one.estimate is None:
                return {}
            scaled[name] = weight * one.estimate.value
        return summed(scaled, of)

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

    def _found(self, parameter: Parameter, weighing: Weighing | None) -> Quantity:
        if parameter.value is not None:
            return self._stated(parameter)
        if parameter.metered:
            return self._averaged(parameter, weighing)
        if parameter.laboratory:
            tested = tested_mean(self, parameter, weighing)
            if tested is not None:
                return tested
            if not parameter.default:
                return unknown("", f"no_laboratory_value:{parameter.laboratory}:{parameter.property}")
        return self.factor(parameter.factor or parameter.default, default=bool(parameter.laboratory))

    def _averaged(self, parameter: Parameter, weighing: Weighing | None) -> Quantity:
        of = (parameter.metered, parameter.measurand)
        found = self.inputs.channels.get(of)
        if found is None:
            return unknown("", f"no_reading:{':'.join(of)}")
        value, reasons = found.value, frozenset({f"unweighted:{':'.join(of)}"})
        by_flow = found.weighted(self.steps(weighing, self.inputs.consumption.hourly))
        if by_flow is not None:
            value, unread = by_flow
            reasons = frozenset({f"unread_hours:{':'.join(of)}:{unread}"} if unread else ())
        return Quantity(
            estimate=self.with_effect(value, f"channel:{':'.join(of)}", parameter.u, "channel"),
            unit=found.unit,
            evidence=frozenset({found.installation}),
            reasons=reasons,
        )

    def _stated(self, parameter: Parameter) -> Quantity:
        value = parameter.value or Fraction(0)
        # two numbers with one reason are still two causes
        id_ = f"stated:{parameter.reason}:{decimal_text(value)} {parameter.unit}"
        return Quantity(
            estimate=self.with_effect(value, id_, parameter.u, "factor"),
            unit=parameter.unit,
            factors=frozenset({f"stated@{self.inputs.plan.seq}:{parameter.reason}"}),
            evidence=frozenset({self.inputs.plan.seq}),
        )

    def with_effect(self, value: Fraction, id_: str, u: float | None, kind: str) -> Estimate:
        """A value with one cause of error of its own, the same wherever the value is used; None: nobody states it."""
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
