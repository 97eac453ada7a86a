"""Which quantity a register counts, which a certificate speaks of, and whether a load lies in what it covers.

Units are compared by the tables here and never as text; a unit that is not in them is not judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from gateway.domain.ledger import Certificate, Instrument

_KWH_PER_GJ = Fraction(2500, 9)
AMOUNTS: Mapping[str, tuple[str, Fraction]] = {
    "Wh": ("active_energy", Fraction(1, 1000)),
    "kWh": ("active_energy", Fraction(1)),
    "MWh": ("active_energy", Fraction(1000)),
    "kJ": ("active_energy", _KWH_PER_GJ / 10**6),
    "MJ": ("active_energy", _KWH_PER_GJ / 1000),
    "GJ": ("active_energy", _KWH_PER_GJ),
    "varh": ("reactive_energy", Fraction(1, 1000)),
    "kvarh": ("reactive_energy", Fraction(1)),
    "Mvarh": ("reactive_energy", Fraction(1000)),
    "VAh": ("apparent_energy", Fraction(1, 1000)),
    "kVAh": ("apparent_energy", Fraction(1)),
    "m3": ("volume", Fraction(1)),
    "L": ("volume", Fraction(1, 1000)),
    "t": ("mass", Fraction(1)),
    "kg": ("mass", Fraction(1, 1000)),
}
"""Register units: quantity and factor to kWh, kvarh, kVAh, m³ or t. Heat and electricity are one quantity here; which
instrument may count which is said by ``KINDS``."""
RATES: Mapping[str, tuple[str, Fraction]] = {
    "W": ("active_energy", Fraction(1, 1000)),
    "kW": ("active_energy", Fraction(1)),
    "MW": ("active_energy", Fraction(1000)),
    "MJ/h": ("active_energy", _KWH_PER_GJ / 1000),
    "GJ/h": ("active_energy", _KWH_PER_GJ),
    "kvar": ("reactive_energy", Fraction(1)),
    "m3/h": ("volume", Fraction(1)),
    "L/h": ("volume", Fraction(1, 1000)),
    "L/min": ("volume", Fraction(6, 100)),
    "t/h": ("mass", Fraction(1)),
    "kg/h": ("mass", Fraction(1, 1000)),
}
"""Units of a load: the quantity that it is a rate of, and the factor to that quantity's unit an hour."""
KINDS: Mapping[str, frozenset[str]] = {
    "electricity_meter": frozenset({"active_energy", "reactive_energy", "apparent_energy"}),
    "belt_scale": frozenset({"mass"}),
    "weighbridge": frozenset({"mass"}),
    "flow_meter": frozenset({"volume", "mass", "active_energy"}),
    "water_meter": frozenset({"volume"}),
    "gas_meter": frozenset({"volume", "active_energy"}),
    "heat_meter": frozenset({"active_energy", "volume", "mass"}),
    "fuel_dispenser": frozenset({"volume", "mass"}),
}
"""What an instrument of a kind may count."""
_DSI_AMOUNTS = {
    r"\watt\hour": "Wh",
    r"\kilo\watt\hour": "kWh",
    r"\mega\watt\hour": "MWh",
    r"\kilo\joule": "kJ",
    r"\mega\joule": "MJ",
    r"\giga\joule": "GJ",
    r"\var\hour": "varh",
    r"\kilo\var\hour": "kvarh",
    r"\metre\tothe{3}": "m3",
    r"\litre": "L",
    r"\tonne": "t",
    r"\kilogram": "kg",
}
_DSI_RATES = {
    r"\watt": "W",
    r"\kilo\watt": "kW",
    r"\mega\watt": "MW",
    r"\ampere": "A",
    r"\metre\tothe{3}\hour\tothe{-1}": "m3/h",
    r"\metre\tothe{3}\per\hour": "m3/h",
    r"\litre\hour\tothe{-1}": "L/h",
    r"\litre\per\hour": "L/h",
    r"\tonne\hour\tothe{-1}": "t/h",
    r"\tonne\per\hour": "t/h",
    r"\kilogram\hour\tothe{-1}": "kg/h",
    r"\kilogram\per\hour": "kg/h",
}
CURRENT = "A"


