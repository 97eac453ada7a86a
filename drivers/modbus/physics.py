"""Does a set of values look like one meter at one moment? Laws that hold whatever the meter is.

A wrong word order or an address off by one gives numbers that are plausible one by one; together they break a law.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Values = Mapping[str, float]

PHASES = ("l1", "l2", "l3")
LARGEST = 1e13
SMALLEST = 1e-12
TOLERANCE = 0.03


@dataclass(frozen=True, slots=True)
class Law:
    """One law's verdict; ``weight`` 0 where it could not be applied; ``residual`` how far off, as a ratio."""

    name: str
    holds: bool
    weight: float
    detail: str = ""
    residual: float | None = None


def judge(
    values: Values, later: Values, elapsed_s: float, ranges: Mapping[str, tuple[float | None, float | None]]
) -> list[Law]:
    """All laws about two readings of one meter, ``elapsed_s`` apart; ``ranges`` are the channels' physical bounds."""
    laws = [_magnitude(values), _ranges(values, ranges)]
    checks: Sequence[Callable[[Values], Law | None]] = (
        _frequency,
        _voltages,
        _sum_of_phases,
        _power_triangle,
        _power_factor,
        _voltage_times_current,
    )
    laws.extend(law for law in (check(values) for check in checks) if law is not None)
    laws.extend(_energy(values, later, elapsed_s))
    return laws


def score(laws: Sequence[Law]) -> float:
    """Share of the applied weight whose laws hold, 0…1."""
    total = sum(law.weight for law in laws)
    return sum(law.weight for law in laws if law.holds) / total if total else 0.0


def residual(laws: Sequence[Law]) -> float:
    """Mean deviation of the laws that are equations. An address off by one with swapped words shows only here: the high
    words are right, the low ones are the neighbours'.
    """
    found = [law.residual for law in laws if law.residual is not None]
    return sum(found) / len(found) if found else 0.0


def _equation(name: str, left: float, right: float, unit: str, *, tolerance: float, weight: float) -> Law:
    """Two ways to the same quantity."""
    largest = max(abs(left), abs(right))
    off = abs(left - right) / largest if largest else 0.0
    return Law(name, off <= tolerance, weight, f"{left:g} / {right:g} {unit}", off)


def _magnitude(values: Values) -> Law:
    strange = [name for name, value in values.items() if value and not SMALLEST < abs(value) < LARGEST]
    return Law("magnitude", not strange, 2.0 if values else 0.0, ", ".join(strange[:3]))


def _ranges(values: Values, ranges: Mapping[str, tuple[float | None, float | None]]) -> Law:
    outside = []
    for name, value in values.items():
        low, high = ranges.get(name, (None, None))
        if (low is not None and value < low) or (high is not None and value > high):
            outside.append(name)
    return Law("range", not outside, 2.0 if values else 0.0, ", ".join(outside[:3]))


def _frequency(values: Values) -> Law | None:
    value = values.get("frequency")
    if value is None:
        return None
    return Law("frequency", 45 <= value <= 65, 3.0, f"{value:g} Hz")


def _voltages(values: Values) -> Law | None:
    found = [values[f"voltage_{phase}"] for phase in PHASES if f"voltage_{phase}" in values]
    if not found and "voltage" in values:
        found = [values["voltage"]]
    if not found:
        return None
    alike = max(found) <= 1.3 * min(found) if min(found) > 0 else False
    return Law("voltages", all(30 <= each <= 60_000 for each in found) and alike, 3.0, _listed(found, "V"))


def _sum_of_phases(values: Values) -> Law | None:
    phases = [values.get(f"active_power_{phase}") for phase in PHASES]
    total = values.get("active_power")
    if total is None or any(each is None for each in phases):
        return None
    summed = sum(each for each in phases if each is not None)
    if not total and not summed:
        return None
    return _equation("power is the sum of its phases", total, summed, "kW", tolerance=TOLERANCE, weight=3.0)


def _power_triangle(values: Values) -> Law | None:
    active, reactive, apparent = (values.get(f"{kind}_power") for kind in ("active", "reactive", "apparent"))
    if active is None or reactive is None or apparent is None or not apparent:
        return None
    return _equation("P² + Q² = S²", (active**2 + reactive**2) ** 0.5, apparent, "kVA", tolerance=TOLERANCE, weight=3.0)


def _power_factor(values: Values) -> Law | None:
    factor, active, apparent = values.get("power_factor"), values.get("active_power"), values.get("apparent_power")
    if factor is None or active is None or apparent is None or not apparent:
        return None
    return _equation("P / S is the power factor", abs(active / apparent), abs(factor), "", tolerance=0.05, weight=2.0)


def _voltage_times_current(values: Values) -> Law | None:
    pairs = [(values.get(f"voltage_{phase}"), values.get(f"current_{phase}")) for phase in PHASES]
    product = sum(u * i for u, i in pairs if u is not None and i is not None) / 1_000
    whole = values.get("apparent_power")
    if whole is None and "active_power" in values:
        whole = abs(values["active_power"])
        if not product or not whole:
            return None
        return Law("U · I is at least P", 0.5 * product <= whole <= 1.05 * product or whole < product, 1.0, "")
    if any(u is None or i is None for u, i in pairs) or not whole or not product:
        return None
    return _equation("U · I = S", product, whole, "kVA", tolerance=0.1, weight=2.0)


def _energy(values: Values, later: Values, elapsed_s: float) -> list[Law]:
    laws = []
    for name in ("active_energy_import", "active_energy_export", "active_energy_total", "reactive_energy_import"):
        if name in values and name in later and (values[name] or later[name]):
            grown = later[name] - values[name]
            laws.append(Law(f"{name} only grows", grown >= 0, 2.0, f"{values[name]:g} → {later[name]:g}"))
    power = values.get("active_power")
    name = "active_energy_import" if (power or 0) >= 0 else "active_energy_export"
    if power and elapsed_s > 0 and name in values and name in later:
        expected, grown = abs(power) * elapsed_s / 3_600, later[name] - values[name]
        if grown > 0 or expected > 0.1:
            near = 0.5 * expected - 0.02 <= grown <= 2 * expected + 0.02
            laws.append(Law("dE/dt is the power", near, 2.0, f"{grown:g} / {expected:g} kWh"))
    return laws


def _listed(numbers: Sequence[float], unit: str) -> str:
    return ", ".join(f"{each:g}" for each in numbers) + f" {unit}"
