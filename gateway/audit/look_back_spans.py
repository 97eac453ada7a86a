"""A span in question and what the error that was found may have done to the totals of it.

The error is carried into every total: −E·g/(100+g) at most, if it came at once after the last good evidence; half of it
if it grew evenly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.audit.accounts import months_of
from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import cards
from gateway.audit.energy import amount, begun_us, is_totalled
from gateway.audit.judging import expanded_percent
from gateway.audit.plant import Plant
from gateway.audit.questioned import WAITS, Answer, Decision, found_error
from gateway.domain.ledger import InstallationRole
from gateway.domain.time import SETTLEMENT_WINDOW_US, Period, floor_to
from gateway.metrology.history import effect_on_total, is_significant
from gateway.registry.record import Verdict

_COUNTED = frozenset({InstallationRole.METER, InstallationRole.CT, InstallationRole.PT})


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectOn:
    """What the found error may have done to one amount, in ``unit``.

    ``value`` is the amount on record, ``questioned`` the part of it in question. ``bound``: the whole error from the
    last good evidence on; ``estimate``: half of it, ``u`` the estimate's standard uncertainty; all None where no error
    is known. ``expanded`` is U (k = 2) of the amount; ``significant``: more than a third of it, None: not to be said.
    """

    id: str
    from_us: int
    to_us: int
    unit: str
    value: Fraction | None
    questioned: Fraction | None
    bound: float | None = None
    estimate: float | None = None
    u: float | None = None
    expanded: float | None = None
    significant: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Questioned:
    """One span in question. ``error_percent`` None: nobody said how large the error was (look-back impossible: ask for
    as-found results at the next calibration). ``total`` over the span, ``months`` civil months it touches. ``state`` is
    how it was answered (``gateway.audit.questioned.Answer``), ``decisions`` the answers, oldest first; ``restating``
    names the versions on record that may restate it."""

    rule: str
    entry_seq: int
    point: str
    instrument: str
    installation: str
    role: str
    certificate: str
    last_good: str
    from_us: int
    to_us: int | None
    error_percent: float | None
    error_from: str
    total: EffectOn | None
    months: Sequence[EffectOn]
    state: str
    decisions: Sequence[Decision]
    restating: Sequence[str]

    @property
    def possible(self) -> bool:
        """Whether an effect can be computed."""
        return self.error_percent is not None

    @property
    def waits(self) -> bool:
        """Whether a person has to decide."""
        return self.state in WAITS


def questioned(
    sources: Sources, asking: Asking, found: Plant, verdict: Verdict, *, answer: Answer, restating: Sequence[str]
) -> Questioned:
    """What a verdict puts in question, its effect on totals, and how it was answered."""
    there = cards(sources, asking)
    instrument, certificate = verdict.instrument or "", verdict.certificate or ""
    error, error_from = found_error(there, verdict)
    role = next(
        (
            each.installation.role
            for each in there.fitted.get(instrument, ())
            if each.installation.id == verdict.installation
        ),
        "",
    )
    total, months = None, []
    fact = found.points.get(verdict.point or "")
    until_us = min(asking.settling_us, asking.settling_us if verdict.to_us is None else verdict.to_us)
    start_us = floor_to(verdict.from_us, SETTLEMENT_WINDOW_US)
    if fact is not None and role in _COUNTED and start_us < until_us and is_totalled(sources, asking, found, fact):
        register = found.register(fact)
        begun = 0 if register is None else begun_us(sources, asking, register)
        span = Period(min(max(start_us, begun), until_us), until_us)
        relative = expanded_percent(there, fact.point.id, max(verdict.from_us, span.start_us))
        for period in (span, *months_of(asking, span)):
            inside = Period(max(period.start_us, span.start_us), min(period.end_us, span.end_us))
            questioned = amount(sources, asking, found, fact, inside)
            whole = questioned if inside == period else amount(sources, asking, found, fact, period)
            effect = _effect_on(fact.point.id, period, (whole.unit, whole.value, questioned.value), error, relative)
            if period is span:
                total = effect
            elif effect.questioned is not None:
                months.append(effect)
    return Questioned(
        rule=verdict.rule,
        entry_seq=verdict.seq,
        point=verdict.point or "",
        instrument=instrument,
        installation=verdict.installation or "",
        role=str(role),
        certificate=certificate,
        last_good=str(verdict.facts.get("last_good") or ""),
        from_us=verdict.from_us,
        to_us=verdict.to_us,
        error_percent=error,
        error_from=error_from,
        total=total,
        months=months,
        state=answer.word,
        decisions=answer.decisions,
        restating=restating,
    )


def _effect_on(
    id_: str,
    period: Period,
    amounts: tuple[str, Fraction | None, Fraction | None],
    error: float | None,
    relative_percent: float | None,
) -> EffectOn:
    unit, value, questioned = amounts
    if error is None or questioned is None:
        return EffectOn(
            id=id_, from_us=period.start_us, to_us=period.end_us, unit=unit, value=value, questioned=questioned
        )
    effect = effect_on_total(float(questioned), error)
    expanded = None
    if relative_percent is not None and value is not None:
        expanded = abs(float(value)) * relative_percent / 100
    return EffectOn(
        id=id_,
        from_us=period.start_us,
        to_us=period.end_us,
        unit=unit,
        value=value,
        questioned=questioned,
        bound=effect.bound,
        estimate=effect.estimate,
        u=effect.u,
        expanded=expanded,
        significant=None if expanded is None else is_significant(effect, expanded),
    )
