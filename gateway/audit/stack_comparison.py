"""在线监测与燃料端核算的差异研究: the comparison of a time as a page, a report and a command show it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from gateway.audit.accounts import FigureFact, account_of, figure_fact, whole_days
from gateway.audit.asking import Asking, Sources
from gateway.audit.days import edges
from gateway.audit.plant import Plant, plant
from gateway.audit.stack import (
    Sides,
    blocks_of,
    bought_ratios,
    judged_tests,
    reference_period,
    sides_of,
    span_errors,
)
from gateway.cems.comparison import ComparedStep, compared
from gateway.cems.control import Drift, JudgedTest, OutOfControl, drifts, windows
from gateway.cems.decomposition import AMOUNT, CARBON, CONCENTRATION, FLOW, Decomposition
from gateway.cems.hours import HourState, StackHour, availability_percent
from gateway.cems.pack import CemsPack
from gateway.cems.plan import PlannedStack, planned_stack, planned_stacks
from gateway.cems.relations import Observed, explained, observed
from gateway.domain.figure import decimal_text
from gateway.domain.time import US_PER_HOUR, Period, local_date

MAX_HOUR_DAYS = 31
MAX_LISTED = 200
CHANGING = 0.5
"""What is common to both times cancels; this share of a standard uncertainty may have changed (推断)."""
UNSTATED = 0.02
"""What is assumed of a cause whose uncertainty nobody stated, so that it can be named at all (推断)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFact:
    """One step as shown: figures of both sides, the difference and its limit U (k = 2) in tCO2 as text, empty where not
    known; ``relative_percent`` of the fuel side; ``causes`` that a month's or a year's own relations speak for.
    """

    start_us: int
    end_us: int
    hours: int
    compared: int
    substituted: int
    stack: FigureFact
    fuel: FigureFact
    difference: str
    limit: str
    relative_percent: float | None
    agreement: str
    reasons: Sequence[str]
    causes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackFact:
    """The rule pack: whose law, how sure of its text, and whether any rule of it is at hand."""

    id: str
    law: str
    name_zh: str
    name_en: str
    chinese: bool
    text: str
    standing: str
    source: str
    note: str
    empty: bool
    substitutes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityTestFact:
    """A test with its result in one number: percent of span, worst level in percent, or relative accuracy."""

    entry: int
    at_us: int
    parameter: str
    type: str
    percent: float
    passed: bool | None
    bias_factor: float | None
    next_quarters: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCounts:
    """Hours by state, and by what was said against them."""

    states: Mapping[str, int]
    reasons: Mapping[str, int]
    longest_outage_hours: int
    notice_due: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackComparison:
    """Everything of one stack and time. ``decomposition`` None without a reference time in the plan; its residuals and
    causes are of the whole time shown. ``settled_to_us`` is where the newest known hour ends.
    """

    stack: str
    name_zh: str
    name_en: str
    point: str
    plan_entry: int
    stacks: Sequence[tuple[str, str, str]]
    pack: PackFact
    first: date
    last: date
    step: str
    steps: Sequence[StepFact]
    total: StepFact
    hours: HourCounts
    availability_co2: float
    availability_flow: float
    tests: Sequence[QualityTestFact]
    out_of_control: Sequence[OutOfControl]
    drifts: Sequence[Drift]
    reference_from_us: int | None
    reference_to_us: int | None
    reference_reason: str
    decomposition: Decomposition | None


def comparison(
    sources: Sources, asking: Asking, *, first: date, last: date, step: str = "month", stack: str = ""
) -> StackComparison:
    """Compare over civil days; UnknownObjectError where no stack plan, or no accounting plan, is on record.

    Hours are shown for at most ``MAX_HOUR_DAYS`` days, the newest ones.
    """
    return comparison_in_full(sources, asking, first=first, last=last, step=step, stack=stack)[0]


