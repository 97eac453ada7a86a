"""How instruments are used: quantity, load, uncertainty, environment, seal; trace; policies; as known then."""

import json
from fractions import Fraction

import pytest

from gateway.domain.ledger import Certificate, Instrument
from gateway.domain.time import US_PER_DAY
from gateway.metrology.judge import SETTLING_US
from gateway.metrology.ledger_view import LedgerView
from gateway.metrology.limits import in_service_factor, in_service_factors, limit_of, permissible_errors
from gateway.metrology.loads import Covered, Register, amounts_in_window, covered_by, quantities_of, speaks_of
from gateway.metrology.moment import Moment
from gateway.metrology.point_error import Use, point_uncertainty
from gateway.metrology.witness import Outside
from tests.judge_bench import NOW, T0, Bench, day

KWH = Register("active_energy_import", "kWh")


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path / "registry.sqlite")
    yield made
    made.registry.close()


# -- C05


@pytest.mark.parametrize(
    ("kind", "register", "quantities", "wrong"),
    [
        ("electricity_meter", KWH, "", False),
        ("electricity_meter", KWH, "active_energy_import;active_energy_export", False),
        ("electricity_meter", KWH, "active_energy", False),
        ("electricity_meter", KWH, "active_energy_export", True),
        ("electricity_meter", KWH, "reactive_energy", True),
        ("electricity_meter", Register("reactive_energy_import", "kvarh"), "active_energy", True),
        ("electricity_meter", Register("gas_volume", "m3"), "", True),
        ("water_meter", Register("water_volume", "m3"), "", False),
        ("heat_meter", Register("heat_energy", "GJ"), "", False),
        ("heat_meter", Register("heat_energy", "unheard of"), "", False),
        ("other", KWH, "", False),
    ],
)
def test_what_is_counted_is_what_instrument_and_certificate_speak_of(bench, kind, register, quantities, wrong):
    bench.plain(kind=kind)
    bench.certificate(quantities=quantities)
    bench.witness.counts = register
    assert bench.ruled() == ["calibration.quantity"] * wrong


def test_a_digital_certificate_says_by_its_unit_what_it_speaks_of():
    table = {"reference": {"unit": r"\kilo\var\hour", "values": ["1"]}}
    found = quantities_of(Certificate(id="C"), {"tables": [table]})
    assert found == {"reactive_energy"}
    assert not speaks_of(found, KWH)
    assert speaks_of(quantities_of(Certificate(id="C"), {"tables": [{"reference": {"unit": r"\ampere"}}]}), KWH)


# -- C06


def test_a_range_of_current_becomes_one_of_energy_in_a_quarter_hour():
    meter = Instrument(id="M", rated_voltage="230", phases=3)
    covered = Covered(Fraction("0.05"), Fraction(6), "A")
    assert amounts_in_window(covered, KWH, meter, Fraction(1, 4)) == (
        Fraction("0.05") * 230 * 3 / 1000 / 4,
        Fraction(6) * 230 * 3 / 1000 / 4,
    )
    assert amounts_in_window(covered, KWH, Instrument(id="M"), Fraction(1, 4)) is None
    flow = Covered(None, Fraction(60), "L/h")
    assert amounts_in_window(flow, Register("water_volume", "m3"), meter, Fraction(1, 4)) == (None, Fraction(15, 1000))
    assert amounts_in_window(flow, KWH, meter, Fraction(1, 4)) is None


def test_the_range_of_a_digital_certificate_is_read_and_a_strange_one_is_not_guessed():
    ends = [
        {"meaning": "basic_validityRangeMin", "unit": r"\ampere", "values": ["0.05"]},
        {"meaning": "basic_validityRangeMax", "unit": r"\ampere", "values": ["6"]},
    ]
    assert covered_by(Certificate(id="C"), {"range": ends}) == Covered(Fraction("0.05"), Fraction(6), "A")
    strange = [{**ends[0], "unit": r"\candela"}]
    assert covered_by(Certificate(id="C"), {"range": strange}) is None
    assert covered_by(Certificate(id="C", covered_to="5", covered_unit="kW"), {}) == Covered(None, Fraction(5), "kW")


