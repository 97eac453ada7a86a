"""A stack's hours from its analyser, its tests, and the fuel side of the same hours, as known when asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.accounting.crosschecks import stock_change, stock_records
from gateway.accounting.estimate import Effect, Estimate
from gateway.accounting.quantities import Quantities
from gateway.audit.accounts import account_of, inputs_of, months_of
from gateway.audit.asking import Asking, Sources
from gateway.audit.energy import totals
from gateway.audit.hourly import ChannelHour, channel_hours
from gateway.audit.plant import ChannelFact, Plant, plant
from gateway.cems.comparison import FuelHours
from gateway.cems.control import JudgedTest, OutOfControl, judged, windows
from gateway.cems.hours import HourState, ParameterHour, StackHour, stack_hours
from gateway.cems.plan import PlannedStack, quality_tests
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, Period, floor_to, local_date, local_midnight

MAX_DAYS = 400
STOCK_TOLERANCE_US = US_PER_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Both sides of a time: the stack's hours, the fuel's, and the activity of each source by hour."""

    period: Period
    hours: Sequence[StackHour]
    fuel: FuelHours
    amounts: Mapping[int, Mapping[str, float]]

    def within(self, period: Period) -> "Sides":
        """A part of it."""
        inside = [each for each in self.hours if period.start_us <= each.start_us < period.end_us]
        return Sides(period=period, hours=inside, fuel=self.fuel, amounts=self.amounts)


def judged_tests(sources: Sources, asking: Asking, planned: PlannedStack) -> list[JudgedTest]:
    """The tests on record, judged by the stack's pack, by time; one whose data make no such test is passed over."""
    found = []
    for each in quality_tests(sources.registry, asking.organisation, planned.id, asking.known_seq):
        if each.at_us > asking.as_of_us:
            continue
        try:
            found.append(judged(each, planned.pack))
        except ValueError:
            continue
    return sorted(found, key=lambda one: (one.test.at_us, one.test.seq))


