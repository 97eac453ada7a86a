"""Rows of readings, tickets and invoices to entries: duplicates refused, what is on record already left out."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from gateway.journal.entry import Draft
from gateway.journal.journal import MAX_PAGE_ENTRIES, Journal
from gateway.registry.reading_files import LedgerProblem, LedgerRow
from gateway.registry.writing import split_subject

Known = dict[tuple[str, str], Mapping[str, Any]]
"""By point and number (tickets, invoices) or instant (readings): the object on record."""


def entered_before(journal: Journal, organisation: str, kind: str) -> Known:
    """What is on record of a kind, withdrawn ones left out."""
    known: Known = {}
    seq = 0
    while page := journal.read(seq, MAX_PAGE_ENTRIES, kinds=(kind,)):
        for entry in page:
            owner, _, point = split_subject(entry.subject)
            body = entry.body
            if owner == organisation:
                key = (point, _mark(body["object"]))
                if body.get("withdrawn"):
                    known.pop(key, None)
                else:
                    known[key] = body["object"]
        seq = page[-1].seq
    return known


def check_entered(rows: Sequence[LedgerRow], known: Known) -> list[LedgerProblem]:
    """Numbers used twice with other contents, tickets whose masses do not add up, registers that fall."""
    problems: list[LedgerProblem] = []
    seen: Known = dict(known)
    for row in rows:
        document = _document(row)
        key = (row.id, _mark(document))
        other = seen.setdefault(key, document)
        if dict(other) != document:
            facts = {"number": key[1]}
            message = "'%(number)s' is on record already with other contents; withdraw that first"
            problems.append(LedgerProblem(row.file, row.row, 0, message, facts))
        if row.kind == "batch":
            problems += _masses(row)
        if row.kind == "invoice" and row.from_us is not None and row.to_us is None:
            problems.append(LedgerProblem(row.file, row.row, 0, "it has no end"))
    return problems


def drafts_for_entered(
    rows: Sequence[LedgerRow], known: Known, organisation: str, *, at_us: int, actor: str, reason: str
) -> list[Draft]:
    """Entries for the rows that are not on record."""
    drafts = []
    done = dict(known)
    for row in rows:
        document = _document(row)
        key = (row.id, _mark(document))
        if key not in done:
            done[key] = document
            said = {"actor": actor, "reason": reason, "source": row.source, "withdrawn": 0}
            drafts.append(Draft(row.kind, f"{organisation}/point/{row.id}", at_us, {"object": document, **said}))
    return drafts


def _document(row: LedgerRow) -> dict[str, Any]:
    document: dict[str, Any] = dict(row.object)
    if row.kind == "invoice":
        document |= {"from": row.from_us, "to": row.to_us}
    return document


def _mark(document: Mapping[str, Any]) -> str:
    return str(document["number"] if "number" in document else document["at"])


def _masses(row: LedgerRow) -> list[LedgerProblem]:
    gross, tare, net = (row.object.get(name) for name in ("gross", "tare", "net"))
    if net is None and (gross is None or tare is None):
        return [LedgerProblem(row.file, row.row, 0, "a ticket needs a net mass, or gross and tare")]
    if None not in {gross, tare, net} and Decimal(str(gross)) - Decimal(str(tare)) != Decimal(str(net)):
        return [LedgerProblem(row.file, row.row, 0, "net is not gross minus tare")]
    return []
