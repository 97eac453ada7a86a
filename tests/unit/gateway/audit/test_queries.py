"""The queries over a small folder, against figures worked out from what was planted."""

from fractions import Fraction

import pytest

from gateway.assembly.reading import OpenFolder
from gateway.audit.asking import Asking
from gateway.audit.energy import total, totals
from gateway.audit.findings import findings
from gateway.audit.ledger import instrument_detail, ledger
from gateway.audit.live import live, live_detail
from gateway.audit.overview import overview
from gateway.audit.plant import plant
from gateway.audit.trace import trace
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, Period
from gateway.journal.entry import leaf_hash
from tests.plant_folder import GAP_FROM, NOW, QUARTER_KWH, RATIO, START, intake_words

QUARTER_US = 15 * US_PER_MINUTE


def test_overview_counts_the_day_in_the_sites_zone(reader: OpenFolder, asking: Asking) -> None:
    found = overview(reader.sources, asking)
    assert str(found.day) == "2026-03-11"
    assert found.intake is not None
    settled_quarters = (found.settled_to_us - START - US_PER_DAY) // QUARTER_US
    assert settled_quarters >= 7
    assert found.intake.today.value == settled_quarters * QUARTER_KWH
    assert found.intake.before.value == settled_quarters * QUARTER_KWH
    assert found.intake.day_before.value == 96 * QUARTER_KWH
    assert [each.hour for each in found.hours] == list(range(24))
    assert found.hours[3].before is not None
    assert found.hours[3].before.value == 4 * QUARTER_KWH
    assert found.hours[3].today is None
    assert (found.points_with_meter, found.points_to_measure) == (2, 3)
    assert (found.overdue_count, found.instruments) == (1, 3)
    assert found.slots.slots - found.slots.answered == 11


def test_hours_equal_the_sum_of_their_quarters(reader: OpenFolder, asking: Asking) -> None:
    there = plant(reader.sources, asking)
    fact = there.points["P-02"]
    hours = totals(
        reader.sources, asking, there, fact, list(range(START, START + 25 * US_PER_HOUR, US_PER_HOUR)), step="hour"
    )
    day = total(reader.sources, asking, there, fact, Period(START, START + US_PER_DAY))
    assert sum((each.value or Fraction(0) for each in hours), Fraction(0)) == day.value
    by_day = totals(reader.sources, asking, there, fact, [START, START + US_PER_DAY], step="day")[0]
    assert by_day.value == day.value


def test_a_gap_is_said_and_not_filled_with_zero(reader: OpenFolder, asking: Asking) -> None:
    there = plant(reader.sources, asking)
    hour = total(reader.sources, asking, there, there.points["P-02"], Period(GAP_FROM, GAP_FROM + US_PER_HOUR))
    # the register goes on behind the gap, so the energy is known, caught up, but no time is covered
    assert hour.coverage_permille < 100
    assert set(hour.by_method) <= {"caught_up", "interpolated"}
    assert hour.quality & 3 == 1
    nothing = total(reader.sources, asking, there, there.points["P-03"], Period(START, START + US_PER_HOUR))
    assert (nothing.value, nothing.complete) == (None, False)


def test_live_values_on_the_primary_side(reader: OpenFolder, asking: Asking) -> None:
    rows = {row.point.id: row for row in live(reader.sources, asking)}
    assert [row.depth for row in rows.values()] == [0, 1, 1]
    intake = rows["P-01"]
    assert intake.flow is not None
    assert intake.flow.value == 180 * RATIO
    assert not intake.stale
    assert rows["P-03"].device == ""
    late = reader.asking(NOW + US_PER_HOUR)
    assert all(row.stale for row in live(reader.sources, late) if row.device)
    earlier = reader.asking(START + US_PER_HOUR)
    then = {row.point.id: row for row in live(reader.sources, earlier)}["P-01"]
    assert then.register is not None
    assert then.register.meter == 10_000 + 12 * 15


def test_live_raw_words(reader: OpenFolder, asking: Asking) -> None:
    detail = live_detail(reader.sources, asking, "P-01", raw=True)
    (raw,) = detail.raw
    index = ((raw.slot_us or 0) - START) // (300 * 1_000_000)
    assert "".join(raw.requests[0].words) == intake_words(index)
    assert raw.agrees is True
    with pytest.raises(UnknownObjectError):
        live_detail(reader.sources, asking, "P-99")


def test_ledger_puts_what_needs_doing_first(reader: OpenFolder, asking: Asking) -> None:
    page = ledger(reader.sources, asking)
    assert [(row.instrument.id, str(row.due)) for row in page.rows] == [
        ("M-02", "overdue"),
        ("CT-01", "no_certificate"),
        ("M-01", "valid"),
    ]
    assert [row.instrument.id for row in ledger(reader.sources, asking, text="生料").rows] == ["M-02"]
    assert ledger(reader.sources, asking, due="attention").total == 2
    # the point's duty is its meter's; a transformer has it where its own card says so
    assert [row.instrument.id for row in ledger(reader.sources, asking, compulsory=True).rows] == ["M-01"]
    second = ledger(reader.sources, asking, offset=1, limit=1)
    assert (second.total, [row.instrument.id for row in second.rows]) == (3, ["CT-01"])