def sides_of(
    sources: Sources,
    asking: Asking,
    planned: PlannedStack,
    period: Period,
    *,
    tests: Sequence[JudgedTest],
    there: Plant | None = None,
) -> Sides:
    """Both sides of whole hours in a period, at most ``MAX_DAYS`` days; the newest few are kept for a page's parts."""
    end = min(floor_to(period.end_us, US_PER_HOUR), floor_to(asking.settling_us, US_PER_HOUR))
    start = max(-(-period.start_us // US_PER_HOUR) * US_PER_HOUR, end - MAX_DAYS * US_PER_DAY)
    span = Period(start, max(start, end))
    state = (sources.registry.applied_seq(), sources.settlement.applied_seq(), sources.series.applied_seq())
    key = ("stack", asking.organisation, asking.known_seq, planned.id, planned.seq, span, state)
    known = sources.memory.get(key)
    if isinstance(known, Sides):
        return known
    there = there or plant(sources, asking)
    fuel, amounts = fuel_hours(sources, asking, there, planned, span)
    running = {start: any(each > 0 for each in amount.values()) for start, amount in amounts.items()}
    hours = measured_hours(sources, asking, there, planned, span, out=windows(tests), running=running)
    made = Sides(period=span, hours=hours, fuel=fuel, amounts=amounts)
    sources.memory[key] = made
    return made


def measured_hours(
    sources: Sources,
    asking: Asking,
    there: Plant,
    planned: PlannedStack,
    period: Period,
    *,
    out: Sequence[OutOfControl],
    running: Mapping[int, bool],
) -> list[StackHour]:
    """The stack's hours. Where something has to be filled, the whole year up to there is looked at: that is what the
    filling rules look back on.
    """
    channels = {each.id: each for each in there.channels.get(planned.device, ())}
    quadrants = planned.pack.validity is not None and planned.pack.validity.quadrants is not None

    def hours_of(span: Period, *, begun_only: bool = False) -> list[StackHour]:
        readings: dict[str, dict[int, ParameterHour]] = {}
        for parameter, channel in planned.channels.items():
            if channel in channels:
                readings[parameter] = _parameter(sources, asking, channels[channel], span, quadrants=quadrants)
        first = min((min(each) for each in readings.values() if each), default=span.start_us)
        start = max(span.start_us, first) if begun_only else span.start_us
        return stack_hours(
            list(range(start, span.end_us, US_PER_HOUR)),
            readings,
            stack=planned.geometry,
            pack=planned.pack,
            windows=out,
            running=running,
            highest_co2=planned.highest_co2,
        )

    found = hours_of(period)
    lacking = any(each.state in {HourState.INVALID, HourState.MISSING, HourState.SUBSTITUTED} for each in found)
    year = local_midnight(local_date(period.start_us, asking.zone).replace(month=1, day=1), asking.zone)
    if not lacking or not planned.pack.substitution or year >= period.start_us:
        return found
    whole = hours_of(Period(year, period.end_us), begun_only=True)
    return [each for each in whole if each.start_us >= period.start_us]


def _parameter(
    sources: Sources, asking: Asking, channel: ChannelFact, period: Period, *, quadrants: bool
) -> dict[int, ParameterHour]:
    found: Mapping[int, ChannelHour] = channel_hours(sources, asking, channel, period, quadrants=quadrants)
    return {
        start: ParameterHour(mean=float(each.mean), count=each.count, expected=each.expected, quadrants=each.quadrants)
        for start, each in found.items()
    }


def fuel_hours(
    sources: Sources, asking: Asking, there: Plant, planned: PlannedStack, period: Period
) -> tuple[FuelHours, dict[int, dict[str, float]]]:
    """The sources' emission by hour: each month's account, shared out by the settled hours of its activity.

    An hour in which any source's activity is not known is absent.
    """
    estimates: dict[tuple[str, int], Estimate] = {}
    effects: dict[str, Effect] = {}
    shares: dict[int, dict[str, tuple[int, Fraction]]] = {}
    amounts: dict[int, dict[str, float]] = {}
    for number, month in enumerate(months_of(asking, period)):
        span = _settled_days(asking, month)
        if span.end_us <= span.start_us:
            continue
        made = account_of(sources, asking, span)
        by_source: dict[str, dict[int, Fraction]] = {}
        for source in made.inputs.plan.sources:
            line = made.lines.get(f"carbon/source/{source.id}")
            if source.id not in planned.sources or line is None or line.quantity.estimate is None:
                continue
            estimates[source.id, number] = line.quantity.estimate
            by_source[source.id] = _activity(sources, asking, there, made.inputs.plan.terms(source.amount), span)
        effects |= made.effects
        if set(by_source) == set(planned.sources):
            _share_out(by_source, number, period, shares=shares, amounts=amounts)
    return FuelHours(estimates=estimates, shares=shares, effects=effects), amounts


def _settled_days(asking: Asking, month: Period) -> Period:
    """The month, or its days that are over: accounts are of whole days."""
    today = asking.day(asking.today)
    over = today.end_us if asking.settling_us >= today.end_us else today.start_us
    return Period(month.start_us, max(min(month.end_us, over), month.start_us))


def _activity(
    sources: Sources, asking: Asking, there: Plant, terms: Mapping[str, Fraction], span: Period
) -> dict[int, Fraction]:
    """A formula's value by hour; hours in which a point of it is not known are absent."""
    edges = list(range(span.start_us, span.end_us + 1, US_PER_HOUR))
    found: dict[int, Fraction] = dict.fromkeys(edges[:-1], Fraction(0))
    for point, weight in terms.items():
        fact = there.points.get(point)
        if fact is None:
            return {}
        for each in totals(sources, asking, there, fact, edges, step="hour"):
            if each.value is None or each.missing:
                found.pop(each.start_us, None)
            elif each.start_us in found:
                found[each.start_us] += weight * each.value
    return found


def _share_out(
    by_source: Mapping[str, Mapping[int, Fraction]],
    number: int,
    period: Period,
    *,
    shares: dict[int, dict[str, tuple[int, Fraction]]],
    amounts: dict[int, dict[str, float]],
) -> None:
    wholes = {source: sum(values.values(), Fraction(0)) for source, values in by_source.items()}
    common = set.intersection(*(set(values) for values in by_source.values()))
    for start in sorted(common):
        if not period.start_us <= start < period.end_us:
            continue
        amounts[start] = {source: float(values[start]) for source, values in by_source.items()}
        shares[start] = {
            source: (number, values[start] / wholes[source] if wholes[source] else Fraction(0))
            for source, values in by_source.items()
        }


def bought_ratios(sources: Sources, asking: Asking, planned: PlannedStack, period: Period) -> dict[str, float]:
    """By source: what its meter says was used over what was bought less laid in stock; only where stock was surveyed
    near both ends of the whole days.
    """
    days = Period(_midnight(asking, period.start_us, up=True), _midnight(asking, period.end_us, up=False))
    if days.end_us <= days.start_us:
        return {}
    inputs = inputs_of(sources, asking, days)
    quantities = Quantities(inputs)
    surveys = stock_records(sources.registry, asking.organisation, asking.known_seq)
    found: dict[str, float] = {}
    for source in inputs.plan.sources:
        for stock in inputs.plan.stocks:
            if source.id not in planned.sources or stock.used != source.amount:
                continue
            used = quantities.formula(stock.used, stock.unit).estimate
            bought = quantities.formula(stock.bought, stock.unit).estimate
            change = stock_change(surveys, stock.point, days, STOCK_TOLERANCE_US)
            if used is not None and bought is not None and change is not None and bought.value > change:
                found[source.id] = float(used.value / (bought.value - change))
    return found


def _midnight(asking: Asking, at_us: int, *, up: bool) -> int:
    day = asking.day(local_date(at_us, asking.zone))
    return at_us if at_us == day.start_us else day.end_us if up else day.start_us


def reference_period(asking: Asking, planned: PlannedStack) -> Period | None:
    """The reference time of the plan as far as it is over; None without one."""
    if planned.reference is None:
        return None
    first, last, _reason = planned.reference
    start, end = asking.day(first).start_us, min(asking.day(last).end_us, asking.settling_us)
    return Period(start, end) if end > start else None


def span_errors(tests: Sequence[JudgedTest], period: Period) -> list[float]:
    """Relative errors of the analyser's span checks in a period: reading over reference less one."""
    return [
        float(reading / reference - 1)
        for each in tests
        if each.test.type == "span"
        and each.test.parameter == "co2"
        and period.start_us <= each.test.at_us < period.end_us
        for reference, reading in each.test.pairs
        if reference > 0
    ]


def blocks_of(period: Period, days: int = 7) -> list[Period]:
    """Whole weeks of a period (or other blocks), from its beginning."""
    size = days * US_PER_DAY
    return [Period(at, at + size) for at in range(period.start_us, period.end_us - size + 1, size)]
