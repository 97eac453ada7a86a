"""Keys, signers and signed certificates made for a test."""

from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml import XMLSigner
from signxml.xades import XAdESSigner

CASES = Path(__file__).parents[3] / "cases/certificates"
NOW_US = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1e6)
BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC)


def case(name):
    return (CASES / f"{name}.xml").read_bytes()


class Authority:
    """A root of our own and the signers it names."""

    def __init__(self, name="Root"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        self.certificate = (
            self._begun(self.name, self.key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(identifier, critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def _begun(self, subject, key, begin=BEGIN, end=END):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
        return builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)

    def signer(self, begin=BEGIN, end=END):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Laboratory")])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = (
            self._begun(subject, key, begin, end)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("lab.invalid")]), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return key, certificate

    def revocation_list(self, certificate, revoked_at):
        revoked = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(revoked_at)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(revoked_at)
        crl = builder.next_update(END).add_revoked_certificate(revoked.build()).sign(self.key, hashes.SHA256())
        return b64encode(crl.public_bytes(serialization.Encoding.DER)).decode()


def signed(content, signer, *, xades=True, revocation=""):
    """The certificate with an enveloped signature (XAdES says when: now)."""
    key, certificate = signer
    root = etree.fromstring(content)
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    kind = XAdESSigner if xades else XMLSigner
    result = kind(signature_algorithm="ecdsa-sha256").sign(root, key=key, cert=pem)
    if revocation:
        signature = result.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
        holder = etree.SubElement(signature, "{http://www.w3.org/2000/09/xmldsig#}Object")
        etree.SubElement(holder, "{http://uri.etsi.org/01903/v1.3.2#}EncapsulatedCRLValue").text = revocation
    return etree.tostring(result)
