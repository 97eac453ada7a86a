"""Energy of a metering point over a time, from settled intervals and their roll-ups, on the primary side.

A point's energy is the sum over the meters that were fitted there, each for its own time and with its own CT·PT ratio.
What is not known stays unknown: a step without any settled value has no value, one with some says how much is missing.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from gateway.accounting.metered import Amount, amounts
from gateway.audit.asking import Asking, Sources
from gateway.audit.plant import ChannelFact, Plant, PointFact
from gateway.domain.ledger import Installation, InstallationRole
from gateway.domain.quality import Status, word
from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_DAY, US_PER_HOUR, Period
from gateway.settlement.calendar import Calendar
from gateway.settlement.query import DAY, HOUR, MONTH, Then
from gateway.settlement.row import Method

MISSING = word(Status.MISSING)
ROLLUPS = {"hour": HOUR, "day": DAY, "month": MONTH}
RECENT_US = 62 * US_PER_DAY
LAGGING_US = 2 * US_PER_HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """An amount over a time: ``value`` in ``unit`` (None where nothing is known), negative never for a counter.

    ``windows`` quarter hours make it up, ``missing`` of them without a value; ``coverage_permille`` is how much of the
    time lay between observations; ``by_method`` shares the value out by how it is known; ``quality`` is the worst word.
    ``coverage_sum`` adds the quarter hours' permilles. The counts are 0 where the amount was weighed (``tickets``) or
    read by people. ``expanded`` is U (k = 2) in ``unit``, None where it cannot be stated or nobody asked for it
    (``gateway.audit.judging.stated``).
    """

    start_us: int
    end_us: int
    unit: str
    value: Fraction | None
    windows: int
    missing: int
    coverage_permille: int
    quality: int
    by_method: dict[str, Fraction]
    tickets: int = 0
    coverage_sum: int = 0
    expanded: float | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing is known to be missing."""
        return self.value is not None and not self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A meter's time at a point: which register of which device counts, and which installation entries say so."""

    device: str
    channel: str
    decimals: int
    unit: str
    installation: str
    seqs: frozenset[int]
    from_us: int | None
    to_us: int | None


