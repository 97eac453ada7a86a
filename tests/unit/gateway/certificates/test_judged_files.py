"""From a certificate's file to verdicts about readings: what a DCC says of its standards, and whose file is held."""

from hashlib import sha256

import pytest

from gateway.assembly.projecting import Projection
from gateway.domain.time import US_PER_DAY
from gateway.journal.journal import Journal
from gateway.registry.recording import object_draft
from tests.plant_folder import FixedClock
from tests.unit.gateway.certificates.papers import NOW_US, case
from tests.unit.gateway.certificates.test_commands import folder, ofd, paper, take  # noqa: F401  # a fixture

LATER = NOW_US + 30 * US_PER_DAY
WORDS = ("--kind", "calibration", "--serial", "REF-1", "--performed-on", "2026-01-10", "--result", "none")


def fitted(made):
    said = {"at_us": NOW_US, "to_us": None, "actor": "a", "reason": "", "source": ""}
    with Journal.open(made) as journal:
        journal.append(
            [
                object_draft("point", "o", "P", {"name_zh": "x", "energy_kind": "electricity"}, from_us=None, **said),
                object_draft("instrument", "o", "REF", {"serial": "REF-1", "kind": "other"}, from_us=None, **said),
                object_draft(
                    "installation", "o", "I", {"point": "P", "instrument": "M-E1", "device": "d"}, from_us=1, **said
                ),
            ]
        )


def verdicts(made):
    """(rule, facts) of what stands, the confirmation that nobody gave left out."""
    projection = Projection(made, FixedClock(LATER))
    try:
        while projection.step().applied:
            pass
        found = projection.projector.registry.verdicts("o")
    finally:
        projection.close()
    said = {"calibration.trace_broken", "calibration.untrusted", "calibration.look_back", "calibration.conformity"}
    return [(each.rule, dict(each.facts)) for each in found if each.rule in said]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"<dcc:inValidityRange>true", b"<dcc:inValidityRange>false", "not_in_validity"),
        (b"<dcc:traceable>true", b"<dcc:traceable>false", "not_traceable"),
        (b"", b"", None),
    ],
)
def test_what_the_file_says_of_its_standard_opens_the_trace(folder, old, new, reason):  # noqa: F811
    fitted(folder)
    take(folder, paper(folder, "e.xml", case("electricity").replace(old, new)), "--accept-due")
    found = verdicts(folder)
    expected = {"certificate": "EM-2026-0042", "standard": "REF-1", "reason": reason}
    assert [facts for rule, facts in found if rule == "calibration.trace_broken"] == ([expected] if reason else [])
    # the same file says that the meter had failed before it was adjusted: what was read before is in question
    assert [rule for rule, _ in found if rule == "calibration.look_back"] == ["calibration.look_back"]


@pytest.mark.parametrize("held", [True, False])
def test_a_linked_file_other_than_the_one_the_digest_was_taken_of(folder, held):  # noqa: F811
    fitted(folder)
    above = ofd(signatures=False)
    digest = sha256(above if held else b"another").hexdigest().encode()
    old = b"<dcc:procedure>analogue</dcc:procedure><dcc:value>paper</dcc:value><dcc:inValidityRange>"
    new = b"<dcc:procedure>sha256</dcc:procedure><dcc:value>" + digest + b"</dcc:value><dcc:inValidityRange>"
    assert case("electricity").count(old) == 1
    take(folder, paper(folder, "s.ofd", above), "--number", "STD-2026-4", *WORDS)
    take(folder, paper(folder, "e.xml", case("electricity").replace(old, new)), "--accept-due")
    wrong = [facts for rule, facts in verdicts(folder) if rule == "calibration.untrusted"]
    expected = {"certificate": "EM-2026-0042", "standard": "REF-1", "found": "digest_mismatch"}
    assert wrong == ([] if held else [expected])
