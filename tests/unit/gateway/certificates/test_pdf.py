"""PDF signatures: whole, trusted or not, changed afterwards; SM2 is not checked and never invalid."""

import zlib
from io import BytesIO
from types import SimpleNamespace

import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter
from pyhanko.sign import signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from gateway.certificates import documents, pdf_signatures
from gateway.certificates.documents import check_pdf, kind_of
from gateway.certificates.pdf_signatures import check_pdf_apart
from gateway.certificates.signature import Authenticity
from tests.unit.gateway.certificates.papers import Authority

AUTHORITY = Authority()


def blank():
    writer = PdfFileWriter()
    content = writer.add_object(__import__("pyhanko.pdf_utils.generic", fromlist=["x"]).StreamObject(stream_data=b""))
    writer.insert_page(PageObject(contents=content, media_box=(0, 0, 100, 100)))
    stream = BytesIO()
    writer.write(stream)
    return stream.getvalue()


@pytest.fixture(scope="module")
def signed_pdf():
    key, certificate = AUTHORITY.signer()
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = signers.SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER)),
        signing_key=asn1_keys.PrivateKeyInfo.load(der),
        cert_registry=SimpleCertificateStore(),
    )
    metadata = signers.PdfSignatureMetadata(field_name="S", md_algorithm="sha256")
    return signers.sign_pdf(IncrementalPdfFileWriter(BytesIO(blank())), metadata, signer=signer).getvalue()


def test_unsigned():
    assert kind_of(blank()) == "pdf"
    assert check_pdf(blank(), ()).authenticity is Authenticity.UNSIGNED


def test_whole(signed_pdf):
    report = check_pdf(signed_pdf, ())
    assert report.authenticity is Authenticity.INTACT
    assert "Laboratory" in report.signer


def test_an_unknown_signer(signed_pdf):
    assert check_pdf(signed_pdf, (Authority("X").certificate,)).authenticity is Authenticity.UNKNOWN_SIGNER


def test_one_byte_changed(signed_pdf):
    position = signed_pdf.index(b"100")
    changed = signed_pdf[:position] + b"200" + signed_pdf[position + 3 :]
    assert check_pdf(changed, ()).authenticity is Authenticity.MANIPULATED


def test_sm2_is_not_checked(signed_pdf, monkeypatch):
    monkeypatch.setattr(documents, "_algorithms", lambda _signature: {"1.2.156.10197.1.501"})
    report = check_pdf(signed_pdf, ())
    assert (report.authenticity, report.note) == (Authenticity.NOT_CHECKED, documents.SM2_NOTE)


def test_the_algorithms_are_the_keys_and_the_signatures():
    chosen = SimpleNamespace(dotted="1.2.156.10197.1.301")
    algorithm = {"algorithm": SimpleNamespace(dotted="k"), "parameters": SimpleNamespace(name="named", chosen=chosen)}
    signature = SimpleNamespace(
        signer_cert=SimpleNamespace(public_key={"algorithm": algorithm}),
        signer_info={"signature_algorithm": {"algorithm": SimpleNamespace(dotted="s")}},
    )
    assert documents._algorithms(signature) == {"k", "s", "1.2.156.10197.1.301"}


def test_a_damaged_file_is_not_checked():
    assert check_pdf(b"%PDF-1.7 nothing", ()).authenticity is Authenticity.NOT_CHECKED


def test_a_known_signer(signed_pdf):
    assert check_pdf(signed_pdf, (AUTHORITY.certificate,)).authenticity is Authenticity.VALID


def test_the_check_apart_says_the_same(signed_pdf):
    report = check_pdf_apart(signed_pdf, (Authority("X").certificate,))
    assert report == check_pdf(signed_pdf, (Authority("X").certificate,)) or report.signer
    assert report.authenticity is Authenticity.UNKNOWN_SIGNER
    assert check_pdf_apart(b"%PDF-1.7 nothing", ()).authenticity in {Authenticity.UNSIGNED, Authenticity.NOT_CHECKED}


def bomb(unpacked_bytes):
    """A PDF whose cross-reference stream unpacks to that many zeros."""
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(unpacked_bytes // 2**20)) + packer.flush()
    head = b"%PDF-1.5\n"
    body = b"1 0 obj\n<</Type/XRef/Size 1/W[1 1 1]/Index[0 1]/Root 2 0 R/Filter/FlateDecode/Length "
    body += str(len(packed)).encode() + b">>\nstream\n" + packed + b"\nendstream\nendobj\n"
    return head + body + b"startxref\n" + str(len(head)).encode() + b"\n%%EOF\n"


def test_a_bomb_is_not_unpacked():
    content = bomb(256 * 2**20)
    assert len(content) < 4 * 2**20
    report = check_pdf_apart(content, ())
    assert (report.authenticity, report.note) == (Authenticity.NOT_CHECKED, pdf_signatures.UNREADABLE)


def test_a_check_that_runs_out_of_memory_is_no_verdict(signed_pdf, monkeypatch):
    monkeypatch.setattr(pdf_signatures, "MAX_MEMORY_BYTES", 48 * 2**20)
    report = check_pdf_apart(signed_pdf, ())
    assert (report.authenticity, report.note) == (Authenticity.NOT_CHECKED, pdf_signatures.UNREADABLE)
