"""The commands on a real data folder: import, confirm, show, write; the file in blobs/, seen by the verifier."""

import json
import sqlite3
from hashlib import sha256
from io import BytesIO
from zipfile import ZipFile

import pytest
import yaml
from click.testing import CliRunner

from gateway.certificates.dcc import read_certificate
from gateway.certificates.xml_reading import parse
from gateway.cli.certificate import command
from gateway.domain.errors import MeterproofError
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.recording import record_object
from tests.plant_folder import FixedClock
from tests.unit.gateway.certificates.papers import NOW_US, Authority, case, signed

AT = "2026-11-01T00:00:00Z"


@pytest.fixture
def folder(tmp_path):
    made = DataFolder.create(
        tmp_path / "data", organisation="o", site="s", time_zone="Asia/Shanghai", simulated=True, clock=FixedClock(1)
    )
    with Journal.open(made) as journal:
        for id_, serial in (("M-E1", "e000451"), ("M-G1", "G65-9"), ("M-H1", "H 12")):
            said = {"at_us": NOW_US, "actor": "a", "reason": "", "source": ""}
            record_object(journal, "instrument", "o", id_, {"serial": serial, "kind": "gas_meter"}, **said)
    return made


def run(*words, refused=""):
    result = CliRunner().invoke(command, [str(each) for each in words], obj="en")
    if refused:
        assert isinstance(result.exception, MeterproofError), result.output
        said = "; ".join(getattr(result.exception, "lines", ())) or str(result.exception)
        assert refused in said
    elif result.exception:
        raise result.exception
    return result.output


def paper(folder, name, content):
    path = folder.path.parent / name
    path.write_bytes(content)
    return path


def entries(folder, kind):
    rows = sqlite3.connect(folder.journal).execute("SELECT body FROM entry WHERE kind = ? ORDER BY seq", (kind,))
    return [json.loads(body) for (body,) in rows]


def take(folder, path, *words, refused=""):
    return run("import", path, "--data", folder.path, "--at", AT, *words, refused=refused)


def test_a_dcc_becomes_a_certificate_its_standards_and_a_blob(folder):
    content = case("electricity")
    take(folder, paper(folder, "e.xml", content), "--accept-due")
    (entry,) = entries(folder, "certificate")
    found = entry["object"]
    digest = sha256(content).hexdigest()
    assert (folder.blobs / digest).read_bytes() == content
    assert entry["subject"] == "o/certificate/EM-2026-0042"
    expected = {
        "kind": "calibration",
        "instrument": "M-E1",
        "serial": "E-000451",
        "performed_on": "2026-03-03",
        "valid_until": "2027-03-02",
        "error_percent": "0.21",
        "uncertainty_percent": "0.1",
        "coverage_factor": "2",
        "as_found_result": "fail",
        "as_found_error_percent": "0.9",
        "standards": "REF-1",
        "document": digest,
        "authenticity": "unsigned",
    }
    assert {name: found[name] for name in expected} == expected
    assert found["tables"][0]["error"]["values"] == ["0.21", "-0.12", "0.05"]
    (standard,) = entries(folder, "standard")
    assert standard["object"]["certificate_number"] == "STD-2026-4"
    assert standard["object"]["link"]["higher"]["number"] == "NIM-2025-9"
    take(folder, paper(folder, "again.xml", content), "--accept-due")
    assert len(entries(folder, "certificate")) == 1


def test_several_files_go_on_record_together_or_not_at_all(folder):
    good, bad = paper(folder, "g.xml", case("gas")), paper(folder, "b.xml", case("heat")[:-40])
    run("import", good, bad, "--data", folder.path, "--at", AT, refused="b.xml: the file is not well-formed")
    assert entries(folder, "certificate") == []
    assert list(folder.blobs.iterdir()) == []


def test_a_manipulated_file_is_refused_and_kept_only_as_what_it_is(folder):
    forged = signed(case("gas"), Authority().signer()).replace(b"40.600", b"40.100")
    path = paper(folder, "g.xml", forged)
    take(folder, path, refused="its signature does not hold: manipulated")
    take(folder, path, "--keep-untrusted")
    assert entries(folder, "certificate")[0]["object"]["authenticity"] == "manipulated"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--number", "ANOTHER"), "the file says GM-2026-0008"),
        (("--instrument", "nobody"), "no instrument 'nobody'"),
    ],
)
def test_what_contradicts_is_refused(folder, words, said):
    take(folder, paper(folder, "g.xml", case("gas")), *words, refused=said)


def test_no_instrument_or_several_of_that_serial(folder):
    path = paper(folder, "g.xml", case("gas").replace(b"G-65-9", b"X-1").replace(b"M-G1", b"M-X"))
    take(folder, path, refused="0 instruments on record have serial number 'X-1'")
    with Journal.open(folder) as journal:
        said = {"at_us": NOW_US, "actor": "a", "reason": "", "source": ""}
        record_object(journal, "instrument", "o", "M-G2", {"serial": "G659"}, **said)
    take(folder, paper(folder, "g2.xml", case("gas")))  # the customer's own number decides
    assert entries(folder, "certificate")[0]["object"]["instrument"] == "M-G1"


