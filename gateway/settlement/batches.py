"""Reading what was entered or weighed: tickets, hand readings, invoices; and their share in a point's energy."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from gateway.domain.ledger import Installation
from gateway.domain.ratio import parse_ratio
from gateway.domain.time import US_PER_DAY, Period
from gateway.registry.record import Record
from gateway.settlement.entered import Ticket

MAX_ROWS = 200_000
_ALL = 2**62


@dataclass(frozen=True, slots=True)
class Weighing:
    """A ticket that counts, with its entry."""

    seq: int
    source: str
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class RefusedTicket:
    """The same number again with other contents; ``kept_seq`` is the entry that counts."""

    seq: int
    source: str
    number: str
    at_us: int
    net: Decimal
    kept_seq: int


@dataclass(frozen=True, slots=True)
class HandReading:
    """A register as a person read it: exact decimal in ``unit``, meter side."""

    seq: int
    at_us: int
    register: Decimal
    unit: str
    actor: str


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a supplier charged for a period. Compared with metering, never counted as metering."""

    seq: int
    number: str
    from_us: int
    to_us: int
    amount: Decimal
    unit: str
    price: str
    currency: str
    document: str
    actor: str


def tickets(
    db: sqlite3.Connection, organisation: str, source: str, period: Period, known_seq: int | None = None
) -> list[Weighing]:
    """Tickets of a source (``device/<id>``, ``point/<id>``) weighed in a period, as known then."""
    bound = _ALL if known_seq is None else known_seq
    rows = db.execute(
        "SELECT seq, source, number, at, net, gross, tare, unit, vehicle FROM batch WHERE organisation = ? "
        "AND source = ? AND at >= ? AND at < ? AND seq <= ? AND (withdrawn_seq IS NULL OR withdrawn_seq > ?) "
        "ORDER BY at, number LIMIT ?",
        (organisation, source, period.start_us, period.end_us, bound, bound, MAX_ROWS),
    ).fetchall()
    return [
        Weighing(seq, name, Ticket(number, at, Decimal(net), _decimal(gross), _decimal(tare), unit, vehicle))
        for seq, name, number, at, net, gross, tare, unit, vehicle in rows
    ]


def refused_tickets(db: sqlite3.Connection, organisation: str) -> list[RefusedTicket]:
    """Tickets that were refused because their number is taken, in order of record."""
    rows = db.execute(
        "SELECT seq, source, number, at, net, kept_seq FROM batch_refused WHERE organisation = ? ORDER BY seq LIMIT ?",
        (organisation, MAX_ROWS),
    ).fetchall()
    return [RefusedTicket(seq, source, number, at, Decimal(net), kept) for seq, source, number, at, net, kept in rows]


def hand_readings(
    db: sqlite3.Connection, organisation: str, point: str, known_seq: int | None = None
) -> list[HandReading]:
    """Readings by people at a point, by time; of one instant the one recorded last counts."""
    rows = db.execute(
        "SELECT seq, at, register, unit, actor, withdrawn FROM hand_reading WHERE organisation = ? AND point = ? "
        "AND seq <= ? ORDER BY at, seq LIMIT ?",
        (organisation, point, _ALL if known_seq is None else known_seq, MAX_ROWS),
    ).fetchall()
    newest = {at: (seq, at, register, unit, actor, withdrawn) for seq, at, register, unit, actor, withdrawn in rows}
    return [
        HandReading(seq, at, Decimal(register), unit, actor)
        for seq, at, register, unit, actor, withdrawn in newest.values()
        if not withdrawn
    ]


@dataclass(frozen=True, slots=True)
class EnteredAmounts:
    """Amounts from metering companies' files in a period: their sum, whether each was measured, and whether they cover
    the period. An amount of which only a part lies in the period counts evenly."""

    energy: Fraction
    unit: str
    good: bool
    whole: bool


def entered_amounts(
    db: sqlite3.Connection, organisation: str, point: str, period: Period, known_seq: int | None = None
) -> EnteredAmounts | None:
    """Entered amounts of a point in a period, as known then; None when there are none."""
    bound = _ALL if known_seq is None else known_seq
    rows = db.execute(
        "SELECT start, end, amount, unit, good FROM entered_amount WHERE organisation = ? AND point = ? AND "
        "start > ? AND start < ? AND end > ? AND seq <= ? AND (withdrawn_seq IS NULL OR withdrawn_seq > ?) "
        "ORDER BY start LIMIT ?",
        (organisation, point, period.start_us - US_PER_DAY, period.end_us, period.start_us, bound, bound, MAX_ROWS),
    ).fetchall()
    if not rows:
        return None
    energy, known_us, measured = Fraction(0), 0, True
    for start, end, amount, _unit, good in rows:
        inside = min(end, period.end_us) - max(start, period.start_us)
        if amount is not None:
            energy += Fraction(amount) * Fraction(inside, end - start)
            known_us += inside
            measured = measured and bool(good) and inside == end - start
    return EnteredAmounts(energy, rows[0][3], measured, known_us >= period.duration_us)


def invoices(db: sqlite3.Connection, organisation: str, point: str, known_seq: int | None = None) -> list[Invoice]:
    """Invoices about a point by period; of one number the one recorded last counts."""
    rows = db.execute(
        "SELECT seq, number, from_us, to_us, amount, unit, price, currency, document, actor, withdrawn FROM invoice "
        "WHERE organisation = ? AND point = ? AND seq <= ? ORDER BY seq LIMIT ?",
        (organisation, point, _ALL if known_seq is None else known_seq, MAX_ROWS),
    ).fetchall()
    newest = {row[1]: row for row in rows}
    found = [Invoice(*(*row[:4], Decimal(row[4]), *row[5:10])) for row in newest.values() if not row[10]]
    return sorted(found, key=lambda each: (each.from_us, each.number))


@dataclass(frozen=True, slots=True)
class HandShare:
    """Energy between two instants under one installation: exact, in the unit of the readings, ratio applied."""

    installation: int
    energy: Fraction


def hand_energy(
    readings: Sequence[HandReading], installed: Sequence[Record], period: Period
) -> tuple[list[HandShare], bool]:
    """Energy of a period from hand readings and the meters fitted then, and whether the period is wholly known.

    Between two readings of one meter the register is taken to rise evenly; declared indexes are readings too, and stand
    before what was read at that very instant, which may be of the meter before.
    """
    shares: list[HandShare] = []
    known_us = 0
    for record in installed:
        installation = record.read_as(Installation)
        life = (-_ALL if record.from_us is None else record.from_us, _ALL if record.to_us is None else record.to_us)
        points = [(each.at_us, Fraction(each.register)) for each in readings if life[0] <= each.at_us < life[1]]
        if installation.opening_index and record.from_us is not None:
            points = [each for each in points if each[0] > record.from_us]
            points.insert(0, (record.from_us, Fraction(installation.opening_index)))
        if installation.closing_index and record.to_us is not None:
            points.append((record.to_us, Fraction(installation.closing_index)))
        ratio = parse_ratio(installation.ct_ratio) * parse_ratio(installation.pt_ratio)
        energy = Fraction(0)
        for (at, register), (following, later) in pairwise(points):
            start, end = max(at, period.start_us), min(following, period.end_us)
            if start < end and later >= register:
                energy += (later - register) * (end - start) / (following - at)
                known_us += end - start
        if energy or points:
            shares.append(HandShare(record.seq, energy * ratio))
    return shares, known_us >= period.duration_us


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
