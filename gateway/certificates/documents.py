"""Certificates as pictures of paper: PDF and OFD files. They are kept by hash; a PDF's signatures are checked.

What such a file says is not read out of it: the operator enters number, dates and result. Signatures by SM2 (国密) are
reported as not checked, because no library here can check them; that is no statement about the file.
"""

import logging
from collections.abc import Sequence
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.certificates.refusal import CertificateRefusedError
from gateway.certificates.signature import UNKNOWN_FORM, Authenticity, SignatureReport
from gateway.certificates.xml_reading import MAX_FILE_BYTES

MAX_SIGNATURES = 16
MAX_MEMBERS = 10_000
SM2_NOTE = "signed by SM2; not checked here"
_SM2 = ("1.2.156.10197.1.301", "1.2.156.10197.1.501")


def kind_of(content: bytes) -> str:
    """``xml``, ``pdf`` or ``ofd``, by the bytes themselves. CertificateRefusedError when it is none of them."""
    if len(content) > MAX_FILE_BYTES:
        raise CertificateRefusedError("the file is larger than %(limit)s bytes", limit=str(MAX_FILE_BYTES))
    if b"%PDF-" in content[:1024]:
        return "pdf"
    if content[:4] == b"PK\x03\x04":
        try:
            with ZipFile(BytesIO(content)) as container:
                names = container.namelist()
        except (BadZipFile, ValueError, NotImplementedError) as error:
            raise CertificateRefusedError("the file is damaged: %(reason)s", reason=str(error)) from error
        if "OFD.xml" in names and len(names) <= MAX_MEMBERS:
            return "ofd"
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" or content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "xml"
    raise CertificateRefusedError("the file is neither XML nor PDF nor OFD")


def check_ofd(content: bytes) -> SignatureReport:
    """Whether an OFD file carries signatures; they are not checked."""
    with ZipFile(BytesIO(content)) as container:
        signed = any(name.endswith("Signatures.xml") for name in container.namelist())
    if signed:
        return SignatureReport(Authenticity.NOT_CHECKED, note="signatures of OFD files are not checked here")
    return SignatureReport(Authenticity.UNSIGNED)


def check_pdf(content: bytes, anchors: Sequence[x509.Certificate]) -> SignatureReport:
    """The report on all signatures of a PDF; the worst one counts.

    A signature that cannot be checked is reported so; a file whose bytes were changed after signing is manipulated.
    """
    from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: PLC0415  # half a second to load, rarely needed

    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)  # what it finds is in the report
    try:
        reader = PdfFileReader(BytesIO(content), strict=False)
        signatures = list(reader.embedded_regular_signatures)[: MAX_SIGNATURES + 1]
    except Exception:  # noqa: BLE001  # a reader of strangers' files fails in many ways; none of them is a verdict
        return SignatureReport(Authenticity.NOT_CHECKED, note="the PDF cannot be read by the signature check")
    if len(signatures) > MAX_SIGNATURES:
        return SignatureReport(Authenticity.NOT_CHECKED, note="the file holds several signatures")
    if not signatures:
        return SignatureReport(Authenticity.UNSIGNED)
    reports = [_check_one(each, anchors) for each in signatures]
    return min(reports, key=lambda each: _WORST_FIRST.index(each.authenticity))


_WORST_FIRST = (
    Authenticity.MANIPULATED,
    Authenticity.REVOKED,
    Authenticity.EXPIRED_SIGNER,
    Authenticity.UNKNOWN_SIGNER,
    Authenticity.NOT_CHECKED,
    Authenticity.UNSIGNED,
    Authenticity.INTACT,
    Authenticity.VALID,
)


def _check_one(signature: Any, anchors: Sequence[x509.Certificate]) -> SignatureReport:
    from pyhanko.sign.validation import validate_pdf_signature  # noqa: PLC0415  # as above
    from pyhanko.sign.validation.settings import KeyUsageConstraints  # noqa: PLC0415  # as above
    from pyhanko_certvalidator import ValidationContext  # noqa: PLC0415  # as above

    signer, at = "", None
    try:
        certificate = signature.signer_cert
        signer = str(certificate.subject.human_friendly)
        if any(oid in _algorithms(signature) for oid in _SM2):
            return SignatureReport(Authenticity.NOT_CHECKED, signer, note=SM2_NOTE)
        at = signature.self_reported_timestamp
        roots = [asn1_x509.Certificate.load(each.public_bytes(Encoding.DER)) for each in anchors]
        context = ValidationContext(trust_roots=roots, allow_fetching=False, moment=at, best_signature_time=at)
        # whether a laboratory's certificate states a usage is between it and its authority
        usage = KeyUsageConstraints(key_usage=frozenset())
        status = validate_pdf_signature(signature, context, key_usage_settings=usage)
    except Exception:  # noqa: BLE001  # as above: not checked is the honest word
        return SignatureReport(Authenticity.NOT_CHECKED, signer, note=UNKNOWN_FORM)
    signed_at = "" if at is None else at.isoformat()
    whole = status.intact and status.valid and not _changed_afterwards(status)
    if not whole:
        return SignatureReport(Authenticity.MANIPULATED, signer, signed_at)
    if status.revoked:
        return SignatureReport(Authenticity.REVOKED, signer, signed_at)
    if not anchors:
        return SignatureReport(Authenticity.INTACT, signer, signed_at)
    found = Authenticity.VALID if status.trusted else Authenticity.UNKNOWN_SIGNER
    return SignatureReport(found, signer, signed_at)


def _changed_afterwards(status: Any) -> bool:
    """More was appended than a further signature or its proofs."""
    from pyhanko.sign.diff_analysis import ModificationLevel  # noqa: PLC0415  # as above

    level = status.modification_level
    return level is not None and level == ModificationLevel.OTHER


def _algorithms(signature: Any) -> set[str]:
    """Object identifiers of the signature's algorithm and of the signer's key."""
    key = signature.signer_cert.public_key["algorithm"]
    found = {signature.signer_info["signature_algorithm"]["algorithm"].dotted, key["algorithm"].dotted}
    parameters = key["parameters"]
    if getattr(parameters, "name", "") == "named":
        found.add(parameters.chosen.dotted)
    return found
