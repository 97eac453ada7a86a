"""Rows of readings, tickets and invoices to entries: duplicates refused, what is on record already left out.

What was entered wrongly is taken back by its own file: another entry says so, and the first one stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any
from unicodedata import normalize

from gateway.journal.entry import Draft
from gateway.journal.journal import MAX_PAGE_ENTRIES, Journal
from gateway.registry.importing import LedgerState
from gateway.registry.reading_files import LedgerProblem, LedgerRow
from gateway.registry.writing import split_subject

Known = dict[tuple[str, str], Mapping[str, Any]]
"""By point and number (tickets, invoices) or instant (readings): the object on record."""
ONE_UNIT = frozenset({"manual", "batch"})
"""Kinds whose amounts are added up for a point; an invoice is compared in its own unit."""


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


def check_points(rows: Sequence[LedgerRow], state: LedgerState) -> list[LedgerProblem]:
    """Points the ledger does not have: nobody would ever see what is entered for them."""
    message = "the ledger has no metering point '%(point)s'"
    return [
        LedgerProblem(row.file, row.row, 0, message, {"point": row.id})
        for row in rows
        if not state.has("point", row.id)
    ]


def check_entered(rows: Sequence[LedgerRow], known: Known) -> list[LedgerProblem]:
    """Numbers used twice with other contents, masses that do not add up, two units at one point; a doubt where a
    register falls."""
    problems: list[LedgerProblem] = []
    seen: Known = dict(known)
    units = {point: str(document["unit"]) for (point, _), document in known.items() if document.get("unit")}
    for row in rows:
        document = _document(row)
        key = (row.id, _mark(document))
        other = seen.setdefault(key, document)
        if dict(other) != document:
            facts = {"number": key[1]}
            message = "'%(number)s' is on record already with other contents; withdraw that first"
            problems.append(LedgerProblem(row.file, row.row, 0, message, facts))
        unit = str(document.get("unit") or "")
        if row.kind in ONE_UNIT and unit and units.setdefault(row.id, unit) != unit:
            facts = {"unit": unit, "other": units[row.id]}
            message = "the unit '%(unit)s' is not that of the others at this point, '%(other)s'"
            problems.append(LedgerProblem(row.file, row.row, 0, message, facts))
        if row.kind == "batch":
            problems += _masses(row)
        if row.kind == "invoice" and row.from_us is not None and row.to_us is None:
            problems.append(LedgerProblem(row.file, row.row, 0, "it has no end"))
    return [*problems, *_falls(rows, seen)]


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
            drafts.append(_draft(row, organisation, at_us=at_us, actor=actor, reason=reason, withdrawn=False))
    return drafts


def drafts_to_withdraw(
    rows: Sequence[LedgerRow], known: Known, organisation: str, *, at_us: int, actor: str, reason: str
) -> tuple[list[Draft], list[LedgerProblem]]:
    """Entries that take back what the rows put on record; a row that is not on record like this is a problem."""
    drafts, problems = [], []
    left = dict(known)
    for row in rows:
        document = _document(row)
        if dict(left.pop((row.id, _mark(document)), {})) == document:
            drafts.append(_draft(row, organisation, at_us=at_us, actor=actor, reason=reason, withdrawn=True))
        else:
            facts = {"number": _mark(document)}
            problems.append(LedgerProblem(row.file, row.row, 0, "'%(number)s' is not on record like this", facts))
    return drafts, problems


def _draft(row: LedgerRow, organisation: str, *, at_us: int, actor: str, reason: str, withdrawn: bool) -> Draft:
    # what people type, and the names some systems give to files, may come in another Unicode form than entries have
    said = {"actor": normalize("NFC", actor), "reason": normalize("NFC", reason)}
    source = normalize("NFC", row.source)
    body = {"object": _document(row), **said, "source": source, "withdrawn": int(withdrawn)}
    return Draft(row.kind, f"{organisation}/point/{row.id}", at_us, body)


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


def _falls(rows: Sequence[LedgerRow], seen: Known) -> Iterable[LedgerProblem]:
    """Registers by hand that are lower than the one before at their point: a slip, or an exchange to be declared."""
    given = {(row.id, _mark(row.object)): row for row in rows if "register" in row.object}
    points = {point for point, _ in given}
    by_time = sorted(
        (point, int(document["at"]), Decimal(str(document["register"])), mark)
        for (point, mark), document in seen.items()
        if point in points and "register" in document
    )
    for before, after in pairwise(by_time):
        row = given.get((after[0], after[3])) or given.get((before[0], before[3]))
        if row is not None and before[0] == after[0] and after[2] < before[2]:
            facts = {"register": format(after[2], "f"), "before": format(before[2], "f")}
            message = "the register falls from %(before)s to %(register)s; without an exchange nothing counts between"
            yield LedgerProblem(row.file, row.row, 0, message, facts, doubt=True)
