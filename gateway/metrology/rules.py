"""What is wrong with an instrument's certificates at an instant: pure questions, one function a family of rules.

Rule ids as in ``gateway.i18n.rules``; facts are integers and strings. Every rule is evaluated, every result reported.
How the instrument is used stands in ``gateway.metrology.use``.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gateway.domain.ledger import CertificateKind, Instrument, normal_serial
from gateway.metrology.conformity import Conformity
from gateway.metrology.ledger_view import UNTRUSTED, DatedCertificate
from gateway.metrology.moment import Broken, Facts, Moment, decided, failed, plain

METROLOGY_RULES = "3"
"""Edition of these rules; stands in every verdict."""

FileFits = Callable[[str, str, str], bool | None]
"""(procedure, digest, stored document) → whether the file has that digest; None when it is not known."""


def calibration(moment: Moment) -> Iterator[Broken]:
    """The record of the instrument itself: is there one, of this meter, in force, passed, of the demanded kind."""
    instrument, dated = moment.instrument, moment.dated
    if instrument is None:
        return
    if dated is None:
        later = moment.following
        if later is not None and not failed(later):
            id_, first_day = later.certificate.id, later.certificate.performed_on
            yield Broken("calibration.not_yet_valid", {"certificate": id_, "performed_on": first_day}, id_)
        else:
            yield Broken("calibration.none")
        return
    if moment.duty:
        verification = moment.view.in_force(instrument.id, moment.at_us, verification_only=True)
        if verification is not None:
            dated = verification
        else:
            facts: Facts = {"certificate": dated.certificate.id, "kind": dated.certificate.kind}
            yield Broken("calibration.not_verification", facts, dated.certificate.id)
    elif dated.certificate.kind == CertificateKind.CALIBRATION and not dated.certificate.confirmed_result:
        yield Broken("calibration.unconfirmed", {"certificate": dated.certificate.id}, dated.certificate.id)
    yield from _certificate(dated, instrument, moment.at_us)


def _certificate(dated: DatedCertificate, instrument: Instrument, at_us: int) -> Iterator[Broken]:
    certificate = dated.certificate
    id_ = certificate.id
    if certificate.serial != instrument.serial and normal_serial(certificate.serial) != normal_serial(
        instrument.serial
    ):
        facts: Facts = {"certificate": id_, "printed": certificate.serial, "serial": instrument.serial}
        yield Broken("calibration.identity", facts, id_)
    if certificate.authenticity in UNTRUSTED:
        yield Broken("calibration.untrusted", {"certificate": id_, "found": certificate.authenticity}, id_)
    if failed(dated):
        yield Broken("calibration.failed", {"certificate": id_, "performed_on": certificate.performed_on}, id_)
    if at_us >= dated.valid_until_us:
        yield Broken("calibration.expired", {"certificate": id_, "valid_until": certificate.valid_until}, id_)


def look_back(moment: Moment) -> Iterator[Broken]:
    """Readings between the last good evidence and a failure found later are in question (ISO 10012); so are those that
    stand on a certificate that was withdrawn."""
    withdrawn = moment.view.withdrawn_at(moment.fitted.installation.instrument, moment.at_us)
    if withdrawn is not None:
        id_ = withdrawn.certificate.id
        yield Broken("calibration.withdrawn", {"certificate": id_}, id_)
    later, before = moment.following, moment.dated
    if later is None or not found_failing(moment, later):
        return
    if before is not None and failed(before):
        return  # known to fail already: that is said by itself
    facts: Facts = {"certificate": later.certificate.id, "performed_on": later.certificate.performed_on}
    if before is not None:
        facts["last_good"] = before.certificate.id
    yield Broken("calibration.look_back", facts, later.certificate.id)


def found_failing(moment: Moment, later: DatedCertificate) -> bool:
    """Whether a certificate says that the instrument had not been good enough before it was looked at.

    What is said of the state before adjustment counts first, in words or by its error; then the certificate's result.
    """
    certificate = later.certificate
    if certificate.as_found_result:
        return certificate.as_found_result == "fail"
    if moment.instrument is not None and certificate.as_found_error_percent:
        found = decided(later, moment.instrument, moment.policy, as_found=True)
        if found is not None:
            return found[0].state not in {Conformity.PASS, Conformity.CONDITIONAL_PASS}
    return failed(later)


def trace(moment: Moment, file_fits: FileFits) -> Iterator[Broken]:
    """Every standard the certificate in force names is on record, was valid on the day of performance, and its
    certificate's file is the one the digest was taken of."""
    dated = moment.dated
    if dated is None:
        return
    certificate = dated.certificate
    internal = certificate.kind == CertificateKind.INTERNAL
    if not certificate.standards:
        if internal:
            yield Broken("calibration.trace_broken", {"certificate": certificate.id, "reason": "none"}, certificate.id)
        return
    for id_ in filter(None, certificate.standards.split(";")):
        for reason, more in _standard(moment, dated, id_, internal=internal):
            facts: Facts = {"certificate": certificate.id, "standard": id_, "reason": reason, **more}
            yield Broken("calibration.trace_broken", facts, certificate.id)
        if not _file_agrees(moment, dated, id_, file_fits):
            facts = {"certificate": certificate.id, "standard": id_, "found": "digest_mismatch"}
            yield Broken("calibration.untrusted", facts, certificate.id)