def test_days_at_a_load_outside_what_the_certificate_covers(bench):
    bench.plain()
    bench.certificate(covered_from="1", covered_to="100", covered_unit="kW")
    bench.witness.counts = KWH
    bench.witness.load = [Outside(day("2026-10-20"), day("2026-10-22"), "above")]
    assert bench.verdicts() == [("calibration.range", day("2026-10-20"), day("2026-10-22"))]
    assert bench.witness.asked[-1] == (Fraction(1, 4), Fraction(25))
    facts = bench.registry.verdicts("o")[0].facts
    assert facts == {"certificate": "C", "side": "above", "unit": "kW", "lower": "1", "upper": "100"}


def test_a_meter_that_multiplies_itself_is_held_against_the_range_times_its_ratio(tmp_path):
    bench = Bench(tmp_path / "registry.sqlite", primary=True)
    bench.plain()
    bench.certificate(covered_to="4", covered_unit="kW")
    bench.witness.counts = KWH
    bench.verdicts()
    assert bench.witness.asked[-1] == (None, Fraction(40))
    bench.registry.close()


def test_days_count_only_under_the_certificate_in_force_then(bench):
    bench.plain()
    bench.certificate("A", covered_to="100", covered_unit="kW")
    bench.certificate("B", performed="2026-10-21")
    bench.witness.counts = KWH
    bench.witness.load = [Outside(day("2026-10-20"), day("2026-10-23"), "above")]
    assert bench.verdicts() == [("calibration.range", day("2026-10-20"), day("2026-10-21"))]


def test_loads_are_looked_at_again_once_a_day(bench, monkeypatch):
    bench.plain()
    bench.certificate(covered_to="100", covered_unit="kW")
    bench.witness.counts = KWH
    morning = day("2026-11-10") + SETTLING_US
    assert bench.verdicts(morning) == []
    asked = len(bench.witness.asked)
    bench.judge.round(morning + US_PER_DAY - 1, NOW)
    assert len(bench.witness.asked) == asked
    bench.witness.load = [Outside(day("2026-11-10"), day("2026-11-11"), "below")]
    assert bench.verdicts(morning + US_PER_DAY) == [("calibration.range", day("2026-11-10"), day("2026-11-11"))]


# -- C10, modes and the whole point


def test_the_uncertainty_of_the_point_against_its_target(bench):
    bench.plain()
    bench.certificate()
    bench.record("point", "P", name_zh="x", must_measure=1, target_uncertainty="0.5")
    # U = 2 · 0.5 % / √3 = 0.58 %
    assert bench.ruled() == ["point.uncertainty"]
    assert bench.registry.verdicts("o")[0].facts["expanded_percent"] == "0.58"
    bench.record("point", "P", name_zh="x", must_measure=1, target_uncertainty="0.6")
    assert bench.ruled() == []
    bench.record("instrument", "T", serial="7", kind="current_transformer")
    bench.record("installation", "IT", from_us=T0 - US_PER_DAY, point="P", instrument="T", role="ct")
    bench.certificate("CT", instrument="T", serial="7", performed="2020-01-01", until="")
    verdict = next(each for each in [*judged(bench)] if each.rule == "point.uncertainty")
    assert verdict.facts["unstated"] == "ct:T"


def judged(bench):
    bench.verdicts()
    return [each for each in bench.registry.verdicts("o") if each.to_us is None]


def test_the_three_modes_of_a_points_uncertainty(bench):
    bench.plain()
    table = {
        "stage": "as_left",
        "reference": {"unit": r"\ampere", "values": ["1", "5", "10"]},
        "error": {"unit": r"\percent", "values": ["0.1", "0.3", "0.2"], "expanded": ["0.08"], "k": ["2"]},
    }
    bench.certificate(kind="calibration", result="none", confirmed_result="pass", tables=[table])
    found = {}
    for mode in ("none", "mean", "curve"):
        bench.record("point", "P", name_zh="x", correction_mode=mode)
        found[mode] = uncertainty_at(bench)
    assert (found["none"].error_percent, found["none"].u_percent) == (0, pytest.approx(0.5 / 3**0.5))
    mean = (0.1 + 0.3 + 0.2) / 3
    variance = ((0.1 - mean) ** 2 + (0.3 - mean) ** 2 + (0.2 - mean) ** 2) / 3
    assert found["mean"].error_percent == pytest.approx(mean)
    assert found["mean"].u_percent == pytest.approx((0.04**2 + variance) ** 0.5)
    assert found["curve"].u_percent == pytest.approx((0.04**2 + (0.2 / (2 * 3**0.5)) ** 2) ** 0.5)
    # without a limit an error that is not corrected is added to U
    bench.record("point", "P", name_zh="x", correction_mode="none")
    bench.record("instrument", "M", serial="42", kind="other")
    assert uncertainty_at(bench).expanded_percent == pytest.approx(2 * 0.04 + 0.3)


