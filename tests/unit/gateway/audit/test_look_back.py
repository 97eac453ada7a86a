"""A failure found later: what it puts in question, how far totals, results and reports may be off, and what comes."""

from datetime import date, timedelta
from pathlib import Path
from shutil import copytree

import pytest
from click.testing import CliRunner

from gateway.assembly.reading import open_for_reading
from gateway.audit.judging import judged
from gateway.audit.look_ahead import look_ahead
from gateway.cli.certificate import command as certificate
from gateway.domain.errors import MeterproofError, UnknownObjectError
from gateway.domain.time import US_PER_DAY, Period
from gateway.journal.folder import DataFolder
from gateway.metrology.words import CODES, Word, worst_word
from tests.failing_plant import Plant, issued
from tests.plant_folder import NOW, ORGANISATION, QUARTER_KWH, START, build_folder

DAY_KWH = 96 * QUARTER_KWH
NOW_DAY = date(2026, 3, 11)
PLANT_TIME = "2026-03-11T02:07:00+08:00"


@pytest.fixture(scope="module")
def _origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_folder(tmp_path_factory.mktemp("origin") / "data").path


@pytest.fixture
def plant(_origin: Path, tmp_path: Path) -> Plant:
    copytree(_origin, tmp_path / "data")
    return Plant(DataFolder.open(tmp_path / "data"))


def test_a_failure_puts_every_reading_since_the_last_good_evidence_in_question(plant):
    plant.certificate("V-2026-2", "2026-03-11", as_found_result="fail", as_found_error_percent="0.8")
    found = plant.look_back("V-2026-2")
    (span,) = found.spans
    assert (span.rule, span.point, span.instrument, span.last_good) == (
        "calibration.look_back",
        "P-01",
        "M-01",
        "V-2025-1",
    )
    assert (span.error_percent, span.error_from, span.possible) == (0.8, "V-2026-2", True)
    # the meter was read for one day before the failure was found; 45 · 14 000 kWh in each quarter hour
    assert span.total.questioned == DAY_KWH
    assert span.total.bound == pytest.approx(-DAY_KWH * 0.8 / 100.8)
    assert span.total.estimate == pytest.approx(span.total.bound / 2)
    assert span.total.u == pytest.approx(abs(span.total.bound) / (2 * 3**0.5))
    (month,) = span.months
    assert month.questioned == DAY_KWH
    assert month.value == DAY_KWH + 8 * QUARTER_KWH
    # the transformer has no class, so U of the total is not known, and nothing is said about significance
    assert (span.total.expanded, span.total.significant) == (None, None)


def test_significance_once_every_part_has_a_limit(plant):
    plant.record(
        "instrument", "CT-01", kind="current_transformer", serial="C1", accuracy_class="0.2S", ratio_primary="200",
        ratio_secondary="5",
    )  # fmt: skip
    plant.certificate("V-2026-2", "2026-03-11", as_found_result="fail", as_found_error_percent="0.8")
    (span,) = plant.look_back().spans
    u = (0.2**2 / 3 + 0.2**2 / 3) ** 0.5
    assert span.total.expanded == pytest.approx(DAY_KWH * 2 * u / 100)
    assert span.total.significant is True
    assert 2 * u / 100 / 3 < 0.8 / 100.8


def test_without_as_found_data_nothing_can_be_computed_and_that_is_said(plant):
    plant.certificate("N-1", "2026-03-11", kind="rejection_notice", result="fail", valid_until="")
    (span,) = plant.look_back("N-1").spans
    assert (span.possible, span.total.bound, span.total.questioned) == (False, None, DAY_KWH)
    said = run(plant, "effect", "N-1")
    assert "ask for as-found results" in said


def test_a_withdrawn_certificate_leaves_its_readings_in_question_until_there_is_another(plant):
    plant.certificate("V-2026-2", "2026-03-10")
    assert plant.look_back().spans == []
    plant.record("certificate", "V-2025-1", withdrawn=True)
    assert [each.rule for each in plant.look_back("V-2025-1").spans] == ["calibration.withdrawn"]
    assert plant.look_back("V-2026-2").spans == []
    plant.record("certificate", "V-2026-2", withdrawn=True)
    span = next(each for each in plant.look_back().spans if each.certificate == "V-2026-2")
    assert (span.from_us, span.possible) == (START, False)


def test_a_certificate_is_withdrawn_by_command_with_a_reason_and_what_it_said_stays(plant):
    said = run(plant, "withdraw", "V-2025-1", "--reason", "laboratory lost its authorisation", "--at", PLANT_TIME)
    assert "V-2025-1 is withdrawn" in said
    plant.append()
    (span,) = plant.look_back("V-2025-1").spans
    assert (span.rule, span.certificate, span.possible) == ("calibration.withdrawn", "V-2025-1", False)
    with open_for_reading(plant.folder) as reader:
        history = reader.sources.registry.history(ORGANISATION, "certificate", "V-2025-1")
    assert [each.withdrawn for each in history] == [False, True]
    assert history[1].object == history[0].object
    again = CliRunner().invoke(
        certificate, ["withdraw", "V-2025-1", "--reason", "x", "--data", str(plant.folder.path)], obj="en"
    )
    assert isinstance(again.exception, MeterproofError)


