"""Which certificate counts for an instrument on a day, and whether it is due.

The question here is the ledger's: what stands on the instrument's card today. The verdicts about readings are journaled
by ``gateway.metrology`` and shown as findings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.domain.ledger import Certificate, CertificateKind, Instrument
from gateway.registry.record import Record

DUE_SOON_DAYS = 30


class Due(StrEnum):
    """有效, 30 天内到期, 超期, 不合格, 无证书, 强检器具仅有校准证书, 未载明有效期."""

    VALID = "valid"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    FAILED = "failed"
    NO_CERTIFICATE = "no_certificate"
    NOT_VERIFIED = "not_verified"
    NO_TERM = "no_term"

    @property
    def is_in_order(self) -> bool:
        """Whether nothing has to be done now."""
        return self in {Due.VALID, Due.NO_TERM}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a day says about an instrument's certificates. ``days_left``: negative when overdue, None without a term."""

    due: Due
    certificate: Certificate | None
    certificate_seq: int | None
    days_left: int | None


def standing(instrument: Instrument, certificates: Sequence[Record], on: date, *, compulsory: bool) -> Standing:
    """The certificate that counts on a day and its due state.

    ``certificates`` are all that name the instrument. Under compulsory verification (强检) only a verification counts:
    a calibration certificate leaves it unverified. Of several, the one performed last counts.
    """
    performed = [record for record in certificates if _performed(record, on)]
    named = [record for record in performed if _names(record, instrument)]
    counting = [record for record in named if not compulsory or CertificateKind(_kind(record)).is_verification]
    if not counting:
        chosen = _latest(named)
        due = Due.NOT_VERIFIED if chosen is not None else Due.NO_CERTIFICATE
        certificate = None if chosen is None else chosen.read_as(Certificate)
        return Standing(
            due=due, certificate=certificate, certificate_seq=chosen.seq if chosen else None, days_left=None
        )
    chosen = _latest(counting)
    assert chosen is not None
    certificate = chosen.read_as(Certificate)
    days = _days_left(certificate, on)
    return Standing(due=_due(certificate, days), certificate=certificate, certificate_seq=chosen.seq, days_left=days)


def _due(certificate: Certificate, days: int | None) -> Due:
    if certificate.result == "fail" or certificate.kind == CertificateKind.REJECTION_NOTICE:
        return Due.FAILED
    if days is None:
        return Due.NO_TERM
    if days < 0:
        return Due.OVERDUE
    return Due.DUE_SOON if days <= DUE_SOON_DAYS else Due.VALID


def civil(text: str) -> date | None:
    """A civil date of the ledger; None when blank or unreadable."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _days_left(certificate: Certificate, on: date) -> int | None:
    until = civil(certificate.valid_until)
    return None if until is None else (until - on).days


def _kind(record: Record) -> str:
    kind = str(record.object.get("kind") or CertificateKind.VERIFICATION)
    return kind if kind in set(CertificateKind) else CertificateKind.INTERNAL


def _performed(record: Record, on: date) -> bool:
    day = civil(str(record.object.get("performed_on") or ""))
    return day is None or day <= on


def _names(record: Record, instrument: Instrument) -> bool:
    """A certificate that carries another serial number is not this instrument's."""
    serial = str(record.object.get("serial") or "").strip()
    return not serial or not instrument.serial or serial == instrument.serial.strip()


def _latest(records: Sequence[Record]) -> Record | None:
    return max(records, key=lambda each: (str(each.object.get("performed_on") or ""), each.seq), default=None)


def by_instrument(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Certificates grouped by the 管理编号 they name."""
    grouped: dict[str, list[Record]] = {}
    for record in records:
        grouped.setdefault(str(record.object.get("instrument") or ""), []).append(record)
    return grouped
