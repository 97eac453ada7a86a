"""Results and reports made before a span in question was known, and how far their figures may be off."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction

from gateway.accounting.account import Account, account
from gateway.audit.accounts import inputs_of
from gateway.audit.asking import Asking, Sources
from gateway.audit.look_back_spans import EffectOn, Questioned
from gateway.audit.made import Made, MadeEvent
from gateway.domain.errors import MeterproofError
from gateway.domain.ledger import InstallationRole
from gateway.domain.time import Period
from gateway.metrology.history import effect_on_total

_ROLE_NAMES = {InstallationRole.METER: "meter", InstallationRole.CT: "ct", InstallationRole.PT: "pt"}
MAX_RESULTS = 200
"""Recorded results and issued reports looked at, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedResult(Made):
    """A recorded result or an issued report whose time touches a span in question and that was made before this was
    known. ``figures``: those the error reaches; empty with ``reason`` where it could not be carried into them."""

    known_seq: int
    instruments: Sequence[str]
    figures: Sequence[EffectOn]
    reason: str = ""


def touched_results(
    sources: Sources, asking: Asking, spans: Sequence[Questioned], made: Sequence[MadeEvent]
) -> list[TouchedResult]:
    """Of what was made those that a span reaches, each named once with every such span."""
    found = []
    for each in made[:MAX_RESULTS]:
        # what was known when it was made is in it already
        reached = [
            span for span in spans if each.made.is_of(span.from_us, span.to_us) and not each.knew(span.entry_seq)
        ]
        if reached:
            found.append(_touched(sources, asking, each, reached))
    return found


def _touched(sources: Sources, asking: Asking, each: MadeEvent, spans: Sequence[Questioned]) -> TouchedResult:
    period = Period(each.made.from_us, each.made.to_us)
    figures: list[EffectOn] = []
    reason = ""
    try:
        made = account(inputs_of(sources, asking, period, each.known_seq or None))
        figures = list(_carried(made, set(each.figures), period, spans))
    except MeterproofError as error:
        reason = error.message
    return TouchedResult(
        **asdict(each.made),
        known_seq=each.known_seq,
        instruments=sorted({span.instrument for span in spans}),
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
