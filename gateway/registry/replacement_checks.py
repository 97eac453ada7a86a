"""What must be so before a step of a replacement is put on record; each refusal says what is missing first."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from gateway.domain.errors import MeterproofError, UnknownObjectError
from gateway.registry.replacing import ReplacementBook

_PEOPLE = re.compile(r"[、,，;；/&+]| and |和")


class ReplacementRefusedError(MeterproofError):
    """The step cannot be put on record; the sentence says what is missing first."""

    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepping:
    """Who records a step, when (``at_us``), why; ``when_us`` is when it was done in the world (µs UTC)."""

    at_us: int
    when_us: int
    actor: str
    reason: str


def require_two(people: str) -> None:
    """Two different names."""
    if len({each.strip() for each in _PEOPLE.split(people) if each.strip()}) < 2:
        raise ReplacementRefusedError("two people take a meter down or put it up; name both")


def certificate_of(book: ReplacementBook, number: str) -> Mapping[str, Any]:
    """A certificate on record; UnknownObjectError when there is none."""
    if not book.ledger.has("certificate", number):
        raise UnknownObjectError("no certificate '%(number)s' is on record", number=number)
    return book.ledger.versions["certificate", number][-1].object


def outcome_of(number: str, certificate: Mapping[str, Any]) -> str:
    """``pass`` or ``fail``; refused where it gives no verdict (校准 without 计量确认)."""
    said = {certificate.get("result"), certificate.get("confirmed_result")}
    if certificate.get("kind") == "rejection_notice" or "fail" in said:
        return "fail"
    if "pass" in said:
        return "pass"
    raise ReplacementRefusedError(
        "'%(number)s' gives no verdict; confirm it against the requirement of its use first", number=number
    )


def require_usable(book: ReplacementBook, instrument: str, day: date, by: Stepping) -> None:
    """On record, hanging nowhere, not taken out of use, with a certificate that holds on that day."""
    if not book.ledger.has("instrument", instrument):
        raise UnknownObjectError(
            "instrument '%(id)s' is not on record; import it with its certificate first", id=instrument
        )
    ledger = book.ledger.versions
    for (kind, id_), versions in ledger.items():
        fitted = versions[-1]
        hangs = kind == "installation" and not fitted.withdrawn and fitted.object.get("instrument") == instrument
        if hangs and (fitted.to_us is None or fitted.to_us > by.when_us):
            raise ReplacementRefusedError(
                "instrument '%(id)s' is still fitted elsewhere (%(other)s); record its dismounting first",
                id=instrument,
                other=id_,
            )
    certificates = [
        (str(found.get("performed_on") or ""), number)
        for (kind, number), versions in ledger.items()
        if kind == "certificate" and not versions[-1].withdrawn
        if (found := versions[-1].object).get("instrument") == instrument
    ]
    performed = sorted(each for each in certificates if each[0] <= day.isoformat())
    if not performed:
        raise ReplacementRefusedError("instrument '%(id)s' has no certificate; it must not be put up", id=instrument)
    number = performed[-1][1]
    newest = ledger["certificate", number][-1].object
    if "fail" in {newest.get("result"), newest.get("confirmed_result")} or newest.get("kind") == "rejection_notice":
        raise ReplacementRefusedError(
            "instrument '%(id)s' failed by certificate '%(number)s'; it must not be put up",
            id=instrument,
            number=number,
        )
    until = str(newest.get("valid_until") or "")
    if until and until < day.isoformat():
        raise ReplacementRefusedError(
            "the certificate '%(number)s' of instrument '%(id)s' ended on %(until)s; it must not be put up",
            id=instrument,
            number=number,
            until=until,
        )


def fitted_now(book: ReplacementBook, point: str, instrument: str, at_us: int) -> tuple[str, Mapping[str, Any]]:
    """The meter installation in force, by the point or the instrument (both: both must agree)."""
    for kind, id_ in (("point", point), ("instrument", instrument)):
        if id_ and not book.ledger.has(kind, id_):
            raise UnknownObjectError("'%(id)s' is not on record as a %(kind)s", id=id_, kind=kind)
    for (kind, id_), versions in book.ledger.versions.items():
        newest = versions[-1]
        if kind != "installation" or newest.withdrawn:
            continue
        holds = (newest.from_us is None or newest.from_us <= at_us) and (newest.to_us is None or at_us < newest.to_us)
        at_point = not point or (newest.object.get("point") == point and newest.object.get("role", "meter") == "meter")
        named = not instrument or newest.object.get("instrument") == instrument
        if holds and at_point and named and (point or instrument):
            return id_, newest.object
    raise UnknownObjectError("no meter is fitted there now (%(point)s)", point=point or instrument or "-")
