"""The activity of an account's sources graded by a law's tiers of uncertainty: a view that names its law."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.accounting.account import Account
from gateway.accounting.tiers import TierTable, tier
from gateway.domain.figure import decimal_text

TIER_OF_KIND = {
    "fuel_heat": "combustion_fuel",
    "fuel_mass": "combustion_fuel",
    "fuel_volume": "combustion_fuel",
    "carbonate": "carbonate_input",
}
"""Which row of a tier table grades the activity of a kind of source; others are not graded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierFact:
    """A source's activity graded by one law, which is always named."""

    source: str
    name: str
    law: str
    standing: str
    note: str
    graded_zh: str
    graded_en: str
    expanded_percent: float | None
    tier: int | None
    next_percent: str


def tiers_of(tables: Sequence[TierTable], made: Account) -> list[TierFact]:
    """Each graded source's activity by every law whose tables are at hand."""
    found = []
    for source in made.inputs.plan.sources:
        activity = made.workings[source.id].activity
        row = TIER_OF_KIND.get(source.kind)
        if row is None or activity is None:
            continue
        for table in tables:
            if table.id.rpartition("/")[2] != row:
                continue
            graded = tier(activity.figure(made.effects), table.limits, table.law)
            found.append(
                TierFact(
                    source=source.id,
                    name=source.name,
                    law=graded.law,
                    standing=table.standing,
                    note=table.note,
                    graded_zh=table.name_zh,
                    graded_en=table.name_en,
                    expanded_percent=graded.expanded_percent,
                    tier=graded.tier,
                    next_percent="" if graded.next_percent is None else decimal_text(graded.next_percent),
                )
            )
    return found
