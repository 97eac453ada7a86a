"""Published samples (PTB, pydcc; LGPL data) end as their SOURCES.md says; they are used from outside the repository.

``METERPROOF_TEST_DATA`` names the folder that holds ``dcc-samples``; where it is not set they are reported as not run.
"""

import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from gateway.certificates.evidence import examine
from gateway.certificates.refusal import CertificateRefusedError
from gateway.certificates.signature import Authenticity, read_anchors
from gateway.certificates.signing import sign_certificate
from gateway.certificates.writing import InHouseCalibration, write_certificate
from tests.unit.gateway.certificates.papers import Authority, case
from tests.unit.gateway.certificates.test_commands import RECORD

SAMPLES = Path(os.environ.get("METERPROOF_TEST_DATA") or "/nonexistent") / "dcc-samples"
pytestmark = pytest.mark.third_party
SCHEMAS = SAMPLES / "xsd"
NOW_US = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1e6)
GP = "pydcc/dcc_gp_temperature_"
TRUST = {"pydcc": ("root.crt", "sub.crt"), "dcclib": ("ca.pem",)}


def look(name, *, schemas=None, trust=True):
    pem = [(SAMPLES / "certs" / name.split("/")[0] / each).read_bytes() for each in TRUST[name.split("/")[0]]]
    content = (SAMPLES / "xml" / f"{name}.xml").read_bytes()
    return examine(content, anchors=read_anchors(pem) if trust else (), schemas=schemas, now_us=NOW_US)


OUTCOMES = {
    f"{GP}typical_adjustment_v12": ("valid", "unsigned"),
    f"{GP}simplified_v12": ("valid", "unsigned"),
    f"{GP}typical_v12": ("valid", "unsigned"),
    "pydcc/dcc_gp_temperatur_resistance_v12": ("valid", "unsigned"),
    "pydcc/dcc_ngp_temperature_typical_v12_refType2ID": ("valid", "unsigned"),
    f"{GP}typical_v12_signed": ("breaks schema 3.1.1", "valid"),
    f"{GP}typical_v12_signed_manipulated": ("breaks schema 3.1.1", "manipulated"),
    f"{GP}typical_v12_v3.2.0_signed": ("valid", "valid"),
    f"{GP}typical_v12_v3.2.0_signed_manipulated": ("valid", "manipulated"),
    f"{GP}typical_v12_v3.2.0_signed_lt": ("valid", "valid"),
    "dcclib/valid": ("valid", "unsigned"),
    "dcclib/valid_signature": ("valid", "valid"),
    "dcclib/invalid_signature": ("valid", "manipulated"),
    "dcclib/invalid_schema": ("breaks schema 3.3.0", "lacks: administrativeData/coreData/uniqueIdentifier"),
    "dcclib/invalid_syntax": ("well-formed", "well-formed"),
    "dcclib/invalid_schematron": ("valid", "unsigned"),
    "dcclib/valid_formula": ("incomplete", "unsigned"),
}


def test_no_sample_is_left_out():
    assert {str(each.relative_to(SAMPLES / "xml"))[:-4] for each in (SAMPLES / "xml").rglob("*.xml")} == set(OUTCOMES)


@pytest.mark.parametrize(("name", "schema", "signature"), [(name, *said) for name, said in OUTCOMES.items()])
def test_a_sample_ends_as_its_source_says(name, schema, signature):
    def outcome(schemas, ask):
        try:
            return ask(look(name, schemas=schemas))
        except CertificateRefusedError as refused:
            return str(refused)

    assert schema in outcome(SCHEMAS, lambda found: str(found.schema))
    assert signature in outcome(None, lambda found: str(found.signature.authenticity))


def test_as_found_and_as_left():
    found = look(f"{GP}typical_adjustment_v12").certificate
    left, before = found.tables
    assert (left.stage, before.stage) == ("as_left", "as_found")
    assert left.error.values[0] == Decimal("0.072")
    assert left.error.standard == (Decimal("0.0305"),) * 5  # U 0.061, k 2
    assert (found.result, found.recalibrate_on) == ("pass", "1959-10-22")
    assert [each.values for each in (found.validity_range.lower, found.validity_range.upper)] == [
        (Decimal(306),),
        (Decimal(593),),
    ]


def test_the_signers_word_on_when():
    assert look(f"{GP}typical_v12_v3.2.0_signed").signature.signed_at == "2023-03-27T15:14:30+00:00"
    assert look("dcclib/valid_signature", trust=False).signature.authenticity is Authenticity.INTACT


@pytest.mark.parametrize("name", ["electricity", "gas", "heat"])
def test_our_own_certificates_are_valid_by_the_schema(name):
    assert examine(case(name), anchors=(), schemas=SCHEMAS, now_us=NOW_US).schema == "valid"


@pytest.mark.parametrize("change", [{}, {"conformity": None}, {"recalibrate_on": "2027-06-01"}])
def test_what_we_write_is_valid_by_the_schema(change):
    written = write_certificate(InHouseCalibration.model_validate(RECORD | change), "Meterproof", "1")
    assert examine(written, anchors=(), schemas=SCHEMAS, now_us=NOW_US).schema == "valid"


def test_what_we_sign_is_valid_by_the_schema():
    key, certificate = Authority().signer()
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    written = write_certificate(InHouseCalibration.model_validate(RECORD), "Meterproof", "1")
    signed = sign_certificate(
        written, key.private_bytes(*form), certificate.public_bytes(serialization.Encoding.PEM), now_us=NOW_US
    )
    found = examine(signed, anchors=(), schemas=SCHEMAS, now_us=NOW_US)
    assert (found.schema, found.signature.authenticity) == ("valid", Authenticity.INTACT)
