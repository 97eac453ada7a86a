"""Why two results differ: data, laboratory values, plan, factors and the edition of the rules are exchanged one after
the other, each change named.

The steps add up exactly to the whole difference; factors are exchanged one by one, in order of id.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from gateway.accounting.account import account
from gateway.accounting.factors import Factor, FactorBook
from gateway.accounting.inputs import Inputs

MAX_FACTOR_STEPS = 50


@dataclass(frozen=True, slots=True)
class Step:
    """What one exchange did to a line; ``cause``: ``data``, ``laboratory``, ``plan``, ``factor:<id>``, ``factors``,
    ``rules``.
    """

    cause: str
    change: Fraction


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line's values before and after and the steps between; None values where a side does not know the line."""

    line: str
    unit: str
    before: Fraction | None
    after: Fraction | None
    steps: tuple[Step, ...]


def compare(old: Inputs, new: Inputs, lines: tuple[str, ...] = ()) -> list[Comparison]:
    """Explain the change of ``lines`` (all carbon boundaries and the total standard coal where none are named)."""
    stages = [("", _values(old)), *((cause, _values(inputs)) for cause, inputs in _stages(old, new))]
    names = lines or tuple(
        name for name in stages[-1][1] if name in {"tce/total", "tce/consumed"} or name.startswith("carbon/")
    )
    return [_compared(name, stages) for name in names]


Values = Mapping[str, tuple[Fraction | None, str]]


def _values(inputs: Inputs) -> Values:
    made = account(inputs)
    return {name: (line.figure.value, line.figure.unit) for name, line in made.lines.items()}


def _compared(name: str, stages: list[tuple[str, Values]]) -> Comparison:
    values = [(cause, found.get(name, (None, ""))[0]) for cause, found in stages]
    steps = []
    for (_, before), (cause, after) in pairwise(values):
        if before is not None and after is not None and before != after:
            steps.append(Step(cause, after - before))
    unit = stages[-1][1].get(name, (None, ""))[1] or stages[0][1].get(name, (None, ""))[1]
    return Comparison(name, unit, values[0][1], values[-1][1], tuple(steps))


def _stages(old: Inputs, new: Inputs) -> Iterator[tuple[str, Inputs]]:
    """The inputs on the way from old to new; the last one is new."""
    target, new = new, new.under(old.edition)
    data = replace(
        old,
        period=new.period,
        known_seq=new.known_seq,
        amounts=new.amounts,
        points=new.points,
        instruments=new.instruments,
        channels=new.channels,
        surveys=new.surveys,
        months=new.months,
        consumption=new.consumption,
    )
    yield "data", data
    tested = replace(data, laboratory=new.laboratory)
    yield "laboratory", tested
    planned = replace(tested, plan=new.plan, factors=_united(old.factors, new.factors))
    yield "plan", planned
    current = {each.id: each for each in planned.factors}
    changed = [each for each in new.factors if each.id in current and each.value != current[each.id].value]
    for factor in changed[:MAX_FACTOR_STEPS]:
        current[factor.id] = factor
        yield f"factor:{factor.id}", replace(planned, factors=_book(current, new.factors))
    yield "factors", replace(planned, factors=new.factors)
    if target is not new:
        yield "rules", target


def _united(old: FactorBook, new: FactorBook) -> FactorBook:
    """The old numbers, and the new ones where the old book has none: a new plan may name factors it did not know."""
    return _book({**{each.id: each for each in new}, **{each.id: each for each in old}}, new)


def _book(factors: Mapping[str, Factor], like: FactorBook) -> FactorBook:
    return FactorBook(factors.values(), like.packs, like.energy_kinds)
