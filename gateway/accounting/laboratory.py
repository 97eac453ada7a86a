"""Laboratory values as records with their sample chain, and what speaks against them.

A record says when the sample was taken, sealed, received and tested, for which time and how much material it stands,
which report (SHA-256) says so. Values are as received. The mean over a month is weighted by the material where all
records say how much, else by what was consumed on the days each record stands for, else every sample counts alike; how
months make a year is gateway.accounting.weighting.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

from gateway.accounting.units import Units
from gateway.accounting.weighting import Steps, shared_out
from gateway.domain.figure import decimal_fraction
from gateway.domain.time import US_PER_DAY, Period
from gateway.registry.registry import Registry

KIND = "laboratory"
MAX_RECORDS = 100_000
CANONICAL = {
    "ncv": "GJ/t",
    "carbon_per_energy": "tC/GJ",
    "carbon_content": "tC/t",
    "moisture": "1",
    "cao": "1",
    "cao_other": "1",
    "mgo": "1",
    "mgo_other": "1",
    "purity": "1",
}
CHAIN = ("taken_us", "sealed_us", "received_us", "tested_us")
LATE_DAYS = 40
RUN_LENGTH = 3
BATCH_SIZE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LaboratoryRecord:
    """One sample's result: ``values`` by property as (value, unit); ``weight_t`` the material it stands for."""

    seq: int
    recorded_us: int
    number: str
    point: str
    period: Period
    chain: Mapping[str, int | None]
    values: Mapping[str, tuple[Fraction, str]]
    weight_t: Fraction | None = None
    laboratory: str = ""
    report: str = ""
    online: bool = False  # sent by a device (gateway.accounting.online), not entered

    @classmethod
    def of(cls, body: Mapping[str, Any], seq: int, recorded_us: int) -> "LaboratoryRecord":
        """From an entry's body."""
        document = body["object"]
        weight = document.get("weight_t")
        return cls(
            seq=seq,
            recorded_us=recorded_us,
            number=str(document["number"]),
            point=str(document["point"]),
            period=Period(int(document["from_us"]), int(document["to_us"])),
            chain={name: document.get(name) for name in CHAIN},
            values={
                name: (decimal_fraction(str(value)), str(unit)) for name, (value, unit) in document["values"].items()
            },
            weight_t=None if weight is None else decimal_fraction(str(weight)),
            laboratory=str(document.get("laboratory") or ""),
            report=str(document.get("report") or ""),
        )