def test_a_standards_certificate_withdrawn_reaches_all_made_with_it(plant):
    plant.record("instrument", "REF", kind="other", serial="R1")
    plant.certificate("国量标 77", "2024-01-01", instrument="REF", serial="R1")
    assert plant.look_back("国量标 77").spans == []
    plant.record("certificate", "国量标 77", withdrawn=True)
    (span,) = plant.look_back("国量标 77").spans
    assert (span.rule, span.certificate, span.instrument) == ("calibration.trace_broken", "V-2025-1", "M-01")


def test_an_unknown_certificate(plant):
    with pytest.raises(UnknownObjectError):
        plant.look_back("nobody")


def test_results_and_reports_made_before_it_was_known_are_named_with_the_effect_on_their_figures(plant, tmp_path):
    plant.compute_march(tmp_path)
    with open_for_reading(plant.folder) as reader:
        known = reader.sources.registry.applied_seq()
    plant.append(issued("r", known, [["energy/P-01", {}]]), issued("old", known, [], to_us=START - 299 * US_PER_DAY))
    plant.certificate("V-2026-2", "2026-03-11", as_found_result="fail", as_found_error_percent="0.8")
    plant.append(issued("later", 10**6, []))
    found = plant.look_back("V-2026-2")
    assert [(each.id, each.action) for each in found.results] == [("report/r", "issued"), ("march", "computed")]
    report, result = found.results
    assert [each.id for each in report.figures] == ["energy/P-01"]
    figures = {each.id: each for each in result.figures}
    assert figures["energy/kind/electricity"].bound == pytest.approx(-DAY_KWH * 0.8 / 100.8)
    assert figures["tce/total"].bound == pytest.approx(-DAY_KWH * 0.8 / 100.8 * 0.1229 / 1000, rel=1e-6)
    assert figures["tce/total"].estimate == pytest.approx(figures["tce/total"].bound / 2)
    said = run(plant, "effect", "V-2026-2")
    assert "report/r" in said
    assert "march" in said
    assert run(plant, "effect", "--json").startswith("{")


def run(plant: Plant, *arguments: str) -> str:
    made = CliRunner().invoke(
        certificate, [*arguments, "--data", str(plant.folder.path)], obj="en", catch_exceptions=False
    )
    assert made.exit_code == 0, made.output
    return made.output


def test_the_risk_date_of_an_instrument_with_a_history_and_of_one_without(plant):
    with open_for_reading(plant.folder) as reader:
        before = look_ahead(reader.sources, reader.asking(NOW))["M-01"]
    # one determination: the whole limit of 0.2 % in the interval of 72 months is assumed
    assert (before.basis, before.determinations, before.drift) == ("class", 1, pytest.approx(0.2 / 6))
    assert (before.risk_on, before.act_by) == (None, before.due_on)
    assert before.assumed_on == date(2025, 4, 1) + timedelta(days=876)  # (0.2 − 0.08 − 0.04) / (0.2 / 6) = 2.4 years
    plant.certificate("V-2026-1", "2026-03-01", error_percent="0.10", uncertainty_percent="0.04")
    with open_for_reading(plant.folder) as reader:
        after = look_ahead(reader.sources, reader.asking(NOW))["M-01"]
    years = 334 / 365.25
    assert (after.basis, after.drift) == ("history", pytest.approx(0.02 / years))
    assert after.act_by == after.risk_on
    assert (after.risk_on - NOW_DAY).days == pytest.approx((0.2 - 0.14) / (0.02 / years) * 365.25 - 10, abs=1)
    assert "M-01" in run(plant, "outlook")


def test_the_policy_of_the_site_changes_how_and_never_what(plant):
    with open_for_reading(plant.folder) as reader:
        first = judged(reader.sources, reader.asking(NOW), "P-01", Period(START, START + US_PER_DAY))
    assert (first.policy.decision_rule, first.conformity[0]) == ("jjf1094", "pass")
    assert first.word is Word.UNCALIBRATED  # the transformer's: it has no certificate
    assert (first.corrected, first.expanded) == (None, None)  # a transformer without class: U cannot be stated
    plant.record(
        "instrument", "CT-01", kind="current_transformer", serial="C1", accuracy_class="0.2S", ratio_primary="200",
        ratio_secondary="5",
    )  # fmt: skip
    said = run(plant, "policy", "--decision-rule", "jcgm106", "--correction", "mean", "--jurisdiction", "DE")
    assert "jcgm106" in said
    plant.append()
    with open_for_reading(plant.folder) as reader:
        then = judged(reader.sources, reader.asking(NOW), "P-01", Period(START, START + US_PER_DAY))
    assert then.amount.value == first.amount.value == DAY_KWH
    assert (then.policy.decision_rule, then.in_service_factor) == ("jcgm106", 2)
    assert then.conformity[3] == "jcgm106"
    assert then.corrected == pytest.approx(DAY_KWH / 1.0008)
    u = (0.02**2 + (0.4**2) / 3) ** 0.5  # the meter's own certificate; the transformer's limit doubled in service
    assert then.expanded == pytest.approx(DAY_KWH * 2 * u / 100)


def test_the_worst_word_wins():
    assert worst_word([]) is Word.GOOD
    assert worst_word(["device.silent"]) is Word.GOOD
    assert worst_word(["calibration.conformity", "calibration.expired", "calibration.range"]) is Word.EXPIRED
    assert worst_word(CODES) is Word.INVALID
    assert {code for code, _ in CODES.values()} == {f"C{number:02}" for number in range(1, 16)}
