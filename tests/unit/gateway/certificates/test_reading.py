"""Our own certificates of energy meters: every fact read as it was authored; what is missing or hostile is refused."""

import importlib.util
from decimal import Decimal

import pytest

from gateway.certificates.dcc import read_certificate
from gateway.certificates.percent import worst
from gateway.certificates.refusal import CertificateRefusedError, MissingContentError
from gateway.certificates.xml_reading import MAX_FILE_BYTES, parse
from tests.unit.gateway.certificates.papers import CASES, case


def read(content):
    return read_certificate(parse(content))


def test_the_committed_files_are_what_the_script_builds():
    spec = importlib.util.spec_from_file_location("build_certificates", CASES / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    assert {name: (CASES / name).read_text("utf-8") for name in build.CASES} == {n: b() for n, b in build.CASES.items()}


def test_an_electricity_meter_with_transformers():
    found = read(case("electricity"))
    assert (found.number, found.performed_to, found.recalibrate_on) == ("EM-2026-0042", "2026-03-03", "2027-03-02")
    meter = found.items[0]
    assert (meter.serial, meter.identification("customer"), meter.classes) == (
        "E-000451",
        "M-E1",
        (("invented", "0.5S"),),
    )
    ct, pt = meter.sub_items
    assert (ct.serial, ct.quantities[0].values, pt.serial) == ("CT-77", (Decimal(40),), "PT-78")
    assert [table.stage for table in found.tables] == ["as_left", "as_found"]
    left = found.tables[0]
    assert left.error.values == (Decimal("0.21"), Decimal("-0.12"), Decimal("0.05"))
    assert left.error.standard == (Decimal("0.05"), Decimal("0.04"), Decimal("0.04"))
    assert left.upper_limit.values == (Decimal("0.5"),)
    assert found.tables[1].conformity == ("fail", "fail", "fail")
    assert found.result == "pass"
    link = found.standards[0].certificate
    assert (link.number, link.in_validity, link.higher.number) == ("STD-2026-4", True, "NIM-2025-9")
    assert found.validity_range.upper.values == (Decimal(6),)


def test_a_gas_meter_in_the_older_encoding_that_replaces_another():
    found = read(case("gas"))
    assert (found.result, found.replaces, found.change) == ("fail", "GM-2026-0007", "substituted")
    worse = worst(found.tables, "as_left")  # 0.6/40 = 1.5 %, U 0.08/40 = 0.2 %, against 1.3 % and 0.2 %
    assert (worse.error, worse.expanded, worse.k) == (Decimal("1.5"), Decimal("0.2"), Decimal("2.1"))


def test_a_heat_meter_with_reference_and_indication_only():
    found = read(case("heat"))
    table = found.tables[0]
    assert (table.computed, table.error.values, table.error.expanded) == (True, (Decimal("0.60"),), ())
    assert table.measured.standard == (Decimal("0.125"),)
    assert worst(found.tables, "as_left").error == Decimal("1.2")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<dcc:uniqueIdentifier>EM-2026-0042</dcc:uniqueIdentifier>", "", "uniqueIdentifier"),
        ("<dcc:endPerformanceDate>2026-03-03</dcc:endPerformanceDate>", "", "endPerformanceDate"),
        ("<dcc:issuer>manufacturer</dcc:issuer>", "<dcc:issuer>other</dcc:issuer>", "issuer='manufacturer'"),
        ("basic_measurementError", "my_error", "basic_measurementError"),
        ('schemaVersion="3.3.0"', 'schemaVersion="4.0.0"', "4.0.0"),
        ("0.21 -0.12 0.05", "0.21 -0.12", "3 values for 2 points"),
        ("0.21 -0.12 0.05", "0.21 NaN 0.05", "not a number"),
        ("0.21 -0.12 0.05", "0.21 1e999999 0.05", "not a number"),
        ("0.10 0.08 0.08", "0.10 -0.08 0.08", "negative"),
        ("expandedMUXMLList", "ellipsoidMUXMLList", "form not known"),
        ("coverageFactorXMLList>2<", "coverageFactorXMLList>0<", "not positive"),
        ("2026-03-03</dcc:end", "03.03.2026</dcc:end", "not a date"),
    ],
)
def test_what_is_missing_or_unknown_is_refused_by_name(old, new, said):
    content = case("electricity").decode()
    assert old in content
    with pytest.raises(CertificateRefusedError) as refused:
        read(content.replace(old, new).encode())
    assert said in str(refused.value)


def test_everything_missing_is_said_at_once():
    content = b'<d:digitalCalibrationCertificate xmlns:d="https://ptb.de/dcc" schemaVersion="3.2.0"/>'
    with pytest.raises(MissingContentError) as refused:
        read(content)
    assert len(refused.value.missing) == 6


ENTITY = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
LAUGHS = b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><a b="&y;"/>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (ENTITY, "document type"),
        (LAUGHS, "document type"),
        (ENTITY.decode().encode("utf-16"), "document type"),
        (b"<!DOCTYPE a><a/>", "document type"),
        (b"<a>" * 65 + b"</a>" * 65, "nested deeper"),
        (b"<a>" + b"<b/>" * 200_001 + b"</a>", "more than"),
        (b"<a>" + b" " * MAX_FILE_BYTES + b"</a>", "larger"),
        (b'<a><b Id="x"/><c id="x"/></a>', "stands twice"),
        (b'<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="/etc/passwd"/></a>', "included"),
        (b"<a>", "well-formed"),
        (b"", "well-formed"),
    ],
)
def test_attacks_are_refused(content, said):
    with pytest.raises(CertificateRefusedError, match=said):
        parse(content)
