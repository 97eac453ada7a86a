"""The gas in a stack: from velocity, temperature, pressure and moisture to dry standard flow, and to CO2 by mass.

Standard state 0 °C and 101.325 kPa. The flow in the state of the stack times area, brought to that state and freed of
its moisture; formulas are those of any gas. Constants with their standing: oxygen of dry air 20.95 % (记忆), molar mass
of CO2 44.0095 g/mol over 22.41397 L/mol of an ideal gas (CODATA; 记忆).
"""

from dataclasses import dataclass

ZERO_C_K = 273.15
STANDARD_KPA = 101.325
AIR_OXYGEN_PERCENT = 20.95
IDEAL_CO2_KG_M3 = 44.0095 / 22.41397


@dataclass(frozen=True, slots=True, kw_only=True)
class GasState:
    """Means of an hour. ``co2`` and ``oxygen`` in percent by volume on the basis the plan names, ``moisture`` percent
    by volume, ``temperature`` °C, ``pressure`` static gauge pressure kPa (below zero under draught), ``velocity`` m/s.
    """

    co2: float
    velocity: float
    temperature: float
    pressure: float
    moisture: float
    oxygen: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackGeometry:
    """The stack: ``area`` m², ``atmospheric`` kPa, whether concentrations are of ``dry`` gas, CO2 ``density`` kg/m³ in
    the standard state.
    """

    area: float
    atmospheric: float = STANDARD_KPA
    dry: bool = True
    density: float = IDEAL_CO2_KG_M3


def standard_flow(gas: GasState, stack: StackGeometry) -> float:
    """m³/h in the standard state, dry where concentrations are dry, else with the moisture."""
    absolute = stack.atmospheric + gas.pressure
    wet = gas.velocity * stack.area * 3_600 * ZERO_C_K / (ZERO_C_K + gas.temperature) * absolute / STANDARD_KPA
    return wet * (1 - gas.moisture / 100) if stack.dry else wet


def co2_mass(gas: GasState, stack: StackGeometry) -> float:
    """kg/h of CO2."""
    return gas.co2 / 100 * standard_flow(gas, stack) * stack.density


def undiluted_share(gas: GasState) -> float | None:
    """The share of dry gas that is not air let in or unused: 1 − O2/20.95; None without an oxygen reading, or where it
    is all air.
    """
    if gas.oxygen is None:
        return None
    share = 1 - gas.oxygen / AIR_OXYGEN_PERCENT
    return share if share > 0.02 else None


def co2_from_oxygen(oxygen: float, carbon_factor: float, dry_factor: float) -> float:
    """Percent CO2 (dry) that combustion alone gives at an oxygen reading: 100·(Fc/Fd)·(20.9 − O2)/20.9, equation F-14a
    of 40 CFR 75 (记忆). Not for kilns, whose process gives CO2 of its own.
    """
    if dry_factor <= 0:
        raise ValueError("the dry factor must be above zero")
    return 100 * carbon_factor / dry_factor * (20.9 - oxygen) / 20.9
