"""Stack against fuel (差异研究): both sides hour by hour, summed over the hours in which both are known.

The stack's error model is the plan's: concentration, velocity, area, moisture, temperature and pressure err the same
way in every hour, the scatter is each hour's own, substituted hours carry an uncertainty of their own. The fuel side
keeps the effects of its account. The difference is judged against U (k = 2) of that very difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.accounting.crosschecks import Agreement
from gateway.accounting.estimate import Effect, Estimate, total
from gateway.cems.gas import ZERO_C_K
from gateway.cems.hours import HourState, StackHour
from gateway.domain.figure import COVERAGE_FACTOR, Figure
from gateway.domain.quality import Flag, Status, word

KG_A_TONNE = 1_000
RULE = "stack@1"
UNIT = "tCO2"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackUncertainties:
    """Standard uncertainties (k = 1): relative as shares (0.01 = 1 %), ``moisture`` in percent by volume,
    ``temperature`` K, ``pressure`` kPa; ``scatter`` of an hour; ``substitution`` of filled hours, None: not stated.
    """

    co2: float
    velocity: float
    area: float
    moisture: float
    temperature: float
    pressure: float
    scatter: float = 0.0
    substitution: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FuelHours:
    """The fuel side: emission of each source by hour as shares of an account's lines.

    ``estimates`` are the lines' estimates in tCO2 by (source, account); ``shares`` by hour and source: (account, share
    of that line's activity in that hour). An hour that is absent is not known.
    """

    estimates: Mapping[tuple[str, int], Estimate]
    shares: Mapping[int, Mapping[str, tuple[int, Fraction]]]
    effects: Mapping[str, Effect]

    def of(self, starts: Iterable[int]) -> Estimate:
        """The emission of these hours, all of which must be known."""
        weights: dict[tuple[str, int], Fraction] = {}
        for start in starts:
            for source, (account, share) in self.shares[start].items():
                weights[source, account] = weights.get((source, account), Fraction(0)) + share
        return total(self.estimates[key].scaled(weight) for key, weight in weights.items())

    def by_source(self, starts: Iterable[int]) -> dict[str, Fraction]:
        """tCO2 by source of these hours."""
        found: dict[str, Fraction] = {}
        for start in starts:
            for source, (account, share) in self.shares[start].items():
                value = self.estimates[source, account].value * share
                found[source] = found.get(source, Fraction(0)) + value
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedStep:
    """One step. ``hours`` lie in it, ``compared`` of them have both sides, ``substituted`` of these were filled.

    ``difference`` = stack − fuel with ``limit`` its U (k = 2), tCO2; ``reasons`` why it cannot be judged.
    """

    start_us: int
    end_us: int
    hours: int
    compared: int
    substituted: int
    stack: Figure
    fuel: Figure
    difference: Fraction | None
    limit: Fraction | None
    agreement: Agreement
    reasons: tuple[str, ...]

    @property
    def relative(self) -> Fraction | None:
        """The difference as a share of the fuel side."""
        if self.difference is None or not self.fuel.value:
            return None
        return self.difference / self.fuel.value


def stack_estimate(
    hours: Sequence[StackHour], stack: str, u: StackUncertainties, effects: dict[str, Effect]
) -> Estimate:
    """The mass of usable hours in tCO2 with its effects, which are added to ``effects``."""
    parts = [each for each in hours if each.mass is not None]
    value = sum((each.mass or Fraction(0) for each in parts), Fraction(0)) / KG_A_TONNE
    names = {
        "co2": (u.co2, "concentration"),
        "velocity": (u.velocity, "velocity"),
        "area": (u.area, "area"),
        "moisture": (u.moisture, "moisture, percent by volume"),
        "temperature": (u.temperature, "temperature, K"),
        "pressure": (u.pressure, "pressure, kPa"),
    }
    for name, (size, label) in names.items():
        id_ = f"stack:{stack}:{name}"
        effects[id_] = Effect(id=id_, kind="stack", label=label, u=size, basis="stack plan")
    sensitivities = {f"stack:{stack}:{name}": value for name in ("co2", "velocity", "area")}
    for name, slope in _gas_slopes(parts).items():
        sensitivities[f"stack:{stack}:{name}"] = slope
    filled = sum((each.mass or Fraction(0) for each in parts if each.state is HourState.SUBSTITUTED), Fraction(0))
    unstated: frozenset[str] = frozenset()
    if filled:
        id_ = f"stack:{stack}:substitution"
        if u.substitution is None:
            unstated = frozenset({id_})
        else:
            effects[id_] = Effect(id=id_, kind="substitution", label=stack, u=u.substitution, basis="stack plan")
            sensitivities[id_] = filled / KG_A_TONNE
    own = sum((float(each.mass or 0) * u.scatter / KG_A_TONNE) ** 2 for each in parts)
    return Estimate(
        value,
        {name: each for name, each in sensitivities.items() if each},
        Fraction(own).limit_denominator(10**12),
        unstated,
    )


def _gas_slopes(parts: Sequence[StackHour]) -> dict[str, Fraction]:
    """dM by a unit of moisture, temperature and pressure, summed over the hours whose gas is known (tCO2)."""
    slopes = {"moisture": 0.0, "temperature": 0.0, "pressure": 0.0}
    for each in parts:
        if each.gas is None or each.mass is None:
            continue
        mass = float(each.mass) / KG_A_TONNE
        slopes["moisture"] -= mass / max(100 - each.gas.moisture, 1.0)
        slopes["temperature"] -= mass / (ZERO_C_K + each.gas.temperature)
        slopes["pressure"] += mass / 101.325
    return {name: Fraction(value).limit_denominator(10**9) for name, value in slopes.items()}


def compared(
    hours: Sequence[StackHour],
    fuel: FuelHours,
    edges: Sequence[int],
    *,
    stack: str,
    u: StackUncertainties,
) -> list[ComparedStep]:
    """Both sides between consecutive instants of ``edges`` (µs UTC)."""
    found = []
    by_step: list[list[StackHour]] = [[] for _ in edges[:-1]]
    position = 0
    for each in hours:
        while position < len(by_step) and each.start_us >= edges[position + 1]:
            position += 1
        if position < len(by_step) and each.start_us >= edges[position]:
            by_step[position].append(each)
    for index, inside in enumerate(by_step):
        found.append(_step(inside, fuel, (edges[index], edges[index + 1]), stack=stack, u=u))
    return found


def both(hours: Sequence[StackHour], fuel: FuelHours) -> list[StackHour]:
    """The hours in which both sides are known."""
    return [each for each in hours if each.usable and each.start_us in fuel.shares]


def _step(
    inside: Sequence[StackHour], fuel: FuelHours, span: tuple[int, int], *, stack: str, u: StackUncertainties
) -> ComparedStep:
    used = both(inside, fuel)
    running = [each for each in inside if each.state is not HourState.STOPPED]
    effects = dict(fuel.effects)
    mine = stack_estimate(used, stack, u, effects) if used else None
    other = fuel.of(each.start_us for each in used) if used else None
    difference = None if mine is None or other is None else mine - other
    spread = None if difference is None else difference.u(effects)
    limit = None if spread is None else (COVERAGE_FACTOR * Fraction(spread)).limit_denominator(10**9)
    substituted = sum(1 for each in used if each.state is HourState.SUBSTITUTED)
    coverage = 1000 * len(used) // len(running) if running else 0
    reasons = [] if used else ["no_common_hour"]
    if difference is not None and difference.unstated:
        reasons.append("no_uncertainty")
    agreement = Agreement.UNDECIDED
    if difference is not None and limit is not None:
        agreement = Agreement.AGREES if abs(difference.value) <= limit else Agreement.DIFFERS
    return ComparedStep(
        start_us=span[0],
        end_us=span[1],
        hours=len(running),
        compared=len(used),
        substituted=substituted,
        stack=_figure(mine, effects, coverage, substituted, len(used)),
        fuel=_figure(other, effects, coverage, 0, len(used)),
        difference=None if difference is None else difference.value,
        limit=limit,
        agreement=agreement,
        reasons=tuple(reasons),
    )


def _figure(
    estimate: Estimate | None, effects: Mapping[str, Effect], coverage: int, substituted: int, count: int
) -> Figure:
    if estimate is None:
        return Figure(value=None, unit=UNIT, u=None, coverage_permille=coverage, quality=word(Status.MISSING))
    quality = word(Status.UNCERTAIN, Flag.SUBSTITUTED) if substituted else word(Status.GOOD)
    share = Fraction(substituted, count)
    methods = {"measured": 1 - share, **({"substituted": share} if substituted else {})}
    return Figure(
        value=estimate.value,
        unit=UNIT,
        u=estimate.u(effects),
        coverage_permille=coverage,
        quality=quality,
        methods=methods,
        rules=(RULE,),
        reasons=tuple(sorted(f"no_uncertainty:{each}" for each in estimate.unstated)),
    )
