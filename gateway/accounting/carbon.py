"""Emissions of a plan's sources by its pack: which kinds it allows, which boundaries they lie in, what they amount
to.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from gateway.accounting import formulas
from gateway.accounting.estimate import Estimate
from gateway.accounting.heat import HeatRule, enthalpy_of, steam_heat, water_heat
from gateway.accounting.inputs import Inputs
from gateway.accounting.plan import EmissionSource
from gateway.accounting.quantities import Quantities
from gateway.accounting.quantity import Quantity, unknown
from gateway.accounting.weighting import Weighing
from gateway.domain.errors import ConfigurationError, MeterproofError
from gateway.domain.figure import decimal_fraction

INDIRECT: Mapping[str, Fraction] = {
    "electricity_in": Fraction(1),
    "electricity_out": Fraction(-1),
    "heat_in": Fraction(1),
    "heat_out": Fraction(-1),
}
_ZERO = Quantity(estimate=Estimate(Fraction(0)), unit="1")
_WHOLE = Quantity(estimate=Estimate(Fraction(1)), unit="1")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundarySources:
    """A boundary with the plan's sources that lie in it, each with its sign in the total."""

    id: str
    name: Mapping[str, str]
    direct: tuple[tuple[str, Fraction], ...]
    indirect: tuple[tuple[str, Fraction], ...]


@dataclass(slots=True)
class Working:
    """How a source's tonnes came about: its activity and each parameter as it entered the formula."""

    activity: Quantity | None = None
    parameters: dict[str, Quantity] = field(default_factory=dict)


