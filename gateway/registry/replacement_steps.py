"""The steps of a replacement as entries: each checked against what is on record, refused with a sentence otherwise.

Wrong order, a register read by nobody, one pair of eyes, a meter that failed or hangs elsewhere: nothing is written.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.time import iso, local_date
from gateway.journal import canonical
from gateway.journal.entry import Draft
from gateway.registry.exchanging import free_installation_id
from gateway.registry.recording import MAX_ID_LENGTH, object_draft
from gateway.registry.replacement_checks import (
    ReplacementRefusedError,
    Stepping,
    certificate_of,
    fitted_now,
    outcome_of,
    require_two,
    require_usable,
)
from gateway.registry.replacing import KIND, CheckOrder, ReplacementBook, Step

MAX_EVIDENCE = 50
MAX_TEXT = 1_000


def open_check_order(
    book: ReplacementBook,
    *,
    point: str = "",
    instrument: str = "",
    evidence: Sequence[str],
    actor: str,
    reason: str,
    at_us: int,
) -> Draft:
    """The entry of a new check order about the meter fitted at ``point``, or about ``instrument`` where it hangs.

    ``evidence``: what speaks against the meter, as people read it: entry numbers, statistics, sentences.

    Raises:
        UnknownObjectError: no such point or instrument, or no meter hangs there now.
        ReplacementRefusedError: nobody or no reason named, or an order about that meter is open already.
    """
    if not actor.strip() or not reason.strip():
        raise ReplacementRefusedError("a check order names who gives it and why")
    installation, fitted = fitted_now(book, point, instrument, at_us)
    already = book.open_order(instrument=str(fitted["instrument"]))
    if already is not None:
        raise ReplacementRefusedError(
            "check order %(order)s about instrument '%(id)s' is open already",
            order=already.id,
            id=str(fitted["instrument"]),
        )
    said = [each.strip()[:MAX_TEXT] for each in evidence if each.strip()][:MAX_EVIDENCE]
    facts = {
        "point": str(fitted.get("point") or ""),
        "instrument": str(fitted["instrument"]),
        "installation": installation,
        "evidence": said,
        "when": at_us,
    }
    id_ = _free_id(book, str(fitted["instrument"]), at_us)
    return _entry(book, id_, Step.ORDERED, facts, Stepping(at_us=at_us, when_us=at_us, actor=actor, reason=reason))


def dismount(
    book: ReplacementBook, id_: str, by: Stepping, *, closing_index: str, people: str, seal: str = ""
) -> list[Draft]:
    """The meter came down: its closing index as read off, who was there, the seal found."""
    order = _ready(book, id_, Step.DISMOUNTED, by)
    require_two(people)
    version = book.ledger.versions["installation", order.installation][-1]
    if version.withdrawn or (version.to_us is not None and version.to_us <= by.when_us):
        raise ReplacementRefusedError(
            "installation '%(id)s' has ended already; the meter is not hanging there", id=order.installation
        )
    if version.from_us is not None and version.from_us >= by.when_us:
        raise ReplacementRefusedError("installation '%(id)s' began only after that", id=order.installation)
    facts = {"closing_index": closing_index, "people": people, "seal": seal}
    closed = {**version.object, "closing_index": closing_index}
    return [
        _entry(book, id_, Step.DISMOUNTED, facts, by),
        _installation(book, order.installation, closed, (version.from_us, by.when_us), by, order.id),
    ]


def send(book: ReplacementBook, id_: str, by: Stepping, *, laboratory: str) -> list[Draft]:
    """The meter went to a laboratory."""
    _ready(book, id_, Step.SENT, by)
    if not laboratory.strip():
        raise ReplacementRefusedError("name the laboratory the meter went to")
    return [_entry(book, id_, Step.SENT, {"laboratory": laboratory.strip()}, by)]


def enter_result(book: ReplacementBook, id_: str, by: Stepping, *, certificate: str, zone: ZoneInfo) -> list[Draft]:
    """What the laboratory found, by a certificate on record: its verdict is the outcome, nobody's word beside it."""
    order = _ready(book, id_, Step.RESULT, by)
    found = certificate_of(book, certificate)
    if found.get("instrument") != order.instrument:
        raise ReplacementRefusedError(
            "certificate '%(number)s' is about instrument '%(other)s', the order about '%(id)s'",
            number=certificate,
            other=str(found.get("instrument") or ""),
            id=order.instrument,
        )
    down = order.taken(Step.DISMOUNTED)
    assert down is not None, "a result needs a meter that was sent away"
    performed = str(found.get("performed_on") or "")
    if performed < local_date(down.when_us, zone).isoformat():
        raise ReplacementRefusedError(
            "certificate '%(number)s' was performed on %(on)s, before the meter came down",
            number=certificate,
            on=performed or "-",
        )
    outcome = outcome_of(certificate, found)
    facts = {"certificate": certificate, "outcome": outcome, "as_found": str(found.get("as_found_result") or "")}
    return [_entry(book, id_, Step.RESULT, facts, by)]