def records(registry: Registry, organisation: str, known_seq: int | None = None) -> list[LaboratoryRecord]:
    """Every laboratory record that stands, oldest entry first; a later entry of the same point and number replaces
    it.
    """
    found: dict[tuple[str, str], LaboratoryRecord] = {}
    for event in registry.events(organisation, kind=KIND, limit=MAX_RECORDS):
        if known_seq is not None and event.seq > known_seq:
            break
        document = event.body["object"]
        key = (str(document["point"]), str(document["number"]))
        found.pop(key, None)
        if not event.body.get("withdrawn"):
            found[key] = LaboratoryRecord.of(event.body, event.seq, event.at_us)
    return list(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A property over a period with the records it rests on; ``weighting`` says how ``samples`` samples were weighted:
    ``single`` (there is one), ``stated`` (their ``weight_t``), ``metered`` (consumption on their days), ``equal``.
    """

    value: Fraction
    unit: str
    evidence: tuple[int, ...]
    samples: int
    weighting: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthMean:
    """One month in a property's mean: its own mean, None without a sample, and the consumption it counts with, None
    where that is not known.
    """

    month: Period
    mean: Mean | None
    weight: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaboratoryMean:
    """How a property entered a line: month by month, ``weighted`` by consumption in ``unit`` or, where that could not
    be, all samples alike.
    """

    line: str
    point: str
    property: str
    unit: str
    weighted: bool
    months: tuple[MonthMean, ...]


def mean(  # noqa: PLR0917  # one question in all its parts
    found: Sequence[LaboratoryRecord], point: str, name: str, period: Period, units: Units, days: Steps | None = None
) -> Mean | None:
    """The mean of a property over the records whose own time begins in the period; None without one.

    ``days``: what was consumed by civil day. Reports that were entered go before what a device sent: where there is
    one, the device's values are left out.
    """
    unit = CANONICAL[name]
    fitting = _counting(found, point, name, period)
    if not fitting:
        return None
    weighting, weights = "single", [Fraction(1)]
    if len(fitting) > 1:
        weighting, weights = "equal", [Fraction(1)] * len(fitting)
        stated = _stated(fitting)
        metered = None if stated or not days else shared_out(days, [each.period for each in fitting], period)
        if stated or metered:
            weighting, weights = ("stated", stated) if stated else ("metered", metered or weights)
    values = [units.convert(*each.values[name], unit) for each in fitting]
    whole = sum((value * weight for value, weight in zip(values, weights, strict=True)), Fraction(0)) / sum(weights)
    evidence = tuple(sorted(each.seq for each in fitting))
    return Mean(value=whole, unit=unit, evidence=evidence, samples=len(fitting), weighting=weighting)


def _counting(found: Sequence[LaboratoryRecord], point: str, name: str, period: Period) -> list[LaboratoryRecord]:
    fitting = [each for each in found if each.point == point and name in each.values and each.period.start_us in period]
    return [each for each in fitting if not each.online] or fitting


def _stated(fitting: Sequence[LaboratoryRecord]) -> list[Fraction]:
    """The material of every record; empty where one does not say."""
    known = [each.weight_t for each in fitting if each.weight_t is not None]
    return known if len(known) == len(fitting) and sum(known) > 0 else []


def needs_days(found: Sequence[LaboratoryRecord], point: str, name: str, month: Period) -> bool:
    """Whether a month's mean has samples to weight that do not say themselves how much they stand for."""
    fitting = _counting(found, point, name, month)
    return len(fitting) > 1 and not _stated(fitting)


def plain_means(
    found: Sequence[LaboratoryRecord], months: Sequence[Period], units: Units, without: Collection[tuple[str, str]]
) -> list[LaboratoryMean]:
    """Means of what lines of the account do not use (``without``: points and properties that they do), by month."""
    tested = {
        (each.point, name)
        for each in found
        for name in each.values
        if any(each.period.start_us in month for month in months)
    }
    return [
        LaboratoryMean(
            line="",
            point=point,
            property=name,
            unit="",
            weighted=False,
            months=tuple(
                MonthMean(month=month, mean=mean(found, point, name, month, units), weight=None) for month in months
            ),
        )
        for point, name in sorted(tested - set(without))
    ]


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a check found: ``rule``, the record's number, and facts for the sentence."""

    rule: str
    number: str
    facts: Mapping[str, str] = field(default_factory=dict)


def doubts(found: Sequence[LaboratoryRecord]) -> list[Doubt]:
    """Checks of numbers and dates; each doubt is a question to the laboratory, never a verdict.

    ``chain_order`` dates that run backwards; ``late_test`` tested long after sampling; ``same_values`` the same
    digits in every property under different numbers; ``run`` three values or more in equal steps or without change;
    ``batch`` five records or more put on record within a minute for different times; ``same_report`` one report for
    several numbers.
    """
    ordered = sorted(found, key=lambda each: (each.point, each.period.start_us, each.number))
    return [*_chain(ordered), *_copies(ordered), *_runs(ordered), *_batches(ordered)]


def _chain(ordered: Sequence[LaboratoryRecord]) -> list[Doubt]:
    made = []
    for each in ordered:
        dated = [(name, at) for name in CHAIN if (at := each.chain.get(name)) is not None]
        for (first, before), (second, after) in pairwise(dated):
            if after < before:
                made.append(Doubt("chain_order", each.number, {"first": first, "second": second}))
        if len(dated) > 1 and dated[-1][1] - dated[0][1] > LATE_DAYS * US_PER_DAY:
            made.append(Doubt("late_test", each.number, {"days": str((dated[-1][1] - dated[0][1]) // US_PER_DAY)}))
    return made


def _copies(ordered: Sequence[LaboratoryRecord]) -> list[Doubt]:
    made = []
    seen: dict[object, str] = {}
    reports: Counter[str] = Counter()
    for each in ordered:
        key = (each.point, tuple(sorted(each.values.items())))
        if len(each.values) > 1 and key in seen:
            made.append(Doubt("same_values", each.number, {"other": seen[key]}))
        seen.setdefault(key, each.number)
        if each.report:
            reports[each.report] += 1
            if reports[each.report] > 1:
                made.append(Doubt("same_report", each.number, {"report": each.report[:12]}))
    return made


def _runs(ordered: Sequence[LaboratoryRecord]) -> list[Doubt]:
    made = []
    series: dict[tuple[str, str], list[tuple[str, Fraction]]] = {}
    for each in ordered:
        for name, (value, unit) in each.values.items():
            series.setdefault((each.point, f"{name} {unit}"), []).append((each.number, value))
    for (_, name), values in sorted(series.items()):
        length = 1
        for index in range(1, len(values)):
            step = values[index][1] - values[index - 1][1]
            same = index > 1 and step == values[index - 1][1] - values[index - 2][1]
            length = length + 1 if same else 2
            if length >= RUN_LENGTH + 1 or (length >= RUN_LENGTH and step == 0):
                made.append(Doubt("run", values[index][0], {"property": name, "length": str(length)}))
    return made


def _batches(ordered: Sequence[LaboratoryRecord]) -> list[Doubt]:
    minutes: dict[int, list[LaboratoryRecord]] = {}
    for each in ordered:
        minutes.setdefault(each.recorded_us // 60_000_000, []).append(each)
    return [
        Doubt("batch", group[0].number, {"count": str(len(group))})
        for _, group in sorted(minutes.items())
        if len(group) >= BATCH_SIZE and len({each.period.start_us for each in group}) >= BATCH_SIZE
    ]
