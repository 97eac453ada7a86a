"""Results on record: their versions and states, and why two versions differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.accounting.comparison import Comparison, compare
from gateway.accounting.inputs import Inputs
from gateway.accounting.results import ResultAct, ResultVersion, result, results
from gateway.audit.accounts import inputs_of
from gateway.audit.asking import Asking, Sources
from gateway.domain.errors import MeterproofError
from gateway.domain.figure import decimal_text

MAX_SHOWN = 500


class ResultChangedError(MeterproofError):
    """A version's inputs cannot be gathered again as they were: nothing can be said about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFact:
    """A version with its state (``draft``, ``submitted``, ``verified``, ``frozen``) and its figures as recorded."""

    id: str
    version: int
    state: str
    entry: int
    at_us: int
    from_us: int
    to_us: int
    known_seq: int
    plan_entry: int
    inputs: str
    rules: Sequence[str]
    factors: Mapping[str, str | None]
    figures: Mapping[str, Mapping[str, Any]]
    exposure: Mapping[str, str]
    actor: str
    acts: Sequence[ResultAct]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFact:
    """One line's change with the steps that add up to it; texts, empty where a side does not know the line."""

    line: str
    unit: str
    before: str
    after: str
    change: str
    steps: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonFact:
    """Two versions of a result and what explains the difference."""

    first: ResultFact
    second: ResultFact
    changes: Sequence[ChangeFact]


def result_versions(sources: Sources, asking: Asking) -> list[ResultFact]:
    """Every version on record as of then, newest first; at most ``MAX_SHOWN``."""
    found = results(sources.registry, asking.organisation, asking.known_seq)
    return [_fact(each) for each in reversed(found)][:MAX_SHOWN]


def result_version(sources: Sources, asking: Asking, id_: str, version: int | None = None) -> ResultFact:
    """One version, the newest where none is named; UnknownObjectError when there is none."""
    return _fact(result(sources.registry, asking.organisation, id_, version, asking.known_seq))


def compared(sources: Sources, asking: Asking, id_: str, first: int, second: int) -> ComparisonFact:
    """Why two versions differ. UnknownObjectError: no such version; ResultChangedError: inputs not as they were."""
    versions = [result(sources.registry, asking.organisation, id_, each, asking.known_seq) for each in (first, second)]
    inputs = [_gathered(sources, asking, each) for each in versions]
    return ComparisonFact(
        first=_fact(versions[0]),
        second=_fact(versions[1]),
        changes=[_change(each) for each in compare(inputs[0], inputs[1])],
    )


def _gathered(sources: Sources, asking: Asking, version: ResultVersion) -> Inputs:
    inputs = version.inputs_again(inputs_of(sources, asking, version.period, version.known_seq))
    if inputs is None:
        message = "the inputs of version %(version)s cannot be gathered again as they were"
        raise ResultChangedError(message, version=str(version.version))
    return inputs


def _change(each: Comparison) -> ChangeFact:
    known = each.before is not None and each.after is not None
    return ChangeFact(
        line=each.line,
        unit=each.unit,
        before="" if each.before is None else decimal_text(each.before, 4),
        after="" if each.after is None else decimal_text(each.after, 4),
        change=decimal_text(each.after - each.before, 4) if known else "",  # type: ignore[operator]
        steps=[(step.cause, decimal_text(step.change, 4)) for step in each.steps],
    )


def _fact(each: ResultVersion) -> ResultFact:
    return ResultFact(
        id=each.id,
        version=each.version,
        state=each.state,
        entry=each.seq,
        at_us=each.at_us,
        from_us=each.period.start_us,
        to_us=each.period.end_us,
        known_seq=each.known_seq,
        plan_entry=each.plan_seq,
        inputs=each.inputs,
        rules=each.rules,
        factors=each.factors,
        figures=each.figures,
        exposure=each.exposure,
        actor=each.actor,
        acts=each.acts,
    )
