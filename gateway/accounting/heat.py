"""Heat of steam and hot water by the rule of a guideline; enthalpy by IAPWS-IF97.

Guidelines disagree: some take the enthalpy of steam as it is, some deduct that of water at 20 °C (83.74 kJ/kg; 记忆).
The rule is therefore the pack's, never the reader's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from gateway.accounting.estimate import Estimate, total
from gateway.domain.errors import MeterproofError

WATER_KJ_PER_KG_K = Fraction("4.1868")
CELSIUS = Fraction("273.15")
_PLACES = 4
_MAX_MPA = 100
_MAX_CELSIUS = 800


class SteamStateError(MeterproofError):
    """A state of steam that IAPWS-IF97 does not cover, or one that is not named completely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatRule:
    """A guideline's rule: what is deducted from steam's enthalpy (kJ/kg) and from water's temperature (°C)."""

    id: str
    steam_reference_kj_per_kg: Fraction
    water_reference_c: Fraction


def steam_heat(mass_t: Estimate, enthalpy_kj_per_kg: Estimate, rule: HeatRule) -> Estimate:
    """Heat of steam in GJ: m · (h − h₀) / 1000."""
    reference = Estimate(-rule.steam_reference_kj_per_kg)
    return (mass_t * (enthalpy_kj_per_kg + reference)).scaled(Fraction(1, 1000))


def water_heat(mass_t: Estimate, temperature_c: Estimate, rule: HeatRule) -> Estimate:
    """Heat of hot water in GJ: m · (T − T₀) · 4.1868 / 1000."""
    reference = Estimate(-rule.water_reference_c)
    return (mass_t * (temperature_c + reference)).scaled(WATER_KJ_PER_KG_K / 1000)


@lru_cache(maxsize=4096)
def enthalpy(pressure_mpa: Fraction, temperature_c: Fraction | None = None) -> Fraction:
    """Specific enthalpy (kJ/kg, four decimals) at an absolute pressure; without a temperature: of dry saturated steam.

    SteamStateError outside 0 < p ≤ 100 MPa and 0..800 °C.
    """
    # the library brings scipy, which takes seconds to import: only a plant with steam pays for it
    from iapws import IAPWS97  # noqa: PLC0415

    if not 0 < pressure_mpa <= _MAX_MPA or not (temperature_c is None or 0 <= temperature_c <= _MAX_CELSIUS):
        raise _uncovered(pressure_mpa, temperature_c)
    try:
        if temperature_c is None:
            state = IAPWS97(P=float(pressure_mpa), x=1)
        else:
            state = IAPWS97(P=float(pressure_mpa), T=float(temperature_c + CELSIUS))
        found = float(state.h)
    except (NotImplementedError, ValueError, AttributeError) as error:
        raise _uncovered(pressure_mpa, temperature_c) from error
    # rounded so that another build of the library's mathematics gives the same digits
    return Fraction(round(found * 10**_PLACES), 10**_PLACES)


def enthalpy_of(pressure_mpa: Estimate, temperature_c: Estimate | None = None) -> Estimate:
    """Enthalpy (kJ/kg) of an absolute pressure and a temperature that are themselves uncertain, to first order.

    The slopes are IF97's own, from a thousandth up and down.
    """
    pressure = pressure_mpa.value
    celsius = None if temperature_c is None else temperature_c.value
    parts = [pressure_mpa.scaled(_slope(lambda p: enthalpy(p, celsius), pressure))]
    if temperature_c is not None and celsius is not None:
        parts.append(temperature_c.scaled(_slope(lambda t: enthalpy(pressure, t), celsius)))
    moved = total(parts)
    return Estimate(enthalpy(pressure, celsius), moved.sensitivities, moved.variance, moved.unstated)


def _slope(function: Callable[[Fraction], Fraction], at: Fraction) -> Fraction:
    step = abs(at) / 1000 or Fraction(1, 1000)
    return (function(at + step) - function(at - step)) / (2 * step)


def _uncovered(pressure_mpa: Fraction, temperature_c: Fraction | None) -> SteamStateError:
    return SteamStateError(
        "IAPWS-IF97 has no state at %(pressure)s MPa absolute and %(temperature)s",
        pressure=f"{float(pressure_mpa):g}",
        temperature="saturation" if temperature_c is None else f"{float(temperature_c):g} °C",
    )
