"""The XML signature of a certificate: is it whole, who signed, and was the signer's key good when it was used.

Only what signxml hands back as signed is read afterwards; a second element of the same name elsewhere in the file has
no effect. The time of signing counts only where the signature itself covers it (XAdES SigningTime); otherwise the
signer is judged as of now. It is the signer's own word: time-stamp tokens and OCSP answers are not looked at.
"""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature as BadSignature
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import verification
from lxml import etree
from signxml.exceptions import InvalidCertificate, InvalidDigest, InvalidInput, InvalidSignature, SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from gateway.certificates.quantities import NS
from gateway.certificates.refusal import CertificateRefusedError
from gateway.certificates.xml_reading import parse

MAX_REFERENCES = 8
MAX_LISTS = 32
UNKNOWN_FORM = "the signature's algorithm or form is not known here"
REVOKED_LATER = "the signer's certificate was revoked later; the time of signing is the signer's word"
_DS = "http://www.w3.org/2000/09/xmldsig#"
_SIGNATURE = f"{{{_DS}}}Signature"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_TRANSFORMS = frozenset(
    {
        _ENVELOPED,
        *(
            f"{method}{comments}"
            for method in (
                "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
                "http://www.w3.org/2001/10/xml-exc-c14n#",
                "http://www.w3.org/2006/12/xml-c14n11",
            )
            for comments in ("", "WithComments", "#WithComments")
        ),
    }
)


class Authenticity(StrEnum):
    """What is known about a certificate file. Only the last four say that something is wrong."""

    VALID = "valid"  # whole, and the signer's certificate leads to one the operator trusts
    INTACT = "intact"  # whole; the operator named nobody to trust, so the signer was not judged
    UNSIGNED = "unsigned"
    NOT_CHECKED = "not_checked"  # by an algorithm or in a form not known here (SM2, for example)
    UNKNOWN_SIGNER = "unknown_signer"
    MANIPULATED = "manipulated"
    REVOKED = "revoked"
    EXPIRED_SIGNER = "expired_signer"

    @property
    def is_refused(self) -> bool:
        """Whether the file must not count as evidence of anything but itself."""
        return self in {Authenticity.MANIPULATED, Authenticity.REVOKED, Authenticity.EXPIRED_SIGNER}


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """The outcome. ``signed_at`` blank: the signature does not say; ``note`` is an English text of the catalogue."""

    authenticity: Authenticity
    signer: str = ""
    signed_at: str = ""
    note: str = ""


