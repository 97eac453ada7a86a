"""The chain of standards says its own gaps."""

from hashlib import sha256

import pytest
from lxml import etree

from gateway.certificates.traceability import MAX_DEPTH, chain
from gateway.domain.errors import UnknownObjectError
from gateway.registry.importing import LedgerState, _Version

FILE = b"<a  b='1'/>"
FILE_HASH = sha256(FILE).hexdigest()
C14N_HASH = sha256(etree.tostring(etree.fromstring(FILE), method="c14n")).hexdigest()
ANOTHER = "the file held is not the one the link was made to"


def state(*objects):
    made = LedgerState()
    for kind, id_, fields in objects:
        made.versions[kind, id_].append(_Version(fields, None, None, withdrawn=False))
    return made


def steps(made, number="C"):
    return [(step.id, step.gaps) for step in chain(made, number, {"h": FILE, "top": FILE}.get)]


def ledger(**standard):
    return state(
        ("certificate", "C", {"standards": "S", "performed_on": "2026-01-01", "document": "h"}),
        ("standard", "S", {"certificate_number": "U", **standard}),
        ("certificate", "U", {"document": "top", "standards": "P"}),
        ("standard", "P", {"certificate_number": "NMI-1"}),
    )


def test_a_chain_to_its_end():
    end = ("the standard's certificate is not on record",)
    assert steps(ledger()) == [("C", ()), ("S", ()), ("U", ()), ("P", end)]


@pytest.mark.parametrize(
    ("standard", "gaps"),
    [
        ({"valid_until": "2025-12-31"}, ("the standard was not valid on the day of calibration",)),
        ({"valid_until": "2026-01-01"}, ()),
        ({"link": {"in_validity": 0}}, ("the standard was not valid on the day of calibration",)),
        ({"link": {"traceable": 0}}, ("the certificate itself says that the standard is not traceable",)),
        ({"link": {"procedure": "sha256", "digest": FILE_HASH}}, ()),
        ({"link": {"procedure": "sha256", "digest": C14N_HASH}}, (ANOTHER,)),
        ({"link": {"procedure": "c14n-sha256", "digest": C14N_HASH.upper()}}, ()),
        ({"link": {"procedure": "c14n-sha256", "digest": FILE_HASH}}, (ANOTHER,)),
        ({"link": {"procedure": "analogue", "digest": "paper"}}, ()),
    ],
)
def test_a_standard_and_its_gap(standard, gaps):
    assert steps(ledger(**standard))[1] == ("S", gaps)


def test_what_is_not_there_is_said():
    made = state(("certificate", "C", {"standards": "S;T"}), ("standard", "T", {}))
    assert steps(made) == [
        ("C", ("the certificate's file is not held",)),
        ("S", ("the standard is not on record",)),
        ("T", ("the standard has no certificate number",)),
    ]
    assert steps(state(("certificate", "C", {"document": "h"}))) == [("C", ("the certificate names no standard",))]
    with pytest.raises(UnknownObjectError):
        steps(made, "X")


def test_a_chain_that_comes_back_ends():
    made = state(
        ("certificate", "C", {"standards": "S", "document": "h"}), ("standard", "S", {"certificate_number": "C"})
    )
    assert steps(made)[-1] == ("C", ("the chain comes back to itself",))


def test_a_chain_without_end_ends():
    objects = []
    for number in range(40):
        name = "C" if number == 0 else f"C{number}"
        objects.append(("certificate", name, {"standards": f"S{number}", "document": "h"}))
        objects.append(("standard", f"S{number}", {"certificate_number": f"C{number + 1}"}))
    found = steps(state(*objects))
    assert len(found) == MAX_DEPTH + 1
    assert found[-1][1] == ("the chain is longer than is followed here",)
