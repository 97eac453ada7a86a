"""What a person should look at in the quarter-hour energies: flat, doubled and twin series, last digits, steps.

Each is a question, never a verdict: a flat register may be an idle machine, twins may be one circuit read twice.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from gateway.audit.energy import servings
from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_DAY, Period
from gateway.review.gathered import Cell, Gathered, Instant, Ref, Section, said_word, section

DAYS = 7
FLAT_WINDOWS = 24
"""Six hours without any energy, in a series that else moves."""
TWIN_WINDOWS = 32
"""Quarter hours in which two meters took the very same energy."""
DAY_WINDOWS = 96
DIGIT_VALUES = 200
DIGIT_LIMIT = 27.877
"""χ² with 9 degrees of freedom, 0.1 %: last digits of a meter that nobody invents stay below it."""
STEP_WINDOWS = 96
STEP_SHARE = 4
"""A change of the mean by more than a quarter from the day before an event to the day after."""
MAX_SERIES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """``what``: ``flat``, ``repeated_day``, ``twins``, ``last_digit``, ``step``; ``detail`` in numbers."""

    what: str
    point: str
    other: str
    from_us: int
    to_us: int
    detail: str


@dataclass(frozen=True, slots=True)
class Series:
    """A point's quarter-hour energies by start (µs UTC), in thousandths of the resolution; unknown ones left out."""

    point: str
    values: Mapping[int, int]


def anomalies(gathered: Gathered) -> list[Anomaly]:
    """Over the last ``DAYS`` days."""
    span = Period(gathered.asking.settling_us - DAYS * US_PER_DAY, gathered.asking.settling_us)
    found = _series(gathered, span)
    events = _events(gathered, span)
    listed = [each for one in found for each in (*flat(one), *repeated_days(one), *last_digits(one))]
    listed += [each for one in found for each in steps(one, events.get(one.point, ()))]
    return sorted([*listed, *twins(found)], key=lambda each: (each.what, each.point, each.from_us))


def _series(gathered: Gathered, span: Period) -> list[Series]:
    sources, asking, there = gathered.sources, gathered.asking, gathered.plant
    found = []
    for fact in list(there.points.values())[:MAX_SERIES]:
        values: dict[int, int] = {}
        for serving in servings(sources, asking, there, fact):
            intervals = sources.settlement.intervals(
                asking.organisation, serving.device, serving.channel, span, asking.known_seq
            )
            for each in intervals:
                if each.row.energy is not None and each.row.installation in serving.seqs:
                    values[each.start_us] = values.get(each.start_us, 0) + each.row.energy
        if values:
            found.append(Series(fact.point.id, values))
    return found


def _events(gathered: Gathered, span: Period) -> dict[str, list[int]]:
    """Known times at which a reading could step: something was fitted or taken down there."""
    known: dict[str, list[int]] = {}
    registry, asking = gathered.sources.registry, gathered.asking
    for record in registry.objects(asking.organisation, "installation", None, asking.known_seq):
        for at_us in (record.from_us, record.to_us):
            if at_us is not None and span.start_us < at_us < span.end_us:
                known.setdefault(str(record.object.get("point") or ""), []).append(at_us)
    return known


def flat(series: Series) -> Iterator[Anomaly]:
    """Runs of at least ``FLAT_WINDOWS`` consecutive quarter hours without energy, in a series that moves elsewhere."""
    if not any(series.values.values()):
        return
    run: list[int] = []
    for start in [*sorted(series.values), None]:
        goes_on = start is not None and (not run or start == run[-1] + SETTLEMENT_WINDOW_US)
        if goes_on and start is not None and series.values[start] == 0:
            run.append(start)
            continue
        if len(run) >= FLAT_WINDOWS:
            yield _anomaly("flat", series.point, "", run, f"{len(run)}")
        run = [start] if start is not None and series.values[start] == 0 else []