def test_a_total_is_corrected_at_the_loads_it_was_counted_at(bench):
    bench.plain()
    bench.record(
        "instrument", "M", serial="42", kind="electricity_meter", accuracy_class="0.5S", rated_voltage="220", phases=3
    )
    table = {
        "stage": "as_left",
        "reference": {"unit": r"\ampere", "values": ["1", "5", "10"]},
        "error": {"unit": r"\percent", "values": ["0.1", "0.3", "0.2"], "expanded": ["0.08"], "k": ["2"]},
    }
    bench.certificate(kind="calibration", result="none", confirmed_result="pass", tables=[table])
    bench.record("point", "P", name_zh="x", correction_mode="curve")
    # 5 A in three phases of 220 V are 0.825 kWh a quarter hour, 3 A are 0.495 kWh
    use = Use(Register("active_energy_import", "kWh"), [(30.0, 0.825), (10.0, 0.495)])
    found = uncertainty_at(bench, use)
    assert found.error_percent == pytest.approx(0.75 * 0.3 + 0.25 * 0.2)
    bend = 0.2 / (2 * 3**0.5)
    assert found.u_percent == pytest.approx(0.75 * 0.04 + 0.25 * (0.04**2 + bend**2) ** 0.5)
    # beyond the curve nothing is corrected and the limit counts
    beyond = uncertainty_at(bench, Use(Register("active_energy_import", "kWh"), [(1.0, 2.0)]))
    assert (beyond.error_percent, beyond.u_percent) == (0, pytest.approx(0.5 / 3**0.5))
    # a register of another quantity says nothing about current: the curve's worst stands
    other = uncertainty_at(bench, Use(Register("volume", "m3"), [(1.0, 2.0)]))
    assert other == uncertainty_at(bench)


def uncertainty_at(bench, use=None):
    view = LedgerView.read(bench.registry, "o", bench.judge._zone)
    fitted = next(each for each in view.fitted if each.installation.id == "I")
    return point_uncertainty(Moment(view, fitted, NOW, {}, primary=False), use)


def test_meter_transformers_and_leads_make_the_point(bench):
    bench.plain()
    bench.certificate(error_percent="0.1", uncertainty_percent="0.1", standards="S")
    bench.record("standard", "S", name="x", certificate_number="N")
    for id_, role, kind, error, minutes in (
        ("A", "ct", "current_transformer", "0.2", "10"),
        ("B", "pt", "voltage_transformer", "-0.1", "4"),
    ):
        bench.record("instrument", id_, serial=id_, kind=kind, accuracy_class="0.5")
        bench.record("installation", f"I{id_}", from_us=T0 - US_PER_DAY, point="P", instrument=id_, role=role)
        said = {"error_percent": error, "uncertainty_percent": "0.06", "phase_minutes": minutes, "standards": "S"}
        bench.certificate(f"C{id_}", instrument=id_, serial=id_, **said)
    bench.record("point", "P", name_zh="x", correction_mode="mean", power_factor="0.5", lead_drop="0.12")
    found = uncertainty_at(bench)
    tan_phi = 3**0.5
    assert found.error_percent == pytest.approx(0.1 + 0.2 - 0.1 + 0.0291 * (10 - 4) * tan_phi, abs=5e-4)
    # one standard behind all three: their shares of it add linearly; the leads stand alone
    assert found.u_percent == pytest.approx(((0.05 + 0.03 + 0.03) ** 2 + 0.12**2 / 3) ** 0.5)


def test_the_decision_rule_is_the_points_else_the_sites(bench):
    bench.plain()
    bench.certificate(error_percent="0.45", uncertainty_percent="0.16")
    assert bench.ruled() == []  # JJF 1094: U ≤ L/3, so |e| ≤ L suffices
    bench.record("site", "s", decision_rule="ilac_g8")
    assert [each.facts["state"] for each in judged(bench)] == ["conditional_pass"]
    bench.record("point", "P", name_zh="x", required_class="1", decision_rule="jcgm106")
    assert [(each.facts["state"], each.facts["decision_rule"]) for each in judged(bench)] == [
        ("undetermined", "jcgm106")
    ]
    bench.record("point", "P", name_zh="x", required_class="1", decision_rule="jjf1094")
    assert bench.ruled() == []


