"""What we write is signed with the operator's key, and our own importer reads and judges it as anybody's."""

from datetime import UTC, datetime

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from gateway.certificates.evidence import examine
from gateway.certificates.refusal import CertificateRefusedError
from gateway.certificates.signature import Authenticity
from gateway.certificates.signing import sign_certificate
from gateway.certificates.writing import InHouseCalibration, write_certificate
from tests.unit.gateway.certificates.papers import END, NOW_US, Authority, case
from tests.unit.gateway.certificates.test_commands import RECORD, entries, folder, run, take  # noqa: F401  # a fixture

PEM = serialization.Encoding.PEM


def key_pem(key, password=None):
    form = serialization.NoEncryption() if password is None else serialization.BestAvailableEncryption(password)
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, form)


def papers(authority, **span):
    key, certificate = authority.signer(**span)
    return key, certificate.public_bytes(PEM)


def own():
    return write_certificate(InHouseCalibration.model_validate(RECORD), "test", "1")


def test_signed_by_the_operator_and_trusted_by_the_importer():
    authority = Authority()
    key, signer = papers(authority)
    found = examine(
        sign_certificate(own(), key_pem(key), signer, now_us=NOW_US),
        anchors=[authority.certificate],
        schemas=None,
        now_us=NOW_US,
    )
    assert found.signature.authenticity is Authenticity.VALID
    assert found.signature.signer == "CN=Laboratory"
    assert datetime.fromisoformat(found.signature.signed_at).tzinfo is not None
    assert found.certificate.number == RECORD["number"]


@pytest.mark.parametrize("place", [b"50.40", b"Own laboratory"])
def test_any_change_afterwards_is_seen(place):
    key, signer = papers(Authority())
    content = sign_certificate(own(), key_pem(key), signer, now_us=NOW_US)
    assert content.count(place)
    changed = content.replace(place, place[::-1], 1)
    assert examine(changed, anchors=(), schemas=None, now_us=NOW_US).signature.authenticity is Authenticity.MANIPULATED


def test_a_key_behind_a_password():
    key, signer = papers(Authority())
    locked = key_pem(key, b"open sesame")
    with pytest.raises(CertificateRefusedError, match="signing key cannot be read"):
        sign_certificate(own(), locked, signer, now_us=NOW_US)
    signed = sign_certificate(own(), locked, signer, b"open sesame", now_us=NOW_US)
    assert examine(signed, anchors=(), schemas=None, now_us=NOW_US).signature.authenticity is Authenticity.INTACT


def test_what_cannot_sign():
    authority = Authority()
    key, signer = papers(authority)
    other, _ = papers(authority)
    with pytest.raises(CertificateRefusedError, match="not the one of the signer"):
        sign_certificate(own(), key_pem(other), signer, now_us=NOW_US)
    for weak in (rsa.generate_private_key(65537, 1024), ed25519.Ed25519PrivateKey.generate()):
        with pytest.raises(CertificateRefusedError, match="neither RSA"):
            sign_certificate(own(), key_pem(weak), signer, now_us=NOW_US)
    content = sign_certificate(own(), key_pem(key), signer, now_us=NOW_US)
    with pytest.raises(CertificateRefusedError, match="signed already"):
        sign_certificate(content, key_pem(key), signer, now_us=NOW_US)
    old, gone = papers(authority, end=datetime(2021, 1, 1, tzinfo=UTC))
    with pytest.raises(CertificateRefusedError, match="does not hold today"):
        sign_certificate(own(), key_pem(old), gone, now_us=NOW_US)
    with pytest.raises(CertificateRefusedError, match="not in PEM form"):
        sign_certificate(own(), key_pem(key), b"nothing", now_us=NOW_US)
    assert datetime.now(UTC) < END


@pytest.mark.parametrize("name", ["electricity", "gas", "heat"])
def test_other_certificates_can_be_signed_as_well(name):
    key, signer = papers(Authority())
    signed = sign_certificate(case(name), key_pem(key), signer, now_us=NOW_US)
    assert examine(signed, anchors=(), schemas=None, now_us=NOW_US).signature.authenticity is Authenticity.INTACT


def test_the_command_signs_and_the_import_trusts(folder):  # noqa: F811  # pytest's way
    authority = Authority()
    key, signer = papers(authority)
    place = folder.path.parent
    for name, content in (
        ("key.pem", key_pem(key, b"secret")),
        ("signer.pem", signer),
        ("root.pem", authority.certificate.public_bytes(PEM)),
        ("password", b"secret\n"),
        ("record.yaml", yaml.safe_dump(RECORD).encode()),
    ):
        (place / name).write_bytes(content)
    words = ["write", place / "record.yaml", place / "own.xml", "--key", place / "key.pem"]
    run(*words, refused="go together")
    run(*words, "--signer", place / "signer.pem", "--password-file", place / "password")
    take(folder, place / "own.xml", "--kind", "internal", "--trust", place / "root.pem")
    assert entries(folder, "certificate")[0]["object"]["authenticity"] == "valid"
