"""What the pictures of the accounts show: emissions, budgets, the stack against the fuel side."""

from api.charts.account_specs import MAX_BARS, bars_with_u, shares
from api.charts.specs import Spec
from api.web.account_words import AccountWords
from api.web.view import View
from gateway.audit.budgets import BudgetFact
from gateway.audit.carbon import CarbonAccount
from gateway.audit.stack_comparison import StackComparison

MAX_CAUSES = 10
PATTERNS = {"hour": "%m-%d %H:00", "day": "%m-%d", "month": "%Y-%m", "year": "%Y"}


def emissions_spec(found: CarbonAccount, view: View, theme: str) -> Spec:
    """The chart of the carbon page: most tonnes first."""
    rows = []
    for source in found.sources:
        value = source.emission.number
        if value is None:
            continue
        u = float(source.emission.expanded) if source.emission.expanded else None
        rows.append(
            {
                "label": source.name,
                "value": value,
                "low": None if u is None else value - u,
                "high": None if u is None else value + u,
                "interval": "" if u is None else f"± {source.emission.expanded}",
            }
        )
    rows.sort(key=lambda row: -abs(float(row["value"])))  # type: ignore[arg-type]
    names = (view.t("Emission source"), view.t("Emission"), "U (k = 2)")
    return bars_with_u(rows[:MAX_BARS], theme=theme, unit="tCO₂", names=names)


def budget_spec(found: BudgetFact, view: View, theme: str) -> Spec:
    """The chart of a budget: the ten largest causes and what is left."""
    rows = [
        {
            "label": AccountWords(view).effect(row.label) or view.term("effect_kind", row.kind),
            "share": row.share_permille / 10,
            "kind": view.term("effect_kind", row.kind),
        }
        for row in found.rows[:MAX_CAUSES]
    ]
    names = (view.t("Cause"), "", view.t("Share of the variance"))
    return shares(rows, theme=theme, title=view.t("Share of the variance, %(unit)s", unit="%"), names=names)


def differences_spec(found: StackComparison, view: View, theme: str) -> Spec:
    """A bar a step: stack less fuel in percent of the fuel side, with U of that difference."""
    rows = []
    for each in found.steps[-MAX_BARS:]:
        fuel = each.fuel.number
        if each.relative_percent is None or not fuel:
            continue
        spread = 100 * float(each.limit) / abs(fuel) if each.limit else None
        rows.append(
            {
                "label": view.local(each.start_us, PATTERNS[found.step]),
                "value": each.relative_percent,
                "low": None if spread is None else each.relative_percent - spread,
                "high": None if spread is None else each.relative_percent + spread,
                "interval": "" if spread is None else f"± {spread:.2g}",
            }
        )
    names = (view.t("From"), view.t("Stack less fuel"), "U (k = 2)")
    return bars_with_u(rows, theme=theme, unit="%", names=names)