def test_limits_come_from_papers_then_the_table_then_the_class_number():
    meter = Instrument(id="M", kind="electricity_meter", accuracy_class="C")
    assert (limit_of(meter).percent, limit_of(meter).confidence) == (Fraction(1, 2), "记忆")
    assert limit_of(meter, "0.2S").source == "IEC 62053-22"
    own = Instrument(id="M", kind="heat_meter", mpe_percent="2.5", mpe_source="CJ 128-2007 4.2, read by W")
    assert (limit_of(own).percent, limit_of(own).confidence) == (Fraction(5, 2), "原文")
    scale = Instrument(id="M", kind="belt_scale", accuracy_class="0.5")
    assert (limit_of(scale).percent, limit_of(scale).confidence) == (Fraction(1, 2), "推断")
    assert limit_of(Instrument(id="M", kind="heat_meter", accuracy_class="2")) is None
    assert limit_of(Instrument(id="M", kind="electricity_meter")) is None


def test_every_row_says_where_it_is_from_and_none_claims_the_original():
    rows = [each for found in permissible_errors().values() for each in found]
    assert {each.confidence for each in [*rows, *in_service_factors().values()]} <= {"转载", "记忆", "推断"}
    assert all(each.source for each in rows)
    assert (in_service_factor("DE", "electricity_meter").factor, in_service_factor("", "x").factor) == (2, 1)
    assert in_service_factor("XX", "x").confidence == "推断"


# -- C11, C14


def test_days_outside_the_rated_operating_temperature(bench):
    bench.plain(ambient_from="-10", ambient_to="45")
    bench.record(
        "installation", "I", from_us=T0 - US_PER_DAY, point="P", instrument="M", device="d", ct_ratio="200/5",
        ambient="room/temperature",
    )  # fmt: skip
    bench.certificate()
    bench.witness.ambient = [Outside(day("2026-11-02"), day("2026-11-04"), "above")]
    assert bench.verdicts() == [("instrument.environment", day("2026-11-02"), day("2026-11-04"))]


@pytest.mark.parametrize(
    ("certified", "found", "what"),
    [
        ({"firmware": "1.2"}, {"firmware_version": "1.2"}, []),
        ({"firmware": "1.2"}, {"firmware_version": "1.3"}, ["firmware"]),
        ({"meter_constant": "6400"}, {"meter_constant": "3200"}, ["meter_constant"]),
        ({"firmware": "1.2"}, {}, []),
    ],
)
def test_firmware_and_constant_are_as_at_the_calibration(bench, certified, found, what):
    bench.plain()
    bench.certificate(**certified)
    for measurand, value in found.items():
        bench.says(T0, measurand, value)
    assert [each.facts["what"] for each in judged(bench)] == what


@pytest.mark.parametrize(("seal", "wrong"), [("f-0017", False), ("F-0018", True)])
def test_the_seal_is_the_one_of_the_calibration(bench, seal, wrong):
    bench.plain()
    fitted = {"point": "P", "instrument": "M", "device": "d", "ct_ratio": "200/5", "seal": "F-0017"}
    bench.record("installation", "I", from_us=T0 - US_PER_DAY, **fitted)
    bench.certificate(seal=seal)
    assert bench.ruled() == ["instrument.seal"] * wrong


# -- C12, C13: what a digital certificate says of its standards


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ({"number": "N", "in_validity": 1, "traceable": 1}, None),
        ({"number": "N", "in_validity": 0}, "not_in_validity"),
        ({"number": "N", "traceable": 0}, "not_traceable"),
    ],
)
def test_what_the_certificate_itself_says_of_its_standard(bench, link, reason):
    bench.plain()
    bench.record("standard", "S", name="x", certificate_number="N", link=link)
    bench.certificate(standards="S")
    assert [each.facts["reason"] for each in judged(bench)] == ([reason] if reason else [])


@pytest.mark.parametrize(("fits", "ruled"), [(True, []), (None, []), (False, ["calibration.untrusted"])])
def test_a_linked_file_that_is_not_the_one_named(bench, fits, ruled):
    bench.plain()
    link = {"number": "N", "procedure": "sha256", "digest": "00"}
    bench.record("standard", "S", name="x", certificate_number="N", link=link)
    bench.record("instrument", "R", serial="R")
    bench.certificate("N", instrument="R", serial="R", document="0" * 64)
    bench.certificate(standards="S")
    bench.witness.fits = fits
    assert bench.ruled() == ruled