@dataclass(slots=True)
class _Sum:
    """An amount while it is being added up."""

    value: Fraction = Fraction(0)
    windows: int = 0
    missing: int = 0
    coverage: int = 0
    quality: int = 0

    def energy(self, unit: str, start_us: int, end_us: int, methods: dict[str, Fraction]) -> Energy:
        expected = max(1, (end_us - start_us) // SETTLEMENT_WINDOW_US)
        known = self.windows - self.missing
        return Energy(
            start_us=start_us,
            end_us=end_us,
            unit=unit,
            value=self.value if known > 0 else None,
            windows=max(self.windows, expected),
            missing=max(expected - known, 0) if known < expected else self.missing,
            coverage_permille=min(1000, self.coverage // expected),
            quality=_of_parts(self.quality) if known > 0 else MISSING,
            by_method=methods,
            coverage_sum=self.coverage,
        )


def servings(sources: Sources, asking: Asking, there: Plant, fact: PointFact) -> list[Serving]:
    """Every meter that is or was fitted at a point and read by a device, oldest first."""
    known: list[Serving] | None = there.memory.get(fact.point.id)
    if known is None:
        known = there.memory[fact.point.id] = _servings(sources, asking, there, fact)
    return known


def _servings(sources: Sources, asking: Asking, there: Plant, fact: PointFact) -> list[Serving]:
    found = []
    registry, organisation = sources.registry, asking.organisation
    for record in registry.installations_of_point(organisation, fact.point.id, None, asking.known_seq):
        installation = record.read_as(Installation)
        if installation.role != InstallationRole.METER or not installation.device:
            continue
        counters = [each for each in there.channels.get(installation.device, ()) if each.is_counter]
        named = [each for each in counters if each.id == installation.channel] if installation.channel else counters
        if not named:
            continue
        history = registry.history(organisation, "installation", record.id, asking.known_seq)
        found.append(
            Serving(
                device=installation.device,
                channel=named[0].id,
                decimals=named[0].decimals,
                unit=named[0].unit,
                installation=record.id,
                seqs=frozenset(each.seq for each in history),
                from_us=record.from_us,
                to_us=record.to_us,
            )
        )
    return found


def totals(
    sources: Sources, asking: Asking, there: Plant, fact: PointFact, edges: Sequence[int], *, step: str
) -> list[Energy]:
    """A point's energy between consecutive instants of ``edges``, each on the grid of ``step``.

    ``step`` is ``quarter`` (of an hour), ``hour``, ``day`` or ``month``; the larger ones read roll-ups.
    """
    if len(edges) < 2:
        return []
    register = there.register(fact)
    serving = servings(sources, asking, there, fact)
    if not serving:
        return [amount(sources, asking, there, fact, Period(*pair)) for pair in pairwise(edges)]
    unit = serving[-1].unit if serving else (register.unit if register else "")
    sums = [_Sum() for _ in edges[:-1]]
    methods: list[dict[str, Fraction]] = [{} for _ in sums]
    span = Period(edges[0], edges[-1])
    for each in serving:
        for start_us, part in _parts(sources, asking, each, span, step):
            position = bisect_right(edges, start_us) - 1
            if 0 <= position < len(sums):
                _add(sums[position], methods[position], part)
    return [sums[index].energy(unit, edges[index], edges[index + 1], methods[index]) for index in range(len(sums))]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one interval or one roll-up row adds, on the primary side."""

    windows: int
    missing: int
    coverage: int
    quality: int
    by_method: Mapping[Method, Fraction]


def _parts(sources: Sources, asking: Asking, serving: Serving, span: Period, step: str) -> Iterable[tuple[int, _Part]]:
    settlement, organisation, known = sources.settlement, asking.organisation, asking.known_seq
    if step == "quarter":
        for interval in settlement.intervals(organisation, serving.device, serving.channel, span, known):
            row, energy = interval.row, interval.energy
            if row.installation in serving.seqs:
                by_method = {} if energy is None else {row.method: energy}
                yield interval.start_us, _Part(1, int(energy is None), row.coverage, row.quality, by_method)
        return
    then = None if known is None else Then(known, Calendar(asking.zone))
    for rolled in settlement.rollups(organisation, serving.device, serving.channel, ROLLUPS[step], span, then=then):
        if rolled.installation in serving.seqs:
            yield (
                rolled.start_us,
                _Part(rolled.windows, rolled.missing, rolled.coverage_sum, rolled.quality, rolled.by_method),
            )


def _add(total: _Sum, methods: dict[str, Fraction], part: _Part) -> None:
    total.windows += part.windows
    total.missing += part.missing
    total.coverage += part.coverage
    total.quality = max(total.quality & 3, part.quality & 3) | ((total.quality | part.quality) & ~3)
    for method, value in part.by_method.items():
        total.value += value
        methods[method.word] = methods.get(method.word, Fraction(0)) + value


def amount(sources: Sources, asking: Asking, there: Plant, fact: PointFact, span: Period) -> Energy:
    """A point's energy over a time as one amount, added up in the store: counters, weighing tickets, hand readings."""
    found = sources.settlement.energy(asking.organisation, fact.point.id, span, asking.known_seq)
    counted = there.register(fact) is not None
    expected = max(1, span.duration_us // SETTLEMENT_WINDOW_US) if counted else 0
    settled = found.windows - found.missing if counted else 0
    known = settled > 0 or bool(found.by_method)
    covered = found.coverage * found.windows
    return Energy(
        start_us=span.start_us,
        end_us=span.end_us,
        unit=found.unit,
        value=found.value if known else None,
        windows=max(expected, found.windows) if counted else 0,
        missing=max(expected - settled, 0) if counted else found.missing,
        coverage_permille=min(1000, covered // expected) if counted else 0,
        quality=_of_parts(found.quality) if known else MISSING,
        by_method={method.word: value for method, value in found.by_method.items()},
        tickets=found.tickets,
        coverage_sum=covered,
    )


def amounts_of(sources: Sources, asking: Asking, there: Plant, span: Period) -> dict[str, Energy]:
    """Every point's energy over a time, from as few roll-ups as will do; the same digits as ``amount``."""
    state = (sources.registry.applied_seq(), sources.settlement.applied_seq())
    key = ("amounts", asking.organisation, asking.known_seq, asking.as_of_us, span, state)
    kept = sources.memory.get(key)
    if kept is not None:
        return kept  # type: ignore[return-value]  # what this function put there
    found = amounts(
        sources.settlement,
        sources.registry,
        asking.organisation,
        span,
        zone=asking.zone,
        known_seq=asking.known_seq,
    )
    made = {name: _energy(each, span, counted=_counts(there, name)) for name, each in found.items()}
    sources.remember(key, made)
    return made


def _counts(there: Plant, name: str) -> bool:
    fact = there.points.get(name)
    return fact is not None and there.register(fact) is not None


def _energy(each: Amount, span: Period, *, counted: bool) -> Energy:
    expected = max(1, span.duration_us // SETTLEMENT_WINDOW_US) if counted else 0
    settled = each.windows - each.missing if counted else 0
    known = each.value is not None
    return Energy(
        start_us=span.start_us,
        end_us=span.end_us,
        unit=each.unit,
        value=each.value,
        windows=max(expected, each.windows) if counted else 0,
        missing=max(expected - settled, 0) if counted else each.missing,
        coverage_permille=min(1000, each.coverage_sum // expected) if counted else 0,
        quality=_of_parts(each.quality) if known else MISSING,
        by_method={method.word: value for method, value in each.by_method.items()},
        tickets=each.tickets,
        coverage_sum=each.coverage_sum,
    )


def is_totalled(sources: Sources, asking: Asking, there: Plant, fact: PointFact) -> bool:
    """Whether a point's energy can be added up: it has a counter, recent tickets, or registers read by people."""
    if there.register(fact) is not None:
        return True
    organisation, known = asking.organisation, asking.known_seq
    recent = Period(asking.as_of_us - RECENT_US, asking.as_of_us)
    names = [f"point/{fact.point.id}", *([f"device/{fact.device}"] if fact.device else [])]
    return any(sources.settlement.tickets(organisation, name, recent, known) for name in names) or bool(
        sources.settlement.hand_readings(organisation, fact.point.id, known)
    )


def total(sources: Sources, asking: Asking, there: Plant, fact: PointFact, period: Period) -> Energy:
    """A point's energy over a time on the quarter-hour grid, from intervals."""
    return totals(sources, asking, there, fact, [period.start_us, period.end_us], step="quarter")[0]


def joined(first: Energy, second: Energy) -> Energy:
    """Two neighbouring amounts as one."""
    known = [each.value for each in (first, second) if each.value is not None]
    methods = dict(first.by_method)
    for method, value in second.by_method.items():
        methods[method] = methods.get(method, Fraction(0)) + value
    windows = first.windows + second.windows
    covered = first.coverage_permille * first.windows + second.coverage_permille * second.windows
    parts = [each for each in (first, second) if each.windows or each.value is not None]
    return Energy(
        start_us=first.start_us,
        end_us=second.end_us,
        unit=first.unit,
        value=sum(known, Fraction(0)) if known else None,
        windows=windows,
        missing=first.missing + second.missing,
        coverage_permille=covered // windows if windows else 0,
        quality=_joined_status(parts, known=bool(known))
        | sum({flag for each in parts for flag in _flags(each.quality)}),
        by_method=methods,
        tickets=first.tickets + second.tickets,
        coverage_sum=first.coverage_sum + second.coverage_sum,
    )


def _joined_status(parts: Sequence[Energy], *, known: bool) -> int:
    worst = max((each.quality & 3 for each in parts), default=int(Status.MISSING))
    return _of_parts(worst) if known else worst


def _of_parts(quality: int) -> int:
    """The word of a sum that has a value: what misses in it makes it uncertain, not missing."""
    status = quality & 3
    return (Status.UNCERTAIN if status == Status.MISSING else status) | (quality & ~3)


def _flags(quality: int) -> list[int]:
    """The single flag bits of a quality word, where they stand in the word."""
    return [1 << bit for bit in range(2, quality.bit_length()) if quality >> bit & 1]


def settled_to(sources: Sources, asking: Asking, there: Plant, facts: Sequence[PointFact], within: Period) -> int:
    """Up to when the points are settled, not after ``within``: what merely waits for its settlement is not missing.

    Points that stopped long before the others (``LAGGING_US``) do not hold the rest back.
    """
    reached = [reached_us(sources, asking, register) for fact in facts if (register := there.register(fact))]
    newest = max(reached, default=0)
    common = min((each for each in reached if each > newest - LAGGING_US), default=0)
    return max(within.start_us, min(common, within.end_us))


def reached_us(sources: Sources, asking: Asking, register: ChannelFact) -> int:
    """The end of a register's newest settled quarter hour (µs UTC); 0 when none is."""
    channels = sources.settlement.channels(asking.organisation, register.device)
    return max((each.settled_to_us for each in channels if each.channel == register.id), default=0)


def begun_us(sources: Sources, asking: Asking, register: ChannelFact) -> int:
    """The start of a register's oldest settled quarter hour (µs UTC); 0 when none is."""
    key = (asking.organisation, register.device, register.id)
    span = Period(0, asking.as_of_us)
    for kind, length in ((MONTH, 32 * US_PER_DAY), (DAY, 2 * US_PER_DAY)):
        rolled = sources.settlement.rollups(*key, kind, span)
        if not rolled:
            return 0
        span = Period(rolled[0].start_us, rolled[0].start_us + length)
    intervals = sources.settlement.intervals(*key, span)
    return intervals[0].start_us if intervals else 0
