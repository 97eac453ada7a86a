"""Verification and calibration: validity over time, what falls due when (检定计划), and rates as of a day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import CARD_RULES, Due, by_instrument, civil
from gateway.audit.ledger import LedgerRow, ledger_rows
from gateway.audit.look_ahead import LookAhead, look_ahead
from gateway.audit.plant import plant
from gateway.domain.ledger import CertificateKind
from gateway.domain.time import local_date


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
class OutOfControl:
    """A stretch in which an instrument's record did not hold, by a journaled verdict; ``to`` None: it still lasts."""

    instrument: str
    rule: str
    since: date
    to: date | None
    verdict_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share with its definition: ``part`` of ``whole``; ``id`` names the definition."""

    id: str
    part: int
    whole: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationPlan:
    """The page of verification and calibration as of a day. In ``by_month`` the empty month is what is due now;
    ``outlook`` says by instrument when its own history lets it reach its limit."""

    day: date
    rows: Sequence[LedgerRow]
    by_month: Sequence[tuple[str, int]]
    validities: Sequence[Validity]
    out_of_control: Sequence[OutOfControl]
    rates: Sequence[Rate]
    outlook: Mapping[str, LookAhead]


def calibration_plan(sources: Sources, asking: Asking, *, months: int = 12) -> CalibrationPlan:
    """What is due, overdue first, then by date within ``months`` from today."""
    there = plant(sources, asking)
    rows = ledger_rows(sources, asking, there)
    today = asking.today
    horizon = _months_on(today, max(1, min(months, 60)))
    outlook = look_ahead(sources, asking)
    at_risk = {id_ for id_, each in outlook.items() if each.risk_on is not None and each.risk_on <= horizon}
    planned = [
        row
        for row in rows
        if not row.due.is_in_order or _until(row, horizon) is not None or row.instrument.id in at_risk
    ]
    planned.sort(key=lambda row: (_until(row, date.max) or date.min, row.instrument.id))
    counts: dict[str, int] = {}
    for row in planned:
        until = _until(row, horizon)
        if until is None and row.instrument.id in at_risk:
            risk_on = outlook[row.instrument.id].risk_on
            until = risk_on if risk_on is not None and risk_on > today else None
        month = "" if until is None or row.due in _NOW else f"{until:%Y-%m}"
        counts[month] = counts.get(month, 0) + 1
    return CalibrationPlan(
        day=today,
        rows=planned,
        by_month=sorted(counts.items()),
        validities=_validities(sources, asking, rows),
        out_of_control=_out_of_control(sources, asking),
        rates=_rates(rows),
        outlook=outlook,
    )


OUT_OF_CONTROL_RULES = frozenset({*CARD_RULES, "calibration.look_back", "calibration.withdrawn"})
"""Verdicts that say that readings of that time stood on no certificate that holds."""


def _out_of_control(sources: Sources, asking: Asking) -> list[OutOfControl]:
    found = []
    for verdict in sources.registry.verdicts(asking.organisation, None, asking.known_seq):
        if verdict.rule in OUT_OF_CONTROL_RULES and verdict.instrument and verdict.from_us <= asking.as_of_us:
            ended = verdict.to_us if verdict.to_us is not None and verdict.to_us <= asking.as_of_us else None
            found.append(
                OutOfControl(
                    instrument=verdict.instrument,
                    rule=verdict.rule,
                    since=local_date(verdict.from_us, asking.zone),
                    to=None if ended is None else local_date(ended, asking.zone),
                    verdict_seq=verdict.seq,
                )
            )
    return sorted(found, key=lambda each: (each.instrument, each.since, each.rule))


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