def test_a_standard_whose_certificate_was_withdrawn_or_failed(bench):
    bench.plain()
    bench.record("standard", "S", name="x", certificate_number="N")
    bench.record("instrument", "R", serial="R")
    bench.certificate("N", instrument="R", serial="R")
    bench.certificate(standards="S")
    assert bench.ruled() == []
    bench.certificate("N", instrument="R", serial="R", result="fail")
    assert [each.facts["reason"] for each in judged(bench)] == ["failed"]
    bench.record("certificate", "N", withdrawn=True)
    assert [each.facts["reason"] for each in judged(bench)] == ["withdrawn"]


# -- look-back by numbers, and as known then


@pytest.mark.parametrize(("error", "broken"), [("0.3", False), ("0.45", True), ("0.9", True)])
def test_an_as_found_error_without_a_verdict_is_held_against_the_limit_in_service(bench, error, broken):
    bench.plain()
    bench.certificate("OLD")
    found = {"as_found_error_percent": error, "as_found_uncertainty_percent": "0.2"}
    bench.certificate("NEW", performed="2026-11-01", **found)
    assert bench.ruled() == ["calibration.look_back"] * broken


def test_a_wider_limit_in_service_questions_less(bench):
    bench.plain()
    bench.record("site", "s", jurisdiction="DE")
    bench.certificate("OLD")
    found = {"as_found_error_percent": "0.75", "as_found_uncertainty_percent": "0.2"}
    bench.certificate("NEW", performed="2026-11-01", **found)
    assert bench.ruled() == []


def test_three_verdict_entries_each_still_returned_by_its_known_at_and_nothing_edited(bench):
    """Before a certificate is known, after its import, after a superseding one back-dated."""
    bench.plain()
    bench.certificate("A", performed="2024-11-01", until="2026-10-25")
    states = []
    for certificate in (
        None,
        {"number": "B", "performed": "2026-10-20", "until": "2026-11-01"},
        {"number": "D", "performed": "2026-10-19", "until": "2026-11-10", "supersedes": "B"},
    ):
        if certificate:
            bench.certificate(**certificate, substitution="substituted" if "supersedes" in certificate else "")
        bodies = list(bench.bodies)
        states.append((bench.verdicts(), bench.seq))
        assert bench.bodies[: len(bodies)] == bodies  # what stood stands, byte for byte
    expired = [("calibration.expired", day(each), None) for each in ("2026-10-26", "2026-11-02", "2026-11-11")]
    assert [verdicts for verdicts, _seq in states] == [[each] for each in expired]
    for verdicts, seq in states:
        assert bench.verdicts(known_seq=seq) == verdicts
    opened = [json.loads(each) for each in bench.bodies if b'"kind":"verdict"' in each and b'"state":"open"' in each]
    assert [each["from"] for each in opened] == [each[1] for each in expired]


@pytest.mark.parametrize(
    "fields",
    [
        {"error_percent": "x", "uncertainty_percent": "0.1"},
        {"error_percent": "0.1", "uncertainty_percent": "-0.1"},
        {"error_percent": "nan", "uncertainty_percent": "inf"},
        {"error_percent": "0.1", "uncertainty_percent": "0.1", "coverage_factor": "-2"},
        {"covered_from": "x", "covered_to": "1/0", "covered_unit": "kW"},
        {"tables": [1, {"stage": "as_left", "error": {"unit": r"\percent", "expanded": ["x"], "values": 5}}]},
        {"tables": "none", "range": [3]},
        {"range": [{"unit": r"\ampere", "values": "5"}], "standards": ";;"},
    ],
)
def test_whatever_a_record_holds_judging_ends(bench, fields):
    bench.plain(ambient_from="x", ambient_to="1", mpe_percent="?", rated_voltage="-", phases=3)
    bench.record("point", "P", name_zh="x", target_uncertainty="0.5", correction_mode="curve", power_factor="zero")
    fitted = {"point": "P", "instrument": "M", "device": "d", "ct_ratio": "200/5", "ambient": "room"}
    bench.record("installation", "I", from_us=T0 - US_PER_DAY, **fitted)
    bench.witness.counts = KWH
    bench.certificate(**fields)
    bench.verdicts()


def test_days_that_are_none_leave_no_certificate_and_judging_ends(bench):
    bench.plain()
    bench.certificate("C1", performed="2026-13-45", until="")
    assert "calibration.none" in bench.ruled()
    bench.certificate("C2", performed="2026-01-01", until="2026-02-31")
    assert "calibration.expired" in bench.ruled()