def comparison_in_full(
    sources: Sources, asking: Asking, *, first: date, last: date, step: str = "month", stack: str = ""
) -> tuple[StackComparison, Sequence[ComparedStep]]:
    """The comparison, and its steps with the total as the last one, each with its exact figures and all evidence."""
    stacks = planned_stacks(sources.registry, asking.organisation, asking.as_of_us, asking.known_seq)
    planned = planned_stack(stacks, stack)
    last = min(last, asking.today)
    first = min(first, last)
    if step == "hour" and (last - first).days >= MAX_HOUR_DAYS:
        first = date.fromordinal(last.toordinal() - MAX_HOUR_DAYS + 1)
    there = plant(sources, asking)
    tests = judged_tests(sources, asking, planned)
    period = Period(asking.day(first).start_us, asking.day(last).end_us)
    sides = sides_of(sources, asking, planned, period, tests=tests, there=there)
    cuts = _cuts(asking, first, last, step, sides)
    steps = compared(sides.hours, sides.fuel, cuts, stack=planned.id, u=planned.u) if len(cuts) > 1 else []
    whole_cuts = [period.start_us, period.end_us]
    total = compared(sides.hours, sides.fuel, whole_cuts, stack=planned.id, u=planned.u)[0]
    reference = _Reference(sources, asking, planned, tests=tests, there=there)
    priors = priors_of(sources, asking, planned, sides.period) if reference.period is not None else {}
    found = reference.causes(sides, total, priors)
    long = steps if step in {"month", "year"} else []
    parts = [reference.causes(sides.within(Period(each.start_us, each.end_us)), each, priors) for each in long]
    shown = StackComparison(
        stack=planned.id,
        name_zh=planned.name.get("zh", planned.id),
        name_en=planned.name.get("en", planned.id),
        point=planned.point,
        plan_entry=planned.seq,
        stacks=[(each.id, each.name.get("zh", ""), each.name.get("en", "")) for each in stacks],
        pack=pack_fact(planned.pack),
        first=first,
        last=last,
        step=step,
        steps=[_step(each, parts[index] if parts else None) for index, each in enumerate(steps)],
        total=_step(total, found),
        hours=_counts(sides.hours, planned.pack),
        availability_co2=availability_percent(sides.hours, "co2", sides.period.end_us),
        availability_flow=availability_percent(sides.hours, "flow", sides.period.end_us),
        tests=[_test(each) for each in tests if period.start_us <= each.test.at_us < period.end_us][-MAX_LISTED:],
        out_of_control=windows(tests)[-MAX_LISTED:],
        drifts=drifts(tests),
        reference_from_us=None if reference.period is None else reference.period.start_us,
        reference_to_us=None if reference.period is None else reference.period.end_us,
        reference_reason="" if planned.reference is None else planned.reference[2],
        decomposition=found,
    )
    return shown, [*steps, total]


def _cuts(asking: Asking, first: date, last: date, step: str, sides: Sides) -> list[int]:
    """The steps' edges as far as hours are known."""
    if step == "year":
        years = range(first.year, last.year + 1)
        found = [asking.day(max(first, date(year, 1, 1))).start_us for year in years]
        found.append(asking.day(last).end_us)
    else:
        found = edges(asking, first, last, step)
    end = sides.period.end_us
    return [*(each for each in found if each < end), end] if end > found[0] else []


class _Reference:
    """The reference time of a stack's plan, against which any part of a time is held."""

    def __init__(
        self, sources: Sources, asking: Asking, planned: PlannedStack, *, tests: Sequence[JudgedTest], there: Plant
    ) -> None:
        self._sources, self._asking, self._planned, self._tests = sources, asking, planned, tests
        self.period = reference_period(asking, planned)
        self._before: Observed | None = None
        self._blocks: list[Observed] = []
        if self.period is not None:
            then = sides_of(sources, asking, planned, self.period, tests=tests, there=there)
            self._before = self._seen(then)
            blocks = blocks_of(self.period, _block_days(self.period))
            self._blocks = [_observed(then.within(each), {}, ()) for each in blocks]

    def _seen(self, sides: Sides) -> Observed:
        bought = bought_ratios(self._sources, self._asking, self._planned, sides.period)
        return _observed(sides, bought, span_errors(self._tests, sides.period))

    def causes(self, sides: Sides, step: ComparedStep, priors: Mapping[str, float]) -> Decomposition | None:
        """What the relations of a part say; None without a reference time or a difference."""
        if self._before is None or step.difference is None:
            return None
        return explained(
            self._seen(sides),
            self._before,
            wander=self._planned.wander,
            priors=priors,
            difference=float(step.difference),
            blocks=self._blocks,
        )


