"""The formulas of carbon accounting, each on estimates, so that the uncertainty goes with the value.

Sources of the forms: GB/T 32151.34-2024 as transcribed (转载) for fuels, electricity, heat and carbonates; the
clinker formula is the stoichiometry of lime and magnesia from carbonates, the form the cement guidelines use (记忆).
Masses in t, gas in 10⁴ m³ at 0 °C, heat in GJ, electricity in MWh, fractions as fractions of one, results in tCO2.
"""

from collections.abc import Iterable
from fractions import Fraction

from gateway.accounting.estimate import Estimate, total

CARBON_TO_CO2 = Fraction(44, 12)
CAO_TO_CO2 = Fraction(44, 56)
MGO_TO_CO2 = Fraction(44, 40)
ONE = Estimate(Fraction(1))
NORMAL_KPA = Fraction("101.325")


def heat_of_fuel(amount: Estimate, ncv: Estimate) -> Estimate:
    """Heat of a fuel (GJ): amount · net calorific value."""
    return amount * ncv


def fuel_by_heat(heat_gj: Estimate, carbon_tc_per_gj: Estimate, oxidation: Estimate) -> Estimate:
    """Combustion, heat path: heat · carbon per heat · oxidation · 44/12."""
    return (heat_gj * carbon_tc_per_gj * oxidation).scaled(CARBON_TO_CO2)


def fuel_by_carbon(amount: Estimate, carbon_per_unit: Estimate, oxidation: Estimate) -> Estimate:
    """Combustion by mass or by volume: amount · carbon per unit · oxidation · 44/12."""
    return (amount * carbon_per_unit * oxidation).scaled(CARBON_TO_CO2)


def electricity(energy_mwh: Estimate, factor: Estimate) -> Estimate:
    """Electricity bought or delivered: MWh · tCO2/MWh."""
    return energy_mwh * factor


def heat(heat_gj: Estimate, factor: Estimate) -> Estimate:
    """Heat bought or delivered: GJ · tCO2/GJ."""
    return heat_gj * factor


def clinker(mass: Estimate, cao: Estimate, cao_other: Estimate, mgo: Estimate, mgo_other: Estimate) -> Estimate:
    """Process emission of clinker: m · [(CaO − CaO₀)·44/56 + (MgO − MgO₀)·44/40]; ₀: the part not from carbonates."""
    return mass * ((cao - cao_other).scaled(CAO_TO_CO2) + (mgo - mgo_other).scaled(MGO_TO_CO2))


def carbonate(mass: Estimate, purity: Estimate, factor: Estimate, conversion: Estimate = ONE) -> Estimate:
    """Carbonates that are heated or react (flue gas desulphurisation too): m · purity · factor · conversion."""
    return mass * purity * factor * conversion


def with_indirect(direct: Estimate, taken_in: Estimate, delivered: Estimate) -> Estimate:
    """The second of the two totals: direct + electricity and heat bought − delivered."""
    return total((direct, taken_in, delivered.scaled(Fraction(-1))))


def standard_coal(amounts: Iterable[tuple[Estimate, Estimate]]) -> Estimate:
    """Comprehensive energy consumption (综合能耗): Σ amount · coefficient, in the coefficients' unit of coal."""
    return total(amount * coefficient for amount, coefficient in amounts)


def rate_percent(part: int, whole: int) -> Fraction | None:
    """A rate in percent: instruments fitted of those needed (配备率), values received of those due (完整率).

    None where nothing is needed or due.
    """
    return None if whole == 0 else Fraction(100 * part, whole)


def gas_at_reference(
    volume: Estimate,
    *,
    pressure_kpa: Estimate,
    temperature_k: Estimate,
    reference_k: Fraction,
    compressibility_ratio: Estimate = ONE,
) -> Estimate:
    """A gas volume at 101.325 kPa and a reference temperature from the volume as it flowed (absolute pressure).

    ``compressibility_ratio`` is Z at reference over Z as it flowed; 1 for an ideal gas.
    """
    flowing = volume * pressure_kpa * compressibility_ratio / temperature_k
    return flowing.scaled(reference_k / NORMAL_KPA)