def test_a_confirmation(folder):
    take(folder, paper(folder, "h.xml", case("heat")))
    words = ["confirm", "HM-2026-0003", "--data", folder.path, "--at", AT, "--requirement", "MPE 2 %", "--person", "W"]
    run(*words, "--conclusion", "pass", "--on", "2026-05-01", refused="after the confirmation")
    run(*words, "--conclusion", "pass", "--on", "2026-05-21", "--valid-until", "2028-05-20")
    first, second = (each["object"] for each in entries(folder, "certificate"))
    assert second == first | {
        "confirmed_requirement": "MPE 2 %",
        "confirmed_result": "pass",
        "confirmed_by": "W",
        "confirmed_on": "2026-05-21",
        "valid_until": "2028-05-20",
    }


def test_what_people_added_stays_when_the_file_comes_again_and_another_file_is_refused(folder):
    path = paper(folder, "h.xml", case("heat"))
    take(folder, path)
    words = ("--requirement", "MPE 2 %", "--person", "W", "--conclusion", "pass", "--on", "2026-05-21")
    run("confirm", "HM-2026-0003", "--data", folder.path, "--at", AT, *words)
    take(folder, path)
    assert len(entries(folder, "certificate")) == 2
    take(folder, paper(folder, "h2.xml", case("heat").replace(b"50.60", b"50.10")), refused="another file")


def ofd(signatures):
    stream = BytesIO()
    with ZipFile(stream, "w") as container:
        container.writestr("OFD.xml", "<OFD/>")
        if signatures:
            container.writestr("Doc_0/Signs/Signatures.xml", "<Signatures/>")
    return stream.getvalue()


@pytest.mark.parametrize(("signatures", "expected"), [(True, "not_checked"), (False, "unsigned")])
def test_ofd_is_kept_by_hash(folder, signatures, expected):
    path = paper(folder, "c.ofd", ofd(signatures))
    take(folder, path, "--number", "JD-1", refused="lacks: kind; serial; performed_on")
    words = ("--kind", "verification", "--serial", "G-65-9", "--performed-on", "2026-02-01", "--result", "pass")
    take(folder, path, "--number", "JD-1", *words, "--qr", "https://example.invalid/q/1")
    found = entries(folder, "certificate")[0]["object"]
    assert (found["authenticity"], found["qr_address"], found["file_kind"]) == (
        expected,
        "https://example.invalid/q/1",
        "ofd",
    )
    assert (folder.blobs / found["document"]).is_file()


def test_a_file_that_is_nothing_known(folder):
    take(folder, paper(folder, "c.bin", b"\x7fELF"), refused="neither XML nor PDF nor OFD")


RECORD = {
    "number": "NB-2026-1",
    "performed_on": "2026-06-01",
    "laboratory": "Own laboratory",
    "city": "Nowhere",
    "person": "W",
    "customer": "Works",
    "item": {"name": "Heat meter", "maker": "Invented", "model": "HC-2", "serial": "H-12", "id": "M-H1"},
    "standards": [{"name": "Rig", "serial": "R-1", "certificate": {"number": "STD-9", "issuer": "Upper"}}],
    "method": "comparison",
    "quantity": "Heat",
    "unit": r"\kilo\watt\hour",
    "error_unit": r"\kilo\watt\hour",
    "coverage_probability": "0.95",
    "points": [
        {"reference": "50.00", "measured": "50.40", "error": "0.40", "expanded": "0.10", "k": "2"},
        {"reference": "10.00", "measured": "9.98", "error": "-0.02", "expanded": "0.02", "k": "2.1"},
    ],
    "conformity": "pass",
}


def test_a_dcc_of_our_own_is_written_imported_and_traced(folder):
    record, target = folder.path.parent / "record.yaml", folder.path.parent / "own.xml"
    record.write_text(yaml.safe_dump(RECORD), encoding="utf-8")
    run("write", record, target)
    run("write", record, target, refused="exists already")
    found = read_certificate(parse(target.read_bytes()))
    assert [str(each) for each in found.tables[0].error.values] == ["0.40", "-0.02"]
    assert [str(each) for each in found.tables[0].error.k] == ["2", "2.1"]
    take(folder, target, "--kind", "internal")
    shown = run("show", "NB-2026-1", "--data", folder.path)
    assert "R-1  Rig  !! the standard's certificate is not on record" in shown
    assert "error_percent: '0.8'" in shown
    assert run("list", "--data", folder.path).split()[:3] == ["NB-2026-1", "internal", "M-H1"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"standards": []}, "standards"),
        ({"unknown": 1}, "unknown"),
        ({"points": [RECORD["points"][0] | {"error": "0.41"}]}, "not indication minus reference"),
        ({"points": [RECORD["points"][0] | {"k": "0"}]}, "points.0.k"),
    ],
)
def test_a_record_that_does_not_hold_is_refused(folder, change, said):
    record = folder.path.parent / "record.yaml"
    record.write_text(yaml.safe_dump(RECORD | change), encoding="utf-8")
    run("write", record, folder.path.parent / "own.xml", refused=said)
