"""A meter taken down and another put up (失准更换): the old installation closed, the new one opened, in one commit."""

from dataclasses import dataclass
from typing import Any

from gateway.domain.errors import UnknownObjectError
from gateway.journal.entry import Draft
from gateway.registry.importing import LedgerState
from gateway.registry.recording import object_draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What was done at a point at ``at_us`` (µs UTC). Indexes are decimal text in the channel's unit, as read off."""

    point: str
    at_us: int
    closing_index: str
    opening_index: str
    instrument: str
    people: str
    seal: str = ""
    ct_ratio: str | None = None  # None: as before
    pt_ratio: str | None = None


def exchange_drafts(
    state: LedgerState, organisation: str, exchange: Exchange, *, recorded_us: int, actor: str, reason: str
) -> list[Draft]:
    """The two entries.

    UnknownObjectError when the point has no meter then, or the new instrument is not on record or is fitted elsewhere.
    """
    if not state.has("instrument", exchange.instrument):
        raise UnknownObjectError(
            "instrument '%(id)s' is not on record; import it with its certificate first", id=exchange.instrument
        )
    old_id, old = _fitted(state, exchange)
    closed = {**old.object, "closing_index": exchange.closing_index}
    opened: dict[str, Any] = {name: value for name, value in old.object.items() if name != "closing_index"}
    opened |= {
        "instrument": exchange.instrument,
        "opening_index": exchange.opening_index,
        "people": exchange.people,
        "seal": exchange.seal,
    }
    for name, ratio in (("ct_ratio", exchange.ct_ratio), ("pt_ratio", exchange.pt_ratio)):
        if ratio is not None:
            opened[name] = ratio
    opened = {name: value for name, value in opened.items() if value != ""}

    def draft(id_: str, document: dict[str, Any], from_us: int | None, to_us: int | None) -> Draft:
        return object_draft(
            "installation",
            organisation,
            id_,
            document,
            at_us=recorded_us,
            from_us=from_us,
            to_us=to_us,
            actor=actor,
            reason=reason,
            source="exchange",
        )

    return [
        draft(old_id, closed, old.from_us, exchange.at_us),
        draft(free_installation_id(state, old_id), opened, exchange.at_us, old.to_us),
    ]


def _fitted(state: LedgerState, exchange: Exchange) -> tuple[str, Any]:
    """The meter installation in force at the point, with its id."""
    found = None
    for (kind, id_), versions in state.versions.items():
        newest = versions[-1]
        if kind != "installation" or newest.withdrawn or newest.object.get("role", "meter") != "meter":
            continue
        begun = newest.from_us is None or newest.from_us < exchange.at_us
        lasts = newest.to_us is None or exchange.at_us < newest.to_us
        if newest.object.get("point") == exchange.point and begun and lasts:
            found = (id_, newest)
        if newest.object.get("instrument") == exchange.instrument and newest.to_us is None:
            raise UnknownObjectError(
                "instrument '%(id)s' is still fitted elsewhere (%(other)s); record its dismounting first",
                id=exchange.instrument,
                other=id_,
            )
    if found is None:
        raise UnknownObjectError("point '%(id)s' has no meter at that time", id=exchange.point)
    return found


def free_installation_id(state: LedgerState, id_: str) -> str:
    """The id of the next installation at the same place: ``I1``, ``I1-2``, ``I1-3`` …"""
    number = 2
    while ("installation", f"{id_}-{number}") in state.versions:
        number += 1
    return f"{id_}-{number}"
