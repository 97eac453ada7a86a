"""Signing what we write: an enveloped XML signature with the time of signing (XAdES), by a key the operator gives."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.xades.xades import XAdESSigner

from gateway.certificates.refusal import CertificateRefusedError
from gateway.certificates.xml_reading import parse
from gateway.domain.time import to_datetime

MIN_RSA_BITS = 2048


def sign_certificate(
    content: bytes, key_pem: bytes, certificates_pem: bytes, password: bytes | None = None, *, now_us: int
) -> bytes:
    """The certificate with its signature as last child of the root; ``certificates_pem``: the signer's, then those
    between it and the root.

    The time of signing is the machine's now and is covered by the signature; ``now_us`` (µs UTC) is held against the
    validity of the signer's certificate.

    Raises:
        CertificateRefusedError: key or certificate cannot be used, do not belong together, or the signer's certificate
            does not hold now; the file is signed already.
    """
    key, chain = _key(key_pem, password), _chain(certificates_pem)
    signer = chain[0]
    if key.public_key() != signer.public_key():
        raise CertificateRefusedError("the key is not the one of the signer's certificate")
    if not signer.not_valid_before_utc <= to_datetime(now_us) <= signer.not_valid_after_utc:
        raise CertificateRefusedError("the signer's certificate does not hold today")
    root = parse(content)
    if root.find("{http://www.w3.org/2000/09/xmldsig#}Signature") is not None:
        raise CertificateRefusedError("the certificate is signed already")
    method = SignatureMethod.RSA_SHA256 if isinstance(key, rsa.RSAPrivateKey) else SignatureMethod.ECDSA_SHA256
    signing = XAdESSigner(
        signature_algorithm=method,
        digest_algorithm="sha256",
        c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_0,
    )
    try:
        signed = signing.sign(root, key=key, cert=list(chain))
    except (SignXMLException, ValueError) as error:
        raise CertificateRefusedError("the certificate cannot be signed: %(reason)s", reason=str(error)) from error
    return etree.tostring(signed, xml_declaration=True, encoding="UTF-8")  # type: ignore[no-any-return]


def _key(pem: bytes, password: bytes | None) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem, password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateRefusedError("the signing key cannot be read: %(reason)s", reason=str(error)) from error
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= MIN_RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key
    raise CertificateRefusedError("the signing key is neither RSA of %(bits)s bits nor ECDSA", bits=str(MIN_RSA_BITS))


def _chain(pem: bytes) -> tuple[x509.Certificate, ...]:
    try:
        found = tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise CertificateRefusedError(
            "a trusted certificate is not in PEM form: %(reason)s", reason=str(error)
        ) from error
    return found