def fit(
    book: ReplacementBook,
    id_: str,
    by: Stepping,
    *,
    instrument: str,
    opening_index: str,
    seal: str,
    people: str,
    zone: ZoneInfo,
    ct_ratio: str | None = None,
    pt_ratio: str | None = None,
) -> list[Draft]:
    """A spare, or the same meter after it passed, went up: opening index, seal, two people. A new counter epoch."""
    order = _ready(book, id_, Step.FITTED, by)
    require_two(people)
    if not seal.strip():
        raise ReplacementRefusedError("a meter is put up under a seal; name its number")
    if instrument == order.instrument and order.outcome != "pass":
        raise ReplacementRefusedError(
            "instrument '%(id)s' may hang again only after a certificate says that it passed", id=instrument
        )
    result = order.taken(Step.RESULT)
    if instrument == order.instrument and result is not None and by.when_us < result.when_us:
        raise ReplacementRefusedError(
            "it cannot have been done before the step before it (%(at)s)", at=iso(result.when_us)
        )
    require_usable(book, instrument, local_date(by.when_us, zone), by)
    before = book.ledger.versions["installation", order.installation][-1]
    opened: dict[str, Any] = {name: each for name, each in before.object.items() if name != "closing_index"}
    opened |= {"instrument": instrument, "opening_index": opening_index, "people": people, "seal": seal.strip()}
    opened |= {name: each for name, each in (("ct_ratio", ct_ratio), ("pt_ratio", pt_ratio)) if each is not None}
    new_id = free_installation_id(book.ledger, order.installation)
    facts = {
        "instrument": instrument,
        "installation": new_id,
        "opening_index": opening_index,
        "seal": seal.strip(),
        "people": people,
    }
    opened = {name: each for name, each in opened.items() if each != ""}
    return [
        _entry(book, id_, Step.FITTED, facts, by),
        _installation(book, new_id, opened, (by.when_us, None), by, order.id),
    ]


def close(book: ReplacementBook, id_: str, by: Stepping) -> list[Draft]:
    """Nothing is left to do."""
    _ready(book, id_, Step.CLOSED, by)
    return [_entry(book, id_, Step.CLOSED, {}, by)]


def cancel(book: ReplacementBook, id_: str, by: Stepping) -> list[Draft]:
    """The order is taken back before anything was done."""
    _ready(book, id_, Step.CANCELLED, by)
    return [_entry(book, id_, Step.CANCELLED, {}, by)]


# -- what must be so

_FOLLOWS = {
    Step.SENT: (Step.DISMOUNTED,),
    Step.RESULT: (Step.SENT,),
    Step.FITTED: (Step.DISMOUNTED,),
    Step.CLOSED: (Step.RESULT, Step.FITTED),
}


def _ready(book: ReplacementBook, id_: str, step: Step, by: Stepping) -> CheckOrder:
    """The order, when the step may be taken now; refused with what is missing otherwise."""
    order = book.order(id_)
    if not by.actor.strip() or not by.reason.strip():
        raise ReplacementRefusedError("every step names who took it and why")
    if not order.open:
        raise ReplacementRefusedError("check order %(order)s is finished; nothing can be added to it", order=id_)
    done = order.taken(step)
    if done is not None:
        raise ReplacementRefusedError("that step is on record already, as entry %(seq)s", seq=str(done.seq))
    if step not in order.next_steps:
        raise _too_early(order, step)
    # a meter may have come down before anybody wrote the order; everything else follows what came before it
    before = [] if step in {Step.DISMOUNTED, Step.CANCELLED} else [order.taken(each) for each in _FOLLOWS[step]]
    last_us = max((each.when_us for each in before if each is not None), default=by.when_us)
    if by.when_us < last_us:
        raise ReplacementRefusedError("it cannot have been done before the step before it (%(at)s)", at=iso(last_us))
    if by.when_us > by.at_us:
        raise ReplacementRefusedError("it cannot be put on record before it is done (%(at)s)", at=iso(by.when_us))
    return order


def _too_early(order: CheckOrder, step: Step) -> ReplacementRefusedError:
    if step is Step.CANCELLED:
        return ReplacementRefusedError(
            "the meter is down already: check order %(order)s can only be closed", order=order.id
        )
    if order.taken(Step.DISMOUNTED) is None:
        return ReplacementRefusedError("first record that the meter came down, with its closing index")
    if step is Step.RESULT:
        return ReplacementRefusedError("first record that the meter was sent to a laboratory")
    if order.taken(Step.RESULT) is None:
        return ReplacementRefusedError("first record the laboratory's result")
    return ReplacementRefusedError("first record which meter was put up, with its opening index")


# -- entries


def _entry(book: ReplacementBook, id_: str, step: Step, facts: Mapping[str, Any], by: Stepping) -> Draft:
    said = {name: each for name, each in facts.items() if each != ""}
    # what people type may come in another Unicode form than entries have
    body = canonical.plain(
        {
            "action": f"{KIND}.{step}",
            "actor": by.actor,
            "reason": by.reason,
            "object": {**said, "when": by.when_us},
        }
    )
    return Draft(KIND, f"{book.organisation}/{KIND}/{id_}", by.at_us, body)


def _installation(  # noqa: PLR0917  # the one caller's shape
    book: ReplacementBook,
    id_: str,
    document: Mapping[str, Any],
    span: tuple[int | None, int | None],
    by: Stepping,
    order: str,
) -> Draft:
    return object_draft(
        "installation",
        book.organisation,
        id_,
        document,
        at_us=by.at_us,
        from_us=span[0],
        to_us=span[1],
        actor=by.actor,
        reason=by.reason,
        source=f"{KIND}:{order}",
    )


def _free_id(book: ReplacementBook, instrument: str, at_us: int) -> str:
    """``<instrument>-<day>`` in UTC, with a number where that order exists."""
    base = f"{instrument[: MAX_ID_LENGTH - 20]}-{iso(at_us)[:10].replace('-', '')}"
    number = 1
    while (id_ := base if number == 1 else f"{base}-{number}") in book.orders:
        number += 1
    return id_
