"""Looking back (ISO 10012): which readings a failure or a withdrawal puts in question, and what that does to totals,
to recorded results and to reports already issued.

What is in question stands in the journal as verdicts ``calibration.look_back`` and ``calibration.withdrawn``. Here the
error that was found is carried into every total: −E·g/(100+g) at most, if it came at once after the last good evidence;
half of it if it grew evenly. Nothing is changed by it: whether a figure is accepted, corrected or restated is a
person's decision.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.accounting.account import Account, account
from gateway.accounting.results import KIND
from gateway.audit.accounts import inputs_of, months_of
from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import Cards, cards
from gateway.audit.energy import amount, begun_us, is_totalled
from gateway.audit.judging import expanded_percent
from gateway.audit.plant import Plant, plant
from gateway.domain.errors import MeterproofError, UnknownObjectError
from gateway.domain.ledger import InstallationRole
from gateway.domain.time import SETTLEMENT_WINDOW_US, Period, floor_to
from gateway.metrology.history import effect_on_total, is_significant
from gateway.metrology.ledger_view import DatedCertificate
from gateway.metrology.moment import number
from gateway.registry.record import Event, Verdict

LOOK_BACK, WITHDRAWN = "calibration.look_back", "calibration.withdrawn"
_COUNTED = frozenset({InstallationRole.METER, InstallationRole.CT, InstallationRole.PT})
_ROLE_NAMES = {InstallationRole.METER: "meter", InstallationRole.CT: "ct", InstallationRole.PT: "pt"}
MAX_RESULTS = 200
"""Recorded results and issued reports looked at, newest first."""
_ISSUED, _COMPUTED = "issued", "computed"


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
    as-found results at the next calibration). ``total`` over the span, ``months`` civil months it touches."""

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

    @property
    def possible(self) -> bool:
        """Whether an effect can be computed."""
        return self.error_percent is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedResult:
    """A recorded result or an issued report whose time touches a span in question and that was made before this was
    known. ``figures``: those the error reaches; empty with ``reason`` where it could not be carried into them."""

    id: str
    version: int
    action: str
    entry_seq: int
    from_us: int
    to_us: int
    known_seq: int
    instruments: Sequence[str]
    figures: Sequence[EffectOn]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookBack:
    """Everything in question, for one certificate or for all."""

    certificate: str
    spans: Sequence[Questioned]
    results: Sequence[TouchedResult]


def look_back(sources: Sources, asking: Asking, certificate: str = "") -> LookBack:
    """What a certificate put in question; blank: every one. A certificate of a laboratory standard stands for all that
    were made with it. UnknownObjectError when it is not on record."""
    there = cards(sources, asking)
    causes = _causes(there, certificate) if certificate else None
    verdicts = [
        verdict
        for rule in (LOOK_BACK, WITHDRAWN)
        for verdict in sources.registry.verdicts(asking.organisation, None, asking.known_seq, rule=rule)
        if causes is None or verdict.certificate in causes
    ]
    if causes is not None:
        verdicts += [
            each
            for each in sources.registry.verdicts(
                asking.organisation, None, asking.known_seq, rule="calibration.trace_broken"
            )
            if each.certificate in causes and each.facts.get("reason") in {"withdrawn", "failed"}
        ]
    found_plant = plant(sources, asking)
    spans = [_questioned(sources, asking, there, found_plant, each) for each in verdicts]
    spans = [each for each in spans if each.from_us < asking.as_of_us]
    spans.sort(key=lambda each: (each.from_us, each.instrument))
    return LookBack(certificate=certificate, spans=spans, results=_touched(sources, asking, spans))


def _causes(there: Cards, number_: str) -> set[str]:
    """The certificate, and all that were made with a standard it is the certificate of, upwards through the chain."""
    view = there.view
    known = set(view.by_number) | view.withdrawn_numbers
    if number_ not in known:
        raise UnknownObjectError("no certificate '%(number)s' is on record", number=number_)
    causes, new = {number_}, {number_}
    made = [*view.by_number.values(), *(each for found in view.withdrawn.values() for each in found)]
    numbers = {
        id_: {str(record.object.get("certificate_number") or "") for record in records}
        for id_, records in view.standards.items()
    }
    while new:
        standards = {id_ for id_, said in numbers.items() if said & new}
        new = {each.certificate.id for each in made if standards & set(each.certificate.standards.split(";"))} - causes
        causes |= new
    return causes


def _questioned(sources: Sources, asking: Asking, there: Cards, found: Plant, verdict: Verdict) -> Questioned:
    instrument, certificate = verdict.instrument or "", verdict.certificate or ""
    error, error_from = _error(there, verdict)
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
    )


