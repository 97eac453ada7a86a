"""Which rule is broken from when to when; nothing is said twice; what was known then stays known."""

import pytest

from gateway.domain.time import US_PER_DAY
from gateway.i18n.rules import RULES
from gateway.metrology.judge import JUDGED_RULES
from tests.judge_bench import NOW, T0, Bench, day


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path / "registry.sqlite")
    yield made
    made.registry.close()


def test_a_meter_in_order_has_no_verdict(bench):
    bench.plain()
    bench.certificate()
    bench.says(T0)
    assert bench.verdicts() == []


def test_without_a_certificate_from_the_day_it_was_fitted(bench):
    bench.plain()
    assert bench.verdicts() == [("calibration.none", T0 - US_PER_DAY, None)]


def test_a_certificate_holds_to_the_end_of_its_last_day_and_the_next_one_ends_the_verdict(bench):
    bench.plain()
    bench.certificate("A", until="2026-10-31")
    assert bench.verdicts(day("2026-11-01") - 1) == []
    assert bench.verdicts(day("2026-11-01")) == [("calibration.expired", day("2026-11-01"), None)]
    bench.certificate("B", performed="2026-11-10", until="2028-11-10")
    assert bench.verdicts() == [("calibration.expired", day("2026-11-01"), day("2026-11-10"))]


def test_before_import_after_import_after_a_back_dated_successor_each_known_then(bench):
    """Three states of knowledge about the same time, none of them edited."""
    bench.plain()
    assert bench.verdicts() == [("calibration.none", T0 - US_PER_DAY, None)]
    before = bench.seq
    bench.certificate("A", performed="2026-11-01", until="2027-11-01", result="fail")
    first = [
        ("calibration.none", T0 - US_PER_DAY, day("2026-11-01")),
        ("calibration.look_back", T0 - US_PER_DAY, day("2026-11-01")),
        ("calibration.failed", day("2026-11-01"), None),
    ]
    assert bench.verdicts() == first
    after = bench.seq
    bench.certificate("B", performed="2026-10-01", until="2027-10-01", supersedes="")
    bench.certificate("D", performed="2026-11-01", until="2027-11-01", supersedes="A")
    assert bench.verdicts() == []
    assert bench.verdicts(known_seq=after) == first
    assert bench.verdicts(known_seq=before) == [("calibration.none", T0 - US_PER_DAY, None)]


def test_before_the_first_certificate_the_meter_was_not_yet_covered(bench):
    bench.plain()
    bench.certificate(performed="2026-11-01")
    assert bench.verdicts() == [("calibration.not_yet_valid", T0 - US_PER_DAY, day("2026-11-01"))]


def test_a_certificate_of_another_meter_and_one_that_failed(bench):
    bench.plain()
    bench.certificate(serial="43")
    assert [each[0] for each in bench.verdicts()] == ["calibration.identity"]
    bench.certificate("N", kind="rejection_notice", performed="2026-11-05", until="", result="fail")
    assert ("calibration.failed", day("2026-11-05"), None) in bench.verdicts()


def test_a_calibration_does_not_meet_a_duty_of_verification(bench):
    bench.plain(compulsory=1)
    bench.certificate(kind="calibration", result="none")
    assert [each[0] for each in bench.verdicts()] == ["calibration.not_verification"]
    bench.certificate("V", performed="2025-12-01")
    assert bench.verdicts() == []


def test_the_class_of_the_certificate_counts_before_the_plate(bench):
    bench.plain()
    bench.certificate(accuracy_class="2")
    assert [each[0] for each in bench.verdicts()] == ["instrument.class_too_low"]


