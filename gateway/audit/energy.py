"""Energy of a metering point over a time, from settled intervals and their roll-ups, on the primary side.

A point's energy is the sum over the meters that were fitted there, each for its own time and with its own CT·PT ratio.
What is not known stays unknown: a step without any settled value has no value, one with some says how much is missing.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.audit.asking import Asking, Sources
from gateway.audit.plant import Plant, PointFact
from gateway.domain.ledger import Installation, InstallationRole
from gateway.domain.quality import Status, word
from gateway.domain.time import SETTLEMENT_WINDOW_US, Period
from gateway.settlement.row import Method

MISSING = word(Status.MISSING)
THOUSANDTHS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """An amount over a time: ``value`` in ``unit`` (None where nothing is known), negative never for a counter.

    ``windows`` quarter hours make it up, ``missing`` of them without a value; ``coverage_permille`` is how much of the
    time lay between observations; ``by_method`` shares the value out by how it is known; ``quality`` is the worst word.
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

    @property
    def complete(self) -> bool:
        """Whether every quarter hour has a value."""
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
            quality=self.quality if known > 0 else MISSING,
            by_method=methods,
        )


def servings(sources: Sources, asking: Asking, there: Plant, fact: PointFact) -> list[Serving]:
    """Every meter that is or was fitted at a point and read by a device, oldest first."""
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
    serving = servings(sources, asking, there, fact)
    register = there.register(fact)
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
    """What one interval or one roll-up row adds, energies in thousandths of the resolution, meter side."""

    ratio: Fraction
    windows: int
    missing: int
    coverage: int
    quality: int
    energy: int
    decimals: int
    by_method: tuple[tuple[str, int], ...]


def _parts(sources: Sources, asking: Asking, serving: Serving, span: Period, step: str) -> Iterable[tuple[int, _Part]]:
    settlement, organisation = sources.settlement, asking.organisation
    if step == "quarter":
        for interval in settlement.intervals(organisation, serving.device, serving.channel, span):
            row = interval.row
            if row.installation in serving.seqs:
                known = row.energy is not None and row.method != Method.MISSING
                yield (
                    interval.start_us,
                    _Part(
                        Fraction(row.num, row.den or 1),
                        1,
                        int(not known),
                        row.coverage,
                        row.quality,
                        row.energy or 0,
                        interval.decimals,
                        ((row.method.word, row.energy or 0),) if known else (),
                    ),
                )
        return
    for rolled in settlement.rollups(organisation, serving.device, serving.channel, step, span):
        if rolled.installation in serving.seqs:
            yield (
                rolled.start_us,
                _Part(
                    Fraction(rolled.num, rolled.den or 1),
                    rolled.windows,
                    rolled.missing,
                    rolled.coverage,
                    rolled.quality,
                    rolled.energy,
                    rolled.decimals,
                    tuple((method, energy) for method, energy in rolled.by_method.items() if energy),
                ),
            )


def _add(total: _Sum, methods: dict[str, Fraction], part: _Part) -> None:
    scale = part.ratio / (THOUSANDTHS * 10**part.decimals)
    total.value += part.energy * scale
    total.windows += part.windows
    total.missing += part.missing
    total.coverage += part.coverage
    total.quality = max(total.quality & 3, part.quality & 3) | ((total.quality | part.quality) & ~3)
    for method, energy in part.by_method:
        methods[method] = methods.get(method, Fraction(0)) + energy * scale


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
    parts = [each for each in (first, second) if each.windows]
    return Energy(
        start_us=first.start_us,
        end_us=second.end_us,
        unit=first.unit,
        value=sum(known, Fraction(0)) if known else None,
        windows=windows,
        missing=first.missing + second.missing,
        coverage_permille=covered // windows if windows else 0,
        quality=max((each.quality & 3 for each in parts), default=3)
        | (first.quality & ~3 if first.windows else 0)
        | (second.quality & ~3 if second.windows else 0),
        by_method=methods,
    )


def settled_to(sources: Sources, asking: Asking, there: Plant, facts: Sequence[PointFact], within: Period) -> int:
    """The end of the newest quarter hour that is settled for any of the points, not after ``within``."""
    newest = within.start_us
    for fact in facts:
        register = there.register(fact)
        if register is not None:
            reached = sources.settlement.settled_to(asking.organisation, register.device, register.id)
            newest = max(newest, min(reached, within.end_us))
    return newest
