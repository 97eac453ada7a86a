"""The uncertainty budget of one line: which meter, certificate or factor dominates, and what a better class buys.

First order by the factor model; beside it the same effects drawn by chance, which shows where first order misleads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.accounting.account import Account
from gateway.accounting.budget import Contribution, budget, improvements
from gateway.accounting.estimate import Effect
from gateway.accounting.montecarlo import Sampled, of_estimate, of_quotient, sample
from gateway.audit.accounts import FigureFact, account_of, line_fact
from gateway.audit.asking import Asking, Sources
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import Period

MAX_ROWS = 60
SEED = 20_260_101
DRAWS = 10_000
MAX_DRAWS = 100_000
_INSTRUMENTS = frozenset({"meter", "ct", "pt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRow:
    """One cause. ``kind``: ``meter``, ``ct``, ``pt``, ``standard``, ``factor``, ``laboratory``, ``substitution`` or
    ``independent`` for what is nobody's in common. ``u_percent`` relative standard uncertainty of the cause,
    ``contribution`` to the line's u in its unit, ``share_permille`` of its variance. ``instrument`` where it is one.
    """

    kind: str
    label: str
    basis: str
    shape: str
    u_percent: float | None
    contribution: float
    share_permille: int
    instrument: str
    entry: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImprovementFact:
    """What one class better for an instrument does to the line's u."""

    instrument: str
    better_u_percent: float
    before: float
    after: float
    saved_percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetFact:
    """A line with its budget; ``u`` covers what is on record, ``unstated`` names what has none. ``lines``: all that
    have a budget. ``sampled`` is None unless it was asked for.
    """

    line: FigureFact
    u: float
    rows: Sequence[BudgetRow]
    dominating: int
    improvements: Sequence[ImprovementFact]
    unstated: Sequence[str]
    lines: Sequence[str]
    sampled: Sampled | None
    sampled_agrees: bool | None


def budget_of(
    sources: Sources, asking: Asking, period: Period, line: str = "", *, draws: int = 0, seed: int = SEED
) -> BudgetFact:
    """A line's budget, of the widest boundary's total where none is named; with ``draws`` a Monte Carlo run beside it.

    UnknownObjectError where no plan is on record or the line has no value.
    """
    return budget_fact(account_of(sources, asking, period), line, draws=draws, seed=seed)


def budget_fact(made: Account, line: str = "", *, draws: int = 0, seed: int = SEED) -> BudgetFact:
    """The same of an account at hand."""
    name = line or default_line(made)
    found = made.lines.get(name)
    if found is None or found.quantity.estimate is None:
        raise UnknownObjectError("there is no line '%(line)s' with a value", line=name)
    estimate = found.quantity.estimate
    table = budget(estimate, made.effects)
    sampled = sample_of(made, name, draws=draws, seed=seed) if draws else None
    entries = {each.version: each.seq for each in made.inputs.factors}
    return BudgetFact(
        line=line_fact(made, name),
        u=table.u,
        rows=[_row(each, entries) for each in table.contributions[:MAX_ROWS]],
        dominating=len(table.dominating()),
        improvements=[
            ImprovementFact(
                instrument=each.effect.label,
                better_u_percent=100 * each.better_u,
                before=each.before,
                after=each.after,
                saved_percent=each.saved_percent,
            )
            for each in improvements(estimate, made.effects)
        ],
        unstated=table.unstated,
        lines=budgeted_lines(made),
        sampled=sampled,
        sampled_agrees=None if sampled is None else sampled.agrees(float(estimate.value), table.u),
    )


def default_line(made: Account) -> str:
    """The total of the boundary with the most sources."""
    boundaries = made.inputs.factors.pack(made.inputs.plan.pack)["boundaries"]
    widest = max(boundaries, key=lambda each: len(each["sources"]))
    return f"carbon/{widest['id']}/total"


def budgeted_lines(made: Account) -> list[str]:
    """Every line with a value that a reader may ask a budget of: sums, sources, products and what is made of them."""
    return [
        name
        for name, line in made.lines.items()
        if line.quantity.estimate is not None and (not name.startswith(("energy/", "tce")) or name.count("/") > 1)
    ] + [name for name in ("tce/total", "tce-primary/total") if name in made.lines]


def sample_of(made: Account, line: str, *, draws: int = DRAWS, seed: int = SEED) -> Sampled | None:
    """A line's shared effects drawn by chance; a consumption per product as the quotient it is, not linearised."""
    if line.startswith("intensity/"):
        _, product, numerator = line.split("/", 2)
        top, bottom = made.lines[numerator].quantity, made.lines[f"product/{product}"].quantity
        if top.estimate is None or bottom.estimate is None or bottom.estimate.value == 0:
            return None
        # kgce per tonne of a total in tce
        whole = top.estimate.scaled(1000) if top.unit == "tce" else top.estimate  # type: ignore[arg-type]
        effects = _used(made.effects, {**whole.sensitivities, **bottom.estimate.sensitivities})
        return sample(of_quotient(whole, bottom.estimate), effects, seed=seed, draws=min(draws, MAX_DRAWS))
    estimate = made.lines[line].quantity.estimate
    if estimate is None:
        return None
    effects = _used(made.effects, estimate.sensitivities)
    return sample(of_estimate(estimate), effects, seed=seed, draws=min(draws, MAX_DRAWS))


def _used(effects: Mapping[str, Effect], wanted: Mapping[str, object]) -> dict[str, Effect]:
    return {name: effects[name] for name in wanted}


def _row(each: Contribution, entries: Mapping[str, int]) -> BudgetRow:
    effect = each.effect
    if effect is None:
        return BudgetRow(
            kind="independent",
            label="",
            basis="",
            shape="",
            u_percent=None,
            contribution=each.contribution,
            share_permille=round(1000 * each.share),
            instrument="",
            entry=None,
        )
    version = effect.id.removeprefix("factor:")
    return BudgetRow(
        kind=effect.kind,
        label=effect.label,
        basis=effect.basis,
        shape=effect.shape,
        u_percent=100 * effect.u,
        contribution=each.contribution,
        share_permille=round(1000 * each.share),
        instrument=effect.label if effect.kind in _INSTRUMENTS else "",
        entry=entries.get(version),
    )
