"""Laboratory values behind an account: means by month, the records with their sample chain, questions they raise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.accounting.account import Account
from gateway.accounting.laboratory import CHAIN, LaboratoryMean, doubts, plain_means
from gateway.audit.accounts import months_of
from gateway.audit.asking import Asking, Sources
from gateway.domain.figure import decimal_text

MAX_SAMPLES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LaboratoryMonth:
    """A property's mean over one month, and how it counts in the lines of the account that it enters.

    ``weighting``: how its samples were weighted (``gateway.accounting.laboratory.Mean``); ``weight`` in
    ``weight_unit``: the consumption the month counts with among others, empty where there is no other, where nothing is
    known of it, or where no line uses the property. ``weighted``: whether the months' weights were used.
    """

    point: str
    property: str
    month_start_us: int
    samples: int
    value: str
    unit: str
    evidence: Sequence[int]
    weighting: str
    weight: str
    weight_unit: str
    weighted: bool
    lines: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFact:
    """One laboratory record with its chain; instants None where nobody says. ``online``: sent by a device."""

    number: str
    point: str
    taken_us: int | None
    sealed_us: int | None
    received_us: int | None
    tested_us: int | None
    laboratory: str
    report: str
    online: bool
    values: Mapping[str, str]
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtFact:
    """A question to the laboratory (``gateway.accounting.laboratory.doubts``)."""

    rule: str
    number: str
    facts: Mapping[str, str]


def laboratory_months(sources: Sources, asking: Asking, made: Account) -> list[LaboratoryMonth]:
    """Every property's mean month by month, as far as the account's time reaches, as it enters the account's lines."""
    inputs = made.inputs
    used = {(point, name) for _, point, name in made.means}
    rest = plain_means(inputs.laboratory, inputs.months, sources.reference().units, used)
    lines: dict[LaboratoryMean, list[str]] = {}
    for each in (*made.means.values(), *rest):
        lines.setdefault(replace(each, line=""), []).extend([each.line] if each.line else [])
    starts = [month.start_us for month in months_of(asking, inputs.period)]
    found = []
    for each, named in sorted(lines.items(), key=lambda item: (item[0].point, item[0].property, item[1])):
        for start_us, month in zip(starts, each.months, strict=False):
            if month.mean is None:
                continue
            found.append(
                LaboratoryMonth(
                    point=each.point,
                    property=each.property,
                    month_start_us=start_us,
                    samples=month.mean.samples,
                    value=decimal_text(month.mean.value, 6),
                    unit=month.mean.unit,
                    evidence=month.mean.evidence[:100],
                    weighting=month.mean.weighting,
                    weight="" if month.weight is None else decimal_text(month.weight, 6),
                    weight_unit="" if month.weight is None else each.unit,
                    weighted=each.weighted,
                    lines=tuple(named),
                )
            )
    return found


def samples_of(made: Account) -> list[SampleFact]:
    """The newest records of the time, at most ``MAX_SAMPLES``."""
    inside = [each for each in made.inputs.laboratory if each.period.start_us in made.inputs.period]
    inside.sort(key=lambda each: (-each.period.start_us, each.number))
    return [
        SampleFact(
            number=each.number,
            point=each.point,
            **{name: each.chain.get(name) for name in CHAIN},
            laboratory=each.laboratory,
            report=each.report,
            online=each.online,
            values={name: f"{decimal_text(value, 6)} {unit}" for name, (value, unit) in sorted(each.values.items())},
            entry=each.seq,
        )
        for each in inside[:MAX_SAMPLES]
    ]


def doubts_of(made: Account) -> list[DoubtFact]:
    """What the numbers and dates of the time's records raise."""
    inside = [each for each in made.inputs.laboratory if each.period.start_us in made.inputs.period]
    return [DoubtFact(rule=each.rule, number=each.number, facts=dict(each.facts)) for each in doubts(inside)]
