"""Indicators, checks on site and views over a small plant whose numbers are known by hand."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

import pytest

from gateway.assembly.reading import OpenFolder, open_for_reading
from gateway.assembly.review_loading import checklists, editions
from gateway.audit.certificates import Due
from gateway.audit.traceability import traceability
from gateway.domain.time import US_PER_HOUR, US_PER_MINUTE
from gateway.i18n import text
from gateway.i18n.review_terms import REVIEW_TERMS
from gateway.review.checklist import EquippingEdition
from gateway.review.evidence import evidence, snapshot
from gateway.review.gathered import Entry, Gathered, Section
from gateway.review.indicators import Indicator, indicators
from gateway.review.on_site import compare, expected
from gateway.review.views import VIEWS, view
from tests.plant_folder import INTAKE_STEP, NOW, START, build_folder


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenFolder]:
    folder = build_folder(tmp_path_factory.mktemp("review") / "data")
    with open_for_reading(folder) as made:
        yield made


@pytest.fixture
def gathered(reader: OpenFolder) -> Gathered:
    return Gathered(reader.sources, reader.asking(NOW), editions())


def by_id(gathered: Gathered) -> dict[str, Indicator]:
    return {each.id: each for each in indicators(gathered)}


def test_the_shares_are_those_counted_by_hand(gathered: Gathered) -> None:
    found = by_id(gathered)
    shares = {name: (each.numerator, each.denominator) for name, each in found.items()}
    assert shares["equipping.electricity.1"] == (1, 1)
    assert shares["equipping.electricity.2"] == (1, 1)
    assert shares["equipping.electricity.3"] == (0, 1)  # the kiln drive has no meter
    assert shares["class"] == (1, 1)  # 0.2S where 0.5S is demanded; the mill demands nothing
    assert shares["verified"] == (1, 3)  # intake valid; mill expired; the CT without a certificate
    assert shares["compulsory"] == (1, 1)  # the intake: a point's duty is its meter's
    assert shares["traceable"] == (1, 3)
    assert found["equipping.electricity.3"].members[0].why == "no_meter"


def test_unbroken_traceability_is_counted_by_the_one_rule(gathered: Gathered) -> None:
    chains = traceability(gathered.sources, gathered.asking)
    found = by_id(gathered)["traceable"]
    assert (found.numerator, found.denominator) == (chains.unbroken, chains.instruments)
    assert {each.id for each in found.members if each.part} == {
        each.instrument for each in chains.rows if each.unbroken
    }
    expired = next(each for each in chains.rows if each.due is Due.OVERDUE)
    assert expired.breaks[0] == "the instrument's certificate does not count on the day"
    assert {each.id: each.why for each in found.members}[expired.instrument] == "overdue"


def test_completeness_counts_quarter_hours_and_slots(gathered: Gathered) -> None:
    found = by_id(gathered)
    polls = 26 * 12 + 2  # every five minutes from the start to 26 h 5 min
    missed = 11  # between ten and eleven, ends not included
    assert (found["slots"].numerator, found["slots"].denominator) == (2 * polls - missed, 2 * polls)
    whole = found["completeness"]
    assert {each.id: each.whole for each in whole.members} == {"P-01": 26 * 4, "P-02": 26 * 4}
    assert {each.id: each.whole - each.part for each in whole.members} == {
        "P-01": 0,
        "P-02": 0,
    }  # an hour's gap is caught up
    assert whole.excluded == []
    assert found["online"].denominator == 2


def test_without_a_table_at_hand_nothing_is_demanded_and_that_is_said(gathered: Gathered) -> None:
    found = by_id(gathered)["equipping.electricity.3"]
    assert (found.required_percent, found.meets, found.edition_has_table) == (None, None, False)
    assert found.edition == "GB 17167-2025"


def test_an_operators_table_is_used_and_judged(reader: OpenFolder) -> None:
    own = EquippingEdition(
        id="gb17167-2025",
        edition="GB 17167-2025",
        name_zh="",
        name_en="",
        from_day=date(2026, 2, 1),
        to_day=None,
        table=True,
        standing="原文",
        source="the printed standard",
        note="",
        sha256="",
        percent={"electricity": (100, 100, 95)},
    )
    found = by_id(Gathered(reader.sources, reader.asking(NOW), [*editions(), own]))
    assert found["equipping.electricity.1"].meets is True
    assert found["equipping.electricity.3"].meets is False
    assert found["equipping.electricity.3"].edition_standing == "原文"


def test_the_index_on_the_display_is_judged_against_the_minute(reader: OpenFolder) -> None:
    at_us = START + 5 * US_PER_HOUR + 2 * US_PER_MINUTE + 20_000_000  # between two readings, and within a minute
    found = expected(reader.sources, reader.asking(NOW), "M-01", at_us)
    per_minute = Fraction(INTAKE_STEP, 100) / 5
    low = Fraction(10_000) + 60 * Fraction(INTAKE_STEP, 100) + 2 * per_minute
    assert (found.low, found.high) == (low, low + per_minute)
    assert (found.ct_ratio, found.pt_ratio, found.seal) == ("200/5", "35000/100", "F-7731")
    good = compare({"index": str(float(low + 1)), "serial": "100001", "ct_plate": "40/1"}, found)
    assert (good.agreement, good.difference, good.differing) == ("agrees", 0, [])
    assert good.tolerance == Fraction(1, 10) + Fraction(1, 100)
    edge = compare({"index": "10908.9"}, found)  # 10 909.0 is the register at the end of the minute
    assert edge.agreement == "agrees"
    wrong = compare({"index": "10910", "serial": "100002", "seal": "F-1", "ct_plate": "300/5", "label": "wrong"}, found)
    assert wrong.agreement == "agrees"  # read to the kilowatt hour: one step of the display
    assert wrong.differing == ["serial", "seal", "ct_plate", "label"]
    off = compare({"index": "10911.00"}, found)
    assert (off.agreement, off.difference) == ("differs", Fraction(10911) - found.high if found.high else None)


def test_where_no_reading_stands_near_nothing_is_judged(reader: OpenFolder) -> None:
    found = expected(reader.sources, reader.asking(NOW), "M-01", START - 3 * US_PER_HOUR)
    assert (found.low, compare({"index": "1"}, found).agreement) == (None, "no_value")
    with pytest.raises(ValueError, match="twelve"):
        compare({"index": "twelve"}, expected(reader.sources, reader.asking(NOW), "M-01", START + US_PER_HOUR))


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_can_be_had_and_speaks_chinese(gathered: Gathered, name: str) -> None:
    found: Section = view(gathered, name)
    assert found.id == name
    assert found.state in REVIEW_TERMS["section_state"]
    for sentence, facts in found.said:
        assert text("zh", sentence, **facts) != text("en", sentence, **facts)
    assert all(len(row) == len(found.columns) for row in found.rows)
    for column in found.columns:
        assert ":" in column or text("zh", column) != column, column


def test_every_term_has_its_chinese() -> None:
    missing = [word for family in REVIEW_TERMS.values() for word in family.values() if text("zh", word) == word]
    assert missing == []


def test_evidence_proposes_and_its_snapshot_is_the_same_twice(gathered: Gathered) -> None:
    checklist = checklists()["jjf1356-2012"]
    proposals = {each.id: evidence(gathered, each).proposal for each in checklist.items}
    assert proposals["6.1"] == "attention"  # the kiln drive
    assert proposals["6.3"] == "attention"  # the mill's certificate
    assert proposals["4.1"] == "nothing"
    assert proposals["P.1"] == "attention"  # no platform is connected

    class Of:
        id = "r1"

    first = snapshot(evidence(gathered, checklist.item("6.3")), Of())  # type: ignore[arg-type]  # its id alone is used
    assert first == snapshot(evidence(gathered, checklist.item("6.3")), Of())  # type: ignore[arg-type]
    assert b"calibration.expired" in first


def test_who_did_what_names_edits_of_the_ledger_too(gathered: Gathered) -> None:
    """The small plant's ledger was put on record by one hand; every version is an act of that hand."""
    registry, asking = gathered.sources.registry, gathered.asking
    recorded = registry.recorded_after(asking.organisation, gathered.before_seq)
    by_hand = {each.seq for each in recorded if each.actor not in {"", "system"}}
    found = view(gathered, "actions")
    entries = [row[-1].seq for row in found.rows if isinstance(row[-1], Entry)]
    assert by_hand <= set(entries)
    assert entries == sorted(entries, reverse=True)
    assert found.total >= len(by_hand)
