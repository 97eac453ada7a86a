"""What is wrong with an installation at an instant: pure questions to the ledger, one function a family of rules.

Rule ids as in ``gateway.i18n.rules``; facts are integers and strings. Every rule is evaluated, every result reported.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from gateway.domain.ledger import CertificateKind, InstallationRole, Instrument, MeteringPoint, normal_serial
from gateway.domain.ratio import class_rank, parse_ratio
from gateway.metrology.conformity import Conformity, decide
from gateway.metrology.ledger_view import UNTRUSTED, DatedCertificate, Fitted, LedgerView

METROLOGY_RULES = "2"
"""Edition of these rules; stands in every verdict."""

PERCENT_CLASS_KINDS = frozenset(
    {"electricity_meter", "current_transformer", "voltage_transformer", "flow_meter", "gas_meter", "belt_scale"}
)
"""Instrument kinds whose accuracy class is the permissible error in percent."""

Facts = dict[str, int | str]


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule broken at an instant."""

    rule: str
    facts: Facts = field(default_factory=dict)
    certificate: str | None = None


def calibration(view: LedgerView, fitted: Fitted, at_us: int) -> Iterator[Broken]:
    """The record of the instrument itself: is there one, of this meter, in force, passed, of the demanded kind."""
    id_ = fitted.installation.instrument
    instrument = view.instrument(id_, at_us)
    if instrument is None:
        return
    point = view.point(fitted.installation.point, at_us)
    duty = bool(instrument.compulsory or (point is not None and point.compulsory and _is_meter(fitted)))
    dated = view.in_force(id_, at_us)
    if dated is None:
        later = view.following(id_, at_us)
        if later is not None and not failed(later):
            number, first_day = later.certificate.id, later.certificate.performed_on
            yield Broken("calibration.not_yet_valid", {"certificate": number, "performed_on": first_day}, number)
        else:
            yield Broken("calibration.none")
        return
    if duty:
        verification = view.in_force(id_, at_us, verification_only=True)
        if verification is not None:
            dated = verification
        else:
            facts: Facts = {"certificate": dated.certificate.id, "kind": dated.certificate.kind}
            yield Broken("calibration.not_verification", facts, dated.certificate.id)
    elif dated.certificate.kind == CertificateKind.CALIBRATION and not dated.certificate.confirmed_result:
        yield Broken("calibration.unconfirmed", {"certificate": dated.certificate.id}, dated.certificate.id)
    yield from _certificate(dated, instrument, at_us)


def look_back(view: LedgerView, fitted: Fitted, at_us: int) -> Iterator[Broken]:
    """Readings between the last good evidence and a failure found later are in question (ISO 10012)."""
    later = view.following(fitted.installation.instrument, at_us)
    if later is None or not (failed(later) or later.certificate.as_found_result == "fail"):
        return
    before = view.in_force(fitted.installation.instrument, at_us)
    if before is not None and failed(before):
        return  # known to fail already: that is said by itself
    facts: Facts = {"certificate": later.certificate.id, "performed_on": later.certificate.performed_on}
    if before is not None:
        facts["last_good"] = before.certificate.id
    yield Broken("calibration.look_back", facts, later.certificate.id)


def trace(view: LedgerView, fitted: Fitted, at_us: int) -> Iterator[Broken]:
    """Every standard the certificate in force names is on record and was valid on the day of performance."""
    dated = view.in_force(fitted.installation.instrument, at_us)
    if dated is None:
        return
    certificate = dated.certificate
    if certificate.kind == CertificateKind.INTERNAL and not certificate.standards:
        yield Broken("calibration.trace_broken", {"certificate": certificate.id, "reason": "none"}, certificate.id)
    for id_ in filter(None, certificate.standards.split(";")):
        standard = view.standard(id_, dated.valid_from_us)
        facts: Facts = {"certificate": certificate.id, "standard": id_}
        if standard is None:
            yield Broken("calibration.trace_broken", facts | {"reason": "unknown"}, certificate.id)
        elif standard.valid_until and standard.valid_until < certificate.performed_on:
            more: Facts = {"reason": "expired", "valid_until": standard.valid_until}
            yield Broken("calibration.trace_broken", facts | more, certificate.id)
        elif certificate.kind == CertificateKind.INTERNAL and not standard.certificate_number:
            # a calibration in the own house stands on nothing but the certificate of its standard
            yield Broken("calibration.trace_broken", facts | {"reason": "no_certificate"}, certificate.id)


def conformity(view: LedgerView, fitted: Fitted, at_us: int) -> Iterator[Broken]:
    """The error and uncertainty the certificate in force prints, decided by JJF 1094 against the class (C09).

    The limit is the class number in percent, which is what a class says at reference load (confidence 推断); kinds
    whose classes are no percentage are not judged. A certificate that says it failed is said by itself.
    """
    instrument = view.instrument(fitted.installation.instrument, at_us)
    dated = view.in_force(fitted.installation.instrument, at_us)
    if instrument is None or dated is None or failed(dated) or instrument.kind not in PERCENT_CLASS_KINDS:
        return
    certificate = dated.certificate
    rank = class_rank(certificate.accuracy_class or instrument.accuracy_class)
    if rank is None or rank[0] == 0 or not certificate.error_percent or not certificate.uncertainty_percent:
        return
    k = float(certificate.coverage_factor or 2)
    decision = decide(float(certificate.error_percent), float(certificate.uncertainty_percent), k, float(rank[0]))
    if decision.state is not Conformity.PASS:
        facts: Facts = {
            "certificate": certificate.id,
            "error_percent": certificate.error_percent,
            "uncertainty_percent": certificate.uncertainty_percent,
            "limit_percent": _plain(rank[0]),
            "state": str(decision.state),
            "decision_rule": decision.rule_id,
        }
        yield Broken("calibration.conformity", facts, certificate.id)


