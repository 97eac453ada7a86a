"""Verification and calibration: validity over time, what falls due when (检定计划), and rates as of a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import Due, by_instrument, civil
from gateway.audit.ledger import LedgerRow, ledger_rows
from gateway.audit.plant import plant
from gateway.domain.ledger import CertificateKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """One certificate's span of civil days; ``until`` None where it states no end."""

    instrument: str
    name: str
    certificate: str
    kind: str
    result: str
    since: date
    until: date | None
    in_force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share with its definition: ``part`` of ``whole``; ``id`` names the definition."""

    id: str
    part: int
    whole: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationPlan:
    """The page of verification and calibration as of a day. In ``by_month`` the empty month is what is due now."""

    day: date
    rows: Sequence[LedgerRow]
    by_month: Sequence[tuple[str, int]]
    validities: Sequence[Validity]
    rates: Sequence[Rate]


def calibration_plan(sources: Sources, asking: Asking, *, months: int = 12) -> CalibrationPlan:
    """What is due, overdue first, then by date within ``months`` from today."""
    there = plant(sources, asking)
    rows = ledger_rows(sources, asking, there)
    today = asking.today
    horizon = _months_on(today, max(1, min(months, 60)))
    planned = [row for row in rows if not row.due.is_in_order or _until(row, horizon) is not None]
    planned.sort(key=lambda row: (_until(row, date.max) or date.min, row.instrument.id))
    counts: dict[str, int] = {}
    for row in planned:
        until = _until(row, horizon)
        month = "" if until is None or row.due in _NOW else f"{until:%Y-%m}"
        counts[month] = counts.get(month, 0) + 1
    return CalibrationPlan(
        day=today,
        rows=planned,
        by_month=sorted(counts.items()),
        validities=_validities(sources, asking, rows),
        rates=_rates(rows),
    )


_NOW = frozenset(set(Due) - {Due.VALID, Due.DUE_SOON, Due.NO_TERM})


def _until(row: LedgerRow, horizon: date) -> date | None:
    until = civil(row.certificate.valid_until) if row.certificate else None
    return until if until is not None and until <= horizon else None


def _months_on(day: date, months: int) -> date:
    month = day.month - 1 + months
    return date(day.year + month // 12, month % 12 + 1, min(day.day, 28))


def _validities(sources: Sources, asking: Asking, rows: Sequence[LedgerRow]) -> list[Validity]:
    records = by_instrument(sources.registry.objects(asking.organisation, "certificate", None, asking.known_seq))
    found = []
    for row in rows:
        for record in records.get(row.instrument.id, []):
            since = civil(str(record.object.get("performed_on") or ""))
            if since is None:
                continue
            found.append(
                Validity(
                    instrument=row.instrument.id,
                    name=row.instrument.name,
                    certificate=record.id,
                    kind=str(record.object.get("kind") or CertificateKind.VERIFICATION),
                    result=str(record.object.get("result") or "none"),
                    since=since,
                    until=civil(str(record.object.get("valid_until") or "")),
                    in_force=row.certificate is not None and row.certificate.id == record.id,
                )
            )
    return found


def _rates(rows: Sequence[LedgerRow]) -> list[Rate]:
    """受检率: instruments in use whose certificate counts and is valid; 强检检定覆盖率: the same under the duty."""
    used = [row for row in rows if row.in_use]
    duty = [row for row in used if row.compulsory]
    return [
        Rate(id="verified", part=sum(row.due.counts for row in used), whole=len(used)),
        Rate(id="compulsory", part=sum(row.due.counts for row in duty), whole=len(duty)),
    ]
