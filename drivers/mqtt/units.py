"""Units a payload may state, and how they turn into the channel's unit: exact factors, nothing guessed.

Each row is (unit on the wire, unit of the channel): (numerator, denominator). A pair that is not here has to be
declared in the profile as ``numerator`` and ``denominator``.
"""

_FACTORS: dict[tuple[str, str], tuple[int, int]] = {
    ("Wh", "kWh"): (1, 1_000),
    ("MWh", "kWh"): (1_000, 1),
    ("varh", "kvarh"): (1, 1_000),
    ("Mvarh", "kvarh"): (1_000, 1),
    ("VAh", "kVAh"): (1, 1_000),
    ("W", "kW"): (1, 1_000),
    ("MW", "kW"): (1_000, 1),
    ("var", "kvar"): (1, 1_000),
    ("VA", "kVA"): (1, 1_000),
    ("mV", "V"): (1, 1_000),
    ("kV", "V"): (1_000, 1),
    ("mA", "A"): (1, 1_000),
    ("kA", "A"): (1_000, 1),
    ("kg", "t"): (1, 1_000),
    ("kg/h", "t/h"): (1, 1_000),
    ("L", "m3"): (1, 1_000),
    ("L/h", "m3/h"): (1, 1_000),
    ("MJ", "GJ"): (1, 1_000),
    ("kJ", "GJ"): (1, 1_000_000),
    ("MJ/kg", "GJ/t"): (1, 1),
    ("kJ/kg", "GJ/t"): (1, 1_000),
    ("Pa", "kPa"): (1, 1_000),
    ("MPa", "kPa"): (1_000, 1),
    ("s", "h"): (1, 3_600),
    ("min", "h"): (1, 60),
}


def factor(unit: str, channel_unit: str) -> tuple[int, int] | None:
    """Numerator and denominator from the unit on the wire to the channel's; None when no exact factor is known."""
    if unit == channel_unit:
        return 1, 1
    return _FACTORS.get((unit, channel_unit))