@dataclass(frozen=True, slots=True)
class Register:
    """What a channel counts: measurand id and unit of the site's catalogue."""

    measurand: str
    unit: str


@dataclass(frozen=True, slots=True)
class Covered:
    """The load a certificate speaks of, meter side; an end that is not stated is None."""

    lower: Fraction | None
    upper: Fraction | None
    unit: str


def quantity_of(unit: str) -> str | None:
    """The quantity of a register's unit; None when the table has no such unit."""
    found = AMOUNTS.get(unit)
    return None if found is None else found[0]


def covered_by(certificate: Certificate, document: Mapping[str, Any]) -> Covered | None:
    """The covered range: as entered, else as the digital certificate states it; None when neither does."""
    if certificate.covered_unit and (certificate.covered_from or certificate.covered_to):
        ends = [_number(certificate.covered_from), _number(certificate.covered_to)]
        return Covered(ends[0], ends[1], certificate.covered_unit)
    stated = document.get("range")
    if not isinstance(stated, list):
        return None
    found: dict[str, Fraction] = {}
    unit = ""
    for each in stated:
        if not isinstance(each, Mapping):
            return None
        end = "lower" if "Min" in str(each.get("meaning")) else "upper"
        unit = _DSI_RATES.get(str(each.get("unit")), "")
        values = each.get("values")
        number = _number(str(values[0])) if isinstance(values, list) and values else None
        if not unit or number is None:
            return None
        found[end] = number
    return Covered(found.get("lower"), found.get("upper"), unit) if found else None


def quantities_of(certificate: Certificate, document: Mapping[str, Any]) -> frozenset[str]:
    """Measurands or quantities a certificate is restricted to; empty when it is not."""
    if certificate.quantities:
        return frozenset(filter(None, certificate.quantities.split(";")))
    tables = document.get("tables") if isinstance(document.get("tables"), list) else []
    references = [each.get("reference") for each in tables or () if isinstance(each, Mapping)]
    units = [str(each.get("unit")) for each in references if isinstance(each, Mapping)]
    found = {quantity_of(_DSI_AMOUNTS[each]) for each in units if each in _DSI_AMOUNTS}
    return frozenset(each for each in found if each)


def rate_unit(dsi: str) -> str:
    """The load unit that a D-SI unit of a certificate is; blank when it is none of a load."""
    return _DSI_RATES.get(dsi, "")


def speaks_of(quantities: frozenset[str], register: Register) -> bool:
    """Whether a restriction (measurand ids such as ``active_energy_import``, or whole quantities) admits a register."""
    if not quantities:
        return True
    quantity = quantity_of(register.unit)
    return register.measurand in quantities or quantity in quantities


@lru_cache(maxsize=4_096)
def amounts_in_window(
    covered: Covered, register: Register, instrument: Instrument, hours: Fraction
) -> tuple[Fraction | None, Fraction | None] | None:
    """The covered load as the register's least and largest amount in a window of ``hours``; None: not comparable.

    A range of current becomes one of power with the instrument's rated voltage and phases, at power factor 1.
    """
    counted = AMOUNTS.get(register.unit)
    scale: Fraction | None
    if covered.unit == CURRENT:
        voltage = _number(instrument.rated_voltage)
        if voltage is None or not instrument.phases or counted is None or counted[0] != "active_energy":
            return None
        scale = voltage * instrument.phases / 1000
    else:
        rate = RATES.get(covered.unit)
        if rate is None or counted is None or rate[0] != counted[0]:
            return None
        scale = rate[1]
    factor = scale * hours / counted[1]
    return (
        None if covered.lower is None else covered.lower * factor,
        None if covered.upper is None else covered.upper * factor,
    )


def _number(text: str) -> Fraction | None:
    try:
        return Fraction(text) if text.strip() else None
    except (ValueError, ZeroDivisionError):
        return None
