"""What single points took by month, day and hour: the weights of means, gathered with an account's other inputs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.accounting.laboratory import LaboratoryRecord, needs_days
from gateway.accounting.metered import Amount
from gateway.accounting.plan import Parameter, Plan
from gateway.accounting.point_amounts import PointAmounts
from gateway.accounting.weighting import Steps
from gateway.domain.errors import MeterproofError
from gateway.domain.ledger import MeteringPoint
from gateway.domain.time import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """``monthly``: amounts by point for each month of the account; ``daily`` and ``hourly``: by point; only of points
    some mean is weighted by.
    """

    monthly: tuple[Mapping[str, Amount], ...] = ()
    daily: Mapping[str, Steps] = field(default_factory=dict)
    hourly: Mapping[str, Steps] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """All of it as text, for the digest of the inputs; nothing where no mean is weighted."""
        monthly = [[[name, str(each.value)] for name, each in sorted(month.items())] for month in self.monthly]
        steps = {
            kind: [[name, [[at, str(each)] for at, each in sorted(of.items())]] for name, of in sorted(found.items())]
            for kind, found in (("daily", self.daily), ("hourly", self.hourly))
        }
        return {kind: each for kind, each in {"monthly": monthly, **steps}.items() if each}


@dataclass(frozen=True, slots=True)
class _Use:
    """A parameter with the points whose consumption its mean is weighted by."""

    parameter: Parameter
    points: frozenset[str]


def consumption(
    ask: PointAmounts,
    plan: Plan,
    points: Mapping[str, MeteringPoint],
    laboratory: Sequence[LaboratoryRecord],
    *,
    months: Sequence[Period],
    begins: Mapping[str, Sequence[str]],
) -> Consumption:
    """What the plan's means are weighted by in months in a row, as known at the entry ``ask`` answers for.

    ``begins``: by point, the civil days at which an instrument behind it began anew.
    """
    period = Period(months[0].start_us, months[-1].end_us) if months else Period(0, 0)
    monthly: set[str] = set()
    daily: set[str] = set()
    hourly: set[str] = set()
    for use in _uses(plan, points):
        if use.parameter.metered:
            hourly |= use.points
        elif use.parameter.laboratory:
            of = (use.parameter.laboratory, use.parameter.property)
            monthly |= use.points if len(months) > 1 else set()
            daily |= use.points if any(needs_days(laboratory, *of, month) for month in months) else set()
    return Consumption(
        monthly=tuple(
            {name: ask.of(name, month, begins.get(name, ())) for name in sorted(monthly)} for month in months if monthly
        ),
        daily={name: ask.days(name, period) for name in sorted(daily)},
        hourly={name: ask.hours(name, period) for name in sorted(hourly)},
    )


def _uses(plan: Plan, points: Mapping[str, MeteringPoint]) -> Iterator[_Use]:
    """Every parameter that is a mean, once for each activity it is multiplied by."""
    for source in plan.sources:
        behind = _terms(plan, source.amount)
        yield from (_Use(each, behind) for each in source.parameters.values())
    for parameters in (plan.standard_coal, plan.primary):
        for kind, parameter in parameters.items():
            named = [name for name, point in points.items() if point.energy_kind == kind]
            formulas = [formula for name, formula in plan.virtual.items() if plan.virtual_kinds[name] == kind]
            formulas += [stock.used for stock in plan.stocks]
            yield _Use(parameter, frozenset(named).union(*(_terms(plan, formula) for formula in formulas)))


def _terms(plan: Plan, formula: str) -> frozenset[str]:
    try:
        return frozenset(plan.terms(formula))
    except MeterproofError:
        return frozenset()  # what is weighted by it is not known, and says so