def test_the_ledger_of_an_earlier_day_is_that_days(reader: OpenFolder) -> None:
    then = reader.asking(START - 290 * US_PER_DAY)  # May 2025: the mill's certificate still held
    due = {row.instrument.id: str(row.due) for row in ledger(reader.sources, then).rows}
    assert due["M-02"] == "due_soon"


def test_instrument_card(reader: OpenFolder, asking: Asking) -> None:
    detail = instrument_detail(reader.sources, asking, "M-01")
    assert [each.certificate.id for each in detail.certificates] == ["V-2025-1"]
    assert detail.certificates[0].counts
    assert [each.id for each in detail.certificates[0].standards] == ["S-01"]
    assert [each.id for each in detail.installations] == ["I-01"]
    with pytest.raises(UnknownObjectError):
        instrument_detail(reader.sources, asking, "M-99")


def test_findings_show_what_was_planted(reader: OpenFolder, asking: Asking) -> None:
    listed = {(each.rule, each.point): each for each in findings(reader.sources, asking)}
    assert listed["calibration.expired", "P-02"].open
    assert listed["point.unequipped", "P-03"].open
    rollover = listed["counter.rollover", "P-02"]
    assert (rollover.source, rollover.severity, rollover.open) == ("reading", "info", False)
    assert not any(each.severity == "info" for each in findings(reader.sources, asking, only_open=True))
    before = reader.asking(START - 250 * US_PER_DAY)
    assert all(each.from_us <= before.as_of_us for each in findings(reader.sources, before))


def test_trace_walks_to_the_raw_words_and_the_standard(reader: OpenFolder, asking: Asking) -> None:
    start = START + 3 * US_PER_HOUR
    found = trace(reader.sources, asking, "P-01", Period(start, start + US_PER_HOUR), window_us=start)
    assert found.figure.value == 4 * QUARTER_KWH
    assert len(found.intervals) == 4
    window = found.window
    assert window is not None
    assert window.value == QUARTER_KWH == found.recomputed
    assert window.start_register == 10_000 + 36 * 15
    assert window.settlement is not None
    assert window.settlement.leaf == leaf_hash(reader.sources.journal.entry(window.settlement.seq).body_bytes).hex()
    raw = found.edges[0].readings[0]
    assert "".join(raw.requests[0].words) == intake_words(36)
    field = raw.fields[0]
    assert (field.ordered, field.value) == (f"{1_000_000 + 36 * 1500:08X}", 1_000_000 + 36 * 1500)
    assert (field.first_word, field.last_word, field.register) == (0, 1, 100)
    assert found.fitted is not None
    assert (found.fitted.id, found.fitted.ratio) == ("I-01", RATIO)
    meter, transformer = found.instruments
    assert meter.instrument.serial == "100001"
    assert meter.certificate is not None
    assert [each.id for each in meter.certificate.standards] == ["S-01"]
    assert transformer.certificate is None
    assert found.findings  # the transformer without a certificate


def test_trace_says_what_is_missing(reader: OpenFolder, asking: Asking) -> None:
    found = trace(reader.sources, asking, "P-03", Period(START, START + US_PER_HOUR))
    assert (found.figure.value, found.window, found.fitted, list(found.instruments)) == (None, None, None, [])
    with pytest.raises(UnknownObjectError):
        trace(reader.sources, asking, "P-99", Period(START, START + US_PER_HOUR))


def test_trace_before_the_first_settlement_shows_the_newest_reading(reader: OpenFolder, asking: Asking) -> None:
    """What a new user sees in the first quarter hour: the raw words that came, and no figure made of them."""
    start = START + 26 * US_PER_HOUR
    found = trace(reader.sources, asking, "P-01", Period(start, NOW))
    assert (found.window, list(found.intervals), found.figure.value) == (None, [], None)
    (edge,) = found.edges
    assert edge.register is None
    assert "".join(edge.readings[0].requests[0].words) == intake_words(26 * 12 + 1)
    assert found.configuration is not None
    assert [each.instrument.serial for each in found.instruments][:1] == ["100001"]
    earlier = reader.asking(NOW, START)
    assert trace(reader.sources, earlier, "P-01", Period(start, start + 900_000_000)).edges == []


def test_trace_opens_the_quarter_hour_a_moment_lies_in(reader: OpenFolder, asking: Asking) -> None:
    start = START + 3 * US_PER_HOUR
    span = Period(start, start + US_PER_HOUR)
    found = trace(reader.sources, asking, "P-01", span, window_us=start + 20 * 60_000_000)
    assert found.window is not None
    assert found.window.start_us == start + 900_000_000
    assert trace(reader.sources, asking, "P-01", span, window_us=start - 1).window is None


def test_known_at_before_the_ledger_knows_nothing(reader: OpenFolder) -> None:
    before = reader.asking(NOW, START - 1)
    assert before.known_seq is not None
    assert ledger(reader.sources, before).total == 0
    assert live(reader.sources, before) == []
