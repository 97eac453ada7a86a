"""Σ intervals = register difference, whatever order readings come in; the oracle counts in fractions on its own."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.quality import Flag, Status, word
from gateway.settlement.counter import Break, Observation, epochs
from gateway.settlement.row import Method
from gateway.settlement.windows import ChannelCounter, Segment, settle_windows

W = 900_000_000
MINUTE = 60_000_000
FAR = 2**62
REACH = 8 * MINUTE
ALWAYS = [Segment(-FAR, FAR, None)]


def counter(observations, breaks=(), modulus=None, segments=ALWAYS):
    return ChannelCounter("d", "e", modulus, False, epochs(observations, breaks, modulus), segments)


def rows_of(observations, first, last, **kwargs):
    return list(settle_windows(counter(observations, **kwargs), first, last))


@st.composite
def readings(draw):
    """Rising registers at irregular instants over some hours, some of them far apart."""
    count = draw(st.integers(3, 40))
    at, value = draw(st.integers(0, W)), draw(st.integers(0, 10**6))
    found = []
    for seq in range(1, count + 1):
        found.append(Observation(at, value, 0, seq, REACH))
        at += draw(st.one_of(st.integers(MINUTE, 10 * MINUTE), st.integers(W, 5 * W)))
        value += draw(st.integers(0, 5_000))
    return found


def linear(observations, at):
    """The register at an instant as an exact fraction, in thousandths."""
    for a, b in pairwise(observations):
        if a.at_us <= at <= b.at_us:
            return 1000 * (a.value + Fraction((b.value - a.value) * (at - a.at_us), b.at_us - a.at_us))
    return None


@given(readings())
@settings(max_examples=80, deadline=None)
def test_energy_telescopes_and_every_edge_is_the_rounded_line(observations):
    first, last = -(-observations[0].at_us // W) * W, observations[-1].at_us // W * W
    if first >= last:
        return
    rows = [row for _, row in rows_of(observations, first, last)]
    for (window, row), following in zip(rows_of(observations, first, last), [*rows[1:], None], strict=True):
        exact = linear(observations, window)
        assert row.start == round(exact)  # Fraction rounds half to even
        assert row.energy == row.end - row.start
        assert following is None or following.start == row.end
    assert sum(row.energy for row in rows) == round(linear(observations, last)) - round(linear(observations, first))


@given(readings(), st.integers(10**5, 10**6), st.data())
@settings(max_examples=60, deadline=None)
def test_a_rollover_changes_no_energy(observations, modulus, data):
    """The same counter shown through a register of few digits: same energies."""
    steps = [b.value - a.value for a, b in pairwise(observations)]
    if any(step > modulus // 10 for step in steps):
        return
    start = data.draw(st.integers(0, modulus - 1))
    base = observations[0].value
    true = [each._replace(value=each.value - base + start) for each in observations]
    shown = [each._replace(value=each.value % modulus) for each in true]
    first, last = -(-observations[0].at_us // W) * W, observations[-1].at_us // W * W
    if first >= last:
        return
    plain = [row.energy for _, row in rows_of(true, first, last)]
    rolled = [row for _, row in rows_of(shown, first, last, modulus=modulus)]
    assert [row.energy for row in rolled] == plain
    assert all(0 <= row.start < modulus * 1000 for row in rolled)


@given(readings(), readings(), st.integers(0, 500), st.integers(0, 500), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_an_exchange_loses_nothing_between_declared_indexes(old, new, left_over, already, opening):
    at = old[-1].at_us + MINUTE
    shift = at + MINUTE - new[0].at_us
    closing = old[-1].value + left_over
    new = [
        Observation(each.at_us + shift, each.value - new[0].value + opening + already, 0, 100 + each.seq, REACH)
        for each in new
    ]
    breaks = [Break(at, closing * 1000, 90, opening * 1000, 91)]
    segments = [Segment(-FAR, at, 90, 40, 1), Segment(at, FAR, 91, 60, 1)]
    first, last = -(-old[0].at_us // W) * W, new[-1].at_us // W * W
    if first >= last:
        return
    rows = rows_of([*old, *new], first, last, breaks=breaks, segments=segments)
    assert all(row.energy is not None for _, row in rows)
    of_old = [row.energy for _, row in rows if row.installation == 90]
    of_new = [row.energy for _, row in rows if row.installation == 91]
    tail = round(linear(new, last)) if last >= new[0].at_us else None
    if first <= at <= last and tail is not None:
        to_the_end = [*old, Observation(at, closing, 0, 90, REACH)]
        assert sum(of_old) == closing * 1000 - round(linear(to_the_end, first))
        assert sum(of_new) == tail - opening * 1000
    assert {(row.num, row.den) for _, row in rows if row.installation == 91} <= {(60, 1)}


def every(minutes, values, start=0, quality=0):
    return [Observation(start + i * minutes * MINUTE, v, quality, i + 1, REACH) for i, v in enumerate(values)]


def test_an_undeclared_exchange_and_a_reset_cost_only_what_lies_between_the_two_readings():
    marked = every(5, [1000, 1010, 1020, 1030, 1040])
    marked += [Observation(25 * MINUTE, 3, word(Status.GOOD, Flag.COUNTER_EXCHANGE), 6, REACH)]
    marked += every(5, [13, 23, 33, 43, 53], start=30 * MINUTE)
    reset = [each._replace(quality=0) for each in marked]
    for observations, flag in ((marked, Flag.COUNTER_EXCHANGE), (reset, Flag.COUNTER_RESET)):
        rows = rows_of(observations, 0, 3 * W)
        assert [window for window, _ in rows] == [0, W, W, W, 2 * W]
        assert [row.energy for _, row in rows] == [30_000, 10_000, None, 10_000, 30_000]
        before, between, after = (row for _, row in rows[1:4])
        assert (before.start, before.end, after.start, after.end) == (1_030_000, 1_040_000, 3_000, 13_000)
        assert (before.method, between.method, after.method) == (Method.MEASURED, Method.MISSING, Method.MEASURED)
        assert (between.start, between.end, between.coverage) == (1_040_000, 3_000, 0)
        assert between[-4:] == (5, 5, 6, 6)
        assert between.quality >> 2 & flag
        assert after.quality >> 2 & flag


@given(readings(), readings(), st.integers(0, 3 * W))
@settings(max_examples=60, deadline=None)
def test_around_a_reset_everything_but_the_step_itself_is_known(old, new, pause):
    """Up to the last reading before and from the first after it, the energy is the registers' difference."""
    shift = old[-1].at_us + MINUTE + pause - new[0].at_us
    new = [
        Observation(each.at_us + shift, each.value - new[0].value + 1, 0, 100 + each.seq, REACH)
        for each in new
        if each.value - new[0].value + 1 < old[-1].value - 2
    ]
    if old[-1].value < 10 or len(new) < 2:
        return
    first, last = -(-old[0].at_us // W) * W, new[-1].at_us // W * W
    if not first < old[-1].at_us or last <= new[0].at_us:
        return
    rows = [row for _, row in rows_of([*old, *new], first, last)]
    cut = next(place for place, row in enumerate(rows) if row.end == 1000 * old[-1].value and row.e2 == old[-1].seq)
    again = next(place for place, row in enumerate(rows) if row.start == 1000 and row.e0 == 101)
    assert sum(row.energy for row in rows[: cut + 1]) == 1000 * old[-1].value - round(linear(old, first))
    assert sum(row.energy for row in rows[again:]) == round(linear(new, last)) - 1000
    assert all(row.energy is None for row in rows[cut + 1 : again])
    assert len(rows[cut + 1 : again]) >= 1


def test_a_register_that_falls_all_the_time_makes_no_row_for_every_fall():
    falling = [Observation(i * MINUTE, 10_000 - 100 * i, 0, i + 1, REACH) for i in range(16)]
    rows = rows_of(falling, 0, W)
    assert [row.energy for _, row in rows] == [None]


def test_a_momentary_wrong_reading_is_left_out():
    rows = rows_of(every(5, [1000, 1010, 0, 1030, 1040, 1050, 1060]), 0, 2 * W)
    assert [row.energy for _, row in rows] == [30_000, 30_000]
    assert rows[0][1].coverage == 333  # the neighbours are ten minutes apart: more than one and a half periods


def test_a_gap_is_caught_up_exactly_and_says_so():
    rows = rows_of([*every(5, [0, 5, 10, 15]), Observation(60 * MINUTE, 75, 0, 9, REACH)], 0, 4 * W)
    assert [row.energy for _, row in rows] == [15_000, 20_000, 20_000, 20_000]
    assert [row.method for _, row in rows] == [Method.MEASURED, *[Method.CAUGHT_UP] * 3]
    assert all(row.quality & 3 == Status.UNCERTAIN and row.quality >> 2 & Flag.INTERPOLATED for _, row in rows[1:])
    assert rows[1][1][-4:] == (4, 4, 4, 9)


def test_a_row_survives_the_journal():
    row = rows_of(every(5, [0, 5, 10, 15]), 0, W)[0][1]
    assert type(row).from_document(row.document()) == row
