"""How an amount of a metering point is judged: error and uncertainty by the point's correction mode, and the worst word
its verdicts leave to its readings. The amount itself is never changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import Cards, cards
from gateway.audit.energy import Energy, amount
from gateway.audit.plant import plant
from gateway.domain.errors import UnknownObjectError
from gateway.domain.ledger import InstallationRole
from gateway.domain.time import Period, local_date, local_midnight
from gateway.metrology.correction import corrected
from gateway.metrology.ledger_view import Fitted
from gateway.metrology.limits import in_service_factor
from gateway.metrology.loads import Register
from gateway.metrology.moment import Moment, decided
from gateway.metrology.point_error import PointUncertainty, Use, point_uncertainty
from gateway.metrology.policy import Policy
from gateway.metrology.words import Word, worst_word
from gateway.registry.record import Verdict
from gateway.settlement.query import DAY

COVERAGE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A point's amount over a period as it is judged. ``corrected`` (None: the mode corrects nothing) stands beside the
    amount and never in its place; ``expanded`` is U (k = 2) in the amount's unit, None where it cannot be stated.

    ``conformity`` is what the certificate in force shows by the point's decision rule: (state, probability of
    conformity, guard band in percent, rule); None where it prints no error with its uncertainty.
    """

    point: str
    from_us: int
    to_us: int
    amount: Energy
    policy: Policy
    in_service_factor: float
    uncertainty: PointUncertainty | None
    corrected: float | None
    expanded: float | None
    conformity: tuple[str, float, float, str] | None
    limit_percent: float | None
    limit_source: str
    limit_confidence: str
    word: Word
    verdicts: Sequence[Verdict]


def judged(sources: Sources, asking: Asking, point: str, period: Period) -> Judged:
    """Judge a point's amount over a period by the instruments in force at its beginning and the verdicts that touch it.

    UnknownObjectError when there is no such point.
    """
    found = plant(sources, asking)
    fact = found.points.get(point)
    if fact is None:
        raise UnknownObjectError("the ledger has no metering point %(id)s at that moment", id=point)
    there = cards(sources, asking)
    moment = _moment_within(there, point, period)
    energy = amount(sources, asking, found, fact, period)
    verdicts = [
        each
        for each in sources.registry.verdicts(asking.organisation, None, asking.known_seq, point=point)
        if each.from_us < period.end_us and (each.to_us is None or each.to_us > period.start_us)
    ]
    uncertainty = _uncertainty(sources, asking, moment, period)
    value = None if energy.value is None else float(energy.value)
    decision = None
    if moment is not None and moment.instrument is not None and moment.dated is not None:
        decision = decided(moment.dated, moment.instrument, moment.policy)
    policy = moment.policy if moment is not None else Policy()
    kind = moment.instrument.kind if moment is not None and moment.instrument is not None else ""
    error = uncertainty.error_percent if uncertainty is not None else 0.0
    return Judged(
        point=point,
        from_us=period.start_us,
        to_us=period.end_us,
        amount=energy,
        policy=policy,
        in_service_factor=float(in_service_factor(policy.jurisdiction, kind).factor),
        uncertainty=uncertainty,
        corrected=corrected(value, error) if value is not None and error else None,
        expanded=_expanded(energy, uncertainty),
        conformity=None
        if decision is None
        else (
            str(decision[0].state),
            decision[0].p_conformity,
            decision[0].guard_band,
            decision[0].rule_id,
        ),
        limit_percent=None if decision is None else float(decision[1].percent),
        limit_source="" if decision is None else decision[1].source,
        limit_confidence="" if decision is None else decision[1].confidence,
        word=worst_word(each.rule for each in verdicts),
        verdicts=verdicts,
    )


def stated(sources: Sources, asking: Asking, point: str, energy: Energy) -> Energy:
    """An amount of a point with its U (k = 2), the same that ``judged`` gives; as it came where none can be stated."""
    if energy.value is None or energy.end_us <= energy.start_us:
        return energy
    period = Period(energy.start_us, energy.end_us)
    moment = _moment_within(cards(sources, asking), point, period)
    return replace(energy, expanded=_expanded(energy, _uncertainty(sources, asking, moment, period)))


def _moment_within(there: Cards, point: str, period: Period) -> Moment | None:
    return moment_of(there, point, period.start_us) or moment_of(there, point, period.end_us - 1)


def _uncertainty(sources: Sources, asking: Asking, moment: Moment | None, period: Period) -> PointUncertainty | None:
    return None if moment is None else point_uncertainty(moment, _use(sources, asking, moment.fitted, period))


def _expanded(energy: Energy, uncertainty: PointUncertainty | None) -> float | None:
    if energy.value is None or uncertainty is None or uncertainty.unstated:
        return None
    return abs(float(energy.value)) * uncertainty.expanded_percent / 100


def _use(sources: Sources, asking: Asking, fitted: Fitted, period: Period) -> Use | None:
    """At which loads the fitted meter counted a period of whole days, as known now; None for other periods."""
    installation = fitted.installation
    edges = (period.start_us, period.end_us)
    midnights = [local_midnight(local_date(each, asking.zone), asking.zone) for each in edges]
    if not installation.device or asking.known_seq is not None or midnights != list(edges):
        return None
    for info in sources.settlement.channels(asking.organisation, installation.device):
        if installation.channel in {"", info.channel}:
            sums = sources.settlement.load_sums(asking.organisation, info.device, info.channel, DAY, period)
            loads = [(float(each.energy), float(each.load)) for each in sums]
            return Use(Register(info.measurand, info.unit), loads)
    return None


def moment_of(there: Cards, point: str, at_us: int) -> Moment | None:
    """The meter fitted at a point at an instant, with what the rules know of it; None where none is fitted."""
    for fitted in there.view.by_point.get(point, ()):
        if _is_meter(fitted) and fitted.from_us <= at_us < fitted.to_us:
            return Moment(there.view, fitted, at_us, {}, primary=False)
    return None


def expanded_percent(there: Cards, point: str, at_us: int) -> float | None:
    """Relative expanded uncertainty (k = 2) of an amount of a point at an instant; None where it cannot be stated."""
    moment = moment_of(there, point, at_us)
    if moment is None:
        return None
    found = point_uncertainty(moment)
    return None if found.unstated else found.expanded_percent


def _is_meter(fitted: Fitted) -> bool:
    return fitted.installation.role == InstallationRole.METER