@pytest.mark.parametrize(
    ("plate", "register", "primary", "wrong"),
    [
        (("200", "5"), None, False, False),
        (("300", "5"), None, False, True),
        (None, "40", False, False),
        (None, "1", False, False),
        (None, "1", True, True),
        (None, "60", False, True),
        (None, "39.99", False, False),
    ],
)
def test_ledger_plate_and_register_agree_about_the_ratio(tmp_path, plate, register, primary, wrong):
    bench = Bench(tmp_path / "registry.sqlite", primary=primary)
    bench.plain()
    bench.certificate()
    if plate:
        bench.record(
            "instrument", "T", serial="7", kind="current_transformer", ratio_primary=plate[0], ratio_secondary=plate[1]
        )
        bench.record("installation", "IT", from_us=T0 - US_PER_DAY, point="P", instrument="T", role="ct")
        bench.record(
            "certificate",
            "CT",
            kind="verification",
            instrument="T",
            serial="7",
            performed_on="2020-01-01",
            result="pass",
        )
    if register:
        bench.says(T0, "ct_ratio", register)
    assert [each[0] for each in bench.verdicts()] == ["installation.ratio_mismatch"] * wrong
    bench.registry.close()


def test_a_serial_said_before_the_installation_was_another_meters(bench):
    bench.plain()
    bench.certificate()
    bench.says(T0 - 2 * US_PER_DAY, value="17")
    assert bench.verdicts() == []
    bench.says(T0, value="17")
    assert [each[0] for each in bench.verdicts()] == ["identity.serial_mismatch"]
    bench.says(T0 + US_PER_DAY, value="00-42")
    assert [each[2] for each in bench.verdicts()] == [T0 + US_PER_DAY]


def test_a_point_without_a_meter_from_the_day_it_is_commissioned(bench):
    bench.record("point", "P", name_zh="x", must_measure=1, commissioned_on="2026-11-01")
    bench.record("point", "Q", name_zh="x", must_measure=1, exemption="临时用电")
    bench.record("point", "R", name_zh="x", must_measure=0)
    assert bench.verdicts() == [("point.unequipped", day("2026-11-01"), None)]
    bench.record("instrument", "M", serial="1")
    bench.certificate(serial="1")
    bench.record("installation", "I", from_us=day("2026-11-03"), point="P", instrument="M")
    assert bench.verdicts() == [("point.unequipped", day("2026-11-01"), day("2026-11-03"))]


def test_a_failure_puts_the_time_since_the_last_good_evidence_in_question(bench):
    bench.plain()
    bench.certificate("A", performed="2025-12-01", until="2027-12-01")
    assert bench.verdicts() == []
    known = bench.seq
    bench.certificate("B", kind="rejection_notice", performed="2026-11-08", until="", result="fail")
    assert bench.verdicts() == [
        ("calibration.look_back", T0 - US_PER_DAY, day("2026-11-08")),
        ("calibration.failed", day("2026-11-08"), None),
    ]
    assert bench.verdicts(known_seq=known) == []
    bench.certificate("C", performed="2026-11-01", until="2028-01-01")
    assert bench.verdicts()[0] == ("calibration.look_back", day("2026-11-01"), day("2026-11-08"))


def test_a_standard_that_was_not_valid_on_the_day_breaks_the_trace(bench):
    bench.plain()
    bench.certificate(standards="S1;S2")
    assert [each[0] for each in bench.verdicts()] == ["calibration.trace_broken"] * 2
    bench.record("standard", "S1", name="x", valid_until="2025-11-01")
    bench.record("standard", "S2", name="x", valid_until="2025-10-31")
    assert [each[0] for each in bench.verdicts()] == ["calibration.trace_broken"]
    bench.record("standard", "S2", name="x", valid_until="2026-10-31")
    assert bench.verdicts() == []


@pytest.mark.parametrize(
    ("error", "expanded", "state"), [("0.3", "0.1", None), ("-0.45", "0.2", "undetermined"), ("0.8", "0.2", "fail")]
)
def test_the_numbers_of_a_certificate_are_held_against_the_class(bench, error, expanded, state):
    bench.plain()
    bench.certificate(error_percent=error, uncertainty_percent=expanded, coverage_factor="2")
    found = bench.verdicts()
    assert [each[0] for each in found] == ["calibration.conformity"] * (state is not None)
    if state:
        assert bench.registry.verdicts("o")[0].facts["state"] == state


