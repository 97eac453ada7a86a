"""A person's decision after a look-back: an entry that answers a verdict, shown as of then, or refused and why."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest
from click.testing import CliRunner

from gateway.assembly.reading import open_for_reading
from gateway.audit.findings import findings
from gateway.audit.look_back import look_back
from gateway.audit.look_back_decision import DecisionRefusedError, Wish, decision_draft
from gateway.audit.look_back_spans import Questioned
from gateway.audit.overview import overview
from gateway.cli.certificate import command as certificate
from gateway.domain.errors import DataFolderError, MeterproofError, UnknownObjectError
from gateway.domain.time import US_PER_DAY, US_PER_HOUR
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.review.gathered import Gathered
from gateway.review.views_instruments import use_view
from tests.failing_plant import Plant, issued
from tests.plant_folder import NOW, ORGANISATION, QUARTER_KWH, START, build_folder

DAY_KWH = 96 * QUARTER_KWH
LATER = NOW + 2 * US_PER_DAY


@pytest.fixture(scope="module")
def _origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_folder(tmp_path_factory.mktemp("origin") / "data").path


@pytest.fixture
def plant(_origin: Path, tmp_path: Path) -> Plant:
    copytree(_origin, tmp_path / "data")
    return Plant(DataFolder.open(tmp_path / "data"))


@pytest.fixture
def failed(plant: Plant) -> Plant:
    plant.certificate("V-2026-2", "2026-03-11", as_found_result="fail", as_found_error_percent="0.8")
    return plant


def only_span(plant: Plant) -> Questioned:
    (span,) = plant.look_back().spans
    return span


def draft(plant: Plant, decision: str = "accepted", *, at_us: int = LATER, **said: object) -> Draft:
    wish = Wish(**{"verdict": only_span(plant).entry_seq, "decision": decision, "reason": "within our limits", **said})  # type: ignore[arg-type]
    with open_for_reading(plant.folder) as reader:
        return decision_draft(
            reader.sources, reader.asking(at_us), wish, actor="zhang", at_us=at_us, circumstances={"clock": None}
        )


def decide(plant: Plant, decision: str = "accepted", **said: object) -> None:
    plant.append(draft(plant, decision, **said))


def open_rules(plant: Plant) -> dict[str, str]:
    with open_for_reading(plant.folder) as reader:
        found = findings(reader.sources, reader.asking(LATER), rule="calibration.look_back")
    return {each.certificate: each.decision for each in found if each.open}


def test_what_is_in_question_waits_until_a_person_decided(failed: Plant) -> None:
    assert (only_span(failed).state, only_span(failed).waits) == ("waiting", True)
    assert open_rules(failed) == {"V-2026-2": "waiting"}
    with open_for_reading(failed.folder) as reader:
        assert overview(reader.sources, reader.asking(LATER)).look_backs_waiting == 1
        before = reader.sources.registry.applied_seq()
        total = look_back(reader.sources, reader.asking(LATER)).spans[0].total
    decide(failed)
    span = only_span(failed)
    (said,) = span.decisions
    assert (span.state, span.waits, span.total) == ("accepted", False, total), "and no total changed"
    assert (said.verdict, said.decision, said.actor, said.reason) == (
        span.entry_seq, "accepted", "zhang", "within our limits",
    )  # fmt: skip
    assert open_rules(failed) == {}
    with open_for_reading(failed.folder) as reader:
        assert overview(reader.sources, reader.asking(LATER)).look_backs_waiting == 0
        assert look_back(reader.sources, replace(reader.asking(LATER), known_seq=before)).spans[0].state == "waiting"
        assert look_back(reader.sources, reader.asking(LATER - 1)).spans[0].state == "waiting", "before it was decided"


def test_the_entry_says_on_what_it_rested(failed: Plant) -> None:
    decide(failed)
    with open_for_reading(failed.folder) as reader:
        entry = reader.sources.journal.entry(reader.sources.registry.applied_seq())
    span = only_span(failed)
    body = entry.body
    assert (entry.kind, entry.subject) == ("event", f"{ORGANISATION}/instrument/M-01")
    assert (body["action"], body["old"], body["new"]) == ("look_back.decided", None, "accepted")
    assert body["object"] == {
        "verdict": span.entry_seq, "rule": "calibration.look_back", "point": "P-01", "instrument": "M-01",
        "installation": "I-01", "certificate": "V-2026-2", "from": span.from_us, "to": span.to_us,
    }  # fmt: skip
    figures = body["figures"]
    assert (figures["known"], figures["error_percent"], figures["error_from"]) == (entry.seq - 1, "0.8", "V-2026-2")
    assert figures["total"]["questioned"] == str(DAY_KWH)
    assert float(figures["total"]["bound"]) == pytest.approx(-DAY_KWH * 0.8 / 100.8, rel=1e-5)
    assert (figures["total"]["expanded"], figures["total"]["significant"], figures["results"]) == (None, None, [])


def test_a_later_decision_stands_in_for_an_earlier_one_and_both_stay(failed: Plant) -> None:
    decide(failed)
    first = only_span(failed).decisions[0].entry_seq
    failed.record("document", "D-1", kind="other", title="比对记录", instrument="M-01")
    with open_for_reading(failed.folder) as reader:
        seq = reader.sources.registry.history(ORGANISATION, "document", "D-1")[-1].seq
    decide(failed, "corrected", reason="compared with the check meter", entries=[seq, seq])
    span = only_span(failed)
    assert [each.decision for each in span.decisions] == ["accepted", "corrected"]
    assert (span.state, span.decisions[1].entries, span.decisions[1].old) == ("corrected", [seq], first)


def test_at_every_entry_known_it_stands_as_the_decisions_until_then_say(failed: Plant) -> None:
    certificate_seq = only_span(failed).entry_seq
    made = {}
    for step, decision in enumerate(("accepted", "corrected", "accepted")):
        decide(
            failed, decision, at_us=LATER - 10 + step, entries=[certificate_seq - 1] if decision == "corrected" else []
        )
        failed.record("document", f"D-{step}", kind="other", title="无关")
        made[only_span(failed).decisions[-1].entry_seq] = decision
    with open_for_reading(failed.folder) as reader:
        for known in range(certificate_seq, reader.sources.registry.applied_seq() + 1):
            (span,) = look_back(reader.sources, replace(reader.asking(LATER), known_seq=known)).spans
            wanted = [decision for seq, decision in made.items() if seq <= known]
            assert [each.decision for each in span.decisions] == wanted
            assert span.state == (wanted[-1] if wanted else "waiting")


def test_restated_names_a_newer_version_of_what_was_touched(plant: Plant, tmp_path: Path) -> None:
    plant.compute_march(tmp_path)
    plant.append(issued("r", 10**6, []))
    plant.certificate("V-2026-2", "2026-03-11", as_found_result="fail", as_found_error_percent="0.8")
    assert only_span(plant).restating == []
    for name, sentence in (
        ("", "'restated' names the version"),
        ("march/1", "was made before this was known"),
        ("report/r/1", "no version before it is in question"),
    ):
        with pytest.raises(DecisionRefusedError, match=sentence):
            draft(plant, "restated", result=name)
    for name in ("march/2", "march", "2026/1"):
        with pytest.raises(UnknownObjectError, match="is on record"):
            draft(plant, "restated", result=name)
    plant.append(issued("old", 10**6, [], to_us=START - 299 * US_PER_DAY))
    with pytest.raises(DecisionRefusedError, match="not of the time in question"):
        draft(plant, "restated", result="report/old/1")
    plant.compute_march(tmp_path)
    assert only_span(plant).restating == ["march/2"]
    decide(plant, "restated", result="march/2", reason="computed again without the day")
    span = only_span(plant)
    assert (span.state, span.decisions[0].result) == ("restated", "march/2")
    (touched,) = span.decisions[0].figures["results"]
    assert (touched[0], touched[2] > 0) == ("march/1", True)


@pytest.mark.parametrize(
    ("decision", "said", "sentence"),
    [
        ("accepted", {"reason": " \n"}, "needs a reason"),
        ("accepted", {"entries": [5]}, "names no entry and no result"),
        ("accepted", {"result": "march/2"}, "names no entry and no result"),
        ("corrected", {}, "names the entries"),
        ("corrected", {"entries": [5], "result": "march/2"}, "with 'restated' only"),
        ("corrected", {"entries": list(range(1, 60))}, "at most 50 entries"),
        ("ignored", {}, "accepted, corrected, restated"),
    ],
)
def test_a_decision_that_lacks_something_is_refused(
    failed: Plant, decision: str, said: dict[str, object], sentence: str
) -> None:
    with pytest.raises(DecisionRefusedError, match=sentence):
        draft(failed, decision, **said)


def test_entries_that_correct_nothing_are_refused(failed: Plant) -> None:
    decide(failed)
    with Journal.open(failed.folder, read_only=True) as journal:
        entries = journal.read(0, 10_000)
    foreign = Draft(
        "manual", "neighbour-mill/point/P-9", NOW, {"object": {}, "actor": "a", "reason": "", "withdrawn": 0}
    )
    with Journal.open(failed.folder) as journal:
        (foreign_seq,) = journal.append([foreign])
    decided = next(each.seq for each in entries if each.body.get("action") == "look_back.decided")
    for seq in (next(each.seq for each in entries if each.kind == "poll"), only_span(failed).entry_seq, decided):
        with pytest.raises(DecisionRefusedError, match="corrects nothing"):
            draft(failed, "corrected", entries=[seq])
    for seq in (foreign_seq, 10**6):
        with pytest.raises(UnknownObjectError, match=f"has no entry {seq}"):
            draft(failed, "corrected", entries=[seq])


def test_what_is_not_in_question_cannot_be_decided(failed: Plant) -> None:
    with open_for_reading(failed.folder) as reader:
        others = [
            each.seq for each in reader.sources.registry.verdicts(ORGANISATION) if each.rule != "calibration.look_back"
        ]
    for seq in (others[0], 1, 10**6):
        with pytest.raises(UnknownObjectError, match=f"entry {seq} puts nothing in question"):
            draft(failed, verdict=seq)


def test_another_organisation_knows_nothing_of_it(failed: Plant) -> None:
    wish = Wish(verdict=only_span(failed).entry_seq, decision="accepted", reason="not ours")
    with open_for_reading(failed.folder) as reader:
        asking = replace(reader.asking(LATER), organisation="neighbour-mill")
        with pytest.raises(UnknownObjectError, match="puts nothing in question"):
            decision_draft(reader.sources, asking, wish, actor="a", at_us=LATER, circumstances={})


def test_another_error_found_makes_it_wait_again(failed: Plant) -> None:
    decide(failed)
    failed.certificate("V-2026-2", "2026-03-11", as_found_result="fail", as_found_error_percent="1.6")
    span = only_span(failed)
    assert (span.state, span.error_percent, span.decisions[0].error) == ("again", 1.6, "0.8")
    assert open_rules(failed) == {"V-2026-2": "again"}
    decide(failed, reason="still tolerated")
    assert only_span(failed).state == "accepted"


def test_what_still_goes_on_is_decided_up_to_then_and_waits_again_once_it_ended(plant: Plant) -> None:
    plant.certificate("V-2026-2", "2026-03-10")
    plant.record("certificate", "V-2026-2", withdrawn=True)
    plant.record("certificate", "V-2025-1", withdrawn=True)
    spans = [each for each in plant.look_back().spans if each.certificate == "V-2026-2"]
    assert [(each.to_us, each.state) for each in spans] == [(None, "waiting")]
    decided_us = NOW + US_PER_HOUR
    with open_for_reading(plant.folder) as reader:
        wish = Wish(verdict=spans[0].entry_seq, decision="accepted", reason="sealed and compared")
        plant.append(
            decision_draft(
                reader.sources, reader.asking(decided_us), wish, actor="a", at_us=decided_us, circumstances={}
            )
        )
    span = next(each for each in plant.look_back().spans if each.certificate == "V-2026-2")
    assert (span.state, span.decisions[0].to_us) == ("accepted", decided_us)
    with open_for_reading(plant.folder) as reader:
        listed = findings(reader.sources, reader.asking(LATER), rule="calibration.withdrawn")
    assert {(each.certificate, each.open) for each in listed} >= {("V-2026-2", True)}, "the situation lasts"
    plant.at_us = NOW + 3 * US_PER_DAY
    plant.certificate("V-2026-3", "2026-03-13")
    span = next(each for each in plant.look_back().spans if each.certificate == "V-2026-2")
    assert span.to_us is not None
    assert (span.state, len(span.decisions)) == ("again", 1)


def test_a_decision_whose_verdict_no_longer_stands_is_still_shown(failed: Plant) -> None:
    decide(failed)
    failed.certificate("V-2026-2", "2026-03-11", as_found_result="pass", as_found_error_percent="0.05")
    found = failed.look_back()
    assert found.spans == []
    assert [(each.decision, each.certificate) for each in found.past] == [("accepted", "V-2026-2")]
    assert failed.look_back("V-2025-1").past == []
    assert "no longer stands" in run(failed, "effect")


def test_a_withdrawn_standard_is_among_everything_in_question(plant: Plant) -> None:
    """It was shown only to those who asked for the standard's own certificate by its number."""
    plant.record("instrument", "REF", kind="other", serial="R1")
    plant.certificate("国量标 77", "2024-01-01", instrument="REF", serial="R1")
    plant.record("certificate", "国量标 77", withdrawn=True)
    span = only_span(plant)
    assert (span.rule, span.certificate, span.state) == ("calibration.trace_broken", "V-2025-1", "waiting")