class Emissions:
    """Sources to tCO2. ConfigurationError when the plan has a source its pack does not know."""

    def __init__(self, inputs: Inputs, quantities: Quantities) -> None:
        self._inputs = inputs
        self._ask = quantities
        self.pack = inputs.factors.pack(inputs.plan.pack)
        foreign = [each.id for each in inputs.plan.sources if each.kind not in self.pack["sources"]]
        if foreign:
            raise ConfigurationError([f"{inputs.plan.pack}: {', '.join(foreign)}"])
        self.workings = {each.id: Working() for each in inputs.plan.sources}
        self._kinds: dict[str, Callable[[EmissionSource], Quantity]] = {
            "fuel_heat": self._fuel_heat,
            "fuel_volume": self._fuel_carbon,
            "fuel_mass": self._fuel_carbon,
            "electricity_in": self._electricity,
            "electricity_out": self._electricity,
            "heat_in": self._heat,
            "heat_out": self._heat,
            "clinker": self._clinker,
            "carbonate": self._carbonate,
        }

    def boundaries(self) -> list[BoundarySources]:
        """The pack's boundaries."""
        found = []
        for boundary in self.pack["boundaries"]:
            inside = [each for each in self._inputs.plan.sources if each.lies_in(boundary)]
            found.append(
                BoundarySources(
                    id=str(boundary["id"]),
                    name={"zh": str(boundary["zh"]), "en": str(boundary["en"])},
                    direct=tuple((each.id, Fraction(1)) for each in inside if each.kind not in INDIRECT),
                    indirect=tuple((each.id, INDIRECT[each.kind]) for each in inside if each.kind in INDIRECT),
                )
            )
        return found

    def of(self, source: EmissionSource) -> Quantity:
        """What a source emits, tCO2; unknown with its reasons where something is lacking."""
        try:
            return self._kinds[source.kind](source)
        except MeterproofError as error:
            return unknown("tCO2", str(error))

    def _parameter(
        self,
        source: EmissionSource,
        name: str,
        unit: str = "",
        *,
        default: Quantity | None = None,
        by: Weighing | None = None,
    ) -> Quantity:
        """A source's parameter; ``by``: what its mean is weighted by, else by the source's tonnes."""
        parameter = source.parameters.get(name)
        if parameter is not None:
            found = self._ask.parameter(parameter, unit, by or _activity(source, "t"))
        else:
            found = default if default is not None else unknown(unit, f"no_parameter:{source.id}:{name}")
        self.workings[source.id].parameters[name] = found
        return found

    def _amount(self, source: EmissionSource, unit: str) -> Quantity:
        found = self._ask.formula(source.amount, unit)
        self.workings[source.id].activity = found
        return found

    def _fuel_heat(self, source: EmissionSource) -> Quantity:
        ncv = self._parameter(source, "ncv")
        energy, _, unit = ncv.unit.partition("/")
        if energy != "GJ" or not unit:
            # a stated value may come as MJ/kg or kcal/kg
            ncv = self._parameter(source, "ncv", "GJ/t")
            unit = "t"
        heat = self._amount(source, unit).times(ncv, "GJ")
        carbon = self._parameter(source, "carbon", "tC/GJ", by=self._heat_of(source, unit, ncv))
        return self._burnt(heat.times(carbon, "tC"), source)

    def _heat_of(self, source: EmissionSource, unit: str, ncv: Quantity) -> Weighing:
        """The heat of a fuel month by month: what carbon per heat is multiplied by."""
        activity = _activity(source, unit)
        parameter = source.parameters.get("ncv")
        tested = None if parameter is None else self._ask.means.get((activity.line, parameter.laboratory, "ncv"))
        if tested is None or ncv.estimate is None:
            return activity  # the same heat value in every month
        mean = ncv.estimate.value
        return activity.times([mean if each.mean is None else each.mean.value for each in tested.months], "GJ")

    def _fuel_carbon(self, source: EmissionSource) -> Quantity:
        usual = "t" if source.kind == "fuel_mass" else "10^4 m3@0C"
        carbon = self._parameter(source, "carbon_per_unit", by=_activity(source, usual))
        unit = carbon.unit.partition("/")[2] or usual
        return self._burnt(self._amount(source, unit).times(carbon, "tC"), source)

    def _burnt(self, carbon: Quantity, source: EmissionSource) -> Quantity:
        burnt = carbon.times(self._parameter(source, "oxidation", "1"), "tC")
        return burnt.become(None if burnt.estimate is None else burnt.estimate.scaled(formulas.CARBON_TO_CO2), "tCO2")

    def _electricity(self, source: EmissionSource) -> Quantity:
        return self._amount(source, "MWh").times(self._parameter(source, "factor", "tCO2/MWh"), "tCO2")

    def _heat(self, source: EmissionSource) -> Quantity:
        factor = self._parameter(source, "factor", "tCO2/GJ")
        if {"enthalpy", "pressure"} & source.parameters.keys():
            return self._steam(source).times(factor, "tCO2")
        if "temperature" in source.parameters:
            return self._hot_water(source).times(factor, "tCO2")
        return self._amount(source, "GJ").times(factor, "tCO2")

    @property
    def _heat_rule(self) -> HeatRule:
        return HeatRule(
            id=self._inputs.plan.pack,
            steam_reference_kj_per_kg=decimal_fraction(str(self.pack["steam_reference"])),
            water_reference_c=decimal_fraction(str(self.pack["water_reference"])),
        )

    def _steam(self, source: EmissionSource) -> Quantity:
        """GJ of steam: by a stated enthalpy, or by IF97 from absolute pressure and temperature (saturated without)."""
        mass = self._amount(source, "t")
        if "enthalpy" in source.parameters:
            content = self._parameter(source, "enthalpy", "kJ/kg")
        else:
            pressure = self._parameter(source, "pressure", "MPa")
            celsius = self._parameter(source, "temperature", "degC") if "temperature" in source.parameters else None
            content = pressure if celsius is None else pressure.times(celsius, "kJ/kg")
            known = pressure.estimate is not None and (celsius is None or celsius.estimate is not None)
            found = None
            if known and pressure.estimate is not None:
                found = enthalpy_of(pressure.estimate, None if celsius is None else celsius.estimate)
            content = content.become(found, "kJ/kg")
        heat = mass.times(content, "GJ")
        both = mass.estimate is not None and content.estimate is not None
        made = steam_heat(mass.estimate, content.estimate, self._heat_rule) if both else None  # type: ignore[arg-type]
        return heat.become(made, "GJ")

    def _hot_water(self, source: EmissionSource) -> Quantity:
        """GJ of hot water from its mass and temperature, above the pack's reference."""
        mass, celsius = self._amount(source, "t"), self._parameter(source, "temperature", "degC")
        heat = mass.times(celsius, "GJ")
        both = mass.estimate is not None and celsius.estimate is not None
        made = water_heat(mass.estimate, celsius.estimate, self._heat_rule) if both else None  # type: ignore[arg-type]
        return heat.become(made, "GJ")

    def _clinker(self, source: EmissionSource) -> Quantity:
        oxides = [self._parameter(source, name, "1") for name in ("cao", "mgo")]
        others = [self._parameter(source, name, "1", default=_ZERO) for name in ("cao_other", "mgo_other")]
        mass = self._amount(source, "t")
        whole = mass
        for each in (*oxides, *others):
            whole = whole.times(each, "tCO2")
        parts = [each.estimate for each in (mass, oxides[0], others[0], oxides[1], others[1])]
        known = [each for each in parts if each is not None]
        return whole.become(formulas.clinker(*known) if len(known) == len(parts) else None, "tCO2")

    def _carbonate(self, source: EmissionSource) -> Quantity:
        pure = self._amount(source, "t").times(self._parameter(source, "purity", "1", default=_WHOLE), "t")
        reacted = pure.times(self._parameter(source, "conversion", "1", default=_WHOLE), "t")
        return reacted.times(self._parameter(source, "factor"), "tCO2")


def _activity(source: EmissionSource, unit: str) -> Weighing:
    return Weighing(line=f"carbon/source/{source.id}", formula=source.amount, unit=unit)
