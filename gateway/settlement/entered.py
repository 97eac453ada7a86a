"""What no counter brings: weighing tickets (sent or entered), registers read by people, invoices.

Entries by people carry actor, reason and source like everything else; a withdrawal is another entry.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.domain.quality import Flag, Status, word

ENTERED_KINDS = frozenset({"batch", "manual", "invoice"})
_INCONSISTENT = word(Status.UNCERTAIN, Flag.CROSS_CHANNEL)


@dataclass(frozen=True, slots=True)
class TicketLayout:
    """Where the parts of a weighing ticket stand in a group's values; None where the group has none."""

    number: int
    net: int
    gross: int | None
    tare: int | None
    vehicle: int | None
    decimals: Mapping[int, int]
    unit: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """One weighing: masses as exact decimals in ``unit``, at the instant of weighing (µs UTC)."""

    number: str
    at_us: int
    net: Decimal
    gross: Decimal | None
    tare: Decimal | None
    unit: str
    vehicle: str

    @property
    def quality(self) -> int:
        """Uncertain when net is not gross minus tare."""
        if self.gross is None or self.tare is None or self.gross - self.tare == self.net:
            return 0
        return _INCONSISTENT


def ticket_of(layout: TicketLayout, at_us: int, values: tuple[int | str | None, ...]) -> Ticket | None:
    """The ticket in a sample; None when it has no number or no net mass."""
    number, net = values[layout.number], values[layout.net]
    if number is None or not str(number).strip() or not isinstance(net, int):
        return None

    def mass(position: int | None) -> Decimal | None:
        value = values[position] if position is not None else None
        return (
            Decimal(value).scaleb(-layout.decimals[position])
            if isinstance(value, int) and position is not None
            else None
        )

    vehicle = values[layout.vehicle] if layout.vehicle is not None else None
    return Ticket(
        str(number).strip(),
        at_us,
        Decimal(net).scaleb(-layout.decimals[layout.net]),
        mass(layout.gross),
        mass(layout.tare),
        layout.unit,
        str(vehicle or ""),
    )


class EnteredTables:
    """The tables of tickets, hand readings and invoices, inside the settlement projection's batch."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def ticket(self, seq: int, organisation: str, source: str, ticket: Ticket) -> None:
        """A ticket. The same one again changes nothing; another one under the same number is refused and kept apart."""
        row = self._db.execute(
            "SELECT seq, at, net FROM batch WHERE organisation = ? AND source = ? AND number = ? "
            "AND withdrawn_seq IS NULL",
            (organisation, source, ticket.number),
        ).fetchone()
        if row is not None:
            if (row[1], Decimal(row[2])) != (ticket.at_us, ticket.net):
                self._db.execute(
                    "INSERT OR IGNORE INTO batch_refused VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (seq, organisation, source, ticket.number, ticket.at_us, _text(ticket.net), row[0]),
                )
            return
        masses = (_text(ticket.gross), _text(ticket.tare), _text(ticket.net))
        self._db.execute(
            "INSERT OR REPLACE INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (
                organisation,
                source,
                ticket.number,
                seq,
                ticket.at_us,
                *masses,
                ticket.unit,
                ticket.vehicle,
                ticket.quality,
            ),
        )

    def apply(self, seq: int, kind: str, organisation: str, point: str, body: Mapping[str, Any]) -> None:
        """An entry made by a person about a point: ``batch``, ``manual`` or ``invoice``."""
        given, withdrawn = body["object"], int(body.get("withdrawn") or 0)
        actor = str(body.get("actor") or "")
        if kind == "batch":
            self._batch(seq, organisation, f"point/{point}", given, withdrawn=bool(withdrawn))
        elif kind == "manual" and "amounts" in given:
            self._amounts(seq, organisation, point, given, withdrawn=bool(withdrawn))
        elif kind == "manual":
            self._db.execute(
                "INSERT OR REPLACE INTO hand_reading VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (seq, organisation, point, given["at"], given["register"], given.get("unit") or "", actor, withdrawn),
            )
        elif kind == "invoice":
            said = [str(given.get(name) or "") for name in ("amount", "unit", "price", "currency", "document")]
            span = (given["from"], given["to"])
            self._db.execute(
                "INSERT OR REPLACE INTO invoice VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (seq, organisation, point, given["number"], *span, *said, actor, withdrawn),
            )

    def _amounts(self, seq: int, organisation: str, point: str, given: Mapping[str, Any], *, withdrawn: bool) -> None:
        """Amounts of intervals in a row; measured ones carry the quality ``A``."""
        start, step = int(given["from"]), int(given["step"])  # an entry has integers beyond 2^53 as text
        amounts, quality = given["amounts"].split(";"), given["quality"].split(";")
        if withdrawn:
            self._db.execute(
                "UPDATE entered_amount SET withdrawn_seq = ? WHERE organisation = ? AND point = ? AND start >= ? AND "
                "start < ? AND withdrawn_seq IS NULL",
                (seq, organisation, point, start, start + step * len(amounts)),
            )
            return
        if len(quality) != len(amounts):
            quality = quality[:1] * len(amounts)
        unit = str(given.get("unit") or "")
        self._db.executemany(
            "INSERT OR REPLACE INTO entered_amount VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            [
                (
                    *(organisation, point, start + place * step, start + (place + 1) * step, seq),
                    *(amount or None, unit, int(said == "A")),
                )
                for place, (amount, said) in enumerate(zip(amounts, quality, strict=True))
            ],
        )

    def _batch(self, seq: int, organisation: str, source: str, given: Mapping[str, Any], *, withdrawn: bool) -> None:
        if withdrawn:
            self._db.execute(
                "UPDATE batch SET withdrawn_seq = ? WHERE organisation = ? AND source = ? AND number = ? "
                "AND withdrawn_seq IS NULL",
                (seq, organisation, source, given["number"]),
            )
            return
        net, gross, tare = (_decimal(given.get(name)) for name in ("net", "gross", "tare"))
        if net is None and gross is not None and tare is not None:
            net = gross - tare
        if net is not None:
            vehicle = str(given.get("vehicle") or "")
            ticket = Ticket(str(given["number"]), given["at"], net, gross, tare, str(given.get("unit") or ""), vehicle)
            self.ticket(seq, organisation, source, ticket)


def _decimal(text: object) -> Decimal | None:
    try:
        return Decimal(str(text)) if text not in {None, ""} else None
    except InvalidOperation:
        return None


def _text(number: Decimal | None) -> str | None:
    return None if number is None else format(number, "f")
