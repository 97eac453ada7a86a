"""Which certificate counts for an instrument at a moment, and whether it is due: the judge's own rules, asked again.

The verdicts about readings are journaled by ``gateway.metrology`` and shown as findings. Page, plan and form ask the
same rules of the same ledger view here, so that a card never says other than a verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from weakref import WeakKeyDictionary

from gateway.audit.asking import Asking, Sources
from gateway.domain.ledger import Certificate, Installation
from gateway.metrology import rules
from gateway.metrology.ledger_view import FAR, DatedCertificate, Fitted, LedgerView
from gateway.metrology.moment import Moment
from gateway.registry.record import Record
from gateway.registry.registry import Registry

DUE_SOON_DAYS = 30
CARD_RULES = {
    "calibration.failed": "failed",
    "calibration.untrusted": "untrusted",
    "calibration.identity": "other_meter",
    "calibration.none": "no_certificate",
    "calibration.not_yet_valid": "no_certificate",
    "calibration.expired": "overdue",
    "calibration.not_verification": "not_verified",
    "calibration.unconfirmed": "unconfirmed",
}
"""Rules about the instrument's own record, worst first, and the due state each stands for."""


class Due(StrEnum):
    """有效, 30 天内到期, 超期, 不合格, 无证书, 强检仅有校准证书, 未载明有效期, 未作计量确认, 他表证书, 文件不可信."""

    VALID = "valid"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    FAILED = "failed"
    NO_CERTIFICATE = "no_certificate"
    NOT_VERIFIED = "not_verified"
    NO_TERM = "no_term"
    UNCONFIRMED = "unconfirmed"
    OTHER_METER = "other_meter"
    UNTRUSTED = "untrusted"

    @property
    def is_in_order(self) -> bool:
        """Whether nothing has to be done now."""
        return self in {Due.VALID, Due.NO_TERM}

    @property
    def counts(self) -> bool:
        """Whether rates count it: a certificate that holds, until a day it states."""
        return self in {Due.VALID, Due.DUE_SOON}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a moment says about an instrument's certificates.

    ``broken``: rules broken, as the judge names them; ``days_left``: negative when overdue, None without a term.
    """

    due: Due
    certificate: Certificate | None
    certificate_seq: int | None
    days_left: int | None
    compulsory: bool
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cards:
    """The judge's view of the ledger, and where each instrument hangs or hung."""

    view: LedgerView
    fitted: Mapping[str, Sequence[Fitted]]


_KEPT: WeakKeyDictionary[Registry, tuple[tuple[str, int, int | None], Cards]] = WeakKeyDictionary()


def cards(sources: Sources, asking: Asking) -> Cards:
    """The ledger as known then; kept until it changes, because every page asks for it."""
    registry = sources.registry
    key = (asking.organisation, registry.ledger_seq(), asking.known_seq)
    kept = _KEPT.get(registry)
    if kept is None or kept[0] != key:
        view = LedgerView.read(registry, asking.organisation, asking.zone, asking.known_seq)
        fitted: dict[str, list[Fitted]] = {}
        for each in view.fitted:
            fitted.setdefault(each.installation.instrument, []).append(each)
        kept = _KEPT[registry] = (key, Cards(view, fitted))
    return kept[1]


def standing(there: Cards, instrument: str, at_us: int, on: date, *, point: str | None = None) -> Standing:
    """The certificate that counts at an instant (µs UTC, on the civil day ``on``) and its due state.

    Where the instrument hangs its point's duty counts too (强检); ``point``: judged as hanging there.
    """
    moment = Moment(there.view, _fitted(there, instrument, at_us, point), at_us, {}, primary=False)
    broken = {each.rule for each in rules.calibration(moment)}
    dated = counting(moment)
    certificate = dated.certificate if dated is not None else None
    days = _days_left(certificate, on)
    return Standing(
        due=_due(broken, certificate, days),
        certificate=certificate,
        certificate_seq=dated.record.seq if dated is not None else None,
        days_left=days,
        compulsory=moment.duty,
        broken=tuple(each for each in CARD_RULES if each in broken),
    )


def counting(moment: Moment) -> DatedCertificate | None:
    """The certificate a verdict is about: a verification where there is the duty (强检) and there is one."""
    if not moment.duty:
        return moment.dated
    instrument = moment.fitted.installation.instrument
    return moment.view.in_force(instrument, moment.at_us, verification_only=True) or moment.dated


def _fitted(there: Cards, instrument: str, at_us: int, point: str | None) -> Fitted:
    """Where the instrument hangs at an instant; nowhere: an installation that joins it to nothing."""
    for each in there.fitted.get(instrument, ()):
        if each.from_us <= at_us < each.to_us and (point is None or each.installation.point == point):
            return each
    loose = Installation(id="", instrument=instrument, point=point or "")
    record = Record(0, 0, "", "installation", "", None, None, False, {}, "", "", "")
    return Fitted(record, loose, -FAR, FAR)


def _due(broken: set[str], certificate: Certificate | None, days: int | None) -> Due:
    worst = next((word for rule, word in CARD_RULES.items() if rule in broken), None)
    if worst is not None:
        return Due(worst)
    if certificate is None:  # the instrument itself is not on record at that moment
        return Due.NO_CERTIFICATE
    if days is None:
        return Due.NO_TERM
    return Due.DUE_SOON if days <= DUE_SOON_DAYS else Due.VALID


def civil(text: str) -> date | None:
    """A civil date of the ledger; None when blank or unreadable."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _days_left(certificate: Certificate | None, on: date) -> int | None:
    until = None if certificate is None else civil(certificate.valid_until)
    return None if until is None else (until - on).days


def by_instrument(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Certificates grouped by the 管理编号 they name."""
    grouped: dict[str, list[Record]] = {}
    for record in records:
        grouped.setdefault(str(record.object.get("instrument") or ""), []).append(record)
    return grouped
