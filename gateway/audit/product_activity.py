"""碳足迹核算: activity data per product, which a product's carbon footprint is made from."""

from dataclasses import dataclass

from gateway.accounting.account import PRIMARY
from gateway.accounting.quantity import Quantity
from gateway.audit.accounts import FigureFact, account_of, figure_fact, line_fact
from gateway.audit.asking import Asking, Sources
from gateway.domain.time import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRow:
    """One item of a product's activity data. ``role``: ``output``, ``energy``, ``coal`` (standard coal), ``activity``,
    ``emission``. ``per_unit`` is the item for one tonne of product, with its own U.
    """

    product: str
    role: str
    item: str
    amount: FigureFact
    per_unit: FigureFact | None


def product_activity(sources: Sources, asking: Asking, period: Period) -> list[ActivityRow]:
    """Activity data per product with U (碳足迹核算): output, energy, standard coal, activity and emission of sources.

    Everything is the whole plant's: where a plan has several products nothing is allocated among them.
    """
    made = account_of(sources, asking, period)
    rows = []
    for product in made.inputs.plan.products:
        output = made.lines[f"product/{product.id}"].quantity
        rows.append(
            ActivityRow(
                product=product.id,
                role="output",
                item=product.name,
                amount=line_fact(made, f"product/{product.id}"),
                per_unit=None,
            )
        )
        items: list[tuple[str, str, Quantity]] = []
        items += [
            ("energy", name.rpartition("/")[2], made.lines[name].quantity)
            for name in made.lines
            if name.startswith("energy/kind/")
        ]
        items += [
            ("coal", basis, made.lines[f"{basis}/total"].quantity)
            for basis in ("tce", PRIMARY)
            if f"{basis}/total" in made.lines
        ]
        items += [
            ("consumed", basis, made.lines[f"{basis}/consumed"].quantity)
            for basis in ("tce", PRIMARY)
            if f"{basis}/consumed" in made.lines
        ]
        for source in made.inputs.plan.sources:
            activity = made.workings[source.id].activity
            if activity is not None:
                items.append(("activity", source.name, activity))
            items.append(("emission", source.name, made.lines[f"carbon/source/{source.id}"].quantity))
        for role, item, quantity in items:
            unit = f"{quantity.unit}/{output.unit}"
            rows.append(
                ActivityRow(
                    product=product.id,
                    role=role,
                    item=item,
                    amount=figure_fact(f"{role}/{item}", quantity.figure(made.effects)),
                    per_unit=figure_fact(f"{role}/{item}/unit", quantity.over(output, unit).figure(made.effects)),
                )
            )
    return rows
