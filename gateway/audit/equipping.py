"""Metering points and how they are equipped: the network as a tree, equipping rates (配备率) by energy kind and level.

Demand is what the ledger marks as to be measured (应配) and does not exempt; a standard's required rates are not here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import Due, civil
from gateway.audit.ledger import LedgerRow, ledger_rows
from gateway.audit.plant import PointFact, plant
from gateway.domain.ledger import MeteringPoint
from gateway.domain.ratio import class_rank


class Equipping(StrEnum):
    """已配, 应配未配, 免配, 非必配, 计划中."""

    EQUIPPED = "equipped"
    LACKING = "lacking"
    EXEMPT = "exempt"
    OPTIONAL = "optional"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPoint:
    """A point of the network with what is fitted there; ``class_suffices`` is None where that cannot be said."""

    depth: int
    point: MeteringPoint
    equipping: Equipping
    instrument: str
    accuracy_class: str
    class_suffices: bool | None
    due: Due | None
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EquippingRate:
    """配备率 of one energy kind at one level: ``equipped`` of ``demanded`` points have a meter."""

    energy_kind: str
    level: int
    demanded: int
    equipped: int
    class_known: int
    class_suffices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """All points, parents first, and the rates."""

    points: Sequence[NetworkPoint]
    rates: Sequence[EquippingRate]


def network(sources: Sources, asking: Asking) -> Network:
    """The points as of the moment."""
    there = plant(sources, asking)
    cards = {row.instrument.id: row for row in ledger_rows(sources, asking, there)}
    points = [_point(depth, fact, cards, asking.today) for depth, fact in there.walk()]
    keys = sorted({(each.point.energy_kind, each.point.level) for each in points})
    return Network(points=points, rates=[_rate(points, kind, level) for kind, level in keys])


def _point(depth: int, fact: PointFact, cards: dict[str, LedgerRow], today: date) -> NetworkPoint:
    card = cards.get(fact.meter.installation.instrument) if fact.meter else None
    accuracy = card.instrument.accuracy_class if card else ""
    return NetworkPoint(
        depth=depth,
        point=fact.point,
        equipping=_equipping(fact, today),
        instrument=fact.meter.installation.instrument if fact.meter else "",
        accuracy_class=accuracy,
        class_suffices=_suffices(accuracy, fact.point.required_class),
        due=card.due if card else None,
        device=fact.device,
    )


def _equipping(fact: PointFact, today: date) -> Equipping:
    commissioned = civil(fact.point.commissioned_on)
    if fact.meter is not None:
        return Equipping.EQUIPPED
    if commissioned is not None and commissioned > today:
        return Equipping.PLANNED
    if fact.point.exemption:
        return Equipping.EXEMPT
    return Equipping.LACKING if fact.point.must_measure else Equipping.OPTIONAL


def _suffices(accuracy_class: str, required: str) -> bool | None:
    got, wanted = class_rank(accuracy_class), class_rank(required)
    return None if got is None or wanted is None else got <= wanted


def _rate(points: Sequence[NetworkPoint], kind: str, level: int) -> EquippingRate:
    mine = [each for each in points if (each.point.energy_kind, each.point.level) == (kind, level)]
    demanded = [
        each for each in mine if each.point.must_measure and each.equipping in {Equipping.EQUIPPED, Equipping.LACKING}
    ]
    judged = [each for each in demanded if each.class_suffices is not None]
    return EquippingRate(
        energy_kind=kind,
        level=level,
        demanded=len(demanded),
        equipped=sum(each.equipping is Equipping.EQUIPPED for each in demanded),
        class_known=len(judged),
        class_suffices=sum(bool(each.class_suffices) for each in judged),
    )
