"""The balance of every node of the metering network, the virtual ones' parents included."""

from collections.abc import Iterator
from dataclasses import replace

from gateway.accounting.closure import NodeBalance, NodePart, judge
from gateway.accounting.quantities import Quantities
from gateway.domain.ledger import Direction, MeteringPoint


def balances(quantities: Quantities) -> Iterator[tuple[str, NodeBalance]]:
    """Every point that has children of its own energy kind, by id, with its judgement."""
    points = quantities.inputs.points
    children: dict[str, list[MeteringPoint]] = {}
    for point in points.values():
        parent = points.get(point.parent)
        if parent is not None and parent.id != point.id and parent.energy_kind == point.energy_kind:
            children.setdefault(parent.id, []).append(point)
    for name in sorted(children):
        unit = quantities.point(name).unit
        parts = [_part(quantities, each, unit) for each in sorted(children[name], key=lambda each: each.id)]
        # the parent is what is explained, whichever way it flows
        whole = replace(_part(quantities, points[name], unit), sign=1)
        losses = quantities.inputs.plan.losses.get(name)
        yield name, judge(whole, parts, quantities.effects, losses=losses)


def _part(quantities: Quantities, point: MeteringPoint, unit: str) -> NodePart:
    amount = quantities.inputs.amounts[point.id]
    found = quantities.point(point.id)
    metered = bool(amount.expected or amount.tickets or amount.value is not None)
    quantity = quantities.converted(found, unit, point.energy_kind) if metered else found
    return NodePart(
        point=point.id,
        sign=-1 if point.direction == Direction.OUT else 1,
        metered=metered,
        amount=quantity.estimate,
        coverage_permille=found.coverage_permille or 0,
    )
