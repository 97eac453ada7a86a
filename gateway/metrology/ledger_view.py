"""The ledger as the judge sees it: every version of every object, and the instants at which answers change."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from gateway.domain.ledger import Certificate, Installation, Instrument, LedgerObject, MeteringPoint, Standard
from gateway.domain.time import local_midnight
from gateway.registry.record import Record
from gateway.registry.registry import Registry

Kind = TypeVar("Kind", bound=LedgerObject)
FAR = 2**62
UNTRUSTED = frozenset({"manipulated", "revoked", "expired_signer", "unknown_signer"})
"""What a look at a certificate's file can find that speaks against it (``gateway.certificates.signature``)."""


@dataclass(frozen=True, slots=True)
class DatedCertificate:
    """A certificate with its validity as instants: from the beginning of its first day to the end of its last."""

    record: Record
    certificate: Certificate
    valid_from_us: int
    valid_until_us: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """An installation with its life as instants."""

    record: Record
    installation: Installation
    from_us: int
    to_us: int


@dataclass(slots=True)
class LedgerView:
    """All that the calibration rules ask of the ledger, as recorded up to ``seq``."""

    seq: int
    zone: ZoneInfo
    points: dict[str, list[Record]] = field(default_factory=dict)
    instruments: dict[str, list[Record]] = field(default_factory=dict)
    certificates: dict[str, list[DatedCertificate]] = field(default_factory=dict)  # by instrument
    standards: dict[str, list[Record]] = field(default_factory=dict)
    fitted: list[Fitted] = field(default_factory=list)
    by_point: dict[str, list[Fitted]] = field(default_factory=dict)

    @classmethod
    def read(cls, registry: Registry, organisation: str, zone: ZoneInfo, known_seq: int | None = None) -> "LedgerView":
        """The view of an organisation as known then."""
        view = cls(registry.ledger_seq() if known_seq is None else known_seq, zone)
        view.points = registry.versions(organisation, "point", known_seq)
        view.instruments = registry.versions(organisation, "instrument", known_seq)
        view.standards = registry.versions(organisation, "standard", known_seq)
        for record in registry.objects(organisation, "certificate", None, known_seq):
            dated = view.dated(record)
            if dated is not None:
                view.certificates.setdefault(dated.certificate.instrument, []).append(dated)
        for certificates in view.certificates.values():
            certificates.sort(key=lambda each: (each.valid_from_us, each.record.seq))
        for record in registry.objects(organisation, "installation", None, known_seq):
            fitted = Fitted(
                record,
                record.read_as(Installation),
                -FAR if record.from_us is None else record.from_us,
                FAR if record.to_us is None else record.to_us,
            )
            view.fitted.append(fitted)
            view.by_point.setdefault(fitted.installation.point, []).append(fitted)
        return view

    def dated(self, record: Record) -> DatedCertificate | None:
        """A certificate's validity in this site's time zone; None when it has no date of performance."""
        certificate = record.read_as(Certificate)
        if not certificate.performed_on:
            return None
        begins = local_midnight(date.fromisoformat(certificate.performed_on), self.zone)
        ends = FAR
        if certificate.valid_until:
            ends = local_midnight(date.fromisoformat(certificate.valid_until) + timedelta(days=1), self.zone)
        return DatedCertificate(record, certificate, begins, ends)

    def instrument(self, id_: str, at_us: int) -> Instrument | None:
        """The instrument as it was at an instant."""
        return _at(self.instruments.get(id_, ()), at_us, Instrument)

    def point(self, id_: str, at_us: int) -> MeteringPoint | None:
        """The point as it was at an instant."""
        return _at(self.points.get(id_, ()), at_us, MeteringPoint)

    def in_force(self, instrument: str, at_us: int, *, verification_only: bool = False) -> DatedCertificate | None:
        """The last certificate performed by then; superseded and withdrawn ones left out."""
        found = [each for each in self.standing(instrument) if each.valid_from_us <= at_us]
        replaced = {each.certificate.supersedes for each in found}
        for each in reversed(found):
            fits = not verification_only or _is_verification(each)
            if fits and each.certificate.id not in replaced:
                return each
        return None

    def standing(self, instrument: str) -> list[DatedCertificate]:
        """An instrument's certificates without those that another amended or substituted: these never counted."""
        certificates = self.certificates.get(instrument, [])
        void = {
            each.certificate.supersedes
            for each in certificates
            if each.certificate.substitution and each.certificate.authenticity not in UNTRUSTED
        }
        return [each for each in certificates if each.certificate.id not in void] if void else certificates

    def standard(self, id_: str, at_us: int) -> Standard | None:
        """The laboratory standard as it was at an instant."""
        return _at(self.standards.get(id_, ()), at_us, Standard)

    def following(self, instrument: str, at_us: int) -> DatedCertificate | None:
        """The first certificate performed after an instant; superseded and withdrawn ones left out."""
        certificates = self.standing(instrument)
        replaced = {each.certificate.supersedes for each in certificates}
        later = (each for each in certificates if each.valid_from_us > at_us)
        return next((each for each in later if each.certificate.id not in replaced), None)

    def boundaries(self, installation: Fitted) -> list[int]:
        """Instants inside an installation's life at which an answer about it may change."""
        found = {installation.from_us}
        for dated in self.certificates.get(installation.installation.instrument, ()):
            found |= {dated.valid_from_us, dated.valid_until_us}
        for record in self.instruments.get(installation.installation.instrument, ()):
            found |= _ends(record)
        for record in self.points.get(installation.installation.point, ()):
            found |= _ends(record)
        for other in self.by_point.get(installation.installation.point, ()):
            found |= {other.from_us, other.to_us}
            for record in self.instruments.get(other.installation.instrument, ()):
                found |= _ends(record)
        return sorted(each for each in found if installation.from_us <= each < installation.to_us)


def _is_verification(dated: DatedCertificate) -> bool:
    return dated.certificate.kind in {"verification", "rejection_notice"}


def _ends(record: Record) -> set[int]:
    return {each for each in (record.from_us, record.to_us) if each is not None}


def _at(versions: Sequence[Record], at_us: int, kind: type[Kind]) -> Kind | None:
    for record in reversed(versions):
        if record.holds(at_us):
            return None if record.withdrawn else record.read_as(kind)
    return None