def run(plant: Plant, *arguments: str, language: str = "en") -> str:
    made = CliRunner().invoke(
        certificate, [*arguments, "--data", str(plant.folder.path)], obj=language, catch_exceptions=False
    )
    assert made.exit_code == 0, made.output
    return made.output


def test_the_command_decides_and_shows(failed: Plant) -> None:
    seq = only_span(failed).entry_seq
    assert f"#{seq}  waits for a decision" in run(failed, "effect")
    said = run(failed, "decide", str(seq), "accepted", "--reason", "影响在容许之内", "--actor", "李工", language="zh")
    assert "维持原值予以接受" in said
    failed.append()
    shown = run(failed, "effect", "V-2026-2")
    assert "accepted as it stands" in shown
    assert "李工: 影响在容许之内" in shown
    refused = CliRunner().invoke(
        certificate, ["decide", str(seq), "corrected", "--reason", "x", "--data", str(failed.folder.path)], obj="en"
    )
    assert isinstance(refused.exception, MeterproofError)


def test_a_real_folder_takes_no_other_time(tmp_path: Path) -> None:
    folder = build_folder(tmp_path / "real", simulated=False)
    late = ["decide", "1", "accepted", "--reason", "x", "--at", "2026-03-12T00:00:00Z", "--data", str(folder.path)]
    assert isinstance(CliRunner().invoke(certificate, late, obj="en").exception, DataFolderError)


def test_a_review_sees_what_waits(failed: Plant) -> None:
    def seen() -> tuple[dict[str, int], str]:
        with open_for_reading(failed.folder) as reader:
            section = use_view(Gathered(sources=reader.sources, asking=reader.asking(LATER)))
        place = section.columns.index("decision")
        row = next(each for each in section.rows if each[4] == "V-2026-2")
        return section.said[1][1], row[place].words[0]

    assert seen() == ({"count": 1, "waiting": 1}, "waiting")
    decide(failed)
    assert seen() == ({"count": 1, "waiting": 0}, "accepted")
