"""What a person should look at before a ledger is put on record: rows that can be read and yet are hardly right."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from gateway.domain.ledger import normal_serial
from gateway.domain.ratio import class_rank
from gateway.registry.importing import LedgerState
from gateway.registry.reading_files import LedgerProblem, LedgerRow

MONTH_DAYS = 31
SLACK_DAYS = 45


def doubts(rows: Sequence[LedgerRow], state: LedgerState, today: date) -> list[LedgerProblem]:
    """Every doubtful row, by what is doubtful about it; ``today`` is the site's civil day."""
    cards = _newest(state, "instrument") | {row.id: row.object for row in rows if row.kind == "instrument"}
    points = _newest(state, "point") | {row.id: row.object for row in rows if row.kind == "point"}
    found = list(_serials(rows, cards))
    for row in rows:
        if row.kind == "certificate":
            card = cards.get(str(row.object.get("instrument") or ""), {})
            found += [*_certificate(row, card, today), *_verdict_of(row, card)]
        elif row.kind == "instrument":
            found += _instrument(row)
        elif row.kind == "point":
            found += _point(row, points)
        elif row.kind == "installation":
            found += _installation(row)
        elif row.kind in {"standard", "person"}:
            found += _ended(row, today)
    return found


def _newest(state: LedgerState, kind: str) -> dict[str, Mapping[str, Any]]:
    return {
        id_: versions[-1].object
        for (of, id_), versions in state.versions.items()
        if of == kind and not versions[-1].withdrawn
    }


def _doubt(row: LedgerRow, message: str, **facts: str) -> LedgerProblem:
    return LedgerProblem(row.file, row.row, 0, message, facts, doubt=True)


def _serials(rows: Sequence[LedgerRow], cards: Mapping[str, Mapping[str, Any]]) -> Iterator[LedgerProblem]:
    """Two instruments of one maker and serial number are hardly two."""
    holders: dict[tuple[str, str], str] = {}
    for id_, card in cards.items():
        key = (str(card.get("maker") or ""), normal_serial(str(card.get("serial") or "")))
        if key[1]:
            holders.setdefault(key, id_)
    for row in rows:
        if row.kind == "instrument":
            key = (str(row.object.get("maker") or ""), normal_serial(str(row.object.get("serial") or "")))
            other = holders.get(key, row.id)
            if other != row.id:
                yield _doubt(row, "instrument '%(other)s' has the same maker and serial number", other=other)


def _certificate(row: LedgerRow, card: Mapping[str, Any], today: date) -> Iterator[LedgerProblem]:
    said = row.object
    performed, until = _day(said.get("performed_on")), _day(said.get("valid_until"))
    serial, own = str(said.get("serial") or ""), str(card.get("serial") or "")
    if own and normal_serial(serial) != normal_serial(own):
        yield _doubt(
            row, "the certificate prints serial number '%(printed)s', the card '%(own)s'", printed=serial, own=own
        )
    if performed is not None and performed > today:
        yield _doubt(row, "it is said to be performed on %(on)s, which is still to come", on=performed.isoformat())
    if until is not None and performed is not None and until < performed:
        yield _doubt(row, "it ends on %(until)s, before it was performed", until=until.isoformat())
    months = card.get("cycle_months")
    if isinstance(months, int) and months and performed is not None and until is not None:
        days = (until - performed).days
        if abs(days - months * MONTH_DAYS * 365 // 372) > SLACK_DAYS:
            facts = {"days": str(days), "months": str(months)}
            yield _doubt(row, "it holds %(days)s days, the card's cycle is %(months)s months", **facts)


def _verdict_of(row: LedgerRow, card: Mapping[str, Any]) -> Iterator[LedgerProblem]:
    """What the kind of a certificate and its verdict have to do with each other."""
    said = row.object
    kind, result = str(said.get("kind") or ""), str(said.get("result") or "none")
    if kind == "verification" and not said.get("valid_until"):
        yield _doubt(row, "a verification certificate states how long it holds; this row does not")
    if kind == "verification" and result == "none":
        yield _doubt(row, "a verification ends in a verdict; this row has none")
    if kind == "verification" and result == "fail":
        yield _doubt(row, "a failed verification is a rejection notice")
    if kind == "rejection_notice" and result == "pass":
        yield _doubt(row, "a rejection notice cannot say that the instrument passed")
    if kind in {"calibration", "internal"} and result == "none" and not said.get("confirmed_result"):
        yield _doubt(row, "a calibration counts only with a confirmation for its use; there is none")
    if card.get("compulsory") and kind in {"calibration", "internal"}:
        yield _doubt(row, "the instrument is under compulsory verification; a calibration does not meet it")
    if kind == "internal" and not said.get("standards"):
        yield _doubt(row, "an in-house calibration names the standard it stands on; this row does not")


def _instrument(row: LedgerRow) -> Iterator[LedgerProblem]:
    accuracy = str(row.object.get("accuracy_class") or "")
    if not accuracy:
        yield _doubt(row, "its accuracy class is not stated")
    elif class_rank(accuracy) is None:
        yield _doubt(row, "the accuracy class '%(text)s' is none that can be compared", text=accuracy)
    if row.object.get("compulsory") and not row.object.get("cycle_months"):
        yield _doubt(row, "it is under compulsory verification and states no cycle")
    transformer = str(row.object.get("kind") or "") in {"current_transformer", "voltage_transformer"}
    if transformer and not (row.object.get("ratio_primary") and row.object.get("ratio_secondary")):
        yield _doubt(row, "a transformer's plate states its ratio; this row does not")


def _point(row: LedgerRow, points: Mapping[str, Mapping[str, Any]]) -> Iterator[LedgerProblem]:
    above = points.get(str(row.object.get("parent") or ""))
    if above is not None and int(row.object.get("level") or 0) < int(above.get("level") or 0):
        yield _doubt(row, "its level is above that of the point it hangs under")
    if above is not None and above.get("energy_kind") != row.object.get("energy_kind"):
        yield _doubt(row, "it hangs under a point of another energy kind")
    if row.object.get("exemption") and row.object.get("must_measure"):
        yield _doubt(row, "it is exempt and yet marked as to be measured")


def _installation(row: LedgerRow) -> Iterator[LedgerProblem]:
    if row.object.get("role", "meter") == "meter" and row.object.get("opening_index") is None:
        yield _doubt(row, "the register at fitting is not stated")
    if row.to_us is not None and row.object.get("role", "meter") == "meter" and row.object.get("closing_index") is None:
        yield _doubt(row, "the register at dismounting is not stated")


def _ended(row: LedgerRow, today: date) -> Iterator[LedgerProblem]:
    until = _day(row.object.get("valid_until"))
    if until is not None and until < today:
        yield _doubt(row, "it ended on %(until)s", until=until.isoformat())


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
