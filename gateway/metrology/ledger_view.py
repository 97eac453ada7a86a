"""The ledger as the judge sees it: every version of every object, and the instants at which answers change."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from gateway.domain.ledger import Certificate, Installation, Instrument, LedgerObject, MeteringPoint, Site, Standard
from gateway.domain.time import FIRST_DAY, LAST_DAY, local_midnight
from gateway.metrology.loads import Covered, covered_by, quantities_of
from gateway.registry.record import Record
from gateway.registry.registry import Registry

Kind = TypeVar("Kind", bound=LedgerObject)
FAR = 2**62
UNTRUSTED = frozenset({"manipulated", "revoked", "expired_signer", "unknown_signer"})
"""What a look at a certificate's file can find that speaks against it (``gateway.certificates.signature``)."""


@dataclass(frozen=True, slots=True)
class DatedCertificate:
    """A certificate with its validity as instants: from the beginning of its first day to the end of its last.

    ``covered`` is the load it speaks of, ``quantities`` what it is restricted to (empty: nothing).
    """

    record: Record
    certificate: Certificate
    valid_from_us: int
    valid_until_us: int
    covered: Covered | None = None
    quantities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fitted:
    """An installation with its life as instants."""

    record: Record
    installation: Installation
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class Course:
    """An instrument's certificates that count, by time: which one is in force from when on.

    ``starts[i]`` is when ``in_force[i]`` begins to hold; ``verifications`` the same for verifications alone;
    ``following[i]`` the first that no other supersedes and that begins after ``starts[i]``.
    """

    starts: Sequence[int]
    in_force: Sequence[DatedCertificate | None]
    verifications: Sequence[DatedCertificate | None]
    unreplaced: Sequence[DatedCertificate]


_NO_COURSE = Course((), (), (), ())


