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


def test_an_undeclared_exchange_and_a_reset_leave_their_window_without_energy():
    marked = every(5, [1000, 1010, 1020, 1030, 1040])
    marked += [Observation(25 * MINUTE, 3, word(Status.GOOD, Flag.COUNTER_EXCHANGE), 6, REACH)]
    marked += every(5, [13, 23, 33, 43, 53], start=30 * MINUTE)
    rows = rows_of(marked, 0, 3 * W)
    assert [row.energy for _, row in rows] == [30_000, None, 30_000]
    assert rows[1][1].method is Method.MISSING
    assert (rows[1][1].start, rows[1][1].end) == (1_030_000, 13_000)
    reset = [each._replace(quality=0) for each in marked]
    rows = rows_of(reset, 0, 3 * W)
    assert [row.energy for _, row in rows] == [30_000, None, 30_000]
    assert rows[1][1].quality >> 2 & Flag.COUNTER_RESET


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