def read_anchors(pem: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """The certificates of PEM files. CertificateRefusedError when one is not."""
    try:
        return tuple(each for content in pem for each in x509.load_pem_x509_certificates(content))
    except ValueError as error:
        message = "a trusted certificate is not in PEM form: %(reason)s"
        raise CertificateRefusedError(message, reason=str(error)) from error


def check_signature(  # one way out for each thing a signature can be
    root: etree._Element, anchors: Sequence[x509.Certificate], now_us: int
) -> tuple[SignatureReport, etree._Element]:
    """The report, and the element to read: what was signed when the signature is whole, else the file's root.

    ``anchors``: whom the operator trusts (roots and intermediates); ``now_us`` µs UTC.

    Raises:
        CertificateRefusedError: signatures elsewhere than below the root, or a signature about something else.
    """
    everywhere = list(root.iter(_SIGNATURE))
    if not everywhere:
        return SignatureReport(Authenticity.UNSIGNED), root
    if any(each.getparent() is not root for each in everywhere):
        raise CertificateRefusedError("a signature stands elsewhere than below the root element")
    if len(everywhere) > 1:
        return SignatureReport(Authenticity.NOT_CHECKED, note="the file holds several signatures"), root
    signature = everywhere[0]
    count = _check_references(signature)
    try:
        signer = _signer(signature)
    except ValueError:
        return SignatureReport(Authenticity.NOT_CHECKED, note="the signer's certificate cannot be read"), root
    if signer is None:
        return SignatureReport(Authenticity.NOT_CHECKED, note="the signature names no certificate"), root
    report = SignatureReport(Authenticity.INTACT, signer.subject.rfc4514_string())
    authenticity, results = _results(root, signer, count)
    if authenticity is not Authenticity.INTACT:
        note = UNKNOWN_FORM if authenticity is Authenticity.NOT_CHECKED else ""
        return replace(report, authenticity=authenticity, note=note), root
    signed = next((each for each in results if each.signed_xml is not None and each.signed_xml.tag == root.tag), None)
    if signed is None:
        raise CertificateRefusedError("the signature does not cover the certificate")
    signed_at = next((at for each in results if (at := _signing_time(each.signed_xml)) is not None), None)
    at = signed_at or datetime.fromtimestamp(now_us / 1e6, UTC)
    if signed_at is not None:
        report = replace(report, signed_at=signed_at.isoformat())
    return _judge_signer(report, signer, signature, anchors, at), parse(signed.signed_data)


def _results(root: etree._Element, signer: x509.Certificate, count: int) -> tuple[Authenticity, list[VerifyResult]]:
    """Whether every digest and the signature itself agree with the key in the file; what was signed."""
    # the validity of the signer's certificate at the time of signing is judged afterwards, by the time that was signed
    config = SignatureConfiguration(
        location="./", expect_references=count, verification_time=signer.not_valid_before_utc
    )
    try:
        found = XMLVerifier().verify(root, x509_cert=signer, expect_config=config)
    except (InvalidDigest, BadSignature):
        return Authenticity.MANIPULATED, []
    except (InvalidInput, InvalidCertificate, UnsupportedAlgorithm, NotImplementedError):
        return Authenticity.NOT_CHECKED, []
    except InvalidSignature:
        return Authenticity.MANIPULATED, []
    except (SignXMLException, ValueError, KeyError, TypeError):
        return Authenticity.NOT_CHECKED, []
    return Authenticity.INTACT, found if isinstance(found, list) else [found]


def _check_references(signature: etree._Element) -> int:
    """How many references it has; exactly one is about the whole file, and only known transforms are used."""
    references = signature.findall("ds:SignedInfo/ds:Reference", NS)
    if not 1 <= len(references) <= MAX_REFERENCES:
        raise CertificateRefusedError("a signature has 1 to %(limit)s references", limit=str(MAX_REFERENCES))
    if sum(not each.get("URI") for each in references) != 1:
        raise CertificateRefusedError("the signature does not cover the certificate")
    for each in references:
        uri = each.get("URI") or ""
        if uri and not uri.startswith("#"):
            raise CertificateRefusedError("the signature refers to another file; that is refused")
        for transform in each.iterfind("ds:Transforms/ds:Transform", NS):
            algorithm = transform.get("Algorithm") or ""
            if algorithm not in _TRANSFORMS:
                raise CertificateRefusedError("the transform %(name)s of the signature is refused", name=algorithm)
    return len(references)


def _signer(signature: etree._Element) -> x509.Certificate | None:
    found = signature.find("ds:KeyInfo/ds:X509Data/ds:X509Certificate", NS)
    if found is None or not found.text:
        return None
    return x509.load_der_x509_certificate(_der(str(found.text)))


def _der(text: str) -> bytes:
    return b64decode("".join(text.split()), validate=True)


def _signing_time(signed: etree._Element | None) -> datetime | None:
    if signed is None or etree.QName(signed).localname != "SignedProperties":
        return None
    said = next((str(each.text or "").strip() for each in signed.iter("{*}SigningTime")), "")
    try:
        at = datetime.fromisoformat(said) if said else None
    except ValueError as error:
        raise CertificateRefusedError("'%(text)s' is not a date", text=said[:60]) from error
    return at if at is None or at.tzinfo is not None else at.replace(tzinfo=UTC)


def _judge_signer(
    report: SignatureReport,
    signer: x509.Certificate,
    signature: etree._Element,
    anchors: Sequence[x509.Certificate],
    at: datetime,
) -> SignatureReport:
    if not signer.not_valid_before_utc <= at <= signer.not_valid_after_utc:
        note = "the signer's certificate was not valid when it was used"
        return replace(report, authenticity=Authenticity.EXPIRED_SIGNER, note=note)
    revoked_at = _revocation(signature, signer, [*anchors, *_enclosed(signature)])
    if revoked_at is not None and revoked_at <= at:
        note = "the signer's certificate had been revoked when it was used"
        return replace(report, authenticity=Authenticity.REVOKED, note=note)
    note = "" if revoked_at is None else REVOKED_LATER
    if not anchors:
        return replace(report, note=note)
    if any(each.fingerprint(SHA256()) == signer.fingerprint(SHA256()) for each in anchors):
        return replace(report, authenticity=Authenticity.VALID, note=note)
    trusted = _leads_to(signer, _enclosed(signature), anchors, at)
    return replace(report, authenticity=Authenticity.VALID if trusted else Authenticity.UNKNOWN_SIGNER, note=note)


def _leads_to(
    signer: x509.Certificate, between: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], at: datetime
) -> bool:
    """Whether a chain of valid certificates joins the signer with one of the anchors at an instant."""
    policies = (verification.ExtensionPolicy.permit_all(), verification.ExtensionPolicy.webpki_defaults_ca())
    builder = verification.PolicyBuilder().store(verification.Store(list(anchors))).time(at)
    verifier = builder.extension_policies(ee_policy=policies[0], ca_policy=policies[1]).build_client_verifier()
    try:
        verifier.verify(signer, list(between))
    except (verification.VerificationError, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _enclosed(signature: etree._Element) -> list[x509.Certificate]:
    """Certificates that came with the signature: they may show who signed a list, never whom to trust."""
    found = []
    for each in list(signature.iter("{*}EncapsulatedX509Certificate", f"{{{_DS}}}X509Certificate"))[:MAX_LISTS]:
        try:
            found.append(x509.load_der_x509_certificate(_der(str(each.text or ""))))
        except ValueError:
            continue  # one that cannot be read shows nothing
    return found


def _revocation(
    signature: etree._Element, signer: x509.Certificate, known: Sequence[x509.Certificate]
) -> datetime | None:
    """When the signer's certificate was revoked by a list in the file; None when none says so.

    A list counts unless its issuer's certificate is known and did not sign it: in doubt the file is not believed.
    """
    lists = list(signature.iter("{*}EncapsulatedCRLValue", f"{{{_DS}}}X509CRL"))
    if len(lists) > MAX_LISTS:
        raise CertificateRefusedError("the signature holds more than %(limit)s revocation lists", limit=str(MAX_LISTS))
    dates = []
    for each in lists:
        try:
            crl = x509.load_der_x509_crl(_der(str(each.text or "")))
        except ValueError as error:
            raise CertificateRefusedError("a revocation list in the file cannot be read") from error
        if crl.issuer != signer.issuer:
            continue
        issuers = [one for one in known if one.subject == crl.issuer]
        if issuers and not any(_signed_by(crl, one) for one in issuers):
            continue
        entry = crl.get_revoked_certificate_by_serial_number(signer.serial_number)
        if entry is not None:
            dates.append(entry.revocation_date_utc)
    return min(dates, default=None)


def _signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # other kinds raise TypeError
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False
