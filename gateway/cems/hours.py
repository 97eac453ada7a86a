"""Hours of a stack: which count by the pack, which stood out of control, what replaced them, and their mass of CO2.

An hour's state is a fact with its reasons; no value stands in for one that is not known. Substitution is that of
settlement (``gateway.settlement.substitution``), asked for concentration and for flow apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import inf

from gateway.cems.control import OutOfControl
from gateway.cems.gas import ZERO_C_K, GasState, StackGeometry, standard_flow, undiluted_share
from gateway.cems.pack import CemsPack
from gateway.domain.time import US_PER_HOUR
from gateway.settlement.substitution import PACKS, Gap, Known, RefusedGapError, availability, substitute

NEEDED = ("co2", "velocity", "temperature", "pressure", "moisture")
"""What a mass is computed from; oxygen stands beside it."""
FLOW_OF = frozenset({"velocity", "temperature", "pressure", "moisture"})
OXYGEN = frozenset({"oxygen", "o2"})
"""The parameter as the plan and as tests name it."""
CO2_STEPS = 10_000
"""Concentrations are filled in ten-thousandths of a percent, flows in whole m³/h."""
MAX_HOURS = 20_000


class HourState(StrEnum):
    """有效, 未判定 (no rule at hand), 替代, 无效, 缺失, 停运."""

    VALID = "valid"
    UNJUDGED = "unjudged"
    SUBSTITUTED = "substituted"
    INVALID = "invalid"
    MISSING = "missing"
    STOPPED = "stopped"


USABLE = frozenset({HourState.VALID, HourState.UNJUDGED, HourState.SUBSTITUTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterHour:
    """One parameter's hour: its mean, and how many usable readings of those expected; ``quadrants`` None: not known."""

    mean: float
    count: int
    expected: int
    quadrants: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackHour:
    """One hour. ``flow`` m³/h in the standard state, ``co2`` percent, ``mass`` kg, each None where not known;
    ``undiluted`` m³/h without air (oxygen against air). ``reasons`` such as ``share:co2``, ``out_of_control:flow``,
    ``substituted:co2``, ``no_rule:flow``.
    """

    start_us: int
    state: HourState
    reasons: tuple[str, ...] = ()
    co2: float | None = None
    flow: float | None = None
    undiluted: float | None = None
    mass: Fraction | None = None
    gas: GasState | None = None

    @property
    def usable(self) -> bool:
        """Whether its mass counts."""
        return self.state in USABLE and self.mass is not None


def stack_hours(
    starts: Sequence[int],
    readings: Mapping[str, Mapping[int, ParameterHour]],
    *,
    stack: StackGeometry,
    pack: CemsPack,
    windows: Sequence[OutOfControl] = (),
    running: Mapping[int, bool] | None = None,
    highest_co2: float | None = None,
) -> list[StackHour]:
    """Every hour of ``starts`` (µs UTC, ascending). ``running`` False: the plant stood, nothing is filled. ValueError
    beyond ``MAX_HOURS``.
    """
    if len(starts) > MAX_HOURS:
        raise ValueError(f"more than {MAX_HOURS} hours at once")
    measured = [_measured(at, readings, stack, pack, windows, stood=_stood(running, at)) for at in starts]
    return _filled(measured, pack, stack, highest_co2)


def _stood(running: Mapping[int, bool] | None, at: int) -> bool:
    return running is not None and running.get(at) is False


def _measured(
    at: int,
    readings: Mapping[str, Mapping[int, ParameterHour]],
    stack: StackGeometry,
    pack: CemsPack,
    windows: Sequence[OutOfControl],
    *,
    stood: bool,
) -> StackHour:
    found = {name: readings[name][at] for name in (*NEEDED, "oxygen") if at in readings.get(name, {})}
    doubts = [*_doubts(found, pack), *_impossible(found, stack), *_controls(at, windows)]
    wrong = {each.partition(":")[2] for each in doubts}
    # oxygen stands beside the mass and takes nothing from it
    reasons = [each for each in doubts if each.partition(":")[2] not in OXYGEN]
    gas = _gas(found) if all(name in found and f"impossible:{name}" not in reasons for name in FLOW_OF) else None
    co2 = found["co2"].mean if "co2" in found and "co2" not in wrong else None
    flow = standard_flow(gas, stack) if gas is not None and not (wrong & {*FLOW_OF, "flow"}) else None
    state = HourState.STOPPED if stood else _state(found, reasons, pack)
    share = undiluted_share(gas) if gas is not None else None
    return StackHour(
        start_us=at,
        state=state,
        reasons=tuple(reasons),
        co2=co2,
        flow=flow,
        undiluted=None if flow is None or share is None or wrong & OXYGEN else flow * share,
        mass=_mass(co2, flow, stack),
        gas=gas,
    )


def _state(found: Mapping[str, ParameterHour], reasons: Sequence[str], pack: CemsPack) -> HourState:
    if any(name not in found for name in NEEDED):
        return HourState.MISSING
    if reasons:
        return HourState.INVALID
    return HourState.UNJUDGED if pack.validity is None else HourState.VALID


def _doubts(found: Mapping[str, ParameterHour], pack: CemsPack) -> list[str]:
    """What speaks against an hour by the pack's rule of validity."""
    reasons = [f"missing:{name}" for name in NEEDED if name not in found]
    rule = pack.validity
    if rule is None:
        return reasons
    for name, each in found.items():
        if rule.least_permille is not None and 1000 * each.count < rule.least_permille * each.expected:
            reasons.append(f"share:{name}")
        if rule.quadrants is not None and each.quadrants is not None and each.quadrants < rule.quadrants:
            reasons.append(f"quadrants:{name}")
    return reasons