def failed(dated: DatedCertificate) -> bool:
    """Whether a certificate, or the confirmation of it for its use (计量确认), says that the instrument failed."""
    certificate = dated.certificate
    return certificate.kind == "rejection_notice" or "fail" in {certificate.result, certificate.confirmed_result}


def _certificate(dated: DatedCertificate, instrument: Instrument, at_us: int) -> Iterator[Broken]:
    certificate = dated.certificate
    number = certificate.id
    if normal_serial(certificate.serial) != normal_serial(instrument.serial):
        facts: Facts = {"certificate": number, "printed": certificate.serial, "serial": instrument.serial}
        yield Broken("calibration.identity", facts, number)
    if certificate.authenticity in UNTRUSTED:
        yield Broken("calibration.untrusted", {"certificate": number, "found": certificate.authenticity}, number)
    if failed(dated):
        yield Broken("calibration.failed", {"certificate": number, "performed_on": certificate.performed_on}, number)
    if at_us >= dated.valid_until_us:
        yield Broken("calibration.expired", {"certificate": number, "valid_until": certificate.valid_until}, number)


def accuracy_class(view: LedgerView, fitted: Fitted, at_us: int) -> Iterator[Broken]:
    """The meter's class against the one its point demands; the certificate's class counts before the plate's."""
    point = view.point(fitted.installation.point, at_us)
    instrument = view.instrument(fitted.installation.instrument, at_us)
    if point is None or instrument is None or not _is_meter(fitted) or not point.required_class:
        return
    dated = view.in_force(instrument.id, at_us)
    held = (dated.certificate.accuracy_class if dated is not None else "") or instrument.accuracy_class
    demanded_rank, held_rank = class_rank(point.required_class), class_rank(held)
    if demanded_rank is not None and held_rank is not None and held_rank > demanded_rank:
        yield Broken("instrument.class_too_low", {"required": point.required_class, "accuracy_class": held})


def ratios(view: LedgerView, fitted: Fitted, at_us: int, said: Mapping[str, str], *, primary: bool) -> Iterator[Broken]:
    """Ledger ratio, transformer plates and the meter's own ratio registers agree.

    ``said``: newest identity values of the device (``ct_ratio``, ``ct_primary`` …); ``primary``: the meter multiplies
    by itself. A register of 1 in a meter that does not multiply is "not set" and says nothing.
    """
    if not _is_meter(fitted):
        return
    for kind, declared in (("ct", fitted.installation.ct_ratio), ("pt", fitted.installation.pt_ratio)):
        ledger = parse_ratio(declared)
        facts: Facts = {"transformer": kind, "ledger": declared or "1"}
        for plate in _plates(view, fitted, kind, at_us):
            if plate[1] != ledger:
                facts |= {"plate": str(plate[1]), "instrument": plate[0]}
        register = _register(said, kind)
        if register is not None and not (register == 1 and not primary) and not _close(register, ledger):
            facts["register"] = _plain(register)
        if len(facts) > 2:
            yield Broken("installation.ratio_mismatch", facts)


def _plates(view: LedgerView, fitted: Fitted, kind: str, at_us: int) -> Iterator[tuple[str, Fraction]]:
    for other in view.by_point.get(fitted.installation.point, ()):
        if other.installation.role == kind and other.from_us <= at_us < other.to_us:
            instrument = view.instrument(other.installation.instrument, at_us)
            if instrument is not None and instrument.ratio_primary and instrument.ratio_secondary:
                secondary = Fraction(instrument.ratio_secondary)
                if secondary:
                    yield instrument.id, Fraction(instrument.ratio_primary) / secondary


def _register(said: Mapping[str, str], kind: str) -> Fraction | None:
    try:
        if f"{kind}_ratio" in said:
            return Fraction(said[f"{kind}_ratio"]) or None
        primary, secondary = said.get(f"{kind}_primary"), said.get(f"{kind}_secondary")
        if primary and secondary and Fraction(secondary):
            return Fraction(primary) / Fraction(secondary) or None
    except ValueError:
        return None
    return None


def _close(one: Fraction, other: Fraction) -> bool:
    """Equal as far as a register of three digits can say."""
    return abs(one - other) * 1000 <= other


def _plain(number: Fraction) -> str:
    return str(number.numerator) if number.denominator == 1 else f"{float(number):.6g}"


def serial(view: LedgerView, fitted: Fitted, at_us: int, said: Mapping[str, str]) -> Iterator[Broken]:
    """The serial number the device reports is the installed instrument's."""
    reported = said.get("serial_number")
    instrument = view.instrument(fitted.installation.instrument, at_us)
    if not reported or instrument is None or not instrument.serial or not _is_meter(fitted):
        return
    if normal_serial(reported) != normal_serial(instrument.serial):
        yield Broken("identity.serial_mismatch", {"reported": reported, "serial": instrument.serial})


def unequipped(view: LedgerView, point: MeteringPoint, at_us: int) -> bool:
    """Whether a point that must be measured has no meter at an instant."""
    if not point.must_measure or point.exemption:
        return False
    meters: Sequence[Fitted] = view.by_point.get(point.id, ())
    return not any(_is_meter(each) and each.from_us <= at_us < each.to_us for each in meters)


def _is_meter(fitted: Fitted) -> bool:
    return fitted.installation.role == InstallationRole.METER
