"""Signatures: whole, manipulated, revoked, expired, unknown, wrapped; what is read is what was signed."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from gateway.certificates.dcc import read_certificate
from gateway.certificates.refusal import CertificateRefusedError
from gateway.certificates.signature import Authenticity, check_signature
from gateway.certificates.xml_reading import parse
from tests.unit.gateway.certificates.papers import NOW_US, Authority, case, signed

AUTHORITY = Authority()
ANCHORS = (AUTHORITY.certificate,)
SIGNER = AUTHORITY.signer()


def look(content, anchors=ANCHORS, now_us=NOW_US):
    return check_signature(parse(content), anchors, now_us)


def test_unsigned():
    assert look(case("gas"))[0].authenticity is Authenticity.UNSIGNED


@pytest.mark.parametrize("xades", [True, False])
def test_valid_and_what_is_read_was_signed(xades):
    report, root = look(signed(case("electricity"), SIGNER, xades=xades))
    assert report.authenticity is Authenticity.VALID
    assert bool(report.signed_at) is xades
    assert "Laboratory" in report.signer
    assert read_certificate(root).number == "EM-2026-0042"
    assert root.find("{http://www.w3.org/2000/09/xmldsig#}Signature") is None


def test_without_anybody_to_trust_it_is_whole_and_no_more():
    assert look(signed(case("gas"), SIGNER), anchors=())[0].authenticity is Authenticity.INTACT


def test_an_unknown_signer():
    stranger = (Authority("Stranger").certificate,)
    assert look(signed(case("gas"), SIGNER), anchors=stranger)[0].authenticity is Authenticity.UNKNOWN_SIGNER


def test_one_digit_changed():
    content = signed(case("gas"), SIGNER).replace(b"40.600", b"40.100")
    assert look(content)[0].authenticity is Authenticity.MANIPULATED


@pytest.mark.parametrize(
    ("revoked_at", "expected"),
    [
        (datetime(2024, 1, 1, tzinfo=UTC), Authenticity.REVOKED),
        (datetime(2044, 1, 1, tzinfo=UTC), Authenticity.VALID),
    ],
)
def test_revocation_counts_at_the_time_of_signing(revoked_at, expected):
    crl = AUTHORITY.revocation_list(SIGNER[1], revoked_at)
    report = look(signed(case("gas"), SIGNER, revocation=crl))[0]
    assert report.authenticity is expected
    assert "revoked" in report.note


def test_a_list_that_the_issuer_did_not_sign_is_no_list():
    forger = Authority()  # bears the same name
    crl = forger.revocation_list(SIGNER[1], datetime(2024, 1, 1, tzinfo=UTC))
    assert look(signed(case("gas"), SIGNER, revocation=crl))[0].authenticity is Authenticity.VALID


def test_a_signer_that_had_expired():
    old = AUTHORITY.signer(datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
    content = signed(case("gas"), old, xades=False)
    assert look(content)[0].authenticity is Authenticity.EXPIRED_SIGNER
    then = int(datetime(2020, 6, 1, tzinfo=UTC).timestamp() * 1e6)
    assert look(content, now_us=then)[0].authenticity is Authenticity.VALID


def test_an_algorithm_not_known_here_is_not_checked_and_never_invalid():
    content = signed(case("gas"), SIGNER)
    other = content.replace(b"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", b"urn:oid:1.2.156.10197.1.501")
    assert other != content
    assert look(other)[0].authenticity is Authenticity.NOT_CHECKED


def test_a_wrapped_signature_is_refused():
    """The signed certificate stands whole inside a forged one."""
    forged = etree.fromstring(case("gas").replace(b"40.600", b"40.100"))
    holder = etree.SubElement(forged, "{https://ptb.de/dcc}comment")
    holder.append(etree.fromstring(signed(case("gas"), SIGNER)))
    with pytest.raises(CertificateRefusedError, match="elsewhere"):
        look(etree.tostring(forged))


def test_a_signature_about_a_part_is_refused():
    content = signed(case("gas"), SIGNER, xades=False).replace(b'URI=""', b'URI="#part"')
    with pytest.raises(CertificateRefusedError, match="does not cover"):
        look(content)


def test_a_signature_about_another_file_is_refused():
    content = signed(case("gas"), SIGNER)
    reference = b'<ds:Reference URI="http://127.0.0.1/x"/></ds:SignedInfo>'
    with pytest.raises(CertificateRefusedError, match="another file"):
        look(content.replace(b"</ds:SignedInfo>", reference))
