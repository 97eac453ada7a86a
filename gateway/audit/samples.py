"""Laboratory values behind an account: means by month, the records with their sample chain, questions they raise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.accounting.account import Account
from gateway.accounting.laboratory import CHAIN, doubts, monthly_means
from gateway.audit.accounts import months_of
from gateway.audit.asking import Asking, Sources
from gateway.domain.figure import decimal_text

MAX_SAMPLES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LaboratoryMonth:
    """A property's mean over one month."""

    point: str
    property: str
    month_start_us: int
    samples: int
    value: str
    unit: str
    evidence: Sequence[int]


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
    """Every property's mean month by month, as far as the account's time reaches."""
    inputs = made.inputs
    months = months_of(asking, inputs.period)
    return [
        LaboratoryMonth(
            point=each.point,
            property=each.property,
            month_start_us=each.month.start_us,
            samples=each.samples,
            value=decimal_text(each.mean.value, 6),
            unit=each.mean.unit,
            evidence=each.mean.evidence[:100],
        )
        for each in monthly_means(inputs.laboratory, inputs.period, months, sources.reference().units)
    ]


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
