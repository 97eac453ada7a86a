"""失准更换: check orders as pages, findings and the overview show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.audit.asking import Asking, Sources
from gateway.domain.errors import UnknownObjectError
from gateway.registry.replacing import CheckOrder, orders_of

OPEN_ORDER = "replacement.open"
"""The rule by which an open order stands among the findings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """A step on record; instants in µs UTC."""

    step: str
    seq: int
    recorded_us: int
    done_us: int
    actor: str
    reason: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """A check order. ``next_steps``: what may be recorded now; ``outcome``: pass, fail, blank before the result."""

    id: str
    point: str
    point_name_zh: str
    point_name_en: str
    instrument: str
    installation: str
    state: str
    open: bool
    outcome: str
    evidence: Sequence[str]
    next_steps: Sequence[str]
    steps: Sequence[StepView]
    ordered_us: int


def replacements(
    sources: Sources, asking: Asking, *, only_open: bool = False, instrument: str = "", point: str = ""
) -> list[OrderView]:
    """Orders given by the moment, as known then: open ones first, newest first. Steps done later are left out."""
    found = [
        _view(sources, asking, order)
        for order in orders_of(sources.registry, asking.organisation, asking.known_seq).values()
        if order.steps[0].when_us <= asking.as_of_us
        if (not instrument or instrument in _instruments(order)) and (not point or order.point == point)
    ]
    listed = [each for each in found if each.open or not only_open]
    return sorted(listed, key=lambda each: (not each.open, -each.ordered_us, each.id))


def replacement(sources: Sources, asking: Asking, id_: str) -> OrderView:
    """One order; UnknownObjectError when there was none of that id."""
    found = next((each for each in replacements(sources, asking) if each.id == id_), None)
    if found is None:
        raise UnknownObjectError("there is no check order '%(id)s'", id=id_)
    return found


def _instruments(order: CheckOrder) -> set[str]:
    """The meter it is about, and the one put up."""
    return {order.instrument, *(str(each.facts.get("instrument") or "") for each in order.steps)}


def _view(sources: Sources, asking: Asking, order: CheckOrder) -> OrderView:
    done = CheckOrder(order.id, order.point, order.instrument, order.installation, order.evidence)
    done.steps = [each for each in order.steps if each.when_us <= asking.as_of_us]
    point = sources.registry.object(asking.organisation, "point", order.point, asking.as_of_us, asking.known_seq)
    names = point.object if point is not None else {}
    return OrderView(
        id=order.id,
        point=order.point,
        point_name_zh=str(names.get("name_zh") or ""),
        point_name_en=str(names.get("name_en") or ""),
        instrument=order.instrument,
        installation=order.installation,
        state=str(done.state),
        open=done.open,
        outcome=done.outcome,
        evidence=order.evidence,
        next_steps=[str(each) for each in done.next_steps],
        steps=[
            StepView(
                step=str(each.step),
                seq=each.seq,
                recorded_us=each.at_us,
                done_us=each.when_us,
                actor=each.actor,
                reason=each.reason,
                facts={name: value for name, value in each.facts.items() if name not in {"when", "evidence"}},
            )
            for each in done.steps
        ],
        ordered_us=order.steps[0].when_us,
    )