def _block_days(reference: Period) -> int:
    """Weeks; of a short reference time a sixth of it, at least a day."""
    days = reference.duration_us // (24 * US_PER_HOUR)
    return max(1, min(7, days // 6))


def _observed(sides: Sides, bought: Mapping[str, float], spans: Sequence[float]) -> Observed:
    return observed(sides.hours, sides.fuel, sides.amounts, bought=bought, spans=spans)


def priors_of(sources: Sources, asking: Asking, planned: PlannedStack, period: Period) -> dict[str, float]:
    """How far each cause may have gone between two times, relative: ``CHANGING`` of what calibration leaves it, by the
    plan for the stack and by the account for amount and carbon.
    """
    u = planned.u
    found = {CONCENTRATION: u.co2, FLOW: (u.velocity**2 + u.area**2) ** 0.5}
    first, last = (local_date(each, asking.zone) for each in (period.start_us, max(period.end_us - 1, period.start_us)))
    made = account_of(sources, asking, whole_days(asking, first, last))
    for source in made.inputs.plan.sources:
        if source.id not in planned.sources:
            continue
        working = made.workings.get(source.id)
        activity = None if working is None or working.activity is None else working.activity.estimate
        line = made.lines[f"carbon/source/{source.id}"].quantity.estimate
        amount = _relative(activity.u(made.effects), activity.value) if activity is not None else None
        whole = _relative(line.u(made.effects), line.value) if line is not None else None
        found[f"{AMOUNT}:{source.id}"] = amount if amount is not None else UNSTATED
        carbon = None if whole is None or amount is None else max(whole**2 - amount**2, 0.0) ** 0.5
        found[f"{CARBON}:{source.id}"] = UNSTATED if carbon is None else carbon
    return {name: CHANGING * u for name, u in found.items()}


def _relative(u: float | None, value: Fraction) -> float | None:
    return None if u is None or not value else u / abs(float(value))


def pack_fact(pack: CemsPack) -> PackFact:
    """A pack as shown."""
    return PackFact(
        id=pack.id,
        law=pack.law,
        name_zh=pack.name.get("zh", pack.id),
        name_en=pack.name.get("en", pack.id),
        chinese=pack.chinese,
        text=pack.text,
        standing=pack.standing,
        source=pack.source,
        note=pack.note,
        empty=pack.empty,
        substitutes=bool(pack.substitution),
    )


def _step(each: ComparedStep, parts: Decomposition | None) -> StepFact:
    relative = each.relative
    return StepFact(
        start_us=each.start_us,
        end_us=each.end_us,
        hours=each.hours,
        compared=each.compared,
        substituted=each.substituted,
        stack=figure_fact("stack", each.stack),
        fuel=figure_fact("fuel", each.fuel),
        difference="" if each.difference is None else decimal_text(each.difference, 3),
        limit="" if each.limit is None else decimal_text(each.limit, 3),
        relative_percent=None if relative is None else 100 * float(relative),
        agreement=str(each.agreement),
        reasons=each.reasons,
        causes=() if parts is None else tuple(cause.name for cause in parts.causes),
    )


def _test(each: JudgedTest) -> QualityTestFact:
    if each.check is not None:
        percent = float(each.check.error)
    elif each.accuracy is not None:
        percent = each.accuracy.relative
    else:
        percent = max((float(level.error) for level in each.levels), default=0.0)
    return QualityTestFact(
        entry=each.test.seq,
        at_us=each.test.at_us,
        parameter=each.test.parameter,
        type=each.test.type,
        percent=percent,
        passed=each.passed,
        bias_factor=None if each.accuracy is None else each.accuracy.factor,
        next_quarters=None if each.accuracy is None else each.accuracy.quarters,
    )


def _counts(hours: Sequence[StackHour], pack: CemsPack) -> HourCounts:
    longest = run = 0
    for each in hours:
        out = each.state in {HourState.INVALID, HourState.MISSING, HourState.SUBSTITUTED}
        run = run + 1 if out else 0
        longest = max(longest, run)
    states = Counter(str(each.state) for each in hours)
    reasons = Counter(reason for each in hours for reason in each.reasons if each.state is not HourState.STOPPED)
    return HourCounts(
        states={str(state): states.get(str(state), 0) for state in HourState},
        reasons=dict(reasons.most_common(MAX_LISTED)),
        longest_outage_hours=longest,
        notice_due=None if pack.notice_days is None else longest > 24 * pack.notice_days,
    )


def comparison_table(found: StackComparison) -> tuple[list[str], list[list[object]]]:
    """The steps as a plain table (columns, rows), numbers as text in tCO2: for reports and exports."""
    columns = ["from_us", "to_us", "hours", "compared", "substituted", "stack_tCO2", "stack_U", "fuel_tCO2", "fuel_U"]
    columns += ["difference_tCO2", "limit_tCO2", "relative_percent", "judgement", "speaks_for"]
    rows: list[list[object]] = [
        [
            *(each.start_us, each.end_us, each.hours, each.compared, each.substituted),
            *(each.stack.value, each.stack.expanded, each.fuel.value, each.fuel.expanded),
            *(each.difference, each.limit),
            "" if each.relative_percent is None else f"{each.relative_percent:.2f}",
            each.agreement,
            "; ".join(each.causes),
        ]
        for each in (*found.steps, found.total)
    ]
    return columns, rows
