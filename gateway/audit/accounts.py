"""The account of a time for views: which days it covers, and computed once for all that ask within a moment."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from gateway.accounting.account import Account, account
from gateway.accounting.inputs import Inputs, gather
from gateway.audit.asking import Asking, Sources
from gateway.audit.energy import begun_us
from gateway.audit.plant import plant
from gateway.domain.figure import Figure, decimal_text
from gateway.domain.time import Period, local_date, local_midnight

MAX_REASONS = 12
MAX_EVIDENCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureFact:
    """A figure as a view shows it: text of the digits its U allows, the exact value as text, and all it rests on.

    ``value`` is empty where it is not known, ``expanded`` (U, k = 2) where it cannot be stated; ``reasons`` say why.
    ``evidence`` holds at most ``MAX_EVIDENCE`` entry numbers, ``evidence_count`` says how many there are.
    """

    id: str
    value: str
    expanded: str
    exact: str
    unit: str
    relative_percent: float | None = None
    coverage_permille: int | None = None
    quality: int = 0
    methods: dict[str, str] = field(default_factory=dict)
    rules: Sequence[str] = ()
    factors: Sequence[str] = ()
    evidence: Sequence[int] = ()
    evidence_count: int = 0
    reasons: Sequence[str] = ()

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value != ""

    @property
    def number(self) -> float | None:
        """The value for drawing; None where it is not known."""
        return float(self.exact) if self.exact else None


def figure_fact(id_: str, figure: Figure) -> FigureFact:
    """The view of a figure."""
    value, expanded = figure.displayed()
    return FigureFact(
        id=id_,
        value=value,
        expanded=expanded,
        exact="" if figure.value is None else decimal_text(figure.value),
        unit=figure.unit,
        relative_percent=figure.relative_percent,
        coverage_permille=figure.coverage_permille,
        quality=figure.quality,
        methods={name: decimal_text(share, 6) for name, share in figure.methods.items()},
        rules=figure.rules,
        factors=figure.factors,
        evidence=figure.evidence[:MAX_EVIDENCE],
        evidence_count=len(figure.evidence),
        reasons=figure.reasons[:MAX_REASONS],
    )


def line_fact(made: Account, name: str) -> FigureFact:
    """A line of an account as a view; KeyError when the account has no such line."""
    return figure_fact(name, made.lines[name].figure)


def inputs_of(sources: Sources, asking: Asking, period: Period, known_seq: int | None = None) -> Inputs:
    """What an account of a period is made from, as known at the moment of asking unless another entry is named."""
    return gather(
        sources.registry,
        sources.settlement,
        asking.organisation,
        period,
        units=sources.reference().units,
        zone=asking.zone,
        known_seq=asking.known_seq if known_seq is None else known_seq,
        series=sources.series,
    )


def account_of(sources: Sources, asking: Asking, period: Period) -> Account:
    """The account of a period; UnknownObjectError where no accounting plan is on record for it.

    The newest few are kept until something new is projected, so that a page and its charts share one.
    """
    state = (sources.registry.applied_seq(), sources.settlement.applied_seq(), sources.series.applied_seq())
    key = ("account", asking.organisation, asking.known_seq, period, state)
    found = sources.memory.get(key)
    if not isinstance(found, Account):
        found = account(inputs_of(sources, asking, period))
        sources.remember(key, found)
    return found


def year_to_date(sources: Sources, asking: Asking) -> tuple[date, date]:
    """The days of this year that are over, from the first whole one that is settled; at least one day."""
    last = asking.today - timedelta(days=1)
    first = max(date(last.year, 1, 1), _first_whole_day(sources, asking))
    return min(first, last), last


def _first_whole_day(sources: Sources, asking: Asking) -> date:
    there = plant(sources, asking)
    registers = [there.register(fact) for fact in there.points.values() if fact.point.level == 1]
    begun = [at for each in registers if each is not None and (at := begun_us(sources, asking, each))]
    if not begun:
        return date.min
    day = local_date(min(begun), asking.zone)
    return day if local_midnight(day, asking.zone) == min(begun) else day + timedelta(days=1)


def whole_days(asking: Asking, first: date, last: date) -> Period:
    """The civil days from first to last as a span that ends with the last quarter hour that is over."""
    start = asking.day(min(first, last)).start_us
    end = min(asking.day(min(last, asking.today)).end_us, asking.settling_us)
    return Period(start, max(end, start))


def settled_days(sources: Sources, asking: Asking, first: date, last: date) -> Period:
    """As ``whole_days``, ending with the last quarter hour that is settled anywhere: the one that has just ended waits
    for late readings, and is no gap."""
    span = whole_days(asking, first, last)
    settled = [info.settled_to_us for info in sources.settlement.channels(asking.organisation)]
    return Period(span.start_us, max(span.start_us, min(span.end_us, max(settled, default=span.end_us))))


def months_of(asking: Asking, period: Period) -> list[Period]:
    """The civil months of the site that the period touches; at most 120."""
    found: list[Period] = []
    month = local_date(period.start_us, asking.zone).replace(day=1)
    while local_midnight(month, asking.zone) < period.end_us and len(found) < 120:
        following = (month + timedelta(days=32)).replace(day=1)
        found.append(Period(local_midnight(month, asking.zone), local_midnight(following, asking.zone)))
        month = following
    return found