def _standard(
    moment: Moment, dated: DatedCertificate, id_: str, *, internal: bool
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """(reason, further facts) for each gap at one standard."""
    certificate, view = dated.certificate, moment.view
    known = view.standard(id_, dated.valid_from_us)
    if known is None:
        yield "unknown", {}
        return
    standard, record = known
    if standard.valid_until and standard.valid_until < certificate.performed_on:
        yield "expired", {"valid_until": standard.valid_until}
    if internal and not standard.certificate_number:
        # a calibration in the own house stands on nothing but the certificate of its standard
        yield "no_certificate", {}
    link = _link(record.object)
    if link.get("in_validity") == 0:
        yield "not_in_validity", {}
    if link.get("traceable") == 0:
        yield "not_traceable", {}
    if standard.certificate_number in view.withdrawn_numbers:
        yield "withdrawn", {"number": standard.certificate_number}
    above = view.by_number.get(standard.certificate_number)
    if above is not None and failed(above):
        yield "failed", {"number": standard.certificate_number}


def _file_agrees(moment: Moment, dated: DatedCertificate, id_: str, file_fits: FileFits) -> bool:
    known = moment.view.standard(id_, dated.valid_from_us)
    above = moment.view.by_number.get(known[0].certificate_number) if known is not None else None
    if known is None or above is None or not above.certificate.document:
        return True
    link = _link(known[1].object)
    procedure, digest = str(link.get("procedure") or ""), str(link.get("digest") or "")
    return not digest or file_fits(procedure, digest, above.certificate.document) is not False


def _link(document: Mapping[str, Any]) -> Mapping[str, Any]:
    link = document.get("link")
    return link if isinstance(link, Mapping) else {}


def conformity(moment: Moment) -> Iterator[Broken]:
    """The error and uncertainty the certificate in force prints, decided by the point's rule against the limit (C09).

    A certificate that says it failed is said by itself.
    """
    instrument, dated = moment.instrument, moment.dated
    if instrument is None or dated is None or failed(dated) or not dated.certificate.error_percent:
        return
    found = decided(dated, instrument, moment.policy)
    if found is None or found[0].state is Conformity.PASS:
        return
    decision, limit = found
    facts: Facts = {
        "certificate": dated.certificate.id,
        "error_percent": dated.certificate.error_percent,
        "uncertainty_percent": dated.certificate.uncertainty_percent,
        "limit_percent": plain(limit.percent),
        "limit_source": limit.source,
        "limit_confidence": limit.confidence,
        "state": str(decision.state),
        "decision_rule": decision.rule_id,
        "p_conformity": f"{decision.p_conformity:.4f}",
    }
    yield Broken("calibration.conformity", facts, dated.certificate.id)