@dataclass(slots=True)
class LedgerView:
    """All that the calibration rules ask of the ledger, as recorded up to ``seq``."""

    seq: int
    zone: ZoneInfo
    points: dict[str, list[Record]] = field(default_factory=dict)
    instruments: dict[str, list[Record]] = field(default_factory=dict)
    certificates: dict[str, list[DatedCertificate]] = field(default_factory=dict)  # by instrument
    withdrawn: dict[str, list[DatedCertificate]] = field(default_factory=dict)  # by instrument, as they last stood
    by_number: dict[str, DatedCertificate] = field(default_factory=dict)
    withdrawn_numbers: frozenset[str] = frozenset()
    standards: dict[str, list[Record]] = field(default_factory=dict)
    sites: list[Record] = field(default_factory=list)
    fitted: list[Fitted] = field(default_factory=list)
    by_point: dict[str, list[Fitted]] = field(default_factory=dict)
    _typed: dict[int, LedgerObject] = field(default_factory=dict)
    _courses: dict[str, Course] = field(default_factory=dict)
    _boundaries: dict[int, frozenset[int]] = field(default_factory=dict)

    @classmethod
    def read(cls, registry: Registry, organisation: str, zone: ZoneInfo, known_seq: int | None = None) -> "LedgerView":
        """The view of an organisation as known then."""
        view = cls(registry.ledger_seq() if known_seq is None else known_seq, zone)
        view.points = registry.versions(organisation, "point", known_seq)
        view.instruments = registry.versions(organisation, "instrument", known_seq)
        view.standards = registry.versions(organisation, "standard", known_seq)
        view.sites = [each for found in registry.versions(organisation, "site", known_seq).values() for each in found]
        for versions in registry.versions(organisation, "certificate", known_seq).values():
            view._note_certificate(versions)
        view.withdrawn_numbers = frozenset(each.certificate.id for found in view.withdrawn.values() for each in found)
        for certificates in (*view.certificates.values(), *view.withdrawn.values()):
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

    def _note_certificate(self, versions: Sequence[Record]) -> None:
        """The newest version counts; of a withdrawn one, what it said before it was withdrawn is kept apart."""
        newest = versions[-1]
        said = next((each for each in reversed(versions) if not each.withdrawn), None)
        dated = None if said is None else self.dated(said)
        if dated is None:
            return
        if newest.withdrawn:
            self.withdrawn.setdefault(dated.certificate.instrument, []).append(dated)
        else:
            self.certificates.setdefault(dated.certificate.instrument, []).append(dated)
            self.by_number[dated.certificate.id] = dated

    def dated(self, record: Record) -> DatedCertificate | None:
        """A certificate's validity in this site's time zone; None when it has no date of performance."""
        certificate = record.read_as(Certificate)
        performed = civil_day(certificate.performed_on)
        if performed is None:
            return None
        begins = local_midnight(max(FIRST_DAY, performed), self.zone)
        ends = FAR
        if certificate.valid_until:
            # a day that is none leaves no validity beyond the first; one after the last says that there is no end
            until = civil_day(certificate.valid_until) or performed
            if until <= LAST_DAY:
                ends = local_midnight(max(FIRST_DAY, until) + timedelta(days=1), self.zone)
        document: Mapping[str, Any] = record.object
        covered, quantities = covered_by(certificate, document), quantities_of(certificate, document)
        return DatedCertificate(record, certificate, begins, ends, covered, quantities)

    def instrument(self, id_: str, at_us: int) -> Instrument | None:
        """The instrument as it was at an instant."""
        return self._at(self.instruments.get(id_, ()), at_us, Instrument)

    def point(self, id_: str, at_us: int) -> MeteringPoint | None:
        """The point as it was at an instant."""
        return self._at(self.points.get(id_, ()), at_us, MeteringPoint)

    def standard(self, id_: str, at_us: int) -> tuple[Standard, Record] | None:
        """The laboratory standard as it was at an instant, and its record."""
        record = _version(self.standards.get(id_, ()), at_us)
        return None if record is None else (self._read(record, Standard), record)

    def site(self, at_us: int) -> Site | None:
        """What the site says about judging at an instant; None when it says nothing."""
        return self._at(self.sites, at_us, Site) if self.sites else None

    def in_force(self, instrument: str, at_us: int, *, verification_only: bool = False) -> DatedCertificate | None:
        """The last certificate performed by then; superseded and withdrawn ones left out."""
        course = self.course(instrument)
        place = bisect_right(course.starts, at_us) - 1
        if place < 0:
            return None
        return (course.verifications if verification_only else course.in_force)[place]

    def following(self, instrument: str, at_us: int) -> DatedCertificate | None:
        """The first certificate performed after an instant; superseded and withdrawn ones left out."""
        for each in self.course(instrument).unreplaced:
            if each.valid_from_us > at_us:
                return each
        return None

    def withdrawn_at(self, instrument: str, at_us: int) -> DatedCertificate | None:
        """A withdrawn certificate that would otherwise hold at an instant, none performed since then having come."""
        for each in reversed(self.withdrawn.get(instrument, ())):
            if each.valid_from_us <= at_us < each.valid_until_us:
                now = self.in_force(instrument, at_us)
                newer = now is not None and now.valid_from_us >= each.valid_from_us
                return None if newer else each
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

    def course(self, instrument: str) -> Course:
        """An instrument's certificates by time."""
        found = self._courses.get(instrument)
        if found is None:
            standing = self.standing(instrument)
            found = self._courses[instrument] = _course(standing) if standing else _NO_COURSE
        return found

    def boundaries(self, installation: Fitted) -> frozenset[int]:
        """Instants inside an installation's life at which an answer about it may change."""
        known = self._boundaries.get(installation.record.seq)
        if known is None:
            known = self._boundaries[installation.record.seq] = self._found_boundaries(installation)
        return known

    def _found_boundaries(self, installation: Fitted) -> frozenset[int]:
        named = installation.installation
        found = {installation.from_us}
        for certificates in (self.certificates.get(named.instrument, ()), self.withdrawn.get(named.instrument, ())):
            for dated in certificates:
                found.add(dated.valid_from_us)
                found.add(dated.valid_until_us)
        _add_ends(found, self.instruments.get(named.instrument, ()))
        _add_ends(found, self.points.get(named.point, ()))
        _add_ends(found, self.sites)
        for other in self.by_point.get(named.point, ()):
            if other is installation:
                continue
            found.add(other.from_us)
            found.add(other.to_us)
            _add_ends(found, self.instruments.get(other.installation.instrument, ()))
            for dated in self.certificates.get(other.installation.instrument, ()):
                found.add(dated.valid_from_us)
        return frozenset(each for each in found if installation.from_us <= each < installation.to_us)

    def _at(self, versions: Sequence[Record], at_us: int, kind: type[Kind]) -> Kind | None:
        record = _version(versions, at_us)
        return None if record is None else self._read(record, kind)

    def _read(self, record: Record, kind: type[Kind]) -> Kind:
        """The typed record, made once: a view is asked about the same few records very often."""
        known = self._typed.get(record.seq)
        if known is None:
            known = self._typed[record.seq] = record.read_as(kind)
        assert isinstance(known, kind), "an entry is of one kind"
        return known


def _course(standing: Sequence[DatedCertificate]) -> Course:
    """``standing`` by day of performance; of those performed by then and not superseded by them, the last counts."""
    replaced: list[frozenset[str]] = []
    for each in standing:
        replaced.append((replaced[-1] if replaced else frozenset()) | {each.certificate.supersedes})
    in_force: list[DatedCertificate | None] = []
    verifications: list[DatedCertificate | None] = []
    for place, gone in enumerate(replaced):
        counting = [each for each in reversed(standing[: place + 1]) if each.certificate.id not in gone]
        in_force.append(next(iter(counting), None))
        verifications.append(next((each for each in counting if _is_verification(each)), None))
    unreplaced = [each for each in standing if each.certificate.id not in replaced[-1]]
    return Course([each.valid_from_us for each in standing], in_force, verifications, unreplaced)


def _is_verification(dated: DatedCertificate) -> bool:
    return dated.certificate.kind in {"verification", "rejection_notice"}


def _add_ends(found: set[int], records: Sequence[Record]) -> None:
    for record in records:
        if record.from_us is not None:
            found.add(record.from_us)
        if record.to_us is not None:
            found.add(record.to_us)


def _version(versions: Sequence[Record], at_us: int) -> Record | None:
    """The newest version that covers an instant; None when it withdraws the object, or none does."""
    for record in reversed(versions):
        if record.holds(at_us):
            return None if record.withdrawn else record
    return None


def civil_day(text: str) -> date | None:
    """A civil day; None for what is none. Entry refuses those, but judging must end whatever a record holds."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