def repeated_days(series: Series) -> Iterator[Anomaly]:
    """A day whose quarter hours are, one for one, those of the day before."""
    for start in sorted(series.values):
        day = [start + place * SETTLEMENT_WINDOW_US for place in range(DAY_WINDOWS)]
        values = [series.values.get(each) for each in day]
        before = [series.values.get(each - US_PER_DAY) for each in day]
        if None not in values and values == before and len(set(values)) > 2:
            yield _anomaly("repeated_day", series.point, "", day, f"{DAY_WINDOWS}")
            return


def twins(found: Sequence[Series]) -> Iterator[Anomaly]:
    """Two points that took the very same energy in many quarter hours."""
    for first, second in combinations(found, 2):
        shared = sorted(first.values.keys() & second.values.keys())
        moving = [each for each in shared if first.values[each] or second.values[each]]
        same = [each for each in moving if first.values[each] == second.values[each]]
        if len(same) >= TWIN_WINDOWS and 2 * len(same) > len(moving):
            yield _anomaly("twins", first.point, second.point, same, f"{len(same)}/{len(moving)}")


def last_digits(series: Series) -> Iterator[Anomaly]:
    """Whether the last digits of the energies (in the resolution) are as evenly spread as a meter's are."""
    moved = [abs(each) // 1000 for each in series.values.values() if each and each % 1000 == 0]
    if len(moved) < DIGIT_VALUES or len({each // 10 for each in moved}) < 20:
        return  # interpolated at the edges, or too few different values for their last digit to mean anything
    chi = chi_square(Counter(each % 10 for each in moved), len(moved))
    if chi > DIGIT_LIMIT:
        yield _anomaly("last_digit", series.point, "", sorted(series.values), f"χ² = {chi:.1f} > {DIGIT_LIMIT}")


def chi_square(counts: Mapping[int, int], total: int) -> float:
    """χ² of ten digits against an even spread."""
    expected = total / 10
    return sum((counts.get(digit, 0) - expected) ** 2 / expected for digit in range(10))


def steps(series: Series, events: Iterable[int]) -> Iterator[Anomaly]:
    """A mean that differs by more than a quarter between the day before and the day after a known event."""
    for at_us in events:
        length = STEP_WINDOWS * SETTLEMENT_WINDOW_US
        before = [value for start, value in series.values.items() if at_us - length <= start < at_us]
        after = [value for start, value in series.values.items() if at_us <= start < at_us + length]
        if min(len(before), len(after)) < STEP_WINDOWS // 4 or not any(before):
            continue
        old, new = sum(before) * len(after), sum(after) * len(before)
        if abs(new - old) * STEP_SHARE > abs(old):
            percent = 100 * (new - old) // old
            yield Anomaly(
                what="step",
                point=series.point,
                other="",
                from_us=at_us,
                to_us=at_us + length,
                detail=f"{percent:+d}%",
            )


def _anomaly(what: str, point: str, other: str, starts: Sequence[int], detail: str) -> Anomaly:
    return Anomaly(
        what=what,
        point=point,
        other=other,
        from_us=starts[0],
        to_us=starts[-1] + SETTLEMENT_WINDOW_US,
        detail=detail,
    )


def anomalies_view(gathered: Gathered) -> Section:
    """The list as a view."""
    found = anomalies(gathered)
    rows: list[Sequence[Cell]] = [
        [
            said_word("anomaly", each.what),
            Ref("point", each.point),
            Ref("point", each.other) if each.other else "",
            Instant(each.from_us),
            Instant(each.to_us),
            each.detail,
        ]
        for each in found
    ]
    said = [
        (
            "%(count)s questions from the quarter hours of the last %(days)s days; none is a verdict.",
            {"count": len(found), "days": DAYS},
        )
    ]
    columns = ["what", "point", "other", "from", "to", "detail"]
    return section("anomalies", "attention" if found else "in_order", said, columns=columns, rows=rows, link="/energy")