def _impossible(found: Mapping[str, ParameterHour], stack: StackGeometry) -> list[str]:
    """Means that no gas can have: a broken sensor, or a channel in another unit than the plan takes it for."""
    ranges = {
        "co2": (0.0, 100.0),
        "oxygen": (0.0, 100.0),
        "moisture": (0.0, 100.0),
        "temperature": (-ZERO_C_K, inf),
        "pressure": (-stack.atmospheric, inf),
    }
    inside = {
        name: low <= each.mean <= high and each.mean not in {-ZERO_C_K, -stack.atmospheric}
        for name, each in found.items()
        for low, high in (ranges.get(name, (-inf, inf)),)
    }
    return [f"impossible:{name}" for name, each in inside.items() if not each]


def _controls(at: int, windows: Sequence[OutOfControl]) -> list[str]:
    touching = {each.parameter for each in windows if each.touches(at, at + US_PER_HOUR)}
    return [f"out_of_control:{each}" for each in sorted(touching)]


def _gas(found: Mapping[str, ParameterHour]) -> GasState:
    """The gas as far as the flow needs it; a concentration that is not known stands as none of it and is not used."""
    values = {name: found[name].mean for name in FLOW_OF}
    co2 = found["co2"].mean if "co2" in found else 0.0
    return GasState(**values, co2=co2, oxygen=found["oxygen"].mean if "oxygen" in found else None)


def _mass(co2: float | None, flow: float | None, stack: StackGeometry) -> Fraction | None:
    """kg to the gram, rounded once."""
    if co2 is None or flow is None:
        return None
    return Fraction(round(co2 / 100 * flow * stack.density * 1_000), 1_000)


def _filled(hours: list[StackHour], pack: CemsPack, stack: StackGeometry, highest_co2: float | None) -> list[StackHour]:
    """Gaps of concentration and of flow filled by the pack's rules, where it has any."""
    filled_co2 = _fill(hours, "co2", pack.substitution.get("co2"), highest_co2)
    filled_flow = _fill(hours, "flow", pack.substitution.get("flow"), None)
    made = []
    for each in hours:
        if each.state not in {HourState.INVALID, HourState.MISSING}:
            made.append(each)
            continue
        co2 = each.co2 if each.co2 is not None else filled_co2.get(each.start_us)
        flow = each.flow if each.flow is not None else filled_flow.get(each.start_us)
        reasons = list(each.reasons)
        for name, own, now in (("co2", each.co2, co2), ("flow", each.flow, flow)):
            if own is None:
                reasons.append(f"{'no_rule' if now is None else 'substituted'}:{name}")
        mass = _mass(co2, flow, stack)
        state = HourState.SUBSTITUTED if mass is not None else each.state
        made.append(
            StackHour(
                start_us=each.start_us,
                state=state,
                reasons=tuple(reasons),
                co2=co2,
                flow=flow,
                undiluted=each.undiluted,
                mass=mass,
                gas=each.gas,
            )
        )
    return made


def _fill(hours: Sequence[StackHour], name: str, rule: str | None, highest: float | None) -> dict[int, float]:
    """Values by hour for the gaps of one quantity; a gap the rule refuses stays a gap."""
    if rule is None or rule not in PACKS:
        return {}
    scale = CO2_STEPS if name == "co2" else 1
    known = known_of(hours, name, highest)
    found: dict[int, float] = {}
    for first, count in _gaps(hours, name):
        gap = Gap(first, count, None, lambda _start: True, US_PER_HOUR)
        try:
            values = substitute(PACKS[rule], gap, known)
        except RefusedGapError:
            continue
        found |= {start: value / scale for start, value in zip(gap.windows, values, strict=True)}
    return found


def known_of(hours: Sequence[StackHour], name: str, highest: float | None = None) -> Known:
    """What is known of ``co2`` or ``flow`` for the filling rules, in their integers."""
    scale = CO2_STEPS if name == "co2" else 1
    values = {
        each.start_us: round(value * scale)
        for each in hours
        if each.state is not HourState.STOPPED and (value := each.co2 if name == "co2" else each.flow) is not None
    }
    running = frozenset(each.start_us for each in hours if each.state is not HourState.STOPPED)
    return Known(values, None if highest is None else round(highest * scale), running)


def _gaps(hours: Sequence[StackHour], name: str) -> list[tuple[int, int]]:
    """(first hour, how many) of running hours without the quantity."""
    gaps: list[tuple[int, int]] = []
    for each in hours:
        lacking = (each.co2 if name == "co2" else each.flow) is None and each.state is not HourState.STOPPED
        if not lacking:
            continue
        if gaps and gaps[-1][0] + gaps[-1][1] * US_PER_HOUR == each.start_us:
            gaps[-1] = (gaps[-1][0], gaps[-1][1] + 1)
        else:
            gaps.append((each.start_us, 1))
    return gaps


def availability_percent(hours: Sequence[StackHour], name: str, at_us: int) -> float:
    """Percent of the last 8 760 running hours before an instant in which ``co2`` or ``flow`` was measured and valid."""
    return availability(Gap(at_us, 1, None, lambda _start: True, US_PER_HOUR), known_of(hours, name))
