"""失准更换 as an object with states: check order → dismounting → sent away → result → a meter put up → closed.

Every step is one entry of kind ``replacement`` and never changes an earlier one; what an order is now is the fold of
its entries. The index readings stand in the installations too, written in the same commit as their step.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from gateway.domain.errors import UnknownObjectError
from gateway.journal.journal import MAX_PAGE_ENTRIES, Journal
from gateway.registry.importing import LedgerState
from gateway.registry.registry import Registry
from gateway.registry.writing import split_subject

KIND = "replacement"
MAX_ORDERS = 10_000


class Step(StrEnum):
    """下达检定单, 拆表, 送检, 检定结果, 装表, 归档, 撤销."""

    ORDERED = "ordered"
    DISMOUNTED = "dismounted"
    SENT = "sent"
    RESULT = "result"
    FITTED = "fitted"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One step on record. ``when_us``: when it was done in the world, ``at_us`` when it was put on record (µs UTC)."""

    step: Step
    seq: int
    at_us: int
    when_us: int
    actor: str
    reason: str
    facts: Mapping[str, Any]


@dataclass(slots=True)
class CheckOrder:
    """One order: about the meter ``instrument`` that hung at ``point`` by ``installation`` when it was given."""

    id: str
    point: str
    instrument: str
    installation: str
    evidence: tuple[str, ...]
    steps: list[StepTaken] = field(default_factory=list)

    def taken(self, step: Step) -> StepTaken | None:
        """The step, None while it has not been taken."""
        return next((each for each in self.steps if each.step is step), None)

    @property
    def state(self) -> Step:
        """How far it is: the farthest step taken (a spare may hang before the result is known)."""
        steps = {each.step for each in self.steps}
        return max(steps, key=list(Step).index)

    @property
    def open(self) -> bool:
        """Whether something is left to do."""
        return self.state not in {Step.CLOSED, Step.CANCELLED}

    @property
    def outcome(self) -> str:
        """``pass`` or ``fail`` as the certificate says; blank before the result."""
        result = self.taken(Step.RESULT)
        return str(result.facts.get("outcome") or "") if result is not None else ""

    @property
    def next_steps(self) -> tuple[Step, ...]:
        """What may be recorded now, in the order of the work."""
        if not self.open:
            return ()
        if self.taken(Step.DISMOUNTED) is None:
            return (Step.DISMOUNTED, Step.CANCELLED)
        found = []
        if self.taken(Step.SENT) is None:
            found.append(Step.SENT)
        elif self.taken(Step.RESULT) is None:
            found.append(Step.RESULT)
        if self.taken(Step.FITTED) is None:
            found.append(Step.FITTED)
        if self.taken(Step.RESULT) is not None and self.taken(Step.FITTED) is not None:
            found.append(Step.CLOSED)
        return tuple(found)


@dataclass(slots=True)
class ReplacementBook:
    """All orders of an organisation beside the ledger they are about."""

    organisation: str
    ledger: LedgerState
    orders: dict[str, CheckOrder] = field(default_factory=dict)

    @classmethod
    def read(cls, journal: Journal, organisation: str) -> Self:
        """From the journal itself, up to its head: for commands that append next."""
        book = cls(organisation, LedgerState.read(journal, organisation))
        seq = 0
        while page := journal.read(seq, MAX_PAGE_ENTRIES, kinds=(KIND,)):
            for entry in page:
                owner, _, id_ = split_subject(entry.subject)
                if owner == organisation:
                    book._take(id_, entry.seq, entry.at_us, entry.body)
            seq = page[-1].seq
        return book

    @classmethod
    def of(cls, registry: Registry, organisation: str, known_seq: int | None = None) -> Self:
        """From the projection, as known then: for pages, findings and watches."""
        book = cls(organisation, LedgerState.of(registry, organisation, known_seq))
        book.orders = orders_of(registry, organisation, known_seq)
        return book

    def order(self, id_: str) -> CheckOrder:
        """The order; UnknownObjectError when there is none of that id."""
        found = self.orders.get(id_)
        if found is None:
            raise UnknownObjectError("there is no check order '%(id)s'", id=id_)
        return found

    def open_order(self, *, instrument: str = "", point: str = "") -> CheckOrder | None:
        """The open order about an instrument or a point, None when nothing is under way."""
        return next(
            (
                each
                for each in self.orders.values()
                if each.open and ((instrument and each.instrument == instrument) or (point and each.point == point))
            ),
            None,
        )

    def _take(self, id_: str, seq: int, at_us: int, body: Mapping[str, Any]) -> None:
        _take(self.orders, id_, seq, at_us, body)


def orders_of(registry: Registry, organisation: str, known_seq: int | None = None) -> dict[str, CheckOrder]:
    """Every order as known then, by id, oldest first; at most ``MAX_ORDERS`` steps are read a time."""
    orders: dict[str, CheckOrder] = {}
    seq = 0
    while page := registry.events(organisation, after_seq=seq, kind=KIND, limit=MAX_ORDERS):
        for event in page:
            if known_seq is None or event.seq <= known_seq:
                _take(orders, split_subject(event.subject)[2], event.seq, event.at_us, event.body)
        seq = page[-1].seq
    return orders


def _take(orders: dict[str, CheckOrder], id_: str, seq: int, at_us: int, body: Mapping[str, Any]) -> None:
    """Fold one entry in. One that does not fit (by another program, another version) is passed over."""
    step, facts = str(body.get("action") or "").removeprefix(f"{KIND}."), body.get("object")
    if step not in set(Step) or not isinstance(facts, Mapping):
        return
    if step == Step.ORDERED:
        if id_ in orders:
            return
        point, instrument, installation = (
            str(facts.get(each) or "") for each in ("point", "instrument", "installation")
        )
        orders[id_] = CheckOrder(id_, point, instrument, installation, _texts(facts.get("evidence")))
    order = orders.get(id_)
    if order is None or order.taken(Step(step)) is not None:
        return
    when = facts.get("when")
    order.steps.append(
        StepTaken(
            Step(step),
            seq,
            at_us,
            when if isinstance(when, int) else at_us,
            str(body.get("actor") or ""),
            str(body.get("reason") or ""),
            facts,
        )
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, Iterable) and not isinstance(value, str) else ()