def test_a_withdrawn_certificate_covers_nothing(bench):
    bench.plain()
    bench.certificate()
    assert bench.verdicts() == []
    bench.record("certificate", "C", withdrawn=True)
    assert sorted(each[0] for each in bench.verdicts()) == ["calibration.none", "calibration.withdrawn"]


def test_what_ended_before_anything_was_measured_is_no_verdict(bench):
    bench.plain()
    bench.record(
        "installation", "I", from_us=T0 - 900 * US_PER_DAY, point="P", instrument="M", device="d", ct_ratio="200/5"
    )
    bench.certificate(performed="2026-01-01")
    assert bench.verdicts() == []


def test_an_unchanged_situation_is_not_looked_at_again(bench, monkeypatch):
    bench.plain()
    bench.certificate(until="2026-11-30")
    assert bench.verdicts() == []
    monkeypatch.setattr(bench.judge, "_situations", lambda *_: pytest.fail("computed again"))
    assert bench.judge.round(day("2026-12-01") - 1, NOW) == []
    with pytest.raises(pytest.fail.Exception):
        bench.judge.round(day("2026-12-01"), NOW)


def test_every_judged_rule_has_its_texts():
    assert set(RULES) >= JUDGED_RULES


def ruled(bench):
    return [rule for rule, *_ in bench.verdicts()]


def test_a_calibration_counts_once_somebody_confirmed_it(bench):
    bench.plain()
    bench.certificate(kind="calibration", result="none")
    assert ruled(bench) == ["calibration.unconfirmed"]
    bench.certificate(kind="calibration", result="none", confirmed_result="pass", confirmed_by="W")
    assert all(to == since for rule, since, to in bench.verdicts() if rule == "calibration.unconfirmed")


def test_a_confirmation_may_say_that_it_fails(bench):
    bench.plain()
    bench.certificate(kind="calibration", result="none", confirmed_result="fail")
    assert ruled(bench) == ["calibration.failed"]


@pytest.mark.parametrize("found", ["manipulated", "revoked", "expired_signer", "unknown_signer"])
def test_a_file_that_is_not_to_be_trusted(bench, found):
    bench.plain()
    bench.certificate(authenticity=found)
    assert ruled(bench) == ["calibration.untrusted"]


@pytest.mark.parametrize("found", ["valid", "intact", "unsigned", "not_checked", ""])
def test_what_was_not_found_wrong_is_not_held_against_it(bench, found):
    bench.plain()
    bench.certificate(authenticity=found)
    assert ruled(bench) == []


def test_a_substituted_certificate_never_counted(bench):
    bench.plain()
    bench.certificate("OLD", performed="2025-11-01")
    assert ruled(bench) == []
    bench.certificate("NEW", performed="2026-11-01", supersedes="OLD", substitution="substituted")
    assert ("calibration.not_yet_valid", day("2026-11-01")) in [(rule, to) for rule, _, to in bench.verdicts()]


def test_a_forged_certificate_does_not_void_a_good_one(bench):
    bench.plain()
    bench.certificate("OLD", performed="2025-11-01")
    bench.certificate(
        "NEW", performed="2026-11-01", supersedes="OLD", substitution="substituted", authenticity="revoked"
    )
    assert "calibration.not_yet_valid" not in ruled(bench)


def test_an_as_found_failure_puts_the_readings_before_it_in_question(bench):
    bench.plain()
    bench.certificate("OLD", performed="2025-11-01")
    bench.certificate("NEW", performed="2026-11-01", as_found_result="fail")
    assert ruled(bench) == ["calibration.look_back"]


def test_an_in_house_calibration_stands_on_its_standards_certificate(bench):
    bench.plain()
    bench.certificate(kind="internal", result="none")
    assert ruled(bench) == ["calibration.trace_broken"]
    bench.record("standard", "S", name="x")
    bench.certificate(kind="internal", result="none", standards="S")
    open_ = [rule for rule, since, to in bench.verdicts() if to != since]
    assert open_ == ["calibration.trace_broken"]
    bench.record("standard", "S", name="x", certificate_number="N")
    assert [rule for rule, since, to in bench.verdicts() if to != since] == []