def _error(there: Cards, verdict: Verdict) -> tuple[float | None, str]:
    """The error that was found, in percent, and the certificate that says so."""
    view = there.view
    cause = view.by_number.get(verdict.certificate or "")
    if verdict.rule == LOOK_BACK and cause is not None:
        return _found_error(cause), cause.certificate.id
    # withdrawn: only what was determined afterwards says anything
    later = view.following(verdict.instrument or "", verdict.from_us)
    if later is None:
        return None, ""
    return _found_error(later), later.certificate.id


def _found_error(dated: DatedCertificate) -> float | None:
    as_found = number(dated.certificate.as_found_error_percent)
    return number(dated.certificate.error_percent) if as_found is None else as_found


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


# -- results and reports on record


def _touched(sources: Sources, asking: Asking, spans: Sequence[Questioned]) -> list[TouchedResult]:
    """Newest first; each named once with every span that reaches it."""
    found = []
    events = [
        each
        for each in sources.registry.events(asking.organisation, kind=KIND, limit=100_000)
        if each.action in {_COMPUTED, _ISSUED} and (asking.known_seq is None or each.seq <= asking.known_seq)
    ]
    for event in reversed(events[-MAX_RESULTS:]):
        from_us, to_us = event.body.get("from"), event.body.get("to")
        if from_us is None or to_us is None:
            continue
        reached = [
            each for each in spans if each.from_us < int(to_us) and (each.to_us is None or each.to_us > int(from_us))
        ]
        # what was known when it was made is in it already
        reached = [each for each in reached if each.entry_seq > int(event.body.get("known") or 0)]
        if reached:
            found.append(_result(sources, asking, event, reached))
    return found


def _result(sources: Sources, asking: Asking, event: Event, spans: Sequence[Questioned]) -> TouchedResult:
    body = event.body
    period = Period(int(body["from"]), int(body["to"]))
    known = int(body.get("known") or 0)
    figures: list[EffectOn] = []
    reason = ""
    try:
        made = account(inputs_of(sources, asking, period, known or None))
        named = {str(each[0]) for each in body.get("figures", ())}
        figures = list(_carried(made, named, period, spans))
    except MeterproofError as error:
        reason = error.message
    return TouchedResult(
        id=event.subject.split("/", 2)[2],
        version=int(body.get("version") or 1),
        action=event.action,
        entry_seq=event.seq,
        from_us=period.start_us,
        to_us=period.end_us,
        known_seq=known,
        instruments=sorted({each.instrument for each in spans}),
        figures=figures,
        reason=reason,
    )


def _carried(made: Account, named: set[str], period: Period, spans: Sequence[Questioned]) -> Iterator[EffectOn]:
    """The figures an error reaches: dF = s·d, with s the figure's sensitivity to the instrument's error and d the
    error's share of the time in question."""
    for name, line in made.lines.items():
        estimate = line.quantity.estimate
        if estimate is None or (named and name not in named):
            continue
        bound = 0.0
        shared = Fraction(0)
        for each in spans:
            share = _share(made, each, period)
            sensitivity = estimate.sensitivities.get(_effect_id(each))
            if share is None or sensitivity is None or each.error_percent is None:
                continue
            shared += abs(sensitivity) * share
            bound += effect_on_total(float(sensitivity * share), each.error_percent).bound
        if not shared:
            continue
        u = estimate.u(made.effects)
        yield EffectOn(
            id=name,
            from_us=period.start_us,
            to_us=period.end_us,
            unit=line.figure.unit,
            value=estimate.value,
            questioned=shared,
            bound=bound,
            estimate=bound / 2,
            u=abs(bound) / (2 * 3**0.5),
            expanded=None if u is None else 2 * u,
            significant=None if u is None else abs(bound) > 2 * u / 3,
        )


def _effect_id(span: Questioned) -> str:
    names: Mapping[str, str] = {str(role): name for role, name in _ROLE_NAMES.items()}
    return f"{names.get(span.role, 'meter')}:{span.instrument}"


def _share(made: Account, span: Questioned, period: Period) -> Fraction | None:
    """Which part of the point's amount in the period was in question: by the settled amounts of its months where these
    are whole, else by time."""
    amount_ = made.inputs.amounts.get(span.point)
    if amount_ is None or not amount_.value:
        return None
    if span.total is not None and span.total.questioned is not None and _within(span, period):
        return min(Fraction(1), span.total.questioned / amount_.value)
    inside = [each for each in span.months if period.start_us <= each.from_us and each.to_us <= period.end_us]
    if inside and all(each.questioned is not None for each in inside):
        return min(Fraction(1), sum((each.questioned or Fraction(0) for each in inside), Fraction(0)) / amount_.value)
    start, end = max(span.from_us, period.start_us), min(span.to_us or period.end_us, period.end_us)
    return Fraction(end - start, period.duration_us)


def _within(span: Questioned, period: Period) -> bool:
    return span.total is not None and period.start_us <= span.total.from_us and span.total.to_us <= period.end_us
